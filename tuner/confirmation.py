"""Confirmation: the top configs, trained again on fresh seeds and fresh train / validation splits.

A search ends with a lucky winner: it was chosen by the very numbers it shows. So the leaders are trained again, each
for the epochs that the search chose, on seeds and splits that no trial has used, the same for all of them; the best is
the one with the best mean on the fresh validation rows. The test rows were set aside before everything.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.descent import State, descend
from objectives.evaluation import Evaluation, sklearn_metrics
from objectives.metrics import bounds_of
from objectives.models import Layers
from objectives.problem import Problem
from objectives.stopping import MIN_DELTA
from tuner.dispatch import Engine, Failure
from tuner.errors import TunerError
from tuner.goal import ranked, signed
from tuner.packing import Source, problem_of, shape_key
from tuner.spec import Study
from tuner.statistics import Interval, mean_interval
from tuner.trial import Confirmed, Trial

__all__ = ["Standing", "confirm", "leaders", "standings"]

PARTS = ("valid", "test")
STATES = ("diverged", "complete")
WIDTH = 8  # trials times replicates of a pack: below that, a step costs twice as much a trial


@dataclass(frozen=True)
class Retraining:
    """A task: train these configs on every source, each for its own number of epochs, then evaluate them."""

    sources: tuple[Source, ...]
    trials: tuple[int, ...]
    configs: tuple[Mapping[str, Any], ...]
    epochs: tuple[int, ...]
    metrics: tuple[str, ...]  # of scikit-learn, beside the task's own


def leaders(study: Study, trials: Sequence[Trial]) -> list[Trial]:
    """The trials to confirm: the first `confirm.top` complete ones, best first."""
    return ranked(list(trials), study.direction)[: study.confirm.top]


def confirm(
    study: Study,
    wanted: Sequence[Trial],
    sources: Sequence[Source],
    known: Sequence[Confirmed],
    engine: Engine,
    commit: Callable[[list[Confirmed]], None],
) -> float:
    """Retrain `wanted` on `sources` and commit what each task did, as it ends; returns seconds of training.

    What is `known` is not run again.
    """
    futures = [engine.submit(retrain, task) for task in tasks(study, wanted, sources, known)]
    seconds = 0.0
    for future in as_completed(futures):
        rows = future.result()
        if isinstance(rows, Failure):
            raise TunerError(f"confirmation could not be trained: {rows}")
        commit(rows)
        seconds += sum(row.seconds for row in rows)
    return seconds


def tasks(
    study: Study, wanted: Sequence[Trial], sources: Sequence[Source], known: Sequence[Confirmed]
) -> list[Retraining]:
    """Packs of what is missing: alike in shape, as many replicates together as make a pack wide enough."""
    have = {(row.trial, row.replicate) for row in known}
    alike: dict[Any, list[Trial]] = {}
    for trial in wanted:
        missing = tuple(source for source in sources if (trial.number, source.replicate) not in have)
        if missing:
            alike.setdefault((shape_key(trial.config), missing), []).append(trial)
    found = []
    for (_, missing), group in alike.items():
        numbers, configs = tuple(t.number for t in group), tuple(unhindered(t.config) for t in group)
        epochs = tuple(t.epoch or t.epochs for t in group)
        for some in batches(missing, max(1, WIDTH // len(group))):
            found.append(Retraining(tuple(some), numbers, configs, epochs, study.confirm.metrics))
    return sorted(found, key=lambda task: -max(task.epochs) / int(task.configs[0]["batch_size"]))


def unhindered(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config without early stopping: a confirmation trains as long as the search chose, as its users will."""
    return {name: value for name, value in config.items() if name not in ("patience", MIN_DELTA.name)}


def batches(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Consecutive pieces of at most `size`."""
    return [items[i : i + size] for i in range(0, len(items), size)]


def retrain(task: Retraining) -> list[Confirmed]:
    """Do one task, in a worker."""
    started = time.perf_counter()
    problem = problem_of(task.sources, task.configs[0])
    rows: list[Confirmed] = []
    state: State | None = None
    left = list(range(len(task.trials)))
    done = 0
    for stop in sorted(set(task.epochs)):
        state = descend(problem, [task.configs[i] for i in left], stop - done, state).state
        ending = [i for i in left if task.epochs[i] == stop]
        ended = state.take([left.index(i) for i in ending])
        rows += evaluate(problem, ended, [task.trials[i] for i in ending], task.metrics)
        staying = [i for i in left if task.epochs[i] > stop]
        state, left, done = state.take([left.index(i) for i in staying]), staying, stop
    seconds = (time.perf_counter() - started) / len(rows)
    return [Confirmed(r.trial, r.replicate, r.epoch, r.metrics, seconds, r.state) for r in rows]


def evaluate(problem: Problem, state: State, trials: Sequence[int], extra: Sequence[str]) -> list[Confirmed]:
    """Metrics of finished trainings on the validation and test rows of every replicate."""
    layers = Layers(state.weights, problem.model.shapes(problem.inputs, problem.outputs))
    metrics: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        for part in PARTS:
            metrics |= Evaluation(problem, len(trials), part)(layers)
    rows = []
    for r, replicate in enumerate(problem.replicates):
        for k, trial in enumerate(trials):
            alive = bool(state.alive[r, k])
            values = {name: float(value[r, k]) for name, value in metrics.items()}
            for part in PARTS if alive else ():
                values |= sklearn_metrics(problem, state.weights[r, k], extra, part, r)
            if not alive:
                names = [*values, *(f"{part}_{name}" for part in PARTS for name in extra)]
                values = {name: np.inf if name.endswith("_loss") else np.nan for name in names}
            rows.append(Confirmed(trial, replicate.number, state.epoch, values, 0.0, STATES[alive]))
    return rows


@dataclass(frozen=True)
class Standing:
    """How a confirmed trial did: its rank in the search and now, goal and test metrics on fresh seeds."""

    trial: int
    search_rank: int
    rank: int
    search_value: float
    goal: Interval
    test: Mapping[str, Interval]


def standings(study: Study, trials: Sequence[Trial], rows: Sequence[Confirmed]) -> list[Standing]:
    """Confirmed trials, best mean first; ties by search rank."""
    found: list[Standing] = []
    for place, trial in enumerate(ranked(list(trials), study.direction), start=1):
        own = [row for row in rows if row.trial == trial.number and row.replicate <= study.confirm.seeds]
        if len(own) < study.confirm.seeds or trial.value is None:
            continue
        goal = over(own, study.metric)
        tests = [name for name in own[0].metrics if name.startswith("test_")]
        test = {name: over(own, name) for name in tests}
        found.append(Standing(trial.number, place, 0, trial.value, goal, test))
    order = sorted(found, key=lambda s: (_behind(s.goal.mean, study.direction), s.search_rank))
    return [Standing(s.trial, s.search_rank, i, s.search_value, s.goal, s.test) for i, s in enumerate(order, start=1)]


def over(rows: Sequence[Confirmed], name: str) -> Interval:
    """Mean and interval of a metric over retrainings."""
    return mean_interval([row.metrics[name] for row in rows], bounds=bounds_of(name))


def _behind(mean: float, direction: str) -> float:
    """Sorts means, best first; a config that diverged on a fresh seed comes last, whatever the direction."""
    return signed(mean, direction) if math.isfinite(mean) else math.inf
