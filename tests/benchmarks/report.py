"""What a report costs: seconds to write it, megabytes, and seconds until a browser has drawn its first chart.

    python -m tests.benchmarks.report [--trials 128 10000]

Studies are made up: two optimizers, 20 epochs, three in four trials pruned, some diverged; as many values a trial as a
real one has. Each report is written by a process of its own, start-up included, as `tuner report` does.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.support.browser import browser, why_not
from tests.support.planted_studies import changed_study, ended, pruned, reconfigured, trained, written
from tuner.records import Trial

REPEATS = 3


def trials(count: int) -> list[Trial]:
    """Trials with values of full precision, so that nothing is shorter than it would be."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        value = float(np.float32(0.1 + rng.gamma(2.0, 0.3)))
        lr, beta = 10 ** rng.uniform(-4, -1), 1 - 10 ** rng.uniform(-2, -0.4)
        trial = replace(trained(number, value), seconds=float(rng.exponential(0.01)))
        own = "momentum" if number % 2 == 0 else "beta1"
        trial = reconfigured(trial, lr=float(lr), batch_size=int(2 ** rng.integers(4, 9)), **{own: float(beta)})
        latents = {**trial.latents, "lr": float(rng.random()), "momentum": float(rng.random()), "batch_size": 0.5}
        fate = rng.random()
        trial = (
            ended(trial, "diverged") if fate < 0.05 else pruned(trial, 2 if fate < 0.7 else 7) if fate < 0.8 else trial
        )
        made.append(replace(trial, latents=latents))
    return made


def seconds_to_write(directory: Path, page: Path) -> float:
    """Seconds of `tuner report`, the median of several."""
    command = [sys.executable, "-m", "tuner", "report", str(directory), "-o", str(page)]
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def seconds_to_draw(page: Path, profile: Path) -> str:
    """Seconds until the first chart is drawn, and until all are, in words; why there is no browser."""
    if reason := why_not():
        return reason
    with browser(profile) as opened:
        opened.size(1280)
        first = opened.open(page)
        last = float(opened.ask("return performance.now()")) / 1000  # from when the page was asked for
    return f"{first:.1f} s to the first chart, {last:.1f} s to the last"


def main() -> None:
    """Print a line a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[128, 10_000])
    for count in parser.parse_args().trials:
        with tempfile.TemporaryDirectory() as place:
            home = Path(place)
            study = changed_study(
                study={"trials": count}, search={"generation_size": 32}, train={"batch_size": [16, 32, 64, 128, 256]}
            )
            result = written(home, trials(count), study=study)
            page = home / "report.html"
            taken = seconds_to_write(result.path, page)
            size = page.stat().st_size / 1e6
            print(f"{count:6} trials: {taken:.1f} s to write, {size:.2f} MB, {seconds_to_draw(page, home / 'profile')}")


if __name__ == "__main__":
    main()
