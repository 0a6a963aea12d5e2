"""Train failed trials again, with the same configs and under the same numbers, where that is asked for.

Each is compared at the rungs of its generation with that generation's other trials. Decisions made meanwhile stay as
they are: later proposals, and which other trials went on. So the table is no longer a function of study file and seed
alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuner.algorithms.pruners import PRUNERS, Ladder, reduction_at
from tuner.engines import Engine, Failure
from tuner.enums import TrialState
from tuner.errors import TunerError
from tuner.orchestrator.earlier import WINDOW
from tuner.orchestrator.live import LiveTrial
from tuner.ranking.confirmation_race import default_points
from tuner.ranking.goal import ranked
from tuner.records import START, Trial
from tuner.search import at_rung, bars, group_of, ladder, rungs, value_at
from tuner.store.ledger import Ledger
from tuner.study import Study
from tuner.trainables.protocols import Member, Trainer, TrainingTask

__all__ = ["retry_failed_trials"]


@dataclass
class Retry:
    """The failed trials of one generation, trained again. `peers` are its other trials, or, where trials are proposed
    one by one, all earlier ones.
    """

    number: int
    trials: list[LiveTrial]
    peers: list[Trial]
    steps: Ladder
    before: int

    @property
    def running(self) -> list[LiveTrial]:
        """Return the trials that have not ended."""
        return [trial for trial in self.trials if not trial.ended]

    def cut(self, rung: int, study: Study, trainer: Trainer, history: Sequence[Trial]) -> None:
        """End a rung: at the last one its trials are complete, at an earlier one the best of each group go on."""
        for trial in self.trials:
            if trial.rung == self.before + rung:
                trial.join(trainer)
        if rung == len(self.steps) - 1:
            for trial in self.running:
                trial.ended = TrialState.COMPLETE
            return
        at, medians = self.before + rung, bars(study, self.number, history)
        for name in {group_of(study, trial.config) for trial in self.running}:
            own = [trial for trial in self.running if group_of(study, trial.config) == name]
            there = at_rung(study, self.peers, at, self.steps[rung])
            others = [trial for trial in there if group_of(study, trial.config) == name]
            others = others[-WINDOW:] if study.search.parallel else others
            values = {trial.number: value_at(study, trial, self.steps[rung]) for trial in others}
            steady = {trial.number: bool(np.isfinite(values[trial.number])) for trial in others}
            values |= {trial.number: trial.goal(study) for trial in own}
            steady |= {trial.number: trainer.steady(trial.curves) for trial in own}
            numbers = sorted(values)
            going = PRUNERS[study.search.pruner].going(
                [values[n] for n in numbers], [steady[n] for n in numbers],
                reduction_at(self.steps, rung, study.search.reduction),
                medians.get((name, at)),
            )  # fmt: skip
            last = rung == len(self.steps) - 2
            for trial in own:
                stays = numbers.index(trial.number) in going or (trial.default and not last)
                trial.ended = "" if stays else TrialState.PRUNED


def retry_failed_trials(
    study: Study, trainer: Trainer, ledger: Ledger, engine: Engine, flight: Path, tell: Callable[[int, int], None]
) -> int:
    """Train all failed trials again and commit them together; return how many there were.

    Calls `tell` with the number of those that have ended. Raises TunerError where the engine is lost.
    """
    history = ledger.trials()
    failed = [trial for trial in history if trial.state == TrialState.FAILED]
    found = [retry_of(study, number, history) for number in sorted({trial.generation for trial in failed})]
    for rung in range(max((len(retry.steps) for retry in found), default=0)):
        sent: dict[Future[Any], tuple[Retry, TrainingTask]] = {}
        for retry in found:
            for task in tasks_of(retry, rung, trainer):
                seconds = study.limits.seconds_per_trial
                call = trainer.call(task, flight / str(retry.number), engine.shares_disk)
                sent[engine.submit(*call, seconds=seconds, turn=retry.number)] = (retry, task)
        for future, (retry, task) in sent.items():
            take(retry, rung, task, future.result(), trainer)
        for retry in found:
            if rung < len(retry.steps):
                retry.cut(rung, study, trainer, history)
        tell(sum(bool(trial.ended) for retry in found for trial in retry.trials), len(failed))
    ledger.replace_failed([live.record(study, retry.number, trainer) for retry in found for live in retry.trials])
    trainer.keep(flight, [trial.number for trial in ranked(ledger.trials(), study.direction)])
    shutil.rmtree(flight, ignore_errors=True)
    return len(failed)


def retry_of(study: Study, number: int, history: Sequence[Trial]) -> Retry:
    """Build the retry of a generation's failed trials, from their start."""
    own = [trial for trial in history if trial.generation == number]
    points, failed = default_points(study), [trial for trial in own if trial.state == TrialState.FAILED]
    live = [LiveTrial(t.number, t.config, t.latents, dict(t.latents) in points) for t in failed]
    steps = ladder(study, number)
    beside = [t for t in history if t.generation < number] if study.search.parallel else own
    peers = [trial for trial in beside if trial.state != TrialState.FAILED]
    return Retry(number, live, peers, steps, len(rungs(study)) - len(steps))


def tasks_of(retry: Retry, rung: int, trainer: Trainer) -> list[TrainingTask]:
    """Build a task for each running trial: a trial that failed before could fail the others of a pack."""
    if rung >= len(retry.steps):
        return []
    members = [Member(trial.number, trial.config, trial.state) for trial in retry.running]
    tasks = trainer.tasks(members, retry.steps[rung - 1] if rung else START, retry.steps[rung])
    return [one for task in tasks for one in task.apart()]


def take(retry: Retry, rung: int, task: TrainingTask, outcome: Any, trainer: Trainer) -> None:
    """Record the outcome of a task for its trial."""
    if isinstance(outcome, Failure) and outcome.fatal:
        raise TunerError(f"{outcome.message}; run this again to go on")
    trial = next(trial for trial in retry.trials if trial.number == task.trials[0])
    trial.rung = retry.before + rung
    if isinstance(outcome, Failure):
        trial.ended, trial.error = TrialState.FAILED, str(outcome)
    else:
        trial.take(*trainer.advances(task, outcome))
