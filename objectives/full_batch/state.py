"""Where a whole-batch method stands: all that its next iteration needs, and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from objectives.types import Array

__all__ = ["CONVERGED", "EXHAUSTED", "RUNNING", "SEPARABLE", "VERDICTS", "MethodState"]

RUNNING, CONVERGED, EXHAUSTED, SEPARABLE = "running", "converged", "exhausted", "separable"
VERDICTS = {
    RUNNING: "may still go on",
    CONVERGED: "reached a flat place: the gradient is zero to the tolerance",
    EXHAUSTED: "no step lowers the training objective any more at this precision",
    SEPARABLE: "the classes can be told apart without error, for all rows or for some, so without weight decay the "
    "training loss falls for ever: there is no optimum",
}


@dataclass(frozen=True)
class MethodState:
    """After `iteration` iterations: `point (P,)`, its value and gradient `(P,)`, evaluations so far, a method's memory.

    `status` is a key of `VERDICTS`; a state that is not running stays as it is. The memory is `vectors (S, P)`, as many
    as the method has, and `numbers` by name.
    """

    iteration: int
    point: Array
    value: float
    gradient: Array
    functions: int
    gradients: int
    vectors: Array
    hessians: int = 0
    status: str = RUNNING
    numbers: Mapping[str, float] = field(default_factory=dict)
