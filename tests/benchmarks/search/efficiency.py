"""How good a config is found for so many epochs: designs of ours and other ways to search, on every table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tests.benchmarks.search import rivals
from tests.benchmarks.search.lookup import Found, search
from tests.benchmarks.search.tables import CACHE, EPOCHS, asked, results
from tuner.ranking.statistics import t_quantile

__all__ = ["BUDGETS", "Design", "differences", "measured", "table"]

Array = np.ndarray[Any, Any]
BUDGETS = (10, 20, 40, 80, 120)  # full trainings' worth of epochs
BOTH = (0, 1)  # splits
NONE_YET = 100.0
TUNER = Path(__file__).parents[3] / "tuner"
SEARCHES = ("algorithms", "optuna_bridge", "orchestrator", "ranking", "records", "search", "space")


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
        code = digest(Path(rivals.__file__)) if self.rival else digest(*searching())
        return json.dumps([self.search, self.constants, self.rival, code], sort_keys=True, default=lambda f: f.__name__)


@cache
def digest(*paths: Path) -> str:
    """Digest of files."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


@cache
def searching() -> tuple[Path, ...]:
    """The modules that search."""
    return tuple(
        path for name in SEARCHES for path in sorted(TUNER.glob(f"{name}.py")) + sorted(TUNER.glob(f"{name}/*.py"))
    )


def run(design: Design, problem: str, seed: int) -> list[tuple[int, int]]:
    """Epochs spent and rows of what one search trains to the end; kept for the next run of the benchmark."""
    name = hashlib.sha256(json.dumps([design.key, problem, seed]).encode()).hexdigest()[:24]
    path = CACHE / "searches" / f"{name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([(one.spent, one.row) for one in searched(design, problem, seed)]))
    return [(int(spent), int(row)) for spent, row in json.loads(path.read_text())]


def searched(design: Design, problem: str, seed: int) -> list[Found]:
    """One search."""
    most = BUDGETS[-1] * EPOCHS
    if design.rival:
        return rivals.optuna_search(design.rival, results(problem), BOTH, most, seed)
    with ExitStack() as changed:
        for name, value in design.constants.items():
            changed.enter_context(patch(name, value))
        return search(asked(seed=seed, **design.search), results(problem), BOTH, most)


def shares(design: Design, problem: str, seed: int) -> list[float]:
    """Percent of the grid better than the config found, at each budget: all of it where there is none yet."""
    seen, found = results(problem), run(design, problem, seed)
    out = []
    for budget in BUDGETS:
        rows = [row for spent, row in found if spent <= budget * EPOCHS]
        best = min(rows, key=lambda row: seen.value(row, BOTH)) if rows else None
        out.append(NONE_YET if best is None else float(seen.shares[best]))
    return out


def measured(designs: Sequence[Design], problems: Sequence[str], seeds: int, jobs: int) -> dict[str, Array]:
    """Shares `(problems, seeds, budgets)` of every design."""
    tasks = [(design, problem, seed) for design in designs for problem in problems for seed in range(seeds)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(shares, *zip(*tasks, strict=True), chunksize=2))
    shape = (len(designs), len(problems), seeds, len(BUDGETS))
    return dict(zip([design.name for design in designs], np.array(rows).reshape(shape), strict=True))


def table(found: Mapping[str, Array]) -> Iterator[str]:
    """Rows of a table: median/mean at each budget."""
    yield heading()
    for name, values in found.items():
        runs = values.reshape(-1, len(BUDGETS))
        cells = (
            "none yet" if np.median(column) == NONE_YET else f"{np.median(column):.2f}/{column.mean():.2f}"
            for column in runs.T
        )
        yield f"| {name} | {' | '.join(cells)} |"


def differences(found: Mapping[str, Array], reference: str) -> Iterator[str]:
    """Rows of a table: how far a design's mean is above the reference's at each budget, and half of the 95 % interval.

    Paired by seed: a seed's searches of several problems have points in common, so that their mean is one observation.
    """
    yield heading()
    for name, values in found.items():
        if name == reference:
            continue
        paired = (values - found[reference]).mean(axis=0)
        half = t_quantile(0.975, len(paired) - 1) * paired.std(axis=0, ddof=1) / np.sqrt(len(paired))
        nothing = np.median(values, axis=(0, 1)) == NONE_YET
        columns = zip(paired.mean(axis=0), half, nothing, strict=True)
        cells = ("none yet" if none else f"{mean:+.2f} ± {width:.2f}" for mean, width, none in columns)
        yield f"| {name} | {' | '.join(cells)} |"


def heading() -> str:
    """The head of a table of budgets."""
    return f"| | {' | '.join(map(str, BUDGETS))} |\n|{'---|' * (1 + len(BUDGETS))}"
