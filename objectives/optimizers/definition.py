"""The types of an optimizer: its row, a framework's convention, and the rule that the two and a config make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.full_batch import Method
from objectives.hyperparameter import Flag, Hyper
from objectives.types import Array

__all__ = ["Array", "RuleCall", "Columns", "Convention", "Optimizer", "Rule", "column"]

Columns = Mapping[str, Array]  # hyperparameter -> (K,) float64
Coefficients = Callable[[Columns, Array, Array], tuple[Array, ...]]
Update = Callable[[Array, Array, Sequence[Array], Sequence[Array], Array], None]


@dataclass(frozen=True)
class RuleCall:
    """What a framework calls a rule: `arguments` there -> hyperparameters or flags here, and arguments that stand."""

    name: str
    arguments: Mapping[str, str | tuple[str, ...]]
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Convention:
    """How a framework's optimizer of a name computes.

    `eps` stands "outside" the root and after bias correction, `sqrt(v_hat) + eps`; before it ("hat"), `sqrt(v) + eps`;
    or "inside", `sqrt(v + eps)`. "corrected" is outside, where amsgrad takes the greatest of corrected averages.
    `buffered`: the momentum buffer holds steps, with the rate of their time, rather than gradients. `decoupled`:
    weight decay shrinks `p` instead of adding to `g`. `fixed` are hyperparameters that have one value there, for the
    reason `why`. `call` makes the optimizer there (None where a chain needs no rule of its own); `also` is what it can
    be told to do besides, in the words "outside", "inside", "buffered", "unbuffered", "coupled" and "decoupled", with
    the arguments that tell it.
    """

    eps: str = "outside"
    buffered: bool = False
    decoupled: bool = False
    fixed: Mapping[str, float] = field(default_factory=dict)
    why: str = ""
    call: RuleCall | None = None
    also: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """The passes of a step.

    `slots` arrays of `(R, K, P)` are its memory between steps, zero at the start. `coefficients(h, lr, t)` takes
    columns `(K,)`, scheduled rates `(T, K)` and counts `(T, 1)` to a tuple of `(T, K)`; `update(p, g, slots, c,
    scratch)` makes one step in place.
    """

    slots: int
    coefficients: Coefficients
    update: Update


@dataclass(frozen=True)
class Optimizer:
    """One row: what it is in words, its hyperparameters and flags, and what it does.

    Minibatch optimizers have a `rule` for a convention and the switches that are on: hyperparameters and flags which
    cost passes only where they are not zero. Whole-batch ones have a `method`. `formula` is one step of it, `use` when
    to choose it, `apart` what it is mistaken for.
    """

    name: str
    summary: str
    hypers: tuple[Hyper, ...]
    rule: Callable[[Convention, Collection[str]], Rule] | None
    frameworks: Mapping[str, Convention]
    flags: tuple[Flag, ...] = ()
    switches: tuple[str, ...] = ("weight_decay",)
    method: Method | None = None
    formula: str = ""
    use: str = ""
    apart: str = ""

    @property
    def whole(self) -> bool:
        """Return True if each step uses all train rows, so that batch size and schedule do not apply."""
        return self.method is not None

    def hyper(self, name: str) -> Hyper:
        """Return the hyperparameter of that name. Raises InvalidInput with the nearest name."""
        for hyper in self.hypers:
            if hyper.name == name:
                return hyper
        raise InvalidInput(Complaint(f"optimizers.{self.name}", f"has no {name!r}", nearest(name, self.keys)))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the hyperparameters."""
        return tuple(hyper.name for hyper in self.hypers)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names of the hyperparameters and flags."""
        return (*self.names, *(flag.name for flag in self.flags))


def column(values: Array, lr: Array) -> Array:
    """Return a coefficient `(T, K)` that is the same in every step."""
    return np.broadcast_to(values, lr.shape)
