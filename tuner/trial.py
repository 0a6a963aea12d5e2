"""Records of what was trained: immutable, plain, and all that the ledger keeps.

A `Trial` is one config of the search; a `Confirmed` is one retraining of a trial's config on fresh seeds. What is still
in flight lives elsewhere: the record is made once, when nothing about it can change any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AT_EPOCH", "SPREAD", "Confirmed", "Later", "Trial", "epochs_of"]

AT_EPOCH = "goal_at_"  # before the number of an epoch: the goal there, averaged over the epochs around
SPREAD = "sd_"  # before the name of a metric: the standard deviation of its rows' values


class Later(Mapping[str, Any]):
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


# Arrays have no truth value, so records are compared by the ledger's digest of their content, not by `==`.
@dataclass(frozen=True, eq=False)
class Trial:
    """A trained config: what it was, how far it came and what it showed.

    `state` is "complete", "pruned", "diverged" or "failed"; `value` is the goal at its `epoch` (1-based), None where
    there is none; `metrics` are those of that epoch; `curves[name]` is `(R, E)` in float64.
    """

    number: int
    generation: int
    state: str
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
class Confirmed:
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
