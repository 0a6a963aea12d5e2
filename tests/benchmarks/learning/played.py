"""The tuner's search on a problem: the orchestrator's own code, pretended workers, and a ledger in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from tests.benchmarks.learning.problems import EPOCHS, Problem
from tests.benchmarks.simulated import Simulation
from tuner.orchestrator.loop import Search
from tuner.records import Stage, Trial
from tuner.space import space_of
from tuner.store.ledger import Ledger
from tuner.study import Study, read_study
from tuner.trainables.protocols import Advance, Member

__all__ = ["Step", "asked", "played", "steps_of"]


@dataclass(frozen=True)
class Step:
    """After a trial: epochs spent in all, its own true loss, and that of the best complete one (by what was seen)."""

    spent: int
    loss: float
    best: float


@dataclass(frozen=True)
class Part:
    """A task: one trial from one epoch to another."""

    number: int
    config: Mapping[str, Any]
    start: int
    stop: int

    @property
    def trials(self) -> tuple[int, ...]:
        """Return the number of its trial."""
        return (self.number,)


@dataclass(frozen=True)
class Pretended:
    """A problem as what a search trains."""

    problem: Problem
    seed: int
    full: int

    def tasks(self, members: Sequence[Member], before: Stage, after: Stage) -> list[Part]:
        """Return a task for each trial."""
        return [Part(m.trial, m.config, before.amount, after.amount) for m in members]

    def call(self, task: Part, flight: Path, shared: bool) -> tuple[Any, ...]:
        """Return the task itself: nobody runs it."""
        return None, task

    def done(self, task: Part) -> tuple[float, Part]:
        """Return how long a task takes: a second for each epoch."""
        return float(task.stop - task.start), task

    def advances(self, task: Part, outcome: Part) -> list[Advance]:
        """Return the epochs of its curve; the last one alone where trials are not cut."""
        curve = self.problem.curve(task.config, self.seed, task.number)[None]
        curve = curve[:, -1:] if self.full == 1 else curve[:, task.start : task.stop]
        return [Advance({"valid_loss": curve}, task.stop, float(task.stop - task.start))]

    def join(self, states: Sequence[Any]) -> Any:
        """Return where the last split stands."""
        return states[-1]

    def trained(self, curves: Mapping[str, Any], state: Any) -> tuple[dict[str, Any], int]:
        """Return all epochs."""
        return dict(curves), curves["valid_loss"].shape[1]

    def steps(self, config: Mapping[str, Any], epochs: int, state: Any) -> int:
        """Return the epochs."""
        return epochs

    def keep(self, flight: Path, trials: Sequence[int]) -> None:
        """Keep nothing of the leaders."""

    def steady(self, curves: Mapping[str, Any]) -> bool:
        """Return that nothing blows up."""
        return True


@dataclass
class Kept:
    """A ledger in memory."""

    rows: list[Trial] = field(default_factory=list)

    def trials(self) -> list[Trial]:
        """Return what was committed."""
        return list(self.rows)

    def commit_generation(self, number: int, trials: Sequence[Trial], facts: Any = None, summary: Any = None) -> None:
        """Keep the trials."""
        self.rows += trials


class Clock(Simulation):
    """Workers on a clock on which only training takes time."""

    def _pass(self) -> None:
        self.looked = time.process_time()
        super()._pass()

    def submit(self, timed: Any, function: Any, task: Any, *args: Any, **options: Any) -> Future[Any]:
        """Take a task, which nobody runs."""
        return super().submit(timed, function, task, **options)


def asked(problem: Problem, trials: int, seed: int, pruned: bool, **search: Any) -> Study:
    """Return a study of the problem as code of one's own."""
    tables: dict[str, Any] = {
        "study": {"name": "s", "trials": trials, "seed": seed, "objective": "o.py:f", "minimize": "valid_loss"},
        "parameters": {name: dict(keys) for name, keys in problem.parameters.items()},
        "search": search,
    }
    return read_study(tables | ({"train": {"epochs": EPOCHS}} if pruned else {}), needs_data=False)


def played(
    problem: Problem,
    trials: int,
    seed: int,
    pruned: bool,
    workers: int = 1,
    most: int = 10**9,
    warm: Sequence[Trial] = (),
    begun: Sequence[Trial] = (),
    **search: Any,
) -> tuple[list[Trial], float]:
    """Return the trials of a search of at most so many epochs, and the processor seconds that the tuner took.

    `begun` are trials that an earlier run of it has committed, `warm` those of another study.
    """
    study = asked(problem, trials, seed, pruned, **search)
    if pruned:
        study = replace(study, stop=study.stop.model_copy(update={"epochs": most}))
    training, kept = Pretended(problem, seed, study.budget.amount), Kept(list(begun))
    engine = Clock(workers, training.done, ordered=True)
    began = time.process_time()
    with patch("tuner.orchestrator.loop.wait", engine.wait):
        Search(study, space_of(study), training, cast(Ledger, kept), engine, Path("nowhere"), warm=warm).run()
    return kept.rows, time.process_time() - began


def steps_of(problem: Problem, trials: Sequence[Trial], seed: int, each: int = 1) -> list[Step]:
    """Return what a search had come to after each of its trials; an epoch of its own counts `each`."""
    spent, best, seen = 0, float("inf"), float("inf")
    found = []
    for trial in trials:
        loss = problem.loss(trial.config, seed)
        spent += trial.epochs * each
        if trial.state == "complete" and trial.value is not None and trial.value < seen:
            seen, best = trial.value, loss
        found.append(Step(spent, loss, best))
    return found
