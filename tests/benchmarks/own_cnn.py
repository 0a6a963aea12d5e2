"""The network of `studies/torch_cnn.toml`, tuned by a study and by plain Optuna: seconds and epochs to the same loss.

    python -m tests.benchmarks.own_cnn [--seeds 3] [--trials 64] [--ours 160]

Optuna gets the same code, the same space, as many trials, two processes on an SQLite file, TPE, and its MedianPruner.
Every epoch that is trained writes its validation loss and the time into a file, by the same line of code on both sides.
The loss to reach is the worse of the two bests of a seed, so that both did. Time counts from the start of everything.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

STUDIES = Path(__file__).parents[2] / "studies"
LOG = "TUNER_BENCHMARK_LOG"
JOBS = 2
sys.path.append(str(STUDIES))


def logged(config: Mapping[str, Any], run: Any) -> None:
    """The shipped objective, which also writes down when it came to which loss."""
    from torch_cnn import train

    train(config, Noted(run))


class Noted:
    """A run that writes its reports down before it hands them on."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def report(self, epoch: int, metrics: Mapping[str, float]) -> None:
        with open(os.environ[LOG], "a", encoding="utf-8") as file:
            file.write(f"{time.time()} {metrics['valid_loss']}\n")
        self._run.report(epoch, metrics)


@dataclass(frozen=True)
class Trace:
    """Seconds from the start and losses `(E,)` of all epochs that were trained, in the order of time."""

    seconds: tuple[float, ...]
    losses: tuple[float, ...]
    whole: float

    @property
    def best(self) -> float:
        return min(self.losses)

    def reached(self, loss: float) -> tuple[float, int]:
        """Seconds and epochs until a loss was reached."""
        at = next(i for i, one in enumerate(self.losses) if one <= loss)
        return self.seconds[at], at + 1


def trace(log: Path, started: float) -> Trace:
    """What a file says."""
    rows = sorted(tuple(map(float, line.split())) for line in log.read_text(encoding="utf-8").splitlines())
    return Trace(tuple(at - started for at, _ in rows), tuple(loss for _, loss in rows), time.time() - started)


def ours(seed: int, trials: int, folder: Path, more: Sequence[str] = ()) -> Trace:
    """The shipped study, with settings of somebody's own."""
    import tuner
    from tuner.study import read_study

    log = folder / "ours.txt"
    os.environ[LOG] = str(log)
    overrides = [f"study.seed={seed}", f"study.trials={trials}", f'study.objective="{Path(__file__)}:logged"', *more]
    started = time.time()
    study = read_study(STUDIES / "torch_cnn.toml", overrides=overrides)
    tuner.run(study, home=folder, jobs=JOBS, confirm=False)
    return trace(log, started)


def optunas(seed: int, trials: int, folder: Path) -> Trace:
    """The same by plain Optuna, in two processes."""
    log, url = folder / "optuna.txt", f"sqlite:///{folder / 'optuna.db'}"
    environment = {**os.environ, LOG: str(log), "OMP_NUM_THREADS": "1"}
    started = time.time()
    words = [sys.executable, "-m", "tests.benchmarks.own_cnn", "--worker", url, "--trials", str(trials)]
    words += ["--split", str(split_of(seed))]
    first = subprocess.Popen([*words, "--seed", str(2 * seed)], env=environment)
    while not Path(folder / "optuna.db").exists() and first.poll() is None:
        time.sleep(0.05)  # two processes that make the tables at once fail
    time.sleep(0.5)
    second = subprocess.Popen([*words, "--seed", str(2 * seed + 1)], env=environment)
    if first.wait() or second.wait():
        raise RuntimeError("a process of Optuna failed")
    return trace(log, started)


def split_of(seed: int) -> int:
    """What the study gives the code for a seed: which images it validates on, and the initial weights."""
    from tuner.study import read_study
    from tuner.trainables.custom.trainable import seed_of

    return seed_of(read_study(STUDIES / "torch_cnn.toml", overrides=[f"study.seed={seed}"]), 0)


def work(url: str, trials: int, seed: int, split: int) -> None:
    """One process of Optuna's: half of the trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="cnn", storage=url, load_if_exists=True, direction="minimize",
        sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner(),
    )  # fmt: skip
    study.optimize(lambda trial: objective(trial, split), n_trials=trials // JOBS)


def objective(trial: Any, split: int) -> float:
    """What somebody writes for Optuna, over the same space."""
    import optuna

    config = suggested(trial)
    told: list[float] = []

    def report(epoch: int, metrics: Mapping[str, float]) -> None:
        told.append(metrics["valid_loss"])
        trial.report(told[-1], epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    with tempfile.TemporaryDirectory() as folder:
        run = {"start": 0, "stop": config["epochs"], "directory": Path(folder), "seed": split, "device": "cpu"}
        logged(config, SimpleNamespace(**run, phase="search", report=report))
    return min(told)


def suggested(trial: Any) -> dict[str, Any]:
    """A config of the study's space, asked for as Optuna does it; where another scale is better, on that."""
    from tuner.study import Range, read_study, values_of

    study = read_study(STUDIES / "torch_cnn.toml")
    optimizer = trial.suggest_categorical("optimizer", sorted(study.optimizers))
    config: dict[str, Any] = {"optimizer": optimizer, "framework": "torch", "epochs": study.train.epochs}
    shared = {name: getattr(study.train, name) for name in ("batch_size", "schedule")} | dict(study.own.parameters)
    for name, domain in [*study.optimizers[optimizer].items(), *shared.items()]:
        own = name if name in shared else f"{optimizer}_{name}"
        if not isinstance(domain, Range):
            several = values_of(domain)
            config[name] = trial.suggest_categorical(own, several) if len(several) > 1 else several[0]
        elif domain.scale == "log1m":
            config[name] = 1 - trial.suggest_float(own, 1 - domain.high, 1 - domain.low, log=True)
        else:
            config[name] = trial.suggest_float(own, domain.low, domain.high, log=domain.scale == "log")
    return config


def compare(seeds: int, trials: int, own: int) -> None:
    """Print a line for each seed, and medians."""
    print("  seed    loss  seconds to it         epochs to it        seconds in all       best")
    ratios = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            one, other = ours(seed, own, Path(folder)), optunas(seed, trials, Path(folder))
        loss = max(one.best, other.best)
        (a, m), (b, n) = one.reached(loss), other.reached(loss)
        ratios.append((b / a, n / m, other.whole / one.whole))
        print(
            f"{seed:>6}  {loss:.4f}  {a:5.1f}, Optuna {b:5.1f}  {m:5d}, Optuna {n:5d}  "
            f"{one.whole:5.1f}, Optuna {other.whole:5.1f}  {one.best:.4f}, Optuna {other.best:.4f}; "
            f"epochs {len(one.losses)}, Optuna {len(other.losses)}",
            flush=True,
        )
    seconds, epochs, whole = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"median: Optuna takes {seconds:.2f}x the time and {epochs:.2f}x the epochs, {whole:.2f}x the time in all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--ours", type=int, help="trials of the study; 160 of them train as many epochs as Optuna's 64")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--split", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        return work(asked.worker, asked.trials, asked.seed, asked.split)
    compare(asked.seeds, asked.trials, asked.ours or asked.trials)


if __name__ == "__main__":
    main()
