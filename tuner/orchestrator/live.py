"""Trials and generations in flight: the live handles, whose finished record is `Trial`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tuner.pruners import PRUNERS, Ladder, cost
from tuner.ranking.goal import goal_at
from tuner.ranking.optimum import optimum_of
from tuner.search import group_of
from tuner.spec import Study
from tuner.training import Advance, Task, Training
from tuner.trial import Trial

__all__ = ["LiveGeneration", "LiveTrial"]


@dataclass
class LiveTrial:
    """A trial in flight: where it stands and what it has shown so far; `ended` is its final state, once it has one."""

    number: int
    config: Mapping[str, Any]
    latents: Mapping[str, Any]
    state: Any = None
    parts: dict[str, list[Any]] = field(default_factory=dict)
    seconds: float = 0.0
    rung: int = -1
    ended: str = ""
    error: str = ""

    @property
    def curves(self) -> dict[str, Any]:
        """Curves `(R, E)` of all epochs so far."""
        return {name: np.concatenate(parts, axis=-1) for name, parts in self.parts.items()}

    def goal(self, study: Study) -> float:
        """The goal so far, lower is better."""
        curve = self.curves[study.metric]
        return goal_at(curve, study.direction, curve.shape[-1])[0]

    def take(self, advance: Advance) -> None:
        """Take in what a task did for it."""
        self.seconds += advance.seconds
        self.state = advance.state
        if advance.whole:
            self.parts.clear()
        for name, curve in advance.curves.items():
            self.parts.setdefault(name, []).append(curve)
        self.ended, self.error = advance.ended, advance.error

    def record(self, study: Study, generation: int, training: Training) -> Trial:
        """The finished record."""
        curves, epochs = training.trained(self.curves, self.state)
        usable = self.ended in ("complete", "pruned")
        epoch = goal_at(curves[study.metric], study.direction, epochs)[1] if usable else None
        told = {name: curve for name, curve in curves.items() if name != "verdict"}  # a code, not a number
        metrics = {name: float(curve[:, epoch - 1].mean()) for name, curve in told.items()} if epoch else {}
        metrics |= optimum_of(curves) if metrics else {}
        return Trial(
            number=self.number,
            generation=generation,
            state=self.ended,
            config=dict(self.config),
            latents=dict(self.latents),
            rung=self.rung,
            epochs=epochs,
            steps=training.steps(self.config, epochs, self.state),
            value=metrics.get(study.metric),
            epoch=epoch,
            stable=usable and training.steady(curves),
            metrics=metrics,
            curves=curves,
            seconds=self.seconds,
            error=self.error,
        )


@dataclass
class LiveGeneration:
    """A generation in flight: its trials, the rung of its ladder that it is on, and how many tasks of it are still out.

    `before` rungs of the study come before the first of its ladder; `bars` are the medians of earlier generations, by
    group and amount; `began` is when it began, in seconds of the clock; `ran` says of each finished task its worker,
    when it began and ended, counted from there, the rung and the trials.
    """

    number: int
    trials: list[LiveTrial]
    ladder: Ladder
    before: int = 0
    bars: Mapping[tuple[str, int], float] = field(default_factory=dict)
    rung: int = 0
    out: int = 0
    began: float = field(default_factory=time.time)
    ran: list[tuple[int, float, float, int, tuple[int, ...]]] = field(default_factory=list)

    @property
    def running(self) -> list[LiveTrial]:
        """The trials that have not ended."""
        return [trial for trial in self.trials if not trial.ended]

    @property
    def begun(self) -> list[LiveTrial]:
        """The trials that have come to a rung, or have ended."""
        return [trial for trial in self.trials if trial.rung >= 0]

    def share(self, study: Study) -> float:
        """About how much of it is trained: a quarter is expected to go on from a rung, or as the study says."""
        done = sum(self.ladder[trial.rung - self.before] for trial in self.begun)
        return min(1.0, done / (len(self.trials) * cost(self.ladder, study.search.reduction)))

    def left(self, task: Task, limit: float | None) -> float | None:
        """Seconds that a task may take where a trial may take `limit`; None for no limit.

        No more for many than for one: a pack that is merely wide is taken apart, one that hangs is found out soon.
        """
        spent = max(self._find(number).seconds for number in task.trials)
        return None if limit is None else max(limit - spent, 1e-3)

    def note(self, worker: int, began: float, ended: float, task: Task) -> None:
        """Note who ran a task, and when, in seconds of the clock."""
        start, end = round(began - self.began, 4), round(ended - self.began, 4)
        self.ran.append((worker, start, end, self.before + self.rung, task.trials))

    def take(self, task: Task, advances: Sequence[Advance]) -> None:
        """Take in what one of its tasks did for each of its trials."""
        self.out -= 1
        for number, advance in zip(task.trials, advances, strict=True):
            trial = self._find(number)
            trial.rung = self.before + self.rung
            trial.take(advance)

    def fail(self, task: Task, error: str) -> None:
        """Take in that a task could not be done."""
        self.out -= 1
        for number in task.trials:
            trial = self._find(number)
            trial.rung, trial.ended, trial.error = self.before + self.rung, "failed", error

    def cut(self, study: Study, training: Training) -> None:
        """End the rung: the last one completes its trials, an earlier one sends only the best of each group on."""
        there = [trial for trial in self.trials if trial.rung == self.before + self.rung]
        if self.rung == len(self.ladder) - 1:
            for trial in there:
                trial.ended = trial.ended or "complete"
        else:
            groups: dict[str, list[LiveTrial]] = {}
            for trial in there:
                groups.setdefault(group_of(study, trial.config), []).append(trial)
            for name, group in groups.items():
                self._cut(group, study, training, self.bars.get((name, self.ladder[self.rung])))
        self.rung += 1

    def _cut(self, group: Sequence[LiveTrial], study: Study, training: Training, bar: float | None) -> None:
        values = [np.inf if trial.ended else trial.goal(study) for trial in group]
        steady = [training.steady(trial.curves) if trial.parts else False for trial in group]
        going = PRUNERS[study.search.pruner].going(values, steady, study.search.reduction, bar)
        for i, trial in enumerate(group):
            if not trial.ended and i not in going:
                trial.ended = "pruned"

    def _find(self, number: int) -> LiveTrial:
        return self.trials[number - self.trials[0].number]
