"""Somebody's objective as what a search trains: how its trials are cut at rungs, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.ranking.goal import UNSTABLE, signed
from tuner.records import Stage
from tuner.store.cache import Memo
from tuner.study.budget import RUN, Budget
from tuner.trainables.base import Advance, Member, side_by_side
from tuner.trainables.custom.command import Program
from tuner.trainables.custom.kept_directories import drop_others, take_over
from tuner.trainables.custom.objective_ref import Reference
from tuner.trainables.custom.run_handle import SEARCH
from tuner.trainables.custom.tasks import OwnOutcome, OwnState, OwnTask, run_own
from tuner.trainables.optuna_script.study_beside import Beside

__all__ = ["OwnTraining"]

FLIGHT_BYTES = 1 << 28  # of curves of a generation's trials


@dataclass(frozen=True)
class OwnTraining:
    """Trials of an objective of one of the forms, each on every one of `seeds`, `batch` of them in a call.

    One that goes on from its checkpoint continues at a rung; others start over there, and the epochs that they repeat
    are counted.
    """

    what: Reference | Program
    form: str
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
        """Whether a trial goes on where it stood: trials that are called together would have to stay together."""
        return self.form == "run" and self.batch == 1

    def tasks(self, members: Sequence[Member], before: Stage, after: Stage) -> list[OwnTask]:
        """Tasks of `batch` trials each: on the splits that they know, unless those are trained, and on each new one."""
        known, wanted = before.splits * self.replicates, after.splits * self.replicates
        start, stop = before.amount if self.continues else 0, 0 if self.budget.unit == RUN else after.amount
        found = self._tasks(members, range(known), start, stop) if known and after.amount > before.amount else []
        fresh = [replace(member, state=None) for member in members]
        for first in range(known, wanted, self.replicates):
            found += self._tasks(fresh, range(first, first + self.replicates), 0, stop)
        return found

    def _tasks(self, members: Sequence[Member], rows: range, start: int, stop: int) -> list[OwnTask]:
        """Tasks that train some of the seeds."""
        seeds, splits = (tuple(some[rows.start : rows.stop]) for some in (self.seeds, self.splits))
        found = []
        for i in range(0, len(members), self.batch):
            some = members[i : i + self.batch]
            numbers, configs = tuple(m.trial for m in some), tuple(m.config for m in some)
            found.append(
                OwnTask(
                    self.what, self.form, numbers, configs, seeds, start, stop, self.budget.unit, self.goal,
                    self.phase, self.taken, Path(), self.output, self.batch > 1, self.source,
                    tuple(m.state for m in some), splits, rows.start, self.beside and replace(self.beside, place=None),
                )
            )  # fmt: skip
        return found

    def join(self, states: Sequence[OwnState]) -> OwnState:
        """One state of all splits."""
        return OwnState(side_by_side([state.curves for state in states]), sum(state.spent for state in states))

    def call(self, task: OwnTask, flight: Path, shared: bool) -> tuple[Any, ...]:
        """Train, or find again what a killed run has left."""
        del shared
        beside = self.beside
        if beside is not None and flight.name.isdigit():  # a generation's
            beside = replace(beside, before=int(flight.name) - self.lag)
        return run_own, replace(task, folder=flight, states=(), beside=beside), Memo(flight, FLIGHT_BYTES)

    def advances(self, task: OwnTask, outcome: OwnOutcome) -> list[Advance]:
        """What a call did for each of its trials: all curves from the start on."""
        share = outcome.seconds / len(task.trials)
        found = []
        for k, (ended, reason, state) in enumerate(zip(outcome.ended, outcome.reasons, task.states, strict=True)):
            curves = {name: curve[:, k] for name, curve in outcome.curves.items()}
            spent = (task.stop or 1) if self.form == "value" else length(curves) - task.start
            if state is not None:
                spent += state.spent
                curves = curves if self.form == "steps" else joined(state.curves, curves)
            state = OwnState(curves, spent)
            found.append(Advance(curves, state, share, True, ended, reason, task.first, outcome.final))
        return found

    def trained(self, curves: Mapping[str, Any], state: Any) -> tuple[dict[str, Any], int]:
        """All that was reported, and the last epoch of it."""
        del state
        return dict(curves), length(curves)

    def steps(self, config: Mapping[str, Any], epochs: int, state: Any) -> int:
        """Epochs that were trained for it, repeated ones included."""
        del config
        return state.spent if state is not None else epochs

    def keep(self, flight: Path, best: Sequence[int]) -> None:
        """Move the directories of the best `most_kept` trials to where they stay, and remove what stayed of others."""
        wanted = best[: self.most_kept]
        for number in wanted:
            take_over(flight, number, self.kept)
        drop_others(self.kept, wanted)

    def steady(self, curves: Mapping[str, Any]) -> bool:
        """Whether it ended near its best, or no worse than it began: nothing else is known to compare with.

        What an objective of Optuna's returns is its value, whatever it reported before. Of others, only where lower is
        better and nothing is below zero: twice as much means nothing elsewhere.
        """
        goal = np.asarray(curves[self.goal]).mean(axis=0)
        told = goal[np.isfinite(goal)]
        if self.form == "trial" or self.direction != "minimize" or not len(told) or told.min() < 0:
            return True
        return bool(told[-1] <= UNSTABLE * signed(told.min(), self.direction) or told[-1] <= told[0])


def length(curves: Mapping[str, Any]) -> int:
    """The last epoch of curves `(R, E)`."""
    return max((curve.shape[-1] for curve in curves.values()), default=0)


def joined(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Curves `(R, E)` of two parts of a training, the later one where both have a number."""
    found = {}
    last = max(length(before), length(after))
    for name in {**before, **after}:
        parts = [curves[name] for curves in (before, after) if name in curves]
        found[name] = np.full((len(parts[0]), last), np.nan)
        for part in parts:
            there = ~np.isnan(part)
            found[name][:, : part.shape[-1]][there] = part[there]
    return found
