"""How good a config is found for so many epochs: designs of ours and other ways to search, on every table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tests.benchmarks.search.lookup import Found, search
from tests.benchmarks.search.rivals import RIVALS
from tests.benchmarks.search.tables import CACHE, EPOCHS, asked, results

__all__ = ["BUDGETS", "Design", "measured", "table"]

Array = np.ndarray[Any, Any]
BUDGETS = (10, 20, 40, 80, 120)  # full trainings' worth of epochs
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Design:
    """A way to search: a rival by its name, or ours with settings of [search] and constants of its modules."""

    name: str
    search: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    rival: str = ""

    @property
    def key(self) -> str:
        """What decides its results."""
        return json.dumps([self.search, self.constants, self.rival, code()], sort_keys=True, default=_named)


def _named(replaced: Any) -> str:
    return str(replaced.__name__)


@cache
def code() -> str:
    """Digest of the code that searches."""
    digest = hashlib.sha256()
    names = [
        "goal.py",
        "latents.py",
        "live.py",
        "optuna_bridge/models.py",
        "points.py",
        "pruners.py",
        "samplers.py",
        "space.py",
    ]
    for path in [*(ROOT / "tuner" / name for name in names), *sorted((ROOT / "tuner" / "search").glob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def run(design: Design, problem: str, splits: tuple[int, ...], seed: int) -> list[tuple[int, int]]:
    """Epochs spent and rows of what one search trains to the end; kept for the next run of the benchmark."""
    name = hashlib.sha256(json.dumps([design.key, problem, splits, seed]).encode()).hexdigest()[:24]
    path = CACHE / "searches" / f"{name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([(one.spent, one.row) for one in searched(design, problem, splits, seed)]))
    return [(int(spent), int(row)) for spent, row in json.loads(path.read_text())]


def searched(design: Design, problem: str, splits: tuple[int, ...], seed: int) -> list[Found]:
    """One search."""
    most = BUDGETS[-1] * EPOCHS
    if design.rival:
        return RIVALS[design.rival](results(problem), splits, most, seed)
    patches = [patch(name, value) for name, value in design.constants.items()]
    for one in patches:
        one.start()
    try:
        return search(asked(seed=seed, **design.search), results(problem), splits, most)
    finally:
        for one in patches:
            one.stop()


def shares(design: Design, problem: str, splits: tuple[int, ...], seed: int) -> list[float]:
    """Percent of the grid better than the config found, at each budget: 100 where there is none yet.

    The config is the best in the eyes of the search; how good it is, both splits say.
    """
    seen, found = results(problem), run(design, problem, splits, seed)
    out = []
    for budget in BUDGETS:
        rows = [row for spent, row in found if spent <= budget * EPOCHS]
        best = min(rows, key=lambda row: seen.value(row, splits)) if rows else None
        out.append(100.0 if best is None else float(seen.shares[best]))
    return out


def measured(
    designs: Sequence[Design], problems: Sequence[str], seeds: int, jobs: int, both: bool = True
) -> dict[str, Array]:
    """Shares `(problems, seeds, budgets)` of every design."""
    tasks = [
        (design, problem, (0, 1) if both else (seed % 2,), seed)
        for design in designs
        for problem in problems
        for seed in range(seeds)
    ]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(_task, tasks, chunksize=2))
    shape = (len(designs), len(problems), seeds, len(BUDGETS))
    return dict(zip([design.name for design in designs], np.array(rows).reshape(shape), strict=True))


def _task(task: tuple[Design, str, tuple[int, ...], int]) -> list[float]:
    return shares(*task)


def table(found: Mapping[str, Array], reference: str) -> Iterator[str]:
    """Lines: median / mean at each budget, then the mean difference from the reference, paired, with its interval."""
    width = max(map(len, found))
    heads = "".join(f"{budget:>14}" for budget in BUDGETS)
    yield f"{'':{width}}{heads}    mean difference from {reference!r}, 95 %"
    for name, values in found.items():
        runs = values.reshape(-1, len(BUDGETS))
        cells = "".join(f"{f'{np.median(c):.2f}/{c.mean():.2f}':>14}" for c in runs.T)
        yield f"{name:{width}}{cells}    " + ("" if name == reference else differences(values, found[reference]))


def differences(values: Array, reference: Array) -> str:
    """Mean differences at each budget and half the width of their intervals, seeds paired within each problem."""
    paired = (values - reference).reshape(-1, len(BUDGETS))
    half = 1.96 * paired.std(axis=0, ddof=1) / np.sqrt(len(paired))
    return "  ".join(f"{mean:+.2f}±{width:.2f}" for mean, width in zip(paired.mean(axis=0), half, strict=True))
