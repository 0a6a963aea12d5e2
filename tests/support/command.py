"""Runs command lines in this process, and makes a small study without training anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.trials import trial
from tuner.cli import main
from tuner.records import ConfirmationRun, Trial
from tuner.store.directory import StudyDirectory, study_directory
from tuner.store.ledger import Ledger
from tuner.study import read_study

STUDY = {
    "study": {"name": "small", "trials": 6},
    "data": {"source": "sklearn:iris"},
    "train": {"epochs": 4, "batch_size": [16, 32]},
    "optimizers": {"momentum": {}, "adam": {}},
    "confirm": {"seeds": 3},
}
FACTS = {
    "data": "d",
    "task": "multiclass",
    "canary": "c",
    "processor": "p",
    "rows": "90",
    "test_rows": "32",
    "inputs": "4",
    "outputs": "3",
}


@dataclass(frozen=True)
class Ended:
    """What a command line came to."""

    code: int
    out: str
    err: str


class Shell:
    """Runs command lines with their output captured."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str | Path) -> Ended:
        self._capsys.readouterr()
        code = main([str(arg) for arg in args])
        return Ended(code, *self._capsys.readouterr())


def complete(number: int, losses: Sequence[float], accuracy: float, **config: object) -> Trial:
    """A complete trial with two curves, best at its lowest loss."""
    base = trial(number, value=min(losses), curve=losses, epochs=len(losses), **config)  # type: ignore[arg-type]
    epoch = int(np.argmin(losses)) + 1
    metrics = {"train_loss": 0.5, "valid_loss": min(losses), "valid_accuracy": accuracy}
    curves = {**base.curves, "valid_accuracy": np.full((1, len(losses)), accuracy)}
    return replace(base, epoch=epoch, metrics=metrics, curves=curves, rung=1)


def made_up(home: Path, name: str = "small", error: str = "ValueError: no") -> StudyDirectory:
    """A study of six trials, two of them confirmed, written as its ledger and study file."""
    study = read_study(STUDY, settings={"study.name": name})
    directory = study_directory(name, home)
    directory.path.mkdir(parents=True)
    directory.study.write_text(study.to_toml(), encoding="utf-8")
    adam = {"optimizer": "adam", "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    shared = {"schedule": "constant", "model": "mlp", "hidden": [64], "activation": "relu", "init": "torch"}
    shared |= {"framework": "torch", "weight_decay": 0.0}
    trials = [
        complete(0, [0.9, 0.5, 0.25, 0.3], 0.875, lr=0.01, **shared),
        complete(1, [0.8, 0.4, 0.35, 0.125], 0.96875, lr=1 / 3, momentum=0.95, **shared),
        without_momentum(complete(2, [0.7, 0.6, 0.5, 0.25], 0.9, **adam, lr=0.001, batch_size=16, **shared)),
        trial(3, state="pruned", value=1.5, epochs=1, **shared),
        trial(4, state="diverged", value=None, epochs=1, **shared),
        replace(trial(5, state="failed", value=None, epochs=1, **shared), error=error),
    ]
    confirmed = [
        ConfirmationRun(
            n,
            r,
            3,
            {"valid_loss": 0.25 * n + (r % 2000 + r // 2000) / 64, "test_loss": 0.5, "test_accuracy": 0.9375},
            0.01,
            "complete",
        )
        for n, numbers in ((0, (1, 2, 3, 2001, 2002, 2003)), (1, (1, 2, 3)))
        for r in numbers
    ]
    with Ledger.create(directory.ledger, FACTS) as ledger:
        ledger.commit_generation(0, trials)
        ledger.commit_confirmations(confirmed)
    return directory


def without_momentum(one: Trial) -> Trial:
    """The trial of an optimizer that has no momentum."""
    return replace(one, config={key: value for key, value in one.config.items() if key != "momentum"})
