"""`tuner predict` on a long file, beside pandas' own reading of it: seconds, rows a second, and the most memory.

Both are processes of their own, one after the other. Of each the quickest of several is told, as other programs may run
beside them. pandas from 3.1 on reads such a file with as many threads as there are processors;
how long it takes with one is told, too.

The table of numbers has 30 columns of them; the mixed one has 20, of which four have gaps, eight texts, a date and an
id that is kept, and is asked for probabilities.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tuner
from tests.benchmarks.handed_over.divisions import study_of
from tuner.orchestrator.callbacks import RunCallback

__all__ = ["speed"]

COLUMNS, TEXTS, GAPPED = 30, 8, 4
TRAINED_ON = 2000  # rows
RUNS = 3
PANDAS = "import pandas, sys; print(len(pandas.read_csv(sys.argv[1])))"
ONE_THREAD = f"""import pandas
try: pandas.set_option("mode.max_threads", 1)
except KeyError: pass
{PANDAS}"""
PREDICT = "from tuner.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
BLOCK = 50_000  # rows that are written together
WORDS = np.array(["north", "south", "east", "west", None, "red, or so", "blue"], dtype=object)


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and of processor, and MB at the most."""

    wall: float
    processor: float
    memory: float

    def least(self, other: Cost) -> Cost:
        """The smaller seconds and the larger memory of two runs."""
        return Cost(min(self.wall, other.wall), min(self.processor, other.processor), max(self.memory, other.memory))


def numbers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Random numbers, of as many digits as are usual."""
    return pd.DataFrame(rng.standard_normal((rows, COLUMNS)), columns=[f"column_{i}" for i in range(COLUMNS)])


def mixed(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """An id, 20 numbers, some of them with gaps, eight texts with gaps, and a date."""
    frame = numbers(rng, rows).iloc[:, : COLUMNS - TEXTS - 2]
    for name in frame.columns[:GAPPED]:
        frame.loc[rng.random(rows) < 0.05, name] = np.nan
    texts = {f"text_{i}": WORDS[rng.integers(0, len(WORDS), rows)] for i in range(TEXTS)}
    days = np.datetime64("2024-01-01") + rng.integers(0, 900, rows).astype("timedelta64[D]")
    return pd.DataFrame({"id": [f"row {i}" for i in range(rows)], **frame, **texts, "since": days.astype(str)})


TABLES: dict[str, tuple[Any, str, list[str]]] = {
    "numbers": (numbers, "regression", []),
    "mixed": (mixed, "binary", ["--keep", "id", "--proba"]),
}


def written(path: Path, make: Any, rows: int) -> None:
    """A csv of so many rows."""
    rng = np.random.default_rng(0)
    for start in range(0, rows, BLOCK):
        frame = make(rng, min(BLOCK, rows - start))
        frame.to_csv(path, mode="a", header=not start, index=False, float_format="%.10g")


def timed(code: str, *args: str) -> Cost:
    """What a process of its own costs."""
    began = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-c", code, *args], **quiet)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{args} ended with {status}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def speed(given: argparse.Namespace) -> None:
    """Measure and print."""
    for name in TABLES:
        with tempfile.TemporaryDirectory() as folder:
            measure(name, Path(folder), given.rows)


def measure(name: str, place: Path, rows: int) -> None:
    """Measure one kind of table."""
    make, task, options = TABLES[name]
    frame = make(np.random.default_rng(1), TRAINED_ON)
    score = frame["column_5"] + frame["column_6"] ** 2
    y = score.to_numpy() if task == "regression" else (score > 1).to_numpy().astype(int)
    tuner.run(study_of(task, 8, 0), data=(frame, y), jobs=1, home=place, callback=RunCallback(), confirm=False)
    file = place / "rows.csv"
    written(file, make, rows)
    print(f"\n{name}: {rows:,} rows x {frame.shape[1]} columns, {file.stat().st_size / 1e6:.0f} MB", flush=True)
    ask = ["predict", "handed-over", str(file), "-o", str(place / "out.csv"), "--force", "--home", str(place), *options]
    asked = {
        "pandas.read_csv": (PANDAS, str(file)),
        "on one thread": (ONE_THREAD, str(file)),
        "tuner predict": (PREDICT, *ask),
    }
    runs = [[timed(*one) for one in asked.values()] for _ in range(RUNS)]
    least = [reduce(Cost.least, each) for each in zip(*runs, strict=True)]
    read = least[0]
    for what, cost in zip(asked, least, strict=True):
        seconds = f"{cost.wall:5.1f} s ({cost.processor:4.1f} s of processor)"
        ratios = f"{cost.wall / read.wall:.2f} times as long ({cost.processor / read.processor:.2f} of processor)"
        print(f"{what:16} {seconds}  {rows / cost.wall:9,.0f} rows/s  {cost.memory:4.0f} MB  {ratios}", flush=True)
