"""Seconds to a good loss on digits, start-up and imports included: the tuner, Optuna around PyTorch, scikit-learn."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.benchmarks.search.overhead import STUDY
from tuner.ranking.goal import ranked
from tuner.store.ledger import Ledger

__all__ = ["target"]

ROOT = Path(__file__).parents[3]
SIZES = (120, 1000)
WORKERS = 2
MOST_SEEDS = 5


@dataclass(frozen=True)
class Run:
    """A search from outside: seconds of all of it, and of its way `(seconds since its start, best loss by then)`."""

    seconds: float
    way: Sequence[tuple[float, float]]

    @property
    def best(self) -> float:
        """The best validation loss."""
        return min(loss for _, loss in self.way)

    def until(self, loss: float) -> float:
        """Seconds until the best was no worse than `loss`."""
        return next(seconds for seconds, best in self.way if best <= loss)


def target(given: argparse.Namespace) -> None:
    """For each seed, seconds until the tuner and Optuna + PyTorch had the loss that both reach, and seconds of all."""
    seeds = min(given.seeds, MOST_SEEDS)
    for trials in given.trials or SIZES:
        print(f"{trials:,} trials of digits, {WORKERS} processes each; s: until the loss that both reach / all of it")
        print(f"  seed  {'loss':>7} {'tuner run':>14} {'Optuna + PyTorch':>18} {'HalvingRandomSearchCV':>22}")
        times = []
        for seed in range(seeds):
            ours, usual, halving = tuner_run(trials, seed), optuna_run(trials, seed), halving_run(trials, seed)
            goal = max(ours.best, usual.best)
            times.append([ours.until(goal), ours.seconds, usual.until(goal), usual.seconds, halving.seconds])
            bests = ", ".join(f"{run.best:.4f}" for run in (ours, usual, halving))
            print(f"  {seed:4}  {goal:7.4f} {line(times[-1])}   the best: {bests}", flush=True)
        found = np.median(times, axis=0)
        ratios = np.array(times)[:, [2, 3, 4]] / np.array(times)[:, [0, 1, 1]]
        until, whole, sklearn = np.median(ratios, axis=0)
        print(f"  median        {line(found)}")
        print(f"  Optuna + PyTorch over tuner run, median: {until:.1f}x to that loss, {whole:.1f}x for all trials")
        print(f"  HalvingRandomSearchCV over tuner run, median: {sklearn:.1f}x for all\n", flush=True)


def line(times: Sequence[float]) -> str:
    ours, ours_all, usual, usual_all, halving = times
    return f"{f'{ours:.2f} / {ours_all:.2f}':>14} {f'{usual:.2f} / {usual_all:.2f}':>18} {f'{halving:.2f}':>22}"


def tuner_run(trials: int, seed: int) -> Run:
    """The command; a trial counts from when its generation is committed."""
    with TemporaryDirectory() as home:
        words = ["run", str(STUDY), "-n", str(trials), "-j", str(WORKERS), "--seed", str(seed), "--no-confirm"]
        began = time.time()
        subprocess.run(
            [sys.executable, "-m", "tuner", *words, "--home", home], cwd=ROOT, check=True, capture_output=True
        )
        seconds = time.time() - began
        with Ledger.open(Path(home) / "digits" / "ledger.db", read_only=True) as ledger:
            best, ended = (
                ranked(ledger.trials(), "minimize"),
                {g.number: g.facts["ended"] for g in ledger.generations()},
            )
    rows = sorted((float(ended[trial.generation]) - began, float(trial.value or 0)) for trial in best if trial.stable)
    return Run(seconds, falling(rows))


def optuna_run(trials: int, seed: int) -> Run:
    """Two processes on a journal; a trial counts from when it is complete."""
    with TemporaryDirectory() as home:
        began = time.time()
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.search.optuna_torch",
            home,
            str(trials // WORKERS),
            str(seed),
        ]
        seeds = range(seed * WORKERS, (seed + 1) * WORKERS)
        workers = [subprocess.Popen([*command, str(own)], cwd=ROOT) for own in seeds]
        for worker in workers:
            if worker.wait():
                raise RuntimeError("a worker of Optuna + PyTorch failed")
        seconds = time.time() - began
        rows = [json.loads(line) for path in Path(home).glob("done-*") for line in path.read_text().splitlines()]
    return Run(seconds, falling(sorted((at - began, loss) for at, loss in rows)))


def halving_run(trials: int, seed: int) -> Run:
    """HalvingRandomSearchCV over MLPClassifier, in a process of its own, which shows nothing before its end."""
    command = [sys.executable, "-m", "tests.benchmarks.search.halving_sklearn", str(trials), str(seed)]
    began = time.time()
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    seconds = time.time() - began
    return Run(seconds, [(seconds, float(ended.stdout.split()[-1]))])


def falling(rows: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each time with the best loss by then."""
    losses = np.minimum.accumulate([loss for _, loss in rows]).tolist()
    return [(at, loss) for (at, _), loss in zip(rows, losses, strict=True)]
