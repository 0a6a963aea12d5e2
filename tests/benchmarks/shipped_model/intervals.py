"""How often 95 % intervals of test metrics, and 90 % intervals of predictions, hold the truth of a known population.

A model is shipped for each of many samples of a population; 100,000 more rows of it say what the model is truly worth,
and where the targets of new rows lie.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tuner
from tests.benchmarks.handed_over.divisions import study_of
from tuner.model.judged import bootstrap_interval, judged
from tuner.orchestrator.callbacks import RunCallback
from tuner.ranking.statistics import mean_interval

__all__ = ["intervals"]

TRUTH = 100_000
SIZES = (150, 500)
LEVELS = (0.8, 0.9, 0.95)
SKEWED = {
    "log loss, 97 % right": lambda rng, n: _log_loss(rng, n, 6.0),
    "log loss, overconfident": lambda rng, n: _log_loss(rng, n, 2.0, 1.5),
    "squares of a normal": lambda rng, n: rng.standard_normal(n) ** 2,
    "squares of Student's t, 5": lambda rng, n: rng.standard_t(5, n) ** 2,
}


def _log_loss(rng: np.random.Generator, n: int, scale: float, sure: float = 1.0) -> Any:
    score = scale * rng.standard_normal(n)
    right = np.where(rng.random(n) < 1 / (1 + np.exp(-score)), score, -score)
    return np.logaddexp(0, -sure * right)


def population(task: str, n: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Numbers `(n, 6)` and targets, whose noise grows with one of them."""
    x = rng.standard_normal((n, 6))
    score = x[:, 0] + np.sin(2 * x[:, 1]) + 0.7 * x[:, 2] * x[:, 3]
    if task == "regression":
        return x, score + 0.5 * np.exp(0.3 * x[:, 4]) * rng.standard_normal(n)
    return x, (rng.random(n) < 1 / (1 + np.exp(-2 * score))).astype(int)


def held(job: tuple[str, int, int]) -> dict[str, float]:
    """Whether each interval of one sample's model holds the truth; of predictions, which share of targets."""
    task, size, seed = job
    rng = np.random.default_rng([seed, size])
    with threadpool_limits(1), tempfile.TemporaryDirectory() as home, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = study_of(task, 16, seed)
        model = tuner.run(study, data=population(task, size, rng), jobs=1, home=home, callback=RunCallback()).model
        x, y = population(task, TRUTH, rng)
        members, scale = model.of_members(model.prepared(x)), np.asarray(model.preparation.y_scale)
        truth = judged(task, members, y[:, None] if task == "regression" else y, scale)
        found = {}
        for name, kinds in model.metrics.items():
            for kind, said in kinds.items():
                found[f"{name} {kind}"] = float(said["low"] <= truth[name][kind].value <= said["high"])
        for level in LEVELS if task == "regression" else ():
            low, high = model.interval(members, level)
            found[f"predictions {level:.0%}"] = float(((low <= y) & (y <= high)).mean())
    return found


def known(draws: int) -> None:
    """Coverage of the t interval and of the studentised bootstrap on losses whose mean is known."""
    print(f"\nmeans of skewed losses, {draws} draws: coverage of 95 % by t / by the studentised bootstrap")
    for name, draw in SKEWED.items():
        rng = np.random.default_rng(0)
        truth = float(draw(rng, 4_000_000).mean())
        cells = []
        for n in (30, 100, 360):
            hits = np.zeros(2)
            for _ in range(draws):
                values = draw(rng, n)
                for i, one in enumerate((mean_interval(values.tolist()), bootstrap_interval(values))):
                    hits[i] += one.low <= truth <= one.high
            cells.append(f"n={n}: {hits[0] / draws:.3f} / {hits[1] / draws:.3f}")
        print(f"  {name:26} {'   '.join(cells)}", flush=True)


def intervals(given: argparse.Namespace) -> None:
    """Measure and print."""
    known(1000)
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        for task in given.tasks:
            for size in SIZES:
                rows = list(pool.map(held, [(task, size, seed) for seed in range(given.studies)]))
                print(f"\n{task}, {size} rows, {len(rows)} studies")
                for name in rows[0]:
                    share = float(np.mean([row[name] for row in rows]))
                    error = 0.0 if "predictions" in name else math.sqrt(share * (1 - share) / len(rows))
                    print(f"  {name:24} {share:.3f}" + (f" +- {error:.3f}" if error else ""), flush=True)
