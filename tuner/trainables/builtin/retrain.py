"""Confirmation: the top configs, trained again on fresh seeds and fresh train / validation splits.

A search ends with a lucky winner: it was chosen by the very numbers it shows. So the leaders are trained again, each
for the epochs that the search chose, on seeds and splits that no trial has used, the same for all of them. Beyond those
epochs they are trained on to their full length, and the curve is kept. What follows from it stands in `standings`. The
test rows were set aside before everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.evaluation.predictions import evaluation_of, sklearn_metrics
from objectives.evaluation.row_values import row_values
from objectives.problem import Problem
from objectives.training.descent import State, descend
from objectives.training.early_stopping import MIN_DELTA
from tuner.engines import Engine, Failure
from tuner.enums import TrialState
from tuner.errors import TunerError
from tuner.ranking.retrainings import follows_curves, kept_curve
from tuner.records import SPREAD, ConfirmationRun, Trial
from tuner.study import MOST_SEEDS, Study
from tuner.trainables.builtin.packs import ReplicateSource, even, let_go, problem_of, shape_key

__all__ = ["batches", "confirm", "unhindered"]

PARTS = ("valid", "test")
STATES = (TrialState.DIVERGED, TrialState.COMPLETE)
LOST = ("TimedOut", "WorkerDied", "MemoryError")  # failures that are a training's own
WIDTH = 8  # trials times replicates of a pack: below that, a step costs twice as much a trial
BLOCKS = 512  # of validation rows that are kept of a training: their spread is then known to 3 %


@dataclass(frozen=True)
class Retraining:
    """A task: train these configs on every source, each for its own number of epochs, and evaluate them there.

    Those whose `ends` are later are trained on to keep their curves, averaged over `window` epochs.
    """

    sources: tuple[ReplicateSource, ...]
    trials: tuple[int, ...]
    configs: tuple[Mapping[str, Any], ...]
    epochs: tuple[int, ...]
    ends: tuple[int, ...]
    goal: str
    metrics: tuple[str, ...]  # of scikit-learn, beside the task's own
    window: int = 1

    @property
    def trainings(self) -> int:
        """Count its trainings."""
        return len(self.sources) * len(self.trials)

    def apart(self) -> list[Retraining]:
        """Split it into single trainings."""
        each = zip(self.trials, self.configs, self.epochs, self.ends, strict=True)
        return [
            replace(self, sources=(source,), trials=(trial,), configs=(config,), epochs=(epochs,), ends=(end,))
            for trial, config, epochs, end in each
            for source in self.sources
        ]


def confirm(  # noqa: PLR0913
    study: Study,
    wanted: Sequence[Trial],
    sources: Sequence[ReplicateSource],
    known: Sequence[ConfirmationRun],
    engine: Engine,
    commit: Callable[[list[ConfirmationRun]], None],
    tell: Callable[[Trial, int, str], None],
) -> None:
    """Retrain `wanted` on `sources` and commit what each task did, as it ends.

    What is `known` is not run again. A training takes no longer than a trial may: one that would, or that takes its
    worker with it, fails alone, is told of, and puts its config behind all others. Raises TunerError for any other
    failure.
    """
    out = _sent(engine, tasks(study, wanted, sources, known, engine.width), study)
    while out:
        for future in wait(out, return_when=FIRST_COMPLETED).done:
            task, rows = out.pop(future), future.result()
            if isinstance(rows, Failure) and rows.type not in LOST:
                raise TunerError(f"confirmation could not be trained: {rows}")
            if isinstance(rows, Failure) and task.trainings > 1:
                out |= _sent(engine, task.apart(), study)
                continue
            if isinstance(rows, Failure):
                (trial,) = (trial for trial in wanted if trial.number == task.trials[0])
                tell(trial, task.sources[0].replicate, str(rows))
                rows = [lost(task, trial)]
            commit(rows)


def _sent(engine: Engine, some: Sequence[Retraining], study: Study) -> dict[Future[Any], Retraining]:
    limit = study.limits.seconds_per_trial
    return {engine.submit(retrain, task, seconds=limit): task for task in some}


def lost(task: Retraining, trial: Trial) -> ConfirmationRun:
    """Build the record of a training that failed: its metrics are those of a diverged one."""
    valid = [name.removeprefix("valid_") for name in trial.metrics if name.startswith("valid_")]
    names = [f"{part}_{name}" for some in (valid, task.metrics) for part in PARTS for name in some]
    return ConfirmationRun(
        trial.number, task.sources[0].replicate, task.epochs[0], nothing(names), 0.0, TrialState.FAILED
    )


def nothing(names: Iterable[str]) -> dict[str, float]:
    """Return the metrics of a training that failed."""
    return {name: np.inf if name.endswith("_loss") else np.nan for name in names}


def tasks(
    study: Study,
    wanted: Sequence[Trial],
    sources: Sequence[ReplicateSource],
    known: Sequence[ConfirmationRun],
    workers: int,
) -> list[Retraining]:
    """Build packs of what is missing: equal in shape, with enough replicates together to fill a pack.

    With a single source, the workers share its trials.
    """
    have = {(row.trial, row.replicate) for row in known}
    alike: dict[Any, list[Trial]] = {}
    for trial in wanted:
        missing = tuple(source for source in sources if (trial.number, source.replicate) not in have)
        if missing:
            alike.setdefault((shape_key(trial.config), missing), []).append(trial)
    most = workers if len(sources) == 1 else 1
    groups = [(missing, part) for (_, missing), group in alike.items() for part in even(group, min(most, len(group)))]
    found = []
    for missing, group in groups:
        numbers, configs = tuple(t.number for t in group), tuple(unhindered(t.config) for t in group)
        epochs = tuple(t.epoch or t.epochs for t in group)
        on = follows_curves(study) and missing[0].replicate <= MOST_SEEDS  # what is reported is trained to its epoch
        ends = tuple(t.epochs for t in group) if on else epochs
        asked = study.metric, study.confirm.metrics, study.window if on else 1
        for some in batches(missing, max(1, WIDTH // len(group))):
            found.append(Retraining(tuple(some), numbers, configs, epochs, ends, *asked))
    return sorted(found, key=lambda task: -max(task.ends) / int(task.configs[0].get("batch_size", 1)))


def unhindered(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the config without early stopping: a confirmation trains as long as the search chose."""
    return {name: value for name, value in config.items() if name not in ("patience", MIN_DELTA.name)}


def batches(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Split into consecutive pieces of at most `size`."""
    return [items[i : i + size] for i in range(0, len(items), size)]


def retrain(task: Retraining) -> list[ConfirmationRun]:
    """Run one task in a worker."""
    started = time.perf_counter()
    problem = problem_of(task.sources, task.configs[0])
    rows: list[ConfirmationRun] = []
    state: State | None = None
    left = list(range(len(task.trials)))
    curves: dict[int, list[NDArray[Any]]] = {trial: [] for trial in task.trials}
    done = 0
    for stop in sorted({*task.epochs, *task.ends}):
        outcome = descend(problem, [task.configs[i] for i in left], stop - done, state)
        for k, i in enumerate(left):
            curves[task.trials[i]].append(outcome.curves[task.goal][:, k])
        reached = [i for i in left if task.epochs[i] == stop]
        there = outcome.state.take([left.index(i) for i in reached])
        rows += evaluate(problem, there, [task.trials[i] for i in reached], task.goal, task.metrics) if reached else []
        staying = [i for i in left if task.ends[i] > stop]
        state, left, done = outcome.state.take([left.index(i) for i in staying]), staying, stop
    let_go(problem)
    seconds = (time.perf_counter() - started) / len(rows)
    return [replace(row, seconds=seconds, metrics={**row.metrics, **kept(task, curves, row)}) for row in rows]


def kept(task: Retraining, curves: Mapping[int, Sequence[NDArray[Any]]], row: ConfirmationRun) -> dict[str, float]:
    """Return the part of a curve to keep; nothing where training did not go beyond its epoch."""
    if task.window == 1:
        return {}
    place = [source.replicate for source in task.sources].index(row.replicate)
    return kept_curve(np.concatenate([part[place] for part in curves[row.trial]]), task.window)


def evaluate(
    problem: Problem, state: State, trials: Sequence[int], goal: str, extra: Sequence[str]
) -> list[ConfirmationRun]:
    """Evaluate finished trainings on the validation and test rows of every replicate.

    Also returns what their rows show: block means of the goal's validation rows, and deviations of the test rows.
    """
    weights = state.weights.astype(problem.data.train.x.dtype)
    metrics: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        for part in PARTS:
            metrics |= evaluation_of(problem, len(trials), part)(weights)
        values = row_values(problem, weights, "valid", goal.removeprefix("valid_"))
        spreads = test_spreads(problem, weights)
    blocks = blocks_of(values).astype(np.float32)
    rows = []
    for r, replicate in enumerate(problem.replicates):
        for k, trial in enumerate(trials):
            alive = bool(state.alive[r, k])
            shown = {name: float(value[r, k]) for name, value in metrics.items()}
            for part in PARTS if alive else ():
                shown |= sklearn_metrics(problem, weights[r, k], extra, part, r)
            shown |= {name: float(value[r, k]) for name, value in spreads.items()} if alive else {}
            if not alive:
                names = [*shown, *(f"{part}_{name}" for part in PARTS for name in extra)]
                shown = nothing(names)
            own = blocks[r, k] if alive else blocks[r, k, :0]
            rows.append(ConfirmationRun(trial, replicate.number, state.epoch, shown, 0.0, STATES[alive], own))
    return rows


def test_spreads(problem: Problem, weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Compute standard deviations `(R, K)` of the test rows' values, as "sd_test_loss" and so on; none for a
    single row.

    Accuracy needs none, unless rows have weights: its deviation follows from its mean.
    """
    known = () if problem.data.test.weights is not None else ("accuracy",)
    names = ["loss", *(metric.name for metric in problem.metrics if metric.name not in known)]
    found = {}
    for name in names if len(problem.replicates[0].data.test) > 1 else ():
        # in order of rows, whatever stands beside: a sum's bits depend on it
        values = np.ascontiguousarray(row_values(problem, weights, "test", name))
        found[f"{SPREAD}test_{name}"] = values.std(axis=-1, ddof=1)
    return found


def blocks_of(values: NDArray[Any]) -> NDArray[Any]:
    """Average `(..., n)` over blocks of equally many consecutive rows, `(..., G)`, leaving out the last few rows.

    A block has as many rows as leave at most BLOCKS of them: one, where there are few.
    """
    n = values.shape[-1]
    size = -(-n // BLOCKS)
    means: NDArray[Any] = values[..., : n // size * size].reshape(*values.shape[:-1], -1, size).mean(axis=-1)
    return means
