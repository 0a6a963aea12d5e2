"""`tuner predict` on a long file, beside pandas' own reading of it: rows a second, and the most memory."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import tuner
from tests.benchmarks.handed_over.divisions import study_of
from tuner.orchestrator.callbacks import Watcher

__all__ = ["speed"]

COLUMNS = 30
PANDAS = "import pandas, sys; print(len(pandas.read_csv(sys.argv[1])))"
PREDICT = "from tuner.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
BLOCK = 50_000


def written(path: Path, rows: int) -> None:
    """A csv of random numbers, of as many digits as floats have."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f"column_{i}" for i in range(COLUMNS)) + "\n")
        for start in range(0, rows, BLOCK):
            np.savetxt(file, rng.standard_normal((min(BLOCK, rows - start), COLUMNS)), fmt="%.10g", delimiter=",")


def timed(code: str, *args: str) -> tuple[float, float, float]:
    """Seconds of wall and of processor, and MB at the most, of a process of its own."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{args} ended with {status}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def speed(given: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rng = np.random.default_rng(1)
        x = rng.standard_normal((2000, COLUMNS))
        frame = pd.DataFrame(x, columns=[f"column_{i}" for i in range(COLUMNS)])
        study = study_of("regression", 8, 0)
        tuner.run(study, data=(frame, x[:, 0] + x[:, 1] ** 2), jobs=1, home=place, watcher=Watcher(), confirm=False)
        written(place / "rows.csv", given.rows)
        size = (place / "rows.csv").stat().st_size / 1e6
        print(f"{given.rows:,} rows x {COLUMNS} columns, {size:.0f} MB")
        ask = ["predict", "handed-over", str(place / "rows.csv"), "-o", str(place / "out.csv"), "--home", str(place)]
        read = [str(place / "rows.csv")]
        for name, code, args in (("pandas.read_csv", PANDAS, read), ("tuner predict", PREDICT, ask)):
            wall, processor, memory = timed(code, *args)
            rate = given.rows / processor
            print(f"{name:16} {wall:6.1f} s   processor {processor:6.1f} s   {rate:10,.0f} rows/s   {memory:6.0f} MB")
