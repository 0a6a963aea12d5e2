"""A worker of the usual way: Optuna on a journal file around a PyTorch loop.

Arguments: the journal's directory, trials, the seed of the split, the worker's own seed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from objectives.data import SplitSpec, load_table, prepare

EPOCHS = 27


def main(directory: str, trials: int, split: int, seed: int) -> None:
    """Run trials and write the time and the loss of each that is complete."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    data = prepare(load_table("sklearn:digits"), SplitSpec(), split)
    x, y = torch.tensor(data.train.x[:, :-1]), torch.tensor(data.train.y.argmax(axis=1))
    parts = x, y, torch.tensor(data.valid.x[:, :-1]), torch.tensor(data.valid.y.argmax(axis=1))
    study = optuna.create_study(
        study_name="digits",
        storage=JournalStorage(JournalFileBackend(str(Path(directory) / "journal.log"))),
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(),
        load_if_exists=True,
    )
    with (Path(directory) / f"done-{seed}").open("w") as done:

        def objective(trial: Any) -> float:
            loss = trained(trial, *parts)
            done.write(json.dumps([time.time(), loss]) + "\n")
            done.flush()
            return loss

        study.optimize(objective, n_trials=trials)


def trained(trial: Any, x: Any, y: Any, valid_x: Any, valid_y: Any) -> float:
    """The best validation loss of a config, pruned on the way."""
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    optimizer = optimizer_of(trial, model.parameters())
    batch = trial.suggest_categorical("batch", [16, 32, 64, 128, 256])
    best = float("inf")
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            z = model(valid_x)
            loss = float(torch.nn.functional.cross_entropy(z, valid_y))
            (z.argmax(dim=1) == valid_y).float().mean().item()
        best = min(best, loss)
        trial.report(loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return best


def optimizer_of(trial: Any, parameters: Any) -> Any:
    """An optimizer over the ranges of the study file."""
    name = trial.suggest_categorical("optimizer", ["momentum", "nesterov", "rmsprop", "adam"])
    if name in ("momentum", "nesterov"):
        lr = trial.suggest_float("lr_sgd", 1e-4, 3, log=True)
        one = trial.suggest_float("1-momentum", 5e-3, 0.5, log=True)
        return torch.optim.SGD(parameters, lr=lr, momentum=1 - one, nesterov=name == "nesterov")
    lr = trial.suggest_float("lr", 1e-5, 0.1, log=True)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=lr)
    return torch.optim.Adam(parameters, lr=lr, betas=(1 - trial.suggest_float("1-beta1", 5e-3, 0.5, log=True), 0.999))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
