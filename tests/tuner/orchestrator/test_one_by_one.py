"""Trials proposed one by one: the same table for any number of workers and order of finishing, and after a resume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.benchmarks.learning.played import Part, Pretended, played
from tests.benchmarks.learning.problems import PROBLEMS, Problem, cube
from tuner.records import Trial
from tuner.trainables.protocols import Advance

BOWL = PROBLEMS["bowl 2, curves cross"]


def table(trials: list[Trial]) -> list[Any]:
    """What has to be the same."""
    return [(t.number, t.generation, t.latents, t.state, t.rung, t.value) for t in trials]


class Uneven:
    """Trials that take as long as their numbers say, in no order; some diverge or fail after their first rung."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.factor = 1
        monkeypatch.setattr(Pretended, "done", lambda training, task: self.done(task))
        advances = Pretended.advances

        def ending(training: Any, task: Part, outcome: Part) -> list[Advance]:
            (one,) = advances(training, task, outcome)
            ended = {3: "diverged", 5: "failed"}.get(task.number % 11, "") if task.start else ""
            return [Advance(one.curves, one.state, one.seconds, ended=ended, error="ValueError: no" if ended else "")]

        monkeypatch.setattr(Pretended, "advances", ending)

    def done(self, task: Part) -> tuple[float, Part]:
        """A number of seconds that has nothing to do with the work."""
        return float((task.number * 7919 + task.stop) * self.factor % 13 + 1), task


@pytest.mark.parametrize("pruner", ["halving", "hyperband", "median", "none"])
def test_one_table_for_any_workers_and_any_order(pruner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    uneven = Uneven(monkeypatch)
    tables = []
    for workers, factor in ((1, 1), (3, 1), (4, 5)):
        uneven.factor = factor
        tables.append(table(played(BOWL, 30, 1, True, workers, parallel=4, pruner=pruner)[0]))
    assert tables[1] == tables[0]
    assert tables[2] == tables[0]
    states = {state for _, _, _, state, _, _ in tables[0]}
    assert pruner != "halving" or states == {"complete", "pruned", "diverged", "failed"}


@pytest.mark.parametrize("seed", range(3))
def test_a_short_search_ends_with_as_many_complete_trials_as_are_confirmed(seed: int) -> None:
    trials = played(PROBLEMS["bowl 6"], 16, seed, True, parallel=4)[0]
    states = [trial.state for trial in trials]
    assert states.count("complete") >= 5
    assert "pruned" in states[:8]
    assert states[-1] == "complete" or states[:-1].count("complete") >= 5


@pytest.mark.parametrize("kept", [1, 9, 22])
def test_a_resumed_search_goes_on_as_it_would_have(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Uneven(monkeypatch)
    whole = played(BOWL, 30, 2, True, 3, parallel=4)[0]
    again = played(BOWL, 30, 2, True, 4, parallel=4, begun=whole[:kept])[0]
    assert table(again) == table(whole)


def test_what_is_cut_is_cut_by_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = played(BOWL, 40, 0, True, 4, parallel=4)[0]
    first = [t.curves["valid_loss"][0, :3].min() for t in trials]
    for trial in trials[1:]:
        before = first[max(0, trial.number - 32) : trial.number]
        rank = sum(value <= first[trial.number] for value in before)
        assert (trial.rung > 0) == (rank < -(-(len(before) + 1) // 4)), trial.number


def test_no_config_is_trained_twice_and_a_space_that_is_tried_ends_the_search() -> None:
    space = {"a": {"low": 1, "high": 4}, "kind": {"choices": ["p", "q"]}}
    small = Problem("small", space, lambda values, seed: (values["a"] - 2) ** 2 + (values["kind"] == "q"))
    trials = played(small, 30, 0, False, 2, parallel=3)[0]
    configs = {(t.config["a"], t.config["kind"]) for t in trials}
    assert len(trials) == len(configs) == 8
    whole = played(Problem("more", {**space, "a": {"low": 1, "high": 9}}, small.loss), 14, 0, False)[0]
    assert len({(t.config["a"], t.config["kind"]) for t in whole}) == 14


def test_what_another_study_showed_is_where_a_search_begins() -> None:
    """With rungs, trials of another study made a search worse."""
    bowl = Problem("bowl", cube(2), lambda values, seed: (values["x0"] - 0.3) ** 2 + (values["x1"] - 0.7) ** 2)
    before, _ = played(bowl, 24, 0, True)
    cold, _ = played(bowl, 12, 9, True)
    moved = [Trial(**{**vars(t), "generation": -1, "rung": 0}) for t in before]
    warm, _ = played(bowl, 12, 9, True, warm=moved)
    losses = [[bowl.loss(t.config, 0) for t in trials[:6]] for trials in (cold, warm)]
    assert np.median(losses[1]) < min(losses[0])
