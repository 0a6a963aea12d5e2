"""Somebody's objective as what a search trains: how its trials are cut at rungs, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from objectives.types import Direction
from tuner.enums import ObjectiveForm
from tuner.ranking.goal import UNSTABLE, signed
from tuner.records import Stage
from tuner.store.cache import DiskCache
from tuner.study.budget import RUN, Budget
from tuner.trainables.custom.kept_directories import drop_others, take_over
from tuner.trainables.custom.objective_ref import ObjectiveRef
from tuner.trainables.custom.program_setup import ObjectiveCommand
from tuner.trainables.custom.run_handle import SEARCH
from tuner.trainables.custom.tasks import CustomOutcome, CustomState, CustomTask, run_custom
from tuner.trainables.optuna_script.study_beside import Beside
from tuner.trainables.protocols import Advance, Member, side_by_side

__all__ = ["CustomTrainer"]

FLIGHT_BYTES = 1 << 28  # of curves of a generation's trials


@dataclass(frozen=True)
class CustomTrainer:
    """Trials of an objective of one of the forms, each on every one of `seeds`, `batch` of them in a call.

    One that goes on from its checkpoint continues at a rung; others start over there, and the epochs that they repeat
    are counted.
    """

    what: ObjectiveRef | ObjectiveCommand
    form: ObjectiveForm
    source: str
    budget: Budget
    goal: str
    direction: str
    seeds: tuple[int, ...]
    taken: tuple[str, ...]
    output: Path
    batch: int = 1
    phase: str = SEARCH
    splits: tuple[int, ...] = ()  # the number of each seed's split, one after the other; none where there is one
    replicates: int = 1
    beside: Beside | None = None  # what an objective of Optuna's may read, before it is known which generation it is in
    lag: int = 1
    kept: Path = Path()  # where directories of the best trials stay
    most_kept: int = 0

    @property
    def continues(self) -> bool:
        """Return True if a trial continues where it stopped: trials that are called together cannot."""
        return self.form == ObjectiveForm.RUN and self.batch == 1

    def tasks(self, members: Sequence[Member], before: Stage, after: Stage) -> list[CustomTask]:
        """Build tasks of `batch` trials each: on known splits that are not finished, and on each new one."""
        known, wanted = before.splits * self.replicates, after.splits * self.replicates
        start, stop = before.amount if self.continues else 0, 0 if self.budget.unit == RUN else after.amount
        found = self._tasks(members, range(known), start, stop) if known and after.amount > before.amount else []
        fresh = [replace(member, state=None) for member in members]
        for first in range(known, wanted, self.replicates):
            found += self._tasks(fresh, range(first, first + self.replicates), 0, stop)
        return found

    def _tasks(self, members: Sequence[Member], rows: range, start: int, stop: int) -> list[CustomTask]:
        """Build tasks that train some of the seeds."""
        seeds, splits = (tuple(some[rows.start : rows.stop]) for some in (self.seeds, self.splits))
        found = []
        for i in range(0, len(members), self.batch):
            some = members[i : i + self.batch]
            numbers, configs = tuple(m.trial for m in some), tuple(m.config for m in some)
            found.append(
                CustomTask(
                    self.what, self.form, numbers, configs, seeds, start, stop, self.budget.unit, self.goal,
                    self.phase, self.taken, Path(), self.output, self.batch > 1, self.source,
                    tuple(m.state for m in some), splits, rows.start, self.beside and replace(self.beside, place=None),
                )
            )  # fmt: skip
        return found

    def join(self, states: Sequence[CustomState]) -> CustomState:
        """Join the states of all splits to one."""
        return CustomState(side_by_side([state.curves for state in states]), sum(state.spent for state in states))

    def call(self, task: CustomTask, flight: Path, shared: bool) -> tuple[Any, ...]:
        """Train, or find again what a killed run has left."""
        del shared
        beside = self.beside
        if beside is not None and flight.name.isdigit():  # a generation's
            beside = replace(beside, before=int(flight.name) - self.lag)
        return run_custom, replace(task, folder=flight, states=(), beside=beside), DiskCache(flight, FLIGHT_BYTES)

    def advances(self, task: CustomTask, outcome: CustomOutcome) -> list[Advance]:
        """Return the progress of each of a call's trials: all curves from the start."""
        share = outcome.seconds / len(task.trials)
        found = []
        for k, (ended, reason, state) in enumerate(zip(outcome.ended, outcome.reasons, task.states, strict=True)):
            curves = {name: curve[:, k] for name, curve in outcome.curves.items()}
            spent = (task.stop or 1) if self.form == ObjectiveForm.VALUE else length(curves) - task.start
            if state is not None:
                spent += state.spent
                curves = curves if self.form == ObjectiveForm.STEPS else joined(state.curves, curves)
            state = CustomState(curves, spent)
            found.append(Advance(curves, state, share, True, ended, reason, task.first, outcome.final))
        return found

    def trained(self, curves: Mapping[str, Any], state: Any) -> tuple[dict[str, Any], int]:
        """Return all that was reported, and its last epoch."""
        del state
        return dict(curves), length(curves)

    def steps(self, config: Mapping[str, Any], epochs: int, state: Any) -> int:
        """Return the epochs that were trained for it, including repeated ones."""
        del config
        return state.spent if state is not None else epochs

    def keep(self, flight: Path, best: Sequence[int]) -> None:
        """Move the directories of the best `most_kept` trials to where they stay, and remove what stayed of others."""
        wanted = best[: self.most_kept]
        for number in wanted:
            take_over(flight, number, self.kept)
        drop_others(self.kept, wanted)

    def steady(self, curves: Mapping[str, Any]) -> bool:
        """Return True if it ended near its best, or no worse than it began.

        The value of an Optuna objective is what it returns, whatever it reported before. For others the rule applies
        only where lower is better and nothing is below zero: elsewhere "twice as much" has no meaning.
        """
        goal = np.asarray(curves[self.goal]).mean(axis=0)
        told = goal[np.isfinite(goal)]
        if self.form == ObjectiveForm.TRIAL or self.direction != Direction.MINIMIZE or not len(told) or told.min() < 0:
            return True
        return bool(told[-1] <= UNSTABLE * signed(told.min(), self.direction) or told[-1] <= told[0])


def length(curves: Mapping[str, Any]) -> int:
    """Return the last epoch of curves `(R, E)`."""
    return max((curve.shape[-1] for curve in curves.values()), default=0)


def joined(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Merge curves `(R, E)` of two parts of a training; the later part wins where both have a number."""
    found = {}
    last = max(length(before), length(after))
    for name in {**before, **after}:
        parts = [curves[name] for curves in (before, after) if name in curves]
        found[name] = np.full((len(parts[0]), last), np.nan)
        for part in parts:
            there = ~np.isnan(part)
            found[name][:, : part.shape[-1]][there] = part[there]
    return found
