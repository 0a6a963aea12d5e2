"""Trials and generations in flight: the live handles, whose finished record is `Trial`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from objectives.descent import State
from objectives.problem import updates_per_epoch
from objectives.stopping import STOPPED, TRAINED
from tuner.goal import goal_at, is_stable
from tuner.optimum import optimum_of
from tuner.packing import Pack, PackOutcome
from tuner.pruners import PRUNERS
from tuner.spec import Study
from tuner.trial import Trial

__all__ = ["LiveGeneration", "LiveTrial"]


@dataclass
class LiveTrial:
    """A trial in flight: where it stands and what it has shown so far; `ended` is its final state, once it has one."""

    number: int
    config: Mapping[str, Any]
    latents: Mapping[str, Any]
    state: State | None = None
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

    def take(self, outcome: PackOutcome, i: int, share: int) -> None:
        """Take in what the i-th trial of a pack of `share` did."""
        self.seconds += outcome.seconds / share
        self.state = outcome.state.take([i])
        for name, curve in outcome.curves.items():
            self.parts.setdefault(name, []).append(curve[:, i])
        if not outcome.state.alive[:, i].all():
            self.ended = "diverged"

    def _trained(self, curves: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The curves of the epochs that were trained, and how many those are: all, or up to the last early stop."""
        epochs = len(curves["valid_loss"][0]) if curves else 0
        stopped = self.state is not None and STOPPED in self.state.marks and self.state.marks[STOPPED].all()
        if self.state is not None and stopped:
            epochs = int(self.state.marks[TRAINED].max())
        return {name: curve[:, :epochs] for name, curve in curves.items()}, epochs

    def record(self, study: Study, generation: int, train_rows: int, constant: float) -> Trial:
        """The finished record; `constant` is the validation loss of a constant prediction."""
        curves, epochs = self._trained(self.curves)
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
            steps=epochs * updates_per_epoch(self.config, train_rows),
            value=metrics.get(study.metric),
            epoch=epoch,
            stable=usable and is_stable(curves["valid_loss"], constant),
            metrics=metrics,
            curves=curves,
            seconds=self.seconds,
            error=self.error,
        )


@dataclass
class LiveGeneration:
    """A generation in flight: its trials, the rung of its ladder that it is on, and how many packs of it are still out.

    `before` rungs of the study come before the first of its ladder; `bars` are the medians of earlier generations;
    `began` is when it began, in seconds of the clock.
    """

    number: int
    trials: list[LiveTrial]
    ladder: Sequence[int]
    before: int = 0
    bars: Mapping[int, float] = field(default_factory=dict)
    rung: int = 0
    out: int = 0
    began: float = field(default_factory=time.time)

    @property
    def running(self) -> list[LiveTrial]:
        """The trials that have not ended."""
        return [trial for trial in self.trials if not trial.ended]

    def left(self, pack: Pack, limit: float | None) -> float | None:
        """Seconds that a pack may take where a trial may take `limit`; None for no limit.

        No more for many than for one: a pack that is merely wide is taken apart, one that hangs is found out soon.
        """
        spent = max(self._find(number).seconds for number in pack.trials)
        return None if limit is None else max(limit - spent, 1e-3)

    def take(self, pack: Pack, outcome: PackOutcome) -> None:
        """Take in the outcome of one of its packs."""
        self.out -= 1
        for i, number in enumerate(pack.trials):
            trial = self._find(number)
            trial.rung = self.before + self.rung
            trial.take(outcome, i, len(pack.trials))

    def fail(self, pack: Pack, error: str) -> None:
        """Take in that a pack could not be trained."""
        self.out -= 1
        for number in pack.trials:
            trial = self._find(number)
            trial.rung, trial.ended, trial.error = self.before + self.rung, "failed", error

    def cut(self, study: Study, constant: float) -> None:
        """End the rung: the last one completes its trials, an earlier one sends only its best on.

        `constant` is the validation loss of a constant prediction. Where each optimizer has the same budget,
        the best of each go on.
        """
        there = [trial for trial in self.trials if trial.rung == self.before + self.rung]
        if self.rung == len(self.ladder) - 1:
            for trial in there:
                trial.ended = trial.ended or "complete"
        else:
            of_each = study.search.allocation == "equal"
            groups: dict[Any, list[LiveTrial]] = {}
            for trial in there:
                groups.setdefault(trial.config["optimizer"] if of_each else None, []).append(trial)
            for group in groups.values():
                self._cut(group, study, constant)
        self.rung += 1

    def _cut(self, group: Sequence[LiveTrial], study: Study, constant: float) -> None:
        values = [np.inf if trial.ended else trial.goal(study) for trial in group]
        steady = [is_stable(trial.curves["valid_loss"], constant) if trial.parts else False for trial in group]
        pruner, bar = PRUNERS[study.search.pruner], self.bars.get(self.ladder[self.rung])
        going = pruner.going(values, steady, study.search.reduction, bar)
        for i, trial in enumerate(group):
            if not trial.ended and i not in going:
                trial.ended = "pruned"

    def _find(self, number: int) -> LiveTrial:
        return self.trials[number - self.trials[0].number]
