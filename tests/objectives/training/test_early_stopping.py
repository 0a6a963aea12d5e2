"""Early stopping stops where a plain loop would, freezes what has stopped, and costs nothing after that."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from objectives.errors import InvalidInput
from objectives.models import Model
from objectives.problem import Problem
from objectives.training import descent
from objectives.training.descent import Outcome, State, descend
from tests.support.problems import Sizes, config, problem, same_bits

EPOCHS = 30
RISING = config("momentum", lr=0.3, batch_size=5, epochs=EPOCHS)  # overfits: its validation loss rises after a while


def whole(replicates: int = 1) -> Problem:
    return problem(Sizes(), Model((16,)), replicates)


def stopping_epoch(losses: list[float], patience: int, min_delta: float) -> int:
    """Epochs that a plain loop with early stopping trains for."""
    best, since = float("inf"), 0
    for epoch, loss in enumerate(losses, start=1):
        if loss < best - min_delta:
            best, since = loss, 0
        else:
            since += 1
        if since == patience:
            return epoch
    return len(losses)


@pytest.mark.parametrize("patience", [1, 2, 5])
@pytest.mark.parametrize("min_delta", [0.0, 0.01, 0.2])
def test_a_run_stops_where_a_plain_loop_does(patience, min_delta):
    free = descend(whole(), [RISING], EPOCHS)
    stopping = {**RISING, "patience": patience, "min_delta": min_delta}
    outcome = descend(whole(), [stopping], EPOCHS)
    last = stopping_epoch(free.curves["valid_loss"][0, 0].tolist(), patience, min_delta)
    assert 1 < last < EPOCHS
    assert outcome.stopped.all()
    assert outcome.state.marks["trained"].tolist() == [[last]]
    assert same_bits(outcome.state.weights, descend(whole(), [RISING], last).state.weights)
    for name, curve in outcome.curves.items():
        assert same_bits(curve[..., :last], free.curves[name][..., :last])
        assert (curve[..., last:] == curve[..., last - 1 : last]).all()


def test_patience_that_is_never_used_up_changes_nothing():
    free, patient = (descend(whole(), [{**RISING, **more}], EPOCHS) for more in ({}, {"patience": EPOCHS}))
    assert not patient.stopped.any()
    assert patient.state.marks["trained"].tolist() == [[EPOCHS]]
    assert free.state.marks == {}
    assert same_bits(free.state.weights, patient.state.weights)
    assert same_bits(free.curves["valid_loss"], patient.curves["valid_loss"])


def test_replicates_stop_by_themselves():
    outcome = descend(whole(3), [{**RISING, "patience": 1}], EPOCHS)
    trained = outcome.state.marks["trained"][:, 0].astype(int).tolist()
    assert len(set(trained)) > 1
    for r, epochs in enumerate(trained):
        losses = outcome.curves["valid_loss"][r, 0]
        assert (losses[epochs:] == losses[epochs - 1]).all()


def trained_rows(configs: list[dict[str, Any]], epochs: int, replicates: int = 1) -> tuple[list[int], Outcome]:
    """How many trials are trained in each epoch, and the outcome."""
    seen: list[int] = []
    once = descent.NetworkEpoch.__call__

    def counted(self: Any, epoch: int) -> Any:
        seen.append(self.layers.views[0].shape[1])
        return once(self, epoch)

    with patch.object(descent.NetworkEpoch, "__call__", counted):
        return seen, descend(whole(replicates), configs, epochs)


def test_what_has_stopped_or_diverged_costs_nothing():
    hopeless = config("sgd", lr=1e30, epochs=EPOCHS)
    seen, outcome = trained_rows([RISING, {**RISING, "patience": 1}, hopeless], 20)
    last = int(outcome.state.marks["trained"][0, 1])
    assert seen == [3] + [2] * (last - 1) + [1] * (20 - last)
    seen, outcome = trained_rows([{**RISING, "patience": 1}, hopeless], 20)
    assert seen == [2] + [1] * (last - 1)
    assert outcome.state.epoch == 20


def test_a_trial_is_trained_until_its_last_replicate_has_stopped():
    seen, outcome = trained_rows([{**RISING, "patience": 1}], 20, replicates=3)
    assert len(seen) == outcome.state.marks["trained"].max()


def test_what_has_stopped_goes_on_standing_when_the_run_goes_on():
    members = [{**RISING, "patience": 1}, RISING]
    start = descend(whole(2), members, 15)
    assert start.stopped.tolist() == [[True, False], [True, False]]
    rest, through = descend(whole(2), members, 5, start.state), descend(whole(2), members, 20)
    assert same_bits(rest.state.weights, through.state.weights)
    for name, curve in through.curves.items():
        assert same_bits(rest.curves[name], curve[..., 15:])


def test_marks_of_others_are_zero_and_stay_with_their_trials():
    state = descend(whole(), [RISING, {**RISING, "patience": 3}], 2).state
    assert {name: mark[0, 0] for name, mark in state.marks.items()} == dict.fromkeys(state.marks, 0)
    joined = State.join([descend(whole(), [RISING], 2).state, state.take([1])])
    assert {name: mark.tolist() for name, mark in joined.marks.items()} == {
        name: mark.tolist() for name, mark in state.marks.items()
    }


def test_impossible_patience_is_refused():
    for patience in (-1, 2.5):
        with pytest.raises(InvalidInput, match=f"patience: must be a whole number of epochs, 0 .* got {patience}"):
            descend(whole(), [{**RISING, "patience": patience}], 1)
    with pytest.raises(InvalidInput, match=r"min_delta: must lie in \[0, inf\), but got -0.1"):
        descend(whole(), [{**RISING, "patience": 1, "min_delta": -0.1}], 1)


def test_what_stops_at_different_epochs_is_what_it_is_alone():
    members = [{**RISING, "lr": lr, "patience": 1} for lr in np.geomspace(0.01, 1.0, 7)]
    pack = descend(whole(2), members, EPOCHS)
    assert len(set(pack.state.marks["trained"].max(axis=0))) > 2
    for k, member in enumerate(members):
        alone = descend(whole(2), [member], EPOCHS)
        assert same_bits(alone.state.weights[:, 0], pack.state.weights[:, k])
        assert same_bits(alone.curves["train_loss"][:, 0], pack.curves["train_loss"][:, k])
