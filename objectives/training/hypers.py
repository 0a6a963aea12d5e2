"""The hyperparameters of training: one row each, from which study files, spaces, tables and exporters take theirs.

A row is a `Hyper` (name, default, valid values, usual range, meaning) and where it enters. What enters is read from a
config by a function beside its effect: `plan_of`, `clip_of`, `dropout_of`, `criterion_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from objectives.criterion import CLASSES, HUBER_DELTA, LABEL_SMOOTHING, QUANTILE
from objectives.dropout import DROPOUT
from objectives.hyperparameter import Hyper
from objectives.schedules import SCHEDULE_HYPERS, SCHEDULES, WARMUP
from objectives.training.clipping import CLIP

__all__ = ["TRAINING_HYPERS", "Entry", "TrainingHyper", "hypers_of"]


class Entry(StrEnum):
    """Where a hyperparameter of training enters, which decides what it applies to."""

    STEP = "step"
    """The updates by minibatches, of training code of one's own as well: not whole-batch methods."""
    LAYERS = "layers"
    """The hidden layers, in training by minibatches; its table is [model]."""
    LOSS = "loss"
    """The loss that training minimises, whatever the method; trials of a pack share it."""


@dataclass(frozen=True)
class TrainingHyper:
    """A row. In a study file the key comes after the key `after`. With an `owner` it applies where that key has one of
    the values `owners`; without one it always does. `tasks` are those that may train with it, empty for all. `lacking`
    holds, for each framework that does not have it, what to say of the framework: "has no dropout".
    """

    hyper: Hyper
    entry: Entry
    after: str
    owner: str = ""
    owners: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name in a config."""
        return self.hyper.name

    @property
    def table(self) -> str:
        """Return the table of a study file that holds the key."""
        return "model" if self.entry == Entry.LAYERS else "train"

    def fits(self, task: str) -> bool:
        """Return True if a task may train with a value other than the default."""
        return not self.tasks or task in self.tasks


def _of_schedules(hyper: Hyper) -> TrainingHyper:
    """Build the row of a setting that some schedules have."""
    owners = tuple(row.name for row in SCHEDULES.values() if hyper in row.hypers)
    return TrainingHyper(hyper, Entry.STEP, "schedule", "schedule", owners)


# In the order of a study's latents and of the ranking's columns.
_ROWS = (
    TrainingHyper(WARMUP, Entry.STEP, "schedule"),
    *map(_of_schedules, SCHEDULE_HYPERS.values()),
    TrainingHyper(CLIP, Entry.STEP, "framework", lacking={"sklearn": "does not clip gradients"}),
    TrainingHyper(DROPOUT, Entry.LAYERS, "init", lacking={"sklearn": "has no dropout"}),
    TrainingHyper(HUBER_DELTA, Entry.LOSS, "loss", "loss", ("huber",)),
    TrainingHyper(QUANTILE, Entry.LOSS, "loss", "loss", ("quantile",)),
    TrainingHyper(
        LABEL_SMOOTHING, Entry.LOSS, "loss", tasks=CLASSES, lacking={"sklearn": "does not smooth labels"}
    ),
)  # fmt: skip
TRAINING_HYPERS: dict[str, TrainingHyper] = {row.name: row for row in _ROWS}


def hypers_of(*entries: Entry) -> tuple[TrainingHyper, ...]:
    """Return the rows that enter at any of `entries`."""
    return tuple(row for row in TRAINING_HYPERS.values() if row.entry in entries)
