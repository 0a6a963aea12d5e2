"""What a config trains on: its loss, and smoothed labels, which validation and test never see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.buffers import outputs as outputs_buffer
from objectives.criterion import criterion_key, criterion_of
from objectives.errors import InvalidInput
from objectives.evaluation.training_objective import objective_of
from objectives.losses import LOSSES, Scratch, huber, loss_of, losses_for
from objectives.models import Model
from objectives.problem import Problem
from objectives.training.descent import descend
from tests.support.problems import Array, Sizes, config, problem

CLASSES = [("multiclass", 3), ("multiclass", 2), ("binary", 1)]


def test_a_config_names_what_it_trains_on():
    assert losses_for("regression") == ("squared_error", "huber", "absolute_error", "poisson", "quantile")
    assert criterion_of({}, "binary") is loss_of("binary")
    assert criterion_of({"loss": "huber", "huber_delta": 2}, "regression") is huber(2.0) is not huber()
    with pytest.raises(InvalidInput, match="loss: 'huber' does not belong to a binary task; choose one of"):
        criterion_of({"loss": "huber"}, "binary")
    with pytest.raises(InvalidInput, match=r"huber_delta: must lie in \(0, inf\), but got 0.0"):
        criterion_of({"loss": "huber", "huber_delta": 0}, "regression")


def test_labels_are_smoothed_for_classes_alone():
    assert criterion_of({"label_smoothing": 0.0}, "regression") is loss_of("regression")
    assert criterion_of({"label_smoothing": 0}, "multiclass") is LOSSES["softmax_cross_entropy"]
    assert criterion_of({"label_smoothing": 0.1}, "binary") is criterion_of({"label_smoothing": 0.1}, "binary")
    with pytest.raises(InvalidInput, match="label_smoothing: does not fit a regression task; leave it out"):
        criterion_of({"label_smoothing": 0.1}, "regression")
    with pytest.raises(InvalidInput, match=r"label_smoothing: must lie in \[0, 1\), but got 1.0"):
        criterion_of({"label_smoothing": 1}, "binary")


def test_configs_with_one_key_minimise_the_same():
    assert criterion_key({"lr": 1.0, "label_smoothing": 0.1}) == criterion_key({"label_smoothing": 0.1})
    assert criterion_key({"label_smoothing": 0.1}) != criterion_key({}) != criterion_key({"loss": "huber"})


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CLASSES), st.floats(0.01, 0.99), st.integers(1, 9), st.integers(0, 999))
def test_smoothing_mixes_the_targets_with_the_uniform_distribution(shape, smoothing, rows, seed):
    task, outputs = shape
    rng = np.random.default_rng(seed)
    z = 3 * rng.standard_normal((2, 3, outputs, rows))
    drawn = rng.integers(0, max(2, outputs), (2, rows))
    y: Array = drawn[..., None] * 1.0 if task == "binary" else np.eye(outputs)[drawn]
    loss, scratch = criterion_of({"label_smoothing": smoothing}, task), Scratch(2, 3, outputs, rows, z.dtype)
    both = z if task == "multiclass" else np.concatenate([0 * z, z], axis=-2)
    shares = y if task == "multiclass" else np.concatenate([1 - y, y], axis=-1)
    mixed = np.moveaxis((1 - smoothing) * shares + smoothing / shares.shape[-1], -1, -2)[:, None]
    logs = both - np.logaddexp.reduce(both, axis=-2, keepdims=True)
    found, compared = outputs_buffer(2, 3, outputs, rows, z.dtype), np.moveaxis(loss.target(y), -1, -2)[:, None]
    found[...] = z
    loss.value(found, compared, scratch)
    np.testing.assert_allclose(scratch.total[..., 0, 0], -(mixed * logs).sum(axis=(-2, -1)), rtol=1e-10)
    np.testing.assert_array_equal(found, z)
    loss.gradient(found, compared, scratch)
    np.testing.assert_allclose(found, ((np.exp(logs) - mixed) / rows)[..., -outputs:, :], atol=1e-13)


def test_validation_is_judged_without_smoothing():
    member = config("sgd", lr=1e-9, batch_size=8, epochs=1, label_smoothing=0.4)
    plain = problem(Sizes(train=40), Model())
    smooth = Problem(plain.replicates, plain.model, criterion_of(member, "multiclass"))
    ours = descend(smooth, [member], 1).curves
    theirs = descend(plain, [{**member, "label_smoothing": 0.0}], 1).curves
    np.testing.assert_allclose(ours["valid_loss"], theirs["valid_loss"], rtol=1e-5)
    assert np.abs(ours["train_loss"] - theirs["train_loss"]).min() > 1e-3
    with pytest.raises(InvalidInput, match="loss: a pack has one, that of its problem"):
        descend(plain, [member], 1)


def test_smoothed_labels_have_an_optimum_where_classes_can_be_told_apart():
    plain = problem(Sizes("binary", 1, train=40), Model())
    smooth = Problem(plain.replicates, plain.model, criterion_of({"label_smoothing": 0.1}, "binary"))
    assert objective_of(plain).recedes is not None
    assert objective_of(smooth).recedes is None
