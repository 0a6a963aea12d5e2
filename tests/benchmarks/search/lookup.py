"""A search of ours, looking results up: the same proposals, generations and cuts as in a run, and nothing trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tests.benchmarks.search.tables import Results
from tuner.orchestrator.live import LiveGeneration, LiveTrial
from tuner.ranking.goal import is_stable
from tuner.records import Trial
from tuner.search import bars, generation_size, ladder, propose, rungs
from tuner.study import Study
from tuner.trainables.protocols import Advance

__all__ = ["Found", "search"]


@dataclass(frozen=True)
class Found:
    """A fully trained config: the epochs spent when it was, and its row in the table."""

    spent: int
    row: int


@dataclass(frozen=True)
class Lookup:
    """A table as what a search trains; `splits` of it are a trial's replicates."""

    results: Results
    splits: tuple[int, ...]

    @cached_property
    def constant(self) -> float:
        """The validation loss of a constant prediction."""
        return float(np.mean([self.results.constants[split] for split in self.splits]))

    def advance(self, trial: LiveTrial, done: int, to: int) -> tuple[Advance, int]:
        """What a trial shows from one rung to the next, and the epochs that it takes: a diverged one ends early."""
        curve = self.results.losses[self.results.row(trial.latents), self.splits, done:to]
        alive = np.isfinite(curve).all(axis=0)
        ended, epochs = ("", to - done) if alive.all() else ("diverged", int(alive.sum()) + 1)
        return Advance({"valid_loss": curve}, None, 0.0, ended=ended), epochs

    def trained(self, curves: Mapping[str, Any], state: Any) -> tuple[dict[str, Any], int]:
        """All epochs."""
        return dict(curves), len(curves["valid_loss"][0])

    def steps(self, config: Mapping[str, Any], epochs: int, state: Any) -> int:
        """Epochs: nobody counts updates."""
        return epochs

    def steady(self, curves: Mapping[str, Any]) -> bool:
        """As the core says it."""
        return is_stable(curves["valid_loss"], self.constant)


def search(study: Study, results: Results, splits: tuple[int, ...], epochs: int) -> list[Found]:
    """What a search of so many epochs trains to the end, in order, and when; it sees these splits, as replicates.

    Within a rung trials are paid for one by one, in trial order: a search may be stopped anywhere.
    """
    space, lookup = results.space, Lookup(results, splits)
    history: list[Trial] = []
    found: list[Found] = []
    spent = number = 0
    while spent < epochs:
        points = propose(study, space, number, len(history), generation_size(study, number), history)
        trials = [LiveTrial(i, space.config(point), point) for i, point in enumerate(points, start=len(history))]
        steps = ladder(study, number)
        generation = LiveGeneration(number, trials, steps, len(rungs(study)) - len(steps), bars(study, number, history))
        far = [stage.amount for stage in steps]
        for done, to in zip((0, *far), far, strict=False):
            for trial in generation.running:
                advance, took = lookup.advance(trial, done, to)
                trial.take(advance)
                trial.rung = generation.before + generation.rung
                spent += took
                row = results.row(trial.latents)
                if to == far[-1] and np.isfinite(results.value(row, splits)):
                    found.append(Found(spent, row))
            generation.cut(study, lookup)
        history += [trial.record(study, number, lookup) for trial in trials]
        number += 1
    return [one for one in found if one.spent <= epochs]
