"""Records of what is proposed and trained: immutable, plain, and all that the ledger keeps.

A `Trial` is one config of the search; a `ConfirmationRun` is one retraining of a trial's config on fresh seeds. What is
still in flight lives elsewhere: the record is made once, when nothing about it can change any more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.enums import TrialState

__all__ = [
    "AT_EPOCH",
    "SPREAD",
    "START",
    "GridBlock",
    "ConfirmationRun",
    "LazyMapping",
    "Notify",
    "Latent",
    "Latents",
    "Progress",
    "Spent",
    "Stage",
    "Trial",
    "at",
    "epochs_of",
]

Notify = Callable[[str], None]  # takes a line about what is being done
AT_EPOCH = "goal_at_"  # before the number of an epoch: the goal there, averaged over the epochs around
SPREAD = "sd_"  # before the name of a metric: the standard deviation of its rows' values


class LazyMapping(Mapping[str, Any]):
    """A mapping that is read when it is first looked at."""

    __slots__ = ("_found", "_read")

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._read = read
        self._found: Mapping[str, Any] | None = None

    @property
    def _content(self) -> Mapping[str, Any]:
        if self._found is None:
            self._found = self._read()
        return self._found

    def __getitem__(self, key: str) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __repr__(self) -> str:
        return repr(dict(self._content))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a plain mapping: its source may not exist elsewhere."""
        return dict, (dict(self._content),)


# Arrays have no truth value, so records are compared by the ledger's digest of their content, not by `==`.
@dataclass(frozen=True, eq=False)
class Trial:
    """A trained config: what it was, how far it came and what it showed.

    `state` says how it ended; `value` is the goal at its `epoch` (1-based), None where
    there is none; `metrics` are those of that epoch; `curves[name]` is `(R, E)` in float64.
    """

    number: int
    generation: int
    state: TrialState
    config: Mapping[str, Any]
    latents: Mapping[str, float | str]
    rung: int
    epochs: int
    steps: int
    value: float | None
    epoch: int | None
    stable: bool
    metrics: Mapping[str, float]
    curves: Mapping[str, NDArray[Any]]
    seconds: float
    error: str = ""


def epochs_of(trial: Trial) -> int:
    """Return the epochs that a trial trained, on all of its splits; of one without a value, those of one split."""
    return int(trial.epochs * trial.metrics.get("splits", 1))


@dataclass(frozen=True)
class ConfirmationRun:
    """A trial's config retrained for `epoch` epochs as another replicate; `metrics` are valid_* and test_*.

    Beside those stand `sd_test_*`, the standard deviations of the test rows' own values, which intervals need, and
    `goal_at_*`, the goal at epochs of its whole length, where it was trained on to that.

    `blocks (G,)` are means of the goal over blocks of equally many validation rows, in float32: single rows where there
    are few. They are what pairs of configs are compared by, row by row; empty for a training that diverged.
    """

    trial: int
    replicate: int
    epoch: int
    metrics: Mapping[str, float]
    seconds: float
    state: str
    blocks: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.float32), compare=False)


@dataclass(frozen=True)
class Stage:
    """How far a trial has trained, or is to train: so much on each of its first `splits` splits."""

    amount: int
    splits: int = 1

    @property
    def work(self) -> int:
        """Return the stage's total work, in the unit of the study's budget."""
        return self.amount * self.splits


START = Stage(0, 0)


@dataclass(frozen=True)
class Spent:
    """Seconds of a search: all of it, waiting for training, training summed over workers."""

    wall: float = 0.0
    waiting: float = 0.0
    training: float = 0.0

    @property
    def overhead(self) -> float:
        """Return the tuner's own time, during which it did not wait for training."""
        return self.wall - self.waiting


@dataclass(frozen=True)
class Progress:
    """Where a search stands, for progress displays: trials by state, and the best complete one.

    `running` trials are with the workers. Of those in flight, `begun` have reached a rung; `in_flight_share` is their
    finished training, in trials.
    """

    done: int
    total: int
    running: int
    states: Mapping[str, int]
    best: Trial | None
    spent: Spent
    begun: int = 0
    in_flight_share: float = 0.0

    @property
    def worth(self) -> float:
        """Return the number of finished trials plus the finished share of those in flight."""
        return self.done + self.in_flight_share


Latents = dict[str, float | str]


@dataclass(frozen=True)
class Latent:
    """One coordinate: kind "float" in [0, 1], or "categorical" out of `choices`."""

    name: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class GridBlock:
    """Points of a grid that agree in `fixed` and take every combination along `axes`."""

    fixed: Mapping[str, float | str]
    axes: tuple[tuple[str, tuple[float | str, ...]], ...]

    @property
    def size(self) -> int:
        """Count the points."""
        return math.prod(len(values) for _, values in self.axes)

    def point(self, i: int) -> Latents:
        """Point i, the last axis running fastest."""
        found = dict(self.fixed)
        for name, values in reversed(self.axes):
            i, place = divmod(i, len(values))
            found[name] = values[place]
        return found


def at(latents: Sequence[Latent], u: Sequence[float]) -> Latents:
    """Return the latents at a point of the unit cube; categorical choices have equal parts of their side."""
    return {
        latent.name: latent.choices[int(x * len(latent.choices))] if latent.kind == "categorical" else float(x)
        for latent, x in zip(latents, u, strict=True)
    }
