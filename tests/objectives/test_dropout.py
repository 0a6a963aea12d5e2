"""Dropout leaves out the share it says, in training only, by masks that depend on rate and seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from objectives.dropout import Dropout
from objectives.errors import InvalidInput
from objectives.losses import Scratch
from objectives.models import ACTIVATIONS, Layers, Model, Workspace, backward, forward
from objectives.problem import Replicate
from objectives.training.descent import descend
from tests.objectives.evaluation.test_gradients import (
    OUTPUTS,
    REPLICATES,
    ROWS,
    TRIALS,
    central_differences,
    smooth_point,
)
from tests.support.problems import Array, Sizes, config, prepared, problem, same_bits

RATES = [0.2, 0.5]


def masks(rates: list[float], key: tuple[int, int], epoch: int, rows: int = 40, hidden: int = 50) -> Array:
    """The masks `(K, B, H)` that trials of those rates multiply with in the second hidden layer."""
    shape = (1, len(rates), rows, hidden + 1)
    active = [np.ones(shape), np.ones(shape)]
    dropout = Dropout(rates, active, [np.ones(shape) for _ in active], recalled=False)
    replicate = Replicate(*key, prepared(Sizes()))
    dropout.draw([[replicate.dropout_stream(epoch, layer) for layer in (0, 1)]])
    dropout.forward(1)
    assert (active[1][..., -1] == 1).all()
    assert (active[0] == 1).all()
    return active[1][0, ..., :-1]


def test_a_mask_leaves_out_its_share_and_scales_the_others():
    found = masks([0.2, 0.5, 0.9], (0, 0), 0, rows=400)
    for mask, rate in zip(found, (0.2, 0.5, 0.9), strict=True):
        assert set(np.unique(mask)) == {0.0, 1 / (1 - rate)}
        assert abs((mask == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / mask.size)


def test_what_a_high_rate_keeps_a_low_rate_keeps_too_and_the_others_rates_do_not_matter():
    low, high = masks(RATES, (0, 0), 0)
    assert (low[high > 0] > 0).all()
    assert same_bits(masks([0.5], (0, 0), 0)[0], high)
    assert same_bits(masks([0.9, 0.2], (0, 0), 0)[1], low)


def test_masks_differ_by_seed_replicate_epoch_and_layer():
    found = [masks([0.5], key, epoch).tobytes() for key in ((0, 0), (1, 0), (0, 1)) for epoch in (0, 1)]
    assert len(set(found)) == 6
    replicate = Replicate(0, 0, prepared(Sizes()))
    assert replicate.dropout_stream(0, 0).random() != replicate.dropout_stream(0, 1).random()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(6,), (5, 3)], ids=str)
@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_gradients_through_a_fixed_mask_agree_with_central_differences(task, outputs, hidden, activation):
    whole = problem(Sizes(task, outputs, features=3), Model(hidden, activation), REPLICATES)
    weights, x, y = smooth_point(whole)
    shapes, act = whole.model.shapes(whole.inputs, whole.outputs), ACTIVATIONS[activation]
    work = Workspace(shapes, REPLICATES, TRIALS, ROWS, weights.dtype)
    scratch = Scratch(REPLICATES, TRIALS, whole.outputs, ROWS, weights.dtype)
    dropout = Dropout(RATES, work.active, work.delta, act.recalls)
    dropout.draw([[r.dropout_stream(0, layer) for layer in range(len(hidden))] for r in whole.replicates])

    def losses(p: Array) -> Array:
        whole.criterion.value(forward(x, Layers(p, shapes), work, act, dropout), y, scratch)
        return scratch.total[..., 0, 0] / ROWS

    gradient = np.full_like(weights, np.nan)
    whole.criterion.gradient(forward(x, Layers(weights, shapes), work, act, dropout), y, scratch)
    backward(x, Layers(weights, shapes), Layers(gradient, shapes), work, act, dropout)
    np.testing.assert_allclose(gradient, central_differences(losses, weights), rtol=1e-6, atol=1e-9)


def test_evaluation_leaves_nothing_out():
    whole = problem(Sizes(), Model((8,)))
    still = [config("sgd", lr=1e-300, dropout=rate) for rate in (0.0, 0.5)]
    outcome = descend(whole, still, 2)
    plain, dropped = (outcome.curves["valid_loss"][0, k] for k in (0, 1))
    assert same_bits(plain, dropped)
    assert outcome.curves["train_loss"][0, 1, 0] != outcome.curves["train_loss"][0, 0, 0]
    assert outcome.curves["train_loss"][0, 1, 0] != outcome.curves["train_loss"][0, 1, 1]


def test_a_rate_is_a_share_and_needs_a_hidden_layer():
    with pytest.raises(InvalidInput, match=r"dropout: must lie in \[0, 1\), but got 1.0"):
        descend(problem(Sizes(), Model((4,))), [config("sgd", dropout=1)], 1)
    with pytest.raises(InvalidInput, match=r"dropout: must lie in \[0, 1\), but got nan"):
        descend(problem(Sizes(), Model((4,))), [config("sgd", dropout=np.nan)], 1)
    with pytest.raises(InvalidInput, match="dropout: the model has no hidden layer to drop units of"):
        descend(problem(Sizes(), Model()), [config("sgd", dropout=0.5)], 1)
