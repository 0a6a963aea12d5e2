"""Seconds to a good loss on digits, start-up and imports included: the tuner, Optuna around PyTorch, scikit-learn."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.search.overhead import STUDY

__all__ = ["target"]

ROOT = Path(__file__).parents[3]
WORKERS = 2


def target(given: argparse.Namespace) -> None:
    """Wall seconds of each, and until each had the loss that all of them reached."""
    for trials in given.trials or [120]:
        ours, ours_best = tuner_seconds(trials)
        marks = optuna_seconds(trials)
        best = min(loss for _, loss in marks)
        goal = max(ours_best, best)
        reached = next(seconds for seconds, loss in marks if loss <= goal)
        print(f"{trials:,} trials of digits, {WORKERS} processes; validation loss {goal:.4g}")
        print(f"  tuner run                {ours:8.1f} s for all its trials, the best {ours_best:.4g}")
        every = f"{marks[-1][0]:.1f} s for all, the best {best:.4g}"
        print(f"  Optuna + PyTorch         {reached:8.1f} s to {goal:.4g}: {reached / ours:.1f}x; {every}")
        seconds, loss = halving_seconds(trials)
        print(
            f"  HalvingRandomSearchCV    {seconds:8.1f} s for all: {seconds / ours:.1f}x; the best {loss:.4g}",
            flush=True,
        )


def tuner_seconds(trials: int) -> tuple[float, float]:
    """Wall seconds of the command, and the best validation loss."""
    with TemporaryDirectory() as home:
        words = ["run", str(STUDY), "-n", str(trials), "-j", str(WORKERS), "--no-confirm", "--home", home]
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tuner", *words], cwd=ROOT, check=True, capture_output=True)
        seconds = time.perf_counter() - began
        words = ["top", "digits", "-n", "1", "-f", "json", "--home", home]
        shown = subprocess.run([sys.executable, "-m", "tuner", *words], cwd=ROOT, check=True, capture_output=True)
        return seconds, float(json.loads(shown.stdout)[0]["value"])


def optuna_seconds(trials: int) -> list[tuple[float, float]]:
    """(seconds since the start, best loss so far) after every complete trial of two processes on a journal."""
    with TemporaryDirectory() as home:
        began = time.time()
        command = [sys.executable, "-m", "tests.benchmarks.search.optuna_torch", home]
        workers = [subprocess.Popen([*command, str(trials // WORKERS), str(i)], cwd=ROOT) for i in range(WORKERS)]
        for worker in workers:
            if worker.wait():
                raise RuntimeError("a worker of Optuna + PyTorch failed")
        rows = [json.loads(line) for path in Path(home).glob("done-*") for line in path.read_text().splitlines()]
    marks, best = [], float("inf")
    for at, loss in sorted(rows):
        best = min(best, loss)
        marks.append((at - began, best))
    return marks


def halving_seconds(trials: int) -> tuple[float, float]:
    """Wall seconds of HalvingRandomSearchCV over MLPClassifier, in a process of its own, and its best loss."""
    command = [sys.executable, "-m", "tests.benchmarks.search.halving_sklearn", str(trials)]
    began = time.perf_counter()
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, float(ended.stdout.split()[-1])
