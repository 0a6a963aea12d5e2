"""Trials and generations in flight: the live handles, whose finished record is `Trial`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tuner.algorithms.pruners import PRUNERS, Ladder, cost, reduction_at
from tuner.enums import TrialState
from tuner.ranking.goal import around, goal_at
from tuner.ranking.optimality_gap import optimum_of
from tuner.ranking.statistics import standard_error
from tuner.records import START, Stage, Trial
from tuner.search import group_of
from tuner.study import Study
from tuner.trainables.protocols import Advance, Trainer, TrainingTask, side_by_side

__all__ = ["LiveGeneration", "LiveTrial"]


@dataclass
class SplitBlock:
    """Splits of a trial that are trained together: their curves `(R, E)`, one after the other, and the epoch they are
    at.
    """

    parts: dict[str, list[Any]] = field(default_factory=dict)
    state: Any = None
    final: bool = False  # the code has returned its value, which stands in the last epoch

    @property
    def curves(self) -> dict[str, Any]:
        """Return the curves `(R, E)` of all epochs so far."""
        return {name: np.concatenate(parts, axis=-1) for name, parts in self.parts.items()}


@dataclass
class LiveTrial:
    """A trial in flight: how far it has trained and its curves so far; `ended` is its final state, once it has one.

    `blocks` are keyed by the first row of each among the trial's replicates. A `default` config of an optimizer trains
    to its full length whatever its rank; from there the best of the defaults goes on.
    """

    number: int
    config: Mapping[str, Any]
    latents: Mapping[str, Any]
    default: bool = False
    blocks: dict[int, SplitBlock] = field(default_factory=dict)
    seconds: float = 0.0
    rung: int = -1
    ended: str = ""
    error: str = ""

    @property
    def final(self) -> bool:
        """Return True if its code has returned its final value on every split."""
        return bool(self.blocks) and all(block.final for block in self.blocks.values())

    @property
    def state(self) -> Any:
        """Return the resume state of its trained splits; None at the start."""
        return self.blocks[0].state if self.blocks else None

    @property
    def curves(self) -> dict[str, Any]:
        """Return the curves `(R, E)` of all epochs so far, on the splits that were trained so far."""
        return self.blocks[0].curves if self.blocks else {}

    def goal(self, study: Study) -> float:
        """Return the goal so far, lower is better."""
        curve = self.curves[study.metric]
        if self.final:
            return goal_at(held(curve)[:, -1:], study.direction, 1)[0]
        return goal_at(curve, study.direction, curve.shape[-1], study.window)[0]

    def take(self, advance: Advance) -> None:
        """Add what a task trained on some of the trial's splits."""
        self.seconds += advance.seconds
        block = self.blocks.setdefault(advance.first, SplitBlock())
        block.state, block.final = advance.state, advance.final
        if advance.whole:
            block.parts.clear()
        for name, curve in advance.curves.items():
            block.parts.setdefault(name, []).append(curve)
        self.ended, self.error = self.ended or advance.ended, self.error or advance.error

    def join(self, trainer: Trainer) -> None:
        """Merge all blocks, which have reached the same epoch, into one."""
        if len(self.blocks) < 2 or self.ended == TrialState.FAILED:
            return
        blocks = [self.blocks[first] for first in sorted(self.blocks)]
        curves = {name: [curve] for name, curve in side_by_side([block.curves for block in blocks]).items()}
        self.blocks = {0: SplitBlock(curves, trainer.join([block.state for block in blocks]), self.final)}

    def record(self, study: Study, generation: int, trainer: Trainer) -> Trial:
        """Build the finished record."""
        curves, epochs = trainer.trained(self.curves, self.state)
        usable = self.ended in (TrialState.COMPLETE, TrialState.PRUNED)
        curves = {name: held(curve) for name, curve in curves.items()} if self.final else curves
        epoch = None
        if usable:
            best = goal_at(curves[study.metric], study.direction, epochs, study.window)[1]
            epoch = epochs if self.final else best
        metrics = metrics_at(study, curves, epoch) | optimum_of(curves) if epoch else {}
        return Trial(
            number=self.number,
            generation=generation,
            state=TrialState(self.ended),
            config=dict(self.config),
            latents=dict(self.latents),
            rung=self.rung,
            epochs=epochs,
            steps=trainer.steps(self.config, epochs, self.state),
            value=metrics.get(study.metric),
            epoch=epoch,
            stable=usable and trainer.steady(curves),
            metrics=metrics,
            curves=curves,
            seconds=self.seconds,
            error=self.error,
        )


def held(curve: Any) -> Any:
    """Return curves `(R, E)` in which a row that ends early is continued with its last value."""
    found = np.array(curve, dtype=np.float64)
    for row in found:
        there = np.flatnonzero(~np.isnan(row))
        if len(there):
            row[there[-1] + 1 :] = row[there[-1]]
    return found


def metrics_at(study: Study, curves: Mapping[str, Any], epoch: int) -> dict[str, float]:
    """Return means of curves `(R, E)` over replicates and the epochs around one, and the standard error of the goal."""
    numeric = {name: np.asarray(curve) for name, curve in curves.items() if name != "verdict"}  # a code, not a number
    near = {name: curve[:, around(epoch, study.window, curve.shape[1])] for name, curve in numeric.items()}
    metrics = {name: float(values.mean(axis=0).mean()) for name, values in near.items()}
    if study.splits == 1:
        return metrics
    rows = near[study.metric].mean(axis=1).reshape(-1, study.train.replicates).mean(axis=1).tolist()
    return metrics | {"se": standard_error(rows, study.overlap), "splits": float(len(rows))}


@dataclass
class LiveGeneration:
    """A generation in flight: its trials, the rung of its ladder that it is at, and how many of its tasks are `out`.

    `before` rungs of the study come before the first of its ladder; `bars` are the medians of earlier generations, by
    group and rung of the study; `began` is its start in seconds of the clock; `ran` lists for each finished task its
    worker, its start and end relative to `began`, the rung and the trials.
    """

    number: int
    trials: list[LiveTrial]
    ladder: Ladder
    before: int = 0
    bars: Mapping[tuple[str, int], float] = field(default_factory=dict)
    rung: int = 0
    out: int = 0
    due: bool = False  # the tasks of its rung are done, and its trials not yet compared
    began: float = field(default_factory=time.time)
    ran: list[tuple[int, float, float, int, tuple[int, ...]]] = field(default_factory=list)
    least: int = 0  # trials that train to their end whatever their rank, unless they fail

    @property
    def stages(self) -> tuple[Stage, Stage]:
        """Return the stage of its running trials, and the next one."""
        return self.ladder[self.rung - 1] if self.rung else START, self.ladder[self.rung]

    @property
    def place(self) -> int:
        """Return the rung of the study that the generation is at."""
        return self.before + self.rung

    def past(self, rung: int) -> bool:
        """Return True if all of its trials have ended or have gone on from a rung of the study."""
        return not self.running or (self.place > rung and all(trial.rung >= rung for trial in self.running))

    @property
    def running(self) -> list[LiveTrial]:
        """Return the trials that have not ended."""
        return [trial for trial in self.trials if not trial.ended]

    @property
    def begun(self) -> list[LiveTrial]:
        """Return the trials that have reached a rung, or have ended."""
        return [trial for trial in self.trials if trial.rung >= 0]

    def share(self, study: Study) -> float:
        """Estimate the finished share of the generation's training, if each rung prunes as many as expected."""
        done = sum(self.ladder[trial.rung - self.before].work for trial in self.begun)
        return min(1.0, done / (len(self.trials) * cost(self.ladder, study.search.reduction)))

    def left(self, task: TrainingTask, limit: float | None) -> float | None:
        """Return the seconds that a task may take where a trial may take `limit`; None for no limit.

        A pack gets no more time than a single trial: if a wide pack needs more, its trials are run one by one.
        """
        spent = max(self._find(number).seconds for number in task.trials)
        return None if limit is None else max(limit - spent, 1e-3)

    def note(self, worker: int, began: float, ended: float, task: TrainingTask) -> None:
        """Record who ran a task, and when, in seconds of the clock."""
        start, end = round(began - self.began, 4), round(ended - self.began, 4)
        self.ran.append((worker, start, end, self.before + self.rung, task.trials))

    def take(self, task: TrainingTask, advances: Sequence[Advance]) -> None:
        """Take in what one of its tasks did for each of its trials."""
        self.out -= 1
        for number, advance in zip(task.trials, advances, strict=True):
            trial = self._find(number)
            trial.rung = self.before + self.rung
            trial.take(advance)

    def fail(self, task: TrainingTask, error: str) -> None:
        """Record that a task failed, with all of its trials."""
        self.out -= 1
        for number in task.trials:
            trial = self._find(number)
            known = [trial.error] if trial.error else []  # one of several errors that does not depend on their order
            trial.rung, trial.ended, trial.error = self.before + self.rung, TrialState.FAILED, min([*known, error])

    def cut(self, study: Study, trainer: Trainer, earlier: Mapping[str, Sequence[float]] | None = None) -> None:
        """End the rung: at the last one its trials are complete, at an earlier one only the best of each group go on.

        `earlier` are the values of earlier trials at the rung, by group, where trials are compared with those too.
        """
        self.due = False
        there = [trial for trial in self.trials if trial.rung == self.before + self.rung]
        for trial in there:
            trial.join(trainer)
        if self.rung == len(self.ladder) - 1:
            for trial in there:
                trial.ended = trial.ended or TrialState.COMPLETE
        else:
            groups: dict[str, list[LiveTrial]] = {}
            for trial in there:
                groups.setdefault(group_of(study, trial.config), []).append(trial)
            for name, group in groups.items():
                self._cut(group, study, trainer, self.bars.get((name, self.place)), (earlier or {}).get(name, ()))
            self._spare(there, study)
        self.rung += 1

    def _spare(self, there: Sequence[LiveTrial], study: Study) -> None:
        """Let the best of those that were just pruned go on after all, until `least` do."""
        pruned = [trial for trial in there if trial.ended == TrialState.PRUNED]
        pruned.sort(key=lambda trial: (trial.goal(study), trial.number))
        for trial in pruned[: max(0, self.least - len(self.running))]:
            trial.ended = ""

    def _cut(
        self,
        group: Sequence[LiveTrial],
        study: Study,
        trainer: Trainer,
        bar: float | None,
        earlier: Sequence[float],
    ) -> None:
        values = [np.inf if trial.ended else trial.goal(study) for trial in group]
        steady = [trainer.steady(trial.curves) if trial.blocks else False for trial in group]
        reduction = reduction_at(self.ladder, self.rung, study.search.reduction)
        first = len(earlier)
        going = PRUNERS[study.search.pruner].going(
            [*earlier, *values], [*(True for _ in earlier), *steady], reduction, bar
        )
        kept = {*(i - first for i in going), *defaults_going(group, values, self.rung == len(self.ladder) - 2)}
        for i, trial in enumerate(group):
            if not trial.ended and i not in kept:
                trial.ended = TrialState.PRUNED

    def _find(self, number: int) -> LiveTrial:
        return self.trials[number - self.trials[0].number]


def defaults_going(trials: Sequence[LiveTrial], values: Sequence[float], last: bool) -> list[int]:
    """Return which of the optimizers' defaults go on whatever their rank: all of them, to the `last` rung the best one.

    So the result of the tuning is always compared with the defaults at full length. It costs a few trials in the first
    generation, and was worth more than any choice of rungs.
    """
    there = [i for i, trial in enumerate(trials) if trial.default and np.isfinite(values[i])]
    return sorted(there, key=lambda i: (values[i], i))[:1] if last else there
