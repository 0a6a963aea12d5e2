"""How often intervals cover the truth: tables drawn from a population, so that what a config truly comes to is known.

    python -m tests.benchmarks.handed_over coverage [--studies N]

The truth of the config that is handed over is its mean loss over retrainings on as many rows as a study trains on,
judged by the population: on rows of the study's own table, and on fresh rows of the population.
"""

from __future__ import annotations

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tuner
from objectives.data import Table, table_from
from objectives.evaluation.predictions import evaluation_of
from objectives.models import Model
from objectives.problem import Problem, Replicate
from objectives.training.descent import descend
from tests.benchmarks.handed_over.divisions import parted, study_of
from tuner.orchestrator.callbacks import Watcher

__all__ = ["Covered", "coverage", "lines", "population", "truth"]

Array = np.ndarray[Any, Any]
POPULATION, ROWS, TRAINED = 200_000, 600, 360  # TRAINED: what a study's default split leaves of ROWS
TRIALS = 64
RETRAININGS = 8
TASKS = ("binary", "regression")


@dataclass(frozen=True)
class Covered:
    """A study's intervals and truths: `fresh` of training on fresh rows, `own` on rows of its table."""

    task: str
    shown: tuple[float, float]
    test: tuple[float, float]
    own: float
    fresh: float


def population(task: str) -> tuple[Array, Array]:
    """Inputs `(200000, 8)` and targets with a smooth truth that is not linear: chances of two classes, or a number."""
    rng = np.random.default_rng([17, TASKS.index(task)])
    x = rng.standard_normal((POPULATION, 8))
    truth = x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] - 0.5 * x[:, 4] ** 2 + 0.5
    if task == "regression":
        return x, truth + 0.7 * rng.standard_normal(POPULATION)
    return x, (rng.random(POPULATION) < 1 / (1 + np.exp(-1.5 * truth))).astype(int)


@cache
def known(task: str) -> tuple[Array, Array, Table]:
    """The population with its table, once a process."""
    x, y = population(task)
    return x, y, table_from(x, y, task=task)


def truth(table: Table, rows: Array, best: Any, seed: int) -> float:
    """Mean loss on the population of trainings of a config on TRAINED of `rows`, other ones each time."""
    config, found = dict(best) | {"epochs": best["horizon"]}, []
    for number in range(RETRAININGS):
        own = np.random.default_rng([seed, number]).permutation(rows)[:TRAINED]
        data = parted(table, own, own[:1])  # all others stand in the test part
        problem = Problem((Replicate(10_000 + seed, number, data),), Model((64,)))
        state = descend(problem, [config], best.epochs).state
        found.append(float(evaluation_of(problem, 1, "test")(state.weights)["test_loss"][0, 0]))
    return float(np.mean(found))


def studied(work: tuple[str, int]) -> Covered:
    """One study of a table that is drawn from the population."""
    task, number = work
    x, y, table = known(task)
    rows = np.random.default_rng([number, 5]).choice(POPULATION, ROWS, replace=False)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as home:
        result = tuner.run(
            study_of(task, TRIALS, number), data=(x[rows], y[rows]), jobs=1, home=home, watcher=Watcher()
        )
        best = result.best()
        test = best.confirmation["test"]["test_loss"]
        own, fresh = truth(table, rows, best, number), truth(table, np.arange(POPULATION), best, number)
    return Covered(task, best.interval or (np.nan, np.nan), (test["low"], test["high"]), own, fresh)


def lines(found: list[Covered]) -> list[str]:
    """A table of how often intervals cover, with their mean width over the truth and the mean bias."""
    shown = ["| task | studies | interval | covers its table's truth | covers fresh rows' | width / truth | bias |"]
    shown.append("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for task in dict.fromkeys(one.task for one in found):
        own = [one for one in found if one.task == task]
        for name, pick in (("shown first", lambda one: one.shown), ("test", lambda one: one.test)):
            ends = np.array([pick(one) for one in own])
            truths = np.array([[one.own, one.fresh] for one in own])
            covered = (ends[:, :1] <= truths) & (truths <= ends[:, 1:])
            width, middle = ends[:, 1] - ends[:, 0], ends.mean(axis=1)
            cells = [f"{100 * share:.1f} %" for share in covered.mean(axis=0)]
            cells += [f"{np.mean(width / truths[:, 0]):.3f}", f"{np.mean(middle / truths[:, 0]) - 1:+.3f}"]
            shown.append(f"| {task} | {len(own)} | {name} | {' | '.join(cells)} |")
    return shown


def coverage(given: argparse.Namespace) -> None:
    """Print how often the intervals cover."""
    work = [(task, number) for task in TASKS for number in range(given.studies)]
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(studied, work))
    print(f"95 % intervals of {TRIALS} trials on {ROWS} rows of a population of {POPULATION:,}\n")
    print("\n".join(lines(found)), "\n")
