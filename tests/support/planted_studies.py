"""Made-up studies for tests of the report: a sound one, and changes to it that plant what a rule should find."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import tuner
from tuner.records import Confirmed, Trial
from tuner.result import Result
from tuner.store.directory import study_directory
from tuner.store.ledger import Ledger
from tuner.study import read_study

FACTS = {
    "data": "d",
    "task": "multiclass",
    "canary": "c",
    "processor": "p",
    "rows": "1200",
    "inputs": "4",
    "outputs": "3",
    "valid_rows": "400",
    "constant_loss": "2.3",
}
STUDY: dict[str, Any] = {
    "study": {"name": "sound", "trials": 64},
    "data": {"source": "sklearn:iris"},
    "train": {"epochs": 20, "batch_size": 32},
    "optimizers": {"momentum": {}, "adam": {}},
    "search": {"generation_size": 16},
    "confirm": {"seeds": 5, "top": 2},
}
SHARED = {"schedule": "constant", "model": "mlp", "hidden": [64], "activation": "relu", "init": "torch"}
SHARED |= {"framework": "torch", "weight_decay": 0.0, "batch_size": 32, "epochs": 20}
LEAST = 0.3


def changed_study(**tables: dict[str, Any]) -> dict[str, Any]:
    """The study with keys of its tables changed; optimizers are replaced."""
    study = copy.deepcopy(STUDY)
    for name, keys in tables.items():
        study[name] = keys if name == "optimizers" else study.get(name, {}) | keys
    return study


def trained(number: int, value: float, lr: float = 0.02, optimizer: str | None = None, **changes: Any) -> Trial:
    """A complete trial: best at epoch 15 of 20, its training loss falling with it."""
    name = optimizer or ("momentum", "adam")[number % 2]
    own = {"momentum": 0.9} if name in ("momentum", "nesterov") else {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    epoch = np.arange(1, 21)
    valid = value + 2.0 * np.maximum(15 - epoch, 0) / 14 + 0.001 * np.maximum(epoch - 15, 0)
    accuracy = np.full(20, 1 - value / 3)
    curves = {"train_loss": 0.9 * valid, "valid_loss": valid, "valid_accuracy": accuracy}
    record = Trial(
        number=number,
        generation=number // 16,
        state="complete",
        config={"optimizer": name, "lr": lr, **own, **SHARED},
        latents={"optimizer": name, "lr": 0.5, "momentum": 0.5},
        rung=0,
        epochs=20,
        steps=800,
        value=value,
        epoch=15,
        stable=True,
        metrics={name: float(curve[14]) for name, curve in curves.items()},
        curves={name: curve[None] for name, curve in curves.items()},
        seconds=0.01,
    )
    return replace(record, **changes)


def reconfigured(trial: Trial, **settings: Any) -> Trial:
    """The trial with other settings."""
    return replace(trial, config={**trial.config, **settings})


def ended(trial: Trial, state: str, error: str = "") -> Trial:
    """The trial diverged or failed at its first epoch."""
    first = {name: curve[:, :1] for name, curve in trial.curves.items()}
    return replace(
        trial,
        state=state,
        value=None,
        epoch=None,
        metrics={},
        stable=False,
        epochs=1,
        steps=40,
        curves=first,
        error=error,
    )


def pruned(trial: Trial, epochs: int = 2) -> Trial:
    """The trial stopped at a rung, its value that of its last epoch so far."""
    curves = {name: curve[:, :epochs] for name, curve in trial.curves.items()}
    metrics = {name: float(curve[0, -1]) for name, curve in curves.items()}
    value = metrics["valid_loss"]
    return replace(
        trial,
        state="pruned",
        value=value,
        epoch=epochs,
        metrics=metrics,
        epochs=epochs,
        steps=40 * epochs,
        curves=curves,
    )


def losses(trial: Trial, valid: Sequence[float], train: Sequence[float], epoch: int) -> Trial:
    """The trial with other curves."""
    curves = {
        **trial.curves,
        "valid_loss": np.array([valid], dtype=float),
        "train_loss": np.array([train], dtype=float),
    }
    metrics = {name: float(curve[0, epoch - 1]) for name, curve in curves.items()}
    return replace(trial, curves=curves, metrics=metrics, epoch=epoch, value=metrics["valid_loss"])


def sound() -> list[Trial]:
    """64 trials that give nothing to find: even budgets, the best late and in the middle of its range."""
    return [trained(i, LEAST + abs(60 - i) / 100, lr=0.005 * 2 ** (i % 5)) for i in range(64)]


def confirmations(
    trials: Sequence[Trial],
    values: Mapping[int, float] | None = None,
    spread: float = 0.001,
    rows: float = 0.01,
    metric: str = "valid_loss",
) -> list[Confirmed]:
    """Five fresh seeds for the best two trials; `values` are their means, `rows` is the spread of validation rows."""
    best = sorted((t for t in trials if t.value is not None and t.state == "complete"), key=lambda t: t.value or 0.0)[
        :2
    ]
    means = values if values is not None else {trial.number: trial.value or 0.0 for trial in best}
    rng = np.random.default_rng(0)

    def valid(mean: float) -> Any:
        return (mean + rows * rng.standard_normal(50)).astype(np.float32)

    return [
        Confirmed(number, r, 15, {metric: mean + spread * (r - 3), "test_loss": mean}, 0.01, "complete", valid(mean))
        for number, mean in means.items()
        for r in range(1, 6)
    ]


def written(
    home: Path,
    trials: Sequence[Trial],
    confirmed: Sequence[Confirmed] | None = None,
    study: Mapping[str, Any] = STUDY,
    facts: Mapping[str, str] = FACTS,
    name: str = "sound",
) -> Result:
    """The study as a result, from a ledger of its own."""
    asked = read_study(study, settings={"study.name": name}, needs_data=False)
    directory = study_directory(name, home)
    directory.path.mkdir(parents=True)
    directory.study.write_text(asked.to_toml(), encoding="utf-8")
    size = asked.search.generation_size
    with Ledger.create(directory.ledger, facts) as ledger:
        for number, first in enumerate(range(0, len(trials), size)):
            part = [replace(trial, generation=number) for trial in trials[first : first + size]]
            times = {"began": 10.0 * number, "ended": 10.0 * number + 12, "workers": 2, "own": 0.1}
            halves = [[trial.number for trial in part[i::2]] for i in range(2)]
            ran = [[i, 1.0 + i, 9.0, 0, half] for i, half in enumerate(halves) if half]
            origin = {} if number else {"origin": {"command": "tuner run sound.toml", "commit": "a" * 40}}
            ledger.commit_generation(number, part, {**times, "ran": ran, **origin})
        ledger.commit_confirmations(confirmations(trials) if confirmed is None else confirmed)
    return tuner.open(directory.path)
