"""Memory of a whole study on a large .npy file: preparing, searching on two workers, confirming.

    python -m tests.benchmarks.memory [--rows 5000000] [--columns 50] [--no-confirm]

Proportional set sizes (a page that several processes share counts once) of the tuner and its workers, added up and
looked at every 50 ms; `own` is what of that is not pages of files, which the system can take back at any time. A page
that one process lets go of while another is looked at would count twice: of two looks in a row the smaller counts.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import tuner
from tuner.orchestrator.callbacks import Watcher

EVERY = 0.05  # seconds between looks
STRETCH = 1 << 16


def write(path: Path, rows: int, columns: int) -> None:
    """A float32 matrix whose last column holds three classes."""
    matrix = np.lib.format.open_memmap(path, "w+", np.dtype("float32"), (rows, columns))
    rng = np.random.default_rng(0)
    for start in range(0, rows, STRETCH):
        x = rng.standard_normal((min(STRETCH, rows - start), columns), "float32")
        x[:, -1] = np.digitize(x[:, 0] + x[:, 1], (-0.5, 0.5))
        matrix[start : start + STRETCH] = x


def family(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def sizes() -> tuple[int, int]:
    """Bytes of all processes together: proportional set size, and what of it is no file's."""
    total = own = 0
    for pid in family(os.getpid()):
        try:
            lines = dict(line.split()[:2] for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        except OSError:
            continue
        total += int(lines["Pss:"]) << 10
        own += int(lines["Pss_Anon:"]) << 10
    return total, own


class Peaks(Watcher):
    """Follows the sizes, and keeps the greatest of each stage."""

    def __init__(self) -> None:
        self.now, self.peaks, self.done = "prepare", {}, threading.Event()
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def stage(self, name: str) -> None:
        self.now = name

    def _follow(self) -> None:
        while not self.done.wait(EVERY):
            try:
                looks = sizes(), sizes()
            except (OSError, ValueError):
                continue
            before = self.peaks.get(self.now, (0, 0))
            total, own = (min(pair) for pair in zip(*looks, strict=True))
            self.peaks[self.now] = max(before[0], total), max(before[1], own)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Follow the memory of a study on a large file.")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--no-confirm", action="store_true")
    given = parser.parse_args()
    study = {
        "data": {"source": "large.npy", "target": given.columns - 1},
        "model": {"kind": "mlp", "hidden": [16]},
        "train": {"epochs": 1, "batch_size": [256, 512]},
        "optimizers": {"momentum": {}},
        "search": {"pruner": "none", "generation_size": 4},
        "confirm": {"top": 2, "seeds": 2},
        "study": {"name": "large", "trials": 8},
    }
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "large.npy"
        write(source, given.rows, given.columns)
        size = source.stat().st_size
        study["data"]["source"] = str(source)
        watcher, started = Peaks(), time.perf_counter()
        tuner.run(study, jobs=2, home=Path(folder) / "runs", confirm=not given.no_confirm, watcher=watcher)
        watcher.done.set()
        print(f"{given.rows:,} rows x {given.columns} columns of float32, {size / 1e6:,.0f} MB; two workers")
        for stage, (total, own) in watcher.peaks.items():
            print(f"  {stage:9}{total / 1e6:8,.0f} MB, {total / size:.2f} of the file; own {own / 1e6:6,.0f} MB")
        print(f"  {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
