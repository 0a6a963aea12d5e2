"""Seconds that the frames of a large study take, on a ledger that is made up.

    python -m tests.benchmarks.frames [--trials 100000]

The ledger holds what a search of digits with 27 epochs leaves: most trials pruned at a rung, three curves each.
`ranking()` starts from an open result, as in a notebook; the commands are whole processes, start-up included.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tuner.records import Trial
from tuner.result import Result
from tuner.space import space_of
from tuner.store.directory import StudyDirectory, study_directory
from tuner.store.ledger import Ledger
from tuner.study import read_study

STUDY = {
    "study": {"name": "large", "trials": 100_000},
    "data": {"source": "sklearn:digits"},
    "optimizers": {"momentum": {}, "nesterov": {}, "rmsprop": {}, "adam": {}},
}
CURVES = ("train_loss", "valid_loss", "valid_accuracy")
RUNGS = (2, 7, 27)
GENERATION = 512


def made(home: Path, trials: int) -> StudyDirectory:
    """A study of so many trials."""
    study = read_study(STUDY, settings={"study.trials": trials})
    directory = study_directory(study.name, home)
    directory.path.mkdir(parents=True)
    directory.study.write_text(study.to_toml(), encoding="utf-8")
    space, rng = space_of(study), np.random.default_rng(0)
    facts = {"data": "d", "task": "multiclass", "canary": "c", "processor": "p"}
    with Ledger.create(directory.ledger, facts) as ledger:
        for number, first in enumerate(range(0, trials, GENERATION)):
            many = range(first, min(first + GENERATION, trials))
            ledger.commit_generation(number, [_trial(space, rng, i, number) for i in many])
    return directory


def _trial(space: object, rng: np.random.Generator, number: int, generation: int) -> Trial:
    latents = {
        latent.name: str(rng.choice(latent.choices)) if latent.kind == "categorical" else float(rng.random())
        for latent in space.latents  # type: ignore[attr-defined]
    }
    rung = int(rng.choice(3, p=(0.75, 0.19, 0.06)))
    epochs = RUNGS[rung]
    curves = {name: rng.random((1, epochs)).cumsum(axis=1)[:, ::-1] for name in CURVES}
    epoch = int(curves["valid_loss"].argmin()) + 1
    metrics = {name: float(curve[0, epoch - 1]) for name, curve in curves.items()}
    return Trial(
        number=number,
        generation=generation,
        state="complete" if epochs == RUNGS[-1] else "pruned",
        config=space.config(latents),  # type: ignore[attr-defined]
        latents=latents,
        rung=rung,
        epochs=epochs,
        steps=epochs * 17,
        value=metrics["valid_loss"],
        epoch=epoch,
        stable=True,
        metrics=metrics,
        curves=curves,
        seconds=0.01,
    )


def seconds(action: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Median seconds of doing it: by the clock, and of the processor, which others' work does not lengthen as much."""
    took = []
    for _ in range(times):
        started, used = time.perf_counter(), processor()
        action()
        took.append((time.perf_counter() - started, processor() - used))
    wall, own = zip(*took, strict=True)
    return statistics.median(wall), statistics.median(own)


def processor() -> float:
    """Processor seconds of this process and of those it has waited for."""
    return sum(os.times()[:4])


def command(home: Path, *args: str) -> Callable[[], object]:
    """A command line of its own process."""
    line = [sys.executable, "-m", "tuner", *args, "--home", str(home)]
    return lambda: subprocess.run(line, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as folder:
        directory = made(Path(folder), trials)
        print(f"{trials} trials, a ledger of {directory.ledger.stat().st_size / 1e6:.0f} MB")
        rows: dict[str, Callable[[], object]] = {
            "open": lambda: Result(directory),
            "open, ranking()": lambda: Result(directory).ranking(),
            "open, trials()": lambda: Result(directory).trials(),
            "open, curves()": lambda: Result(directory).curves(),
            "tuner list": command(Path(folder), "list"),
            "tuner top": command(Path(folder), "top", "large"),
            "tuner show": command(Path(folder), "show", "large"),
            "tuner export": command(Path(folder), "export", "large"),
        }
        for name, action in rows.items():
            wall, own = seconds(action)
            print(f"  {name:16}  {wall:6.2f} s, {own:6.2f} s of a processor", flush=True)


if __name__ == "__main__":
    main()
