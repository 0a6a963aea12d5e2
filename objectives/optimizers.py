"""Update rules: one function and one row of `OPTIMIZERS` each, in order of increasing complexity.

A rule moves a slice of a pack. Every array it gets is `(R, K, P)` and every coefficient a column `(1, K, 1)`, so that
trials with different hyperparameters advance in one pass over memory. Rules follow torch.optim 2.13: with `g` the
gradient of the mean loss at `p` and `t = 1, 2, ...` the count of updates, each docstring gives what is computed.

What a step costs is passes over memory, so the running averages are kept without their factor: `M = m / (1 - beta1)`
needs two passes where `m` needs three. The factors move into the coefficients, which are computed once an epoch in
float64 (`coefficients`); what remains differs from torch by rounding alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput, nearest

__all__ = ["OPTIMIZERS", "Hyper", "Interval", "Optimizer", "hyperparameters"]

Array = NDArray[Any]
Columns = Mapping[str, Array]  # hyperparameter -> (K,) float64
ALWAYS = 1
SOME = 10  # trials from which momentum and decoupled decay are worth a dimension (tuning playbook)
ASKED = 10**9


@dataclass(frozen=True)
class Interval:
    """The values a hyperparameter may take at all: `[low, high]`, or open at an end."""

    low: float = 0.0
    high: float = float("inf")
    open_low: bool = False
    open_high: bool = True

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        return f"{'(' if self.open_low else '['}{self.low:g}, {self.high:g}{')' if self.open_high else ']'}"


@dataclass(frozen=True)
class Hyper:
    """A hyperparameter of a rule: its default, its valid values, and the range that is searched when none is given.

    `role` is the name it shares with its like in other rules, so that one model can learn across them. `tier` is the
    number of trials from which a study searches it unasked.
    """

    name: str
    role: str
    default: float
    low: float
    high: float
    scale: str  # "log", "log1m" (log of 1 - value) or "linear"
    valid: Interval
    tier: int


@dataclass(frozen=True)
class Optimizer:
    """One row: a rule with its hyperparameters.

    `slots` arrays of `(R, K, P)` are its memory between steps, zero at the start. `coefficients(h, lr, t)` takes
    columns `(K,)`, scheduled rates `(T, K)` and counts `(T, 1)` to a tuple of `(T, K)`; `update(p, g, slots, c,
    scratch)` makes one step in place. `decoupled` tells whose weight decay shrinks `p` instead of adding to `g`.
    """

    name: str
    summary: str
    hypers: tuple[Hyper, ...]
    slots: int
    coefficients: Callable[[Columns, Array, Array], tuple[Array, ...]]
    update: Callable[[Array, Array, Sequence[Array], Sequence[Array], Array], None]
    decoupled: bool = False

    def hyper(self, name: str) -> Hyper:
        """The hyperparameter of that name. Raises InvalidInput with the nearest one."""
        for hyper in self.hypers:
            if hyper.name == name:
                return hyper
        raise InvalidInput(Complaint(f"optimizers.{self.name}", f"has no {name!r}", nearest(name, self.names)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the hyperparameters."""
        return tuple(hyper.name for hyper in self.hypers)


def _rate(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del h, t
    return (lr,)


def sgd(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """`p -= lr g`."""
    del slots, scratch
    np.multiply(g, c[0], out=g)
    np.subtract(p, g, out=p)


def _momentum_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del t
    return lr, np.broadcast_to(h["momentum"], lr.shape)


def momentum(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """`b = mu b + g; p -= lr b`: the rate stays outside the buffer, the first step is `b = g`."""
    (b,), (lr, mu) = slots, c
    np.multiply(b, mu, out=b)
    np.add(b, g, out=b)
    np.multiply(b, lr, out=scratch)
    np.subtract(p, scratch, out=p)


def nesterov(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """`b = mu b + g; p -= lr (g + mu b)` with the updated `b`."""
    (b,), (lr, mu) = slots, c
    np.multiply(b, mu, out=b)
    np.add(b, g, out=b)
    np.multiply(b, mu, out=scratch)
    np.add(scratch, g, out=scratch)
    np.multiply(scratch, lr, out=scratch)
    np.subtract(p, scratch, out=p)


def _rmsprop_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del t
    root = np.sqrt(1 - h["alpha"])
    return lr / root, np.broadcast_to(h["alpha"], lr.shape), np.broadcast_to(h["eps"] / root, lr.shape)


def rmsprop(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """`v = alpha v + (1 - alpha) g^2; p -= lr g / (sqrt(v) + eps)`, without bias correction; `V = v / (1 - alpha)`."""
    (v,), (rate, alpha, eps) = slots, c
    np.multiply(v, alpha, out=v)
    np.multiply(g, g, out=scratch)
    np.add(v, scratch, out=v)
    np.sqrt(v, out=scratch)
    np.add(scratch, eps, out=scratch)
    np.divide(g, scratch, out=scratch)
    np.multiply(scratch, rate, out=scratch)
    np.subtract(p, scratch, out=p)


def _powers(beta: Array, t: Array) -> Array:
    """`beta^t (T, K)` for columns `beta (K,)` and counts `t (T, 1)`, a trial at a time.

    np.power over all trials at once rounds otherwise for many than for one, where the inner loop is another; a trial's
    bits must not depend on its neighbours.
    """
    counts = np.ascontiguousarray(t[:, 0])
    return np.stack([np.power(float(b), counts) for b in beta], axis=1)


def _adam_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    b1, b2 = h["beta1"], h["beta2"]
    correction = np.sqrt(1 - _powers(b2, t))
    root = np.sqrt(1 - b2)
    rate = lr * (1 - b1) * correction / ((1 - _powers(b1, t)) * root)
    return rate, np.broadcast_to(b1, lr.shape), np.broadcast_to(b2, lr.shape), h["eps"] * correction / root


def adam(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """`m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.

    Kept as `M = m / (1 - b1)`, `V = v / (1 - b2)`; eps is outside the root and after the bias correction, as in torch.
    Source: Kingma and Ba 2015, torch.optim.Adam 2.13.
    """
    (m, v), (rate, b1, b2, eps) = slots, c
    np.multiply(m, b1, out=m)
    np.add(m, g, out=m)
    np.multiply(v, b2, out=v)
    np.multiply(g, g, out=scratch)
    np.add(v, scratch, out=v)
    np.sqrt(v, out=scratch)
    np.add(scratch, eps, out=scratch)
    np.divide(m, scratch, out=scratch)
    np.multiply(scratch, rate, out=scratch)
    np.subtract(p, scratch, out=p)


POSITIVE = Interval(open_low=True)
UNIT = Interval(0.0, 1.0)
DECAY = Interval()
_SGD_RATE = Hyper("lr", "lr", 0.1, 1e-4, 3.0, "log", POSITIVE, ALWAYS)
_MOMENTUM_RATE = Hyper("lr", "lr", 0.01, 1e-4, 3.0, "log", POSITIVE, ALWAYS)
_ADAPTIVE_RATE = Hyper("lr", "lr", 1e-3, 1e-5, 0.1, "log", POSITIVE, ALWAYS)
_RMSPROP_RATE = Hyper("lr", "lr", 1e-2, 1e-5, 0.1, "log", POSITIVE, ALWAYS)
_MOMENTUM = Hyper("momentum", "momentum", 0.9, 0.5, 0.995, "log1m", UNIT, SOME)
_BETA1 = Hyper("beta1", "momentum", 0.9, 0.5, 0.995, "log1m", UNIT, SOME)
_BETA2 = Hyper("beta2", "beta2", 0.999, 0.9, 0.9999, "log1m", UNIT, ASKED)
_ALPHA = Hyper("alpha", "beta2", 0.99, 0.7, 0.9999, "log1m", UNIT, ASKED)
_EPS = Hyper("eps", "eps", 1e-8, 1e-10, 1e-1, "log", POSITIVE, ASKED)
_L2 = Hyper("weight_decay", "weight_decay", 0.0, 1e-7, 1e-1, "log", DECAY, ASKED)
_SHRINK = Hyper("weight_decay", "weight_decay", 1e-2, 1e-5, 1.0, "log", DECAY, SOME)

_ADAM = (_ADAPTIVE_RATE, _BETA1, _BETA2, _EPS)
_ROWS = (
    Optimizer("sgd", "a step against the gradient", (_SGD_RATE, _L2), 0, _rate, sgd),
    Optimizer(
        "momentum",
        "a step along a decaying sum of gradients (heavy ball)",
        (_MOMENTUM_RATE, _MOMENTUM, _L2),
        1,
        _momentum_coefficients,
        momentum,
    ),
    Optimizer(
        "nesterov",
        "momentum that already counts the coming step",
        (_MOMENTUM_RATE, _MOMENTUM, _L2),
        1,
        _momentum_coefficients,
        nesterov,
    ),
    Optimizer(
        "rmsprop",
        "each weight's step divided by its recent gradient size",
        (_RMSPROP_RATE, _ALPHA, _EPS, _L2),
        1,
        _rmsprop_coefficients,
        rmsprop,
    ),
    Optimizer(
        "adam",
        "momentum divided by recent gradient size, both corrected for their start",
        (*_ADAM, _L2),
        2,
        _adam_coefficients,
        adam,
    ),
    Optimizer(
        "adamw",
        "adam with weight decay that shrinks the weights directly",
        (*_ADAM, _SHRINK),
        2,
        _adam_coefficients,
        adam,
        decoupled=True,
    ),
)
OPTIMIZERS: dict[str, Optimizer] = {row.name: row for row in _ROWS}


def hyperparameters(config: Mapping[str, Any]) -> dict[str, float]:
    """The full hyperparameters of a config's rule: its own where given, defaults elsewhere.

    Raises InvalidInput for an unknown optimizer or a value outside its interval.
    """
    name = config.get("optimizer")
    if name not in OPTIMIZERS:
        raise InvalidInput(Complaint("optimizer", f"{name!r} is not known", nearest(name, OPTIMIZERS)))
    values = {hyper.name: float(config.get(hyper.name, hyper.default)) for hyper in OPTIMIZERS[name].hypers}
    wrong = [
        Complaint(f"{name}.{hyper.name}", f"must lie in {hyper.valid}, but got {values[hyper.name]!r}")
        for hyper in OPTIMIZERS[name].hypers
        if values[hyper.name] not in hyper.valid
    ]
    if wrong:
        raise InvalidInput(*wrong)
    return values
