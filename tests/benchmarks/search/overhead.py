"""The tuner's own share of a run: everything but training, and Optuna's ask and tell beside it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import tuner

__all__ = ["digits", "overhead"]

SIZES = (120, 1000, 10000)
STUDY = Path(__file__).parents[3] / "studies" / "digits.toml"
ASKS = 20


def digits(trials: int, jobs: int, home: str, **search: Any) -> Any:
    """A run of the digits study, not confirmed: its result, with what it cost."""
    study = tuner.read_study(STUDY, settings={f"search.{key}": value for key, value in search.items()})
    return tuner.run(study, trials=trials, jobs=jobs, home=home, confirm=False)


def overhead(given: argparse.Namespace) -> None:
    """Own seconds, their share of the search's wall time, and milliseconds a trial, at several sizes.

    With two workers what the tuner computes is told apart from what it waits for: its own processor time, all of the
    run from reading the data to the last file included, is beside that of Optuna's ask and tell.
    """
    with TemporaryDirectory() as home:
        digits(32, 1, home)  # the first run pays for imports
    print(
        "  trials  jobs  pruner   search, s  training, s  own, s  share  own CPU, ms a trial  Optuna, ms ask and tell"
    )
    for trials in given.trials or SIZES:
        for jobs, pruner in ((1, "none"), (1, "halving"), (2, "halving")):
            if pruner == "none" and trials > 1000:
                continue
            began = time.process_time()
            with TemporaryDirectory() as home:
                spent = digits(trials, jobs, home, pruner=pruner).cost.search
            cpu = 1000 * (time.process_time() - began) / trials
            beside = f"{cpu:17.2f} {optuna_ms(trials):28.2f}" if jobs == 2 else ""
            print(
                f"{trials:8,} {jobs:5}  {pruner:7} {spent.wall:10.2f} {spent.training:12.2f} {spent.overhead:7.2f}"
                f" {spent.overhead / spent.wall:6.0%} {beside}",
                flush=True,
            )


def optuna_ms(trials: int) -> float:
    """Processor milliseconds of an ask and a tell of Optuna's default sampler, in memory, after so many trials."""
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = {
        "optimizer": CategoricalDistribution(("momentum", "nesterov", "adam", "rmsprop")),
        **{name: FloatDistribution(0, 1) for name in ("lr", "momentum", "batch_size")},
    }
    rng = np.random.default_rng(0)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    known = [
        optuna.trial.create_trial(
            params={name: "adam" if name == "optimizer" else float(rng.random()) for name in space},
            distributions=space,
            value=float(rng.random()),
        )
        for _ in range(trials)
    ]
    study.add_trials(known)
    started = time.process_time()
    for _ in range(ASKS):
        study.tell(study.ask(space), float(rng.random()))
    return 1000 * (time.process_time() - started) / ASKS
