"""A step writes into buffers that were made beforehand: training allocates no array, whatever the rule."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from objectives.losses import LOSSES
from objectives.models import Model
from objectives.optimizers import RULES
from objectives.problem import Problem
from objectives.training.descent import NetworkEpoch, _initial
from tests.support.problems import Sizes, config, problem

# Less than any array of a step here (32 trials x 128 rows x 10 outputs of float32: 164 KB). More than what NumPy itself
# takes for a call that broadcasts or casts, of whatever size: at most 8192 numbers of each operand while it lasts.
BOUND = 100_000
TRIALS, BATCH, ROWS = 32, 128, 600


def whole(task: str, outputs: int, hidden: tuple[int, ...] = (64,), activation: str = "relu") -> Problem:
    return problem(Sizes(task, outputs, 64, ROWS, 40, "float32"), Model(hidden, activation))


def peak_of_an_epoch(of: Problem, **values: Any) -> int:
    """The most bytes that the steps of a second epoch hold at once beyond what was there."""
    members = [config(**values, batch_size=BATCH, lr=1e-4 * (k + 1), epochs=100) for k in range(TRIALS)]
    state = _initial(of, members)
    epoch = NetworkEpoch(of, members, state.weights, state.slots, BATCH)
    epoch(0)
    tracemalloc.start()
    try:
        with np.errstate(all="ignore"):
            epoch(1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.01, "clip_norm": 1.0}])
def test_no_rule_allocates_in_its_steps(rule: str, options: dict[str, float]) -> None:
    assert peak_of_an_epoch(whole("multiclass", 10), optimizer=rule, **options) < BOUND


@pytest.mark.parametrize(
    ("of", "options"),
    [
        (whole("binary", 1), {}),
        (whole("regression", 1), {}),
        (whole("regression", 10), {}),
        (replace(whole("regression", 10), trains_on=LOSSES["huber"]), {}),
        (whole("multiclass", 10, ()), {}),
        (whole("multiclass", 10, (64, 32), "tanh"), {}),
        (whole("multiclass", 10), {"dropout": 0.2}),
    ],
    ids=["binary", "regression", "ten outputs", "huber", "linear", "two layers", "dropout"],
)
def test_no_model_or_loss_allocates_in_its_steps(of: Problem, options: dict[str, float]) -> None:
    assert peak_of_an_epoch(of, optimizer="momentum", **options) < BOUND


def test_an_array_of_a_step_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is one that an allocation breaks."""
    of = whole("multiclass", 10)
    loss = of.loss.gradient

    def careless(z: Any, y: Any, scratch: Any) -> None:
        loss(z, y, scratch)
        z *= z.copy() * 0 + 1

    monkeypatch.setattr(
        type(of), "criterion", property(lambda self: type(of.loss)(**{**vars(of.loss), "gradient": careless}))
    )
    assert peak_of_an_epoch(of, optimizer="momentum") > BOUND
