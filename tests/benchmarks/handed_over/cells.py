"""Cells: what one method came to on one division of one table at one budget, measured in processes and kept in files.

A cell is a line of JSON in `.cache`: those of our tuner in a file for each label of the code, all others in one file
that every label shares. A line that was cut short is measured again.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tests.benchmarks.handed_over.divisions import division_of
from tests.benchmarks.handed_over.registry import KNOWN, METHODS
from tests.benchmarks.handed_over.tables import TABLES

__all__ = ["CACHE", "Cell", "Form", "measured", "read", "wanted"]

CACHE = Path(__file__).parent / ".cache"
SHARED = "rivals"  # the file of what does not depend on the version of the tuner
DEAR, FEW = 512, 3  # larger budgets than the first are measured on so few divisions
FORMAT = 3  # of tables, divisions and scores: a change of theirs makes all cells anew

Key = tuple[str, str, int, int]


@dataclass(frozen=True)
class Cell:
    """What was measured; `error` says why there are no `losses`."""

    method: str
    table: str
    division: int
    budget: int
    losses: tuple[float, ...] = ()
    trainings: float = 0.0
    seconds: float = 0.0
    epochs: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def key(self) -> Key:
        """What it is a measurement of."""
        return self.method, self.table, self.division, self.budget

    @property
    def loss(self) -> float:
        """The mean over the seeds."""
        return sum(self.losses) / len(self.losses)


@dataclass(frozen=True)
class Form:
    """Which cells are wanted: of some tables and methods, so many divisions, the quick budgets or all."""

    tables: tuple[str, ...] = tuple(TABLES)
    methods: tuple[str, ...] = tuple(METHODS)
    divisions: int = 10
    quick: bool = False


def wanted(form: Form) -> list[Key]:
    """The cells of a form, dearest tables last."""
    found = []
    for name in form.tables:
        for label in form.methods:
            method, source = KNOWN[label], TABLES[name]
            budgets = [budget for budget in (method.quick if form.quick else method.budgets) if budget <= source.most]
            most = min(form.divisions, method.divisions, source.divisions)
            counts = {budget: min(most, FEW) if budget > DEAR else most for budget in budgets}
            if len(source.make()[1]) <= method.rows:
                found += [
                    (label, name, division, b) for division in range(most) for b in budgets if division < counts[b]
                ]
    return found


def place(method: str, label: str) -> Path:
    """The file of a method's cells under a label."""
    return CACHE / f"{label if KNOWN[method].ours else SHARED}-{FORMAT}.jsonl"


def read(label: str) -> dict[Key, Cell]:
    """What is there of a label, and of all that labels share."""
    found = {}
    for path in (CACHE / f"{SHARED}-{FORMAT}.jsonl", CACHE / f"{label}-{FORMAT}.jsonl"):
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                told = json.loads(line)
            except ValueError:
                continue
            cell = Cell(**told | {"losses": tuple(told["losses"])})
            found[cell.key] = cell
    return found


def measure(key: Key) -> Cell:
    """One cell, in a process of one thread."""
    method, name, division, budget = key
    try:
        with threadpool_limits(1):
            found = KNOWN[method].search(division_of(name, division), budget)
            losses = tuple(found.score())
        return Cell(*key, losses, found.trainings, found.seconds, found.epochs, plain(found.config))
    except Exception as error:  # a method that fails on a table is a row of the report, not its end
        traceback.print_exc()
        return Cell(*key, error=f"{type(error).__name__}: {error}"[:200])


def plain(config: Any) -> dict[str, Any]:
    """A config in what JSON has."""
    return {str(k): v if isinstance(v, bool | int | float | str) or v is None else str(v) for k, v in config.items()}


def measured(keys: Sequence[Key], label: str, jobs: int) -> None:
    """Measure what is missing of `keys` and write each as it comes; those that failed are tried again."""
    there = read(label)
    left = [key for key in keys if key not in there or there[key].error]
    CACHE.mkdir(exist_ok=True)
    began = time.perf_counter()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for done, future in enumerate(as_completed([pool.submit(measure, key) for key in left]), start=1):
            cell = future.result()
            with place(cell.method, label).open("a") as file:
                file.write(f"\n{json.dumps(asdict(cell))}")  # on a line of its own, whatever was cut before
            told(done, len(left), time.perf_counter() - began)


def told(done: int, total: int, seconds: float) -> None:
    """Say now and then how far it is, apart from the report."""
    if done == total or done % max(25, total // 20) == 0:
        print(f"{done} of {total} cells, {seconds:.0f} s", file=sys.stderr, flush=True)
