"""The hyperparameters of training that a study has: the rows of `TRAINING_HYPERS` that its tables put to use."""

from __future__ import annotations

from objectives.training.hypers import TRAINING_HYPERS, Entry, TrainingHyper, hypers_of
from tuner.study.domains import Domain, values_of
from tuner.study.tables import ModelTable, TrainTable

__all__ = ["domain_of", "has_owner", "idle_hypers", "used_hypers"]


def domain_of(row: TrainingHyper, model: ModelTable, train: TrainTable) -> Domain:
    """Return the domain of a hyperparameter in the tables of a study."""
    table = model if row.table == "model" else train
    return table.domain(row.name)


def has_owner(row: TrainingHyper, train: TrainTable) -> bool:
    """Return True if any trial may have what a hyperparameter belongs to: its schedule, its loss."""
    if not row.owner:
        return True
    chosen = getattr(train, row.owner)
    return chosen is not None and any(value in row.owners for value in values_of(chosen))


def used_hypers(model: ModelTable, train: TrainTable, *entries: Entry) -> dict[str, tuple[TrainingHyper, Domain]]:
    """Return the rows in use that enter at any of `entries`, with their domains.

    A row with an owner is in use where the owner is; any other one where it may differ from its default.
    """
    found = {row.name: (row, domain_of(row, model, train)) for row in hypers_of(*entries or tuple(Entry))}
    return {
        name: (row, domain)
        for name, (row, domain) in found.items()
        if (has_owner(row, train) if row.owner else domain != row.hyper.default)
    }


def idle_hypers(model: ModelTable, train: TrainTable) -> list[TrainingHyper]:
    """Return the rows that a study file leaves out: those without their owner, and those of some tasks that are off."""
    used = used_hypers(model, train)
    return [row for row in TRAINING_HYPERS.values() if (row.owner or row.tasks) and row.name not in used]
