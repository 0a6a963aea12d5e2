"""Records of what was trained: immutable, plain, and all that the ledger keeps.

A `Trial` is one config of the search; a `Confirmed` is one retraining of a trial's config on fresh seeds. What is still
in flight lives elsewhere: the record is made once, when nothing about it can change any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Confirmed", "Trial"]


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


@dataclass(frozen=True)
class Confirmed:
    """A trial's config retrained for `epoch` epochs as another replicate; `metrics` are valid_* and test_*."""

    trial: int
    replicate: int
    epoch: int
    metrics: Mapping[str, float]
    seconds: float
    state: str
