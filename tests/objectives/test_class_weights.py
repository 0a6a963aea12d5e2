"""Class weights: those of torch and scikit-learn, in training alone, the same alone and in a pack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from objectives.buffers import outputs as outputs_buffer
from objectives.class_weights import given_weights, weighted, weights_of, written
from objectives.criterion import criterion_of
from objectives.errors import InvalidInput
from objectives.evaluation.training_loss import loss_and_gradient
from objectives.evaluation.training_objective import objective_of
from objectives.losses import LOSSES, Scratch
from objectives.models import Model
from objectives.problem import Problem
from objectives.training.descent import descend
from tests.support.problems import Array, Sizes, config, problem, same_bits

TASKS = [("binary", 1), ("multiclass", 3)]


def of(plain: Problem, weights: str) -> Problem:
    return replace(plain, trains_on=criterion_of({"class_weight": weights}, plain.data.task))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_balanced_weights_are_scikit_learns(counts: list[int]) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=y)
    found = weights_of("balanced", np.array(counts, float), [""] * len(counts))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_given_weights_count_as_given_and_one_elsewhere() -> None:
    found = weights_of(written({"b": 4}), np.array([10.0, 5.0]), ("a", "b"))
    assert found[1] / found[0] == 4
    assert (found * [10, 5]).sum() / 15 == pytest.approx(1)
    assert given_weights("balanced") is None
    with pytest.raises(InvalidInput, match="there is no class 'rear'; did you mean 'rare'"):
        weights_of(written({"rear": 2}), np.ones(2), ("rare", "usual"))
    with pytest.raises(InvalidInput, match=r"class_weight: 'balance' is not known; did you mean 'balanced'\?"):
        given_weights("balance")
    with pytest.raises(InvalidInput, match="class_weight: 'a' has -1"):
        given_weights('{"a": -1}')


def torch_loss(task: str, z: Array, y: Array, table: Array) -> tuple[float, Array]:
    """Loss and gradient `(C, B)` of torch's CrossEntropyLoss(weight=table) for outputs `(C, B)` and classes `(B,)`."""
    torch = pytest.importorskip("torch", reason="compares with torch: pip install torch==2.13.0")
    own = torch.tensor(z.T, requires_grad=True)
    both = torch.cat([torch.zeros_like(own), own], dim=1) if task == "binary" else own
    loss = torch.nn.CrossEntropyLoss(weight=torch.tensor(table))(both, torch.tensor(y))
    loss.backward()
    assert own.grad is not None
    return loss.item(), own.grad.numpy().T


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TASKS), st.integers(1, 9), st.integers(0, 9999))
def test_a_minibatch_is_weighed_as_torch_does(shape: tuple[str, int], rows: int, seed: int) -> None:
    (task, outputs), rng = shape, np.random.default_rng(seed)
    plain, table = criterion_of({}, task), rng.uniform(0.1, 5, (2, max(2, outputs)))
    codes = rng.integers(0, max(2, outputs), (2, rows))
    y = codes[:, None, None] * (1.0 if task == "binary" else 1)
    z, scratch = outputs_buffer(2, 3, outputs, rows, np.dtype("float64")), Scratch(2, 3, outputs, rows, "float64")
    z[...] = 3 * rng.normal(size=z.shape)
    loss, given_z = weighted(plain, table, together=True), z.copy()
    loss.value(z, y, scratch)
    values = scratch.total[..., 0, 0] / rows
    loss.gradient(z, y, scratch)
    for r, k in np.ndindex(2, 3):
        expected, slope = torch_loss(task, given_z[r, k], codes[r], table[r])
        np.testing.assert_allclose([values[r, k], scratch.total[r, k, 0, 0] / rows], expected, rtol=1e-10)
        np.testing.assert_allclose(z[r, k], slope, atol=1e-12)


@pytest.mark.parametrize(("task", "outputs"), TASKS)
def test_all_rows_are_weighed_as_torch_does(task: str, outputs: int) -> None:
    whole = of(problem(Sizes(task, outputs, train=700), Model(), replicates=2, own_splits=True), "balanced")
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, whole.model.size(4, outputs)))
    for r in range(2):
        train = whole.replicates[r].data.train
        codes = train.y[:, 0].astype(int) if task == "binary" else train.y.argmax(axis=1)
        assert whole.class_weights is not None
        found, gradient = loss_and_gradient(whole, weights, r)
        for k in range(2):
            layer = weights[k].reshape(-1, outputs)
            expected, slope = torch_loss(task, (train.x @ layer).T, codes, whole.class_weights[r])
            assert found[k] == pytest.approx(expected, rel=1e-10)
            np.testing.assert_allclose(gradient[k], (train.x.T @ slope.T).ravel(), atol=1e-10)
        objective = objective_of(whole, 0.01, replicate=r)
        assert objective.hessian is not None
        h, step = 1e-6, np.eye(weights.shape[1])
        slopes = [
            (objective.slope(weights[0] + h * e)[1] - objective.slope(weights[0] - h * e)[1]) / (2 * h) for e in step
        ]
        np.testing.assert_allclose(objective.hessian(weights[0]), np.array(slopes), atol=1e-6)


@pytest.mark.parametrize(("task", "outputs"), TASKS)
def test_a_trial_with_class_weights_has_the_same_bits_alone_and_in_a_pack(task: str, outputs: int) -> None:
    whole = of(problem(Sizes(task, outputs, train=50, dtype="float32"), Model((5,)), 2, own_splits=True), "balanced")
    pack = [config("adam", lr=lr, class_weight="balanced") for lr in (0.01, 0.003, 0.1)]
    together = descend(whole, pack, 3)
    for k, one in enumerate(pack):
        assert same_bits(descend(whole, [one], 3).state.weights[:, 0], together.state.weights[:, k])


def test_validation_is_judged_without_weights() -> None:
    plain = problem(Sizes("binary", 1, train=40), Model())
    still = config("sgd", lr=1e-12, class_weight=written({"1": 9.0}))
    ours = descend(of(plain, written({"1": 9.0})), [still], 1).curves
    theirs = descend(plain, [config("sgd", lr=1e-12)], 1).curves
    np.testing.assert_allclose(ours["valid_loss"], theirs["valid_loss"], rtol=1e-9)
    assert np.abs(ours["train_loss"] - theirs["train_loss"]).min() > 1e-3
    with pytest.raises(InvalidInput, match="loss: a pack has one, that of its problem"):
        descend(plain, [still], 1)


def test_what_class_weights_do_not_go_with_is_refused() -> None:
    assert criterion_of({"class_weight": "none"}, "binary") is LOSSES["binary_cross_entropy"]
    assert criterion_of({"class_weight": "balanced"}, "binary") is criterion_of({"class_weight": "balanced"}, "binary")
    with pytest.raises(InvalidInput, match="class_weight: does not fit a regression task"):
        criterion_of({"class_weight": "balanced"}, "regression")
    with pytest.raises(InvalidInput, match="class_weight: does not go with label_smoothing"):
        criterion_of({"class_weight": "balanced", "label_smoothing": 0.1}, "binary")
    assert objective_of(of(problem(Sizes("binary", 1), Model()), "balanced")).recedes is not None
