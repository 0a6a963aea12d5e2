"""What the search finds on scikit-learn's tables, beside the best that hindsight finds among 320 random configs.

    python -m tests.benchmarks.handed_over shipped

Both are judged by the same 60 fresh splits of the rows that are not set aside for the test.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tuner
from objectives.data import Prepared, SplitSpec, prepare, table_from
from tests.benchmarks.handed_over.cells import CACHE
from tests.benchmarks.handed_over.divisions import curves, study_of
from tests.benchmarks.handed_over.tables import SHIPPED, TABLES
from tuner.orchestrator.callbacks import RunCallback
from tuner.records import at
from tuner.space import space_of
from tuner.trainables.builtin.prepared_study import prepare_study

__all__ = ["Beside", "beside", "shipped"]

SPLITS, CONFIGS, TRIALS = 60, 320, 128
FRESH = 10_000  # number of the first replicate that judges
TOGETHER = 10  # splits that train together


@dataclass(frozen=True)
class Beside:
    """Mean losses over the fresh splits: of what is handed over, and of the best of random ones in hindsight."""

    table: str
    handed: float
    hindsight: float
    better: int  # random configs that are better than what is handed over


def fresh(name: str) -> list[Prepared]:
    """Fresh splits of a table, the test rows of a study set aside."""
    x, y = TABLES[name].make()
    table = table_from(x, y, task=TABLES[name].task)
    return [prepare(table, SplitSpec(), 0, FRESH + number) for number in range(SPLITS)]


def mean_curves(data: list[Prepared], configs: list[Any]) -> Any:
    """Mean losses `(configs, epochs)` over the splits."""
    parts = [curves(data[i : i + TOGETHER], configs, seed=FRESH + i) for i in range(0, len(data), TOGETHER)]
    return np.concatenate(parts, axis=1).mean(axis=1)


def hindsight(name: str, data: list[Prepared]) -> list[float]:
    """Lowest points `(320,)` of the mean curves of random configs, kept in the cache."""
    digest = hashlib.sha256("".join(one.digest for one in data).encode()).hexdigest()[:12]
    path = CACHE / f"hindsight-{name}-{digest}-{CONFIGS}.json"
    if not path.exists():
        task, pair = TABLES[name].task, TABLES[name].make()
        space, rng = space_of(prepare_study(study_of(task, 1, 0), pair).study), np.random.default_rng(320)
        configs = [space.config(at(space.latents, rng.random(len(space.latents)).tolist())) for _ in range(CONFIGS)]
        lowest = np.nan_to_num(mean_curves(data, configs), nan=np.inf).min(axis=1)
        CACHE.mkdir(exist_ok=True)
        path.write_text(json.dumps([min(loss, 1e9) for loss in lowest.tolist()]))
    found: list[float] = json.loads(path.read_text())
    return found


def beside(name: str) -> Beside:
    """One table's."""
    with threadpool_limits(1), tempfile.TemporaryDirectory() as home:
        data = fresh(name)
        study, pair = study_of(TABLES[name].task, TRIALS, 0), TABLES[name].make()
        best = tuner.run(study, data=pair, jobs=1, home=home, callback=RunCallback()).best()
        config = dict(best) | {"epochs": best["horizon"]}
        own = float(mean_curves(data, [config])[0, best.epochs - 1])
        others = hindsight(name, data)
    return Beside(name, own, min(others), sum(other < own for other in others))


def shipped(given: argparse.Namespace) -> None:
    """Print a line a table."""
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(beside, given.tables or SHIPPED))
    print(f"mean loss over {SPLITS} fresh splits: handed over at {TRIALS} trials, best of {CONFIGS} in hindsight\n")
    print("| table | handed over | hindsight | ratio | random configs that are better |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for one in found:
        ratio = one.handed / one.hindsight
        print(f"| {one.table} | {one.handed:.4f} | {one.hindsight:.4f} | {ratio:.3f} | {one.better} of {CONFIGS} |")
    print()
