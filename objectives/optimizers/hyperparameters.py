"""The hyperparameters of all optimizers: defaults, valid values, preset ranges, and what each of them does."""

from __future__ import annotations

from dataclasses import replace

from objectives.hyperparameter import ALWAYS, ASKED, POSITIVE, SOME, Hyper, Interval

__all__ = [
    "AHEAD",
    "ALPHA",
    "BETA1",
    "BETA2",
    "L2",
    "MOMENTUM",
    "NO_MOMENTUM",
    "PSI",
    "RHO",
    "SHRINK",
    "SPREAD",
    "START",
    "eps",
    "rate",
]

UNIT = Interval(0.0, 1.0)
DECAY = Interval()
_KEPT = "how much of the running sum of gradients is kept at each step"
_SIZES = "how much of the running average of squared gradients is kept at each step"
_PENALTY = "strength of the pull of the weights towards zero: adds itself times the weights to the gradient"


def rate(default: float, low: float, high: float) -> Hyper:
    """Build the hyperparameter of a learning rate."""
    return Hyper("lr", "lr", default, low, high, "log", POSITIVE, ALWAYS, "how far a step goes")


def eps(default: float) -> Hyper:
    """Build the hyperparameter that keeps a division by the gradient's size finite."""
    meaning = "keeps the division finite where gradients vanish; large values turn the rule into momentum"
    return Hyper("eps", "eps", default, 1e-10, 1e-1, "log", POSITIVE, ASKED, meaning)


MOMENTUM = Hyper("momentum", "momentum", 0.9, 0.5, 0.995, "log1m", UNIT, SOME, _KEPT)
AHEAD = replace(MOMENTUM, valid=Interval(0.0, 1.0, open_low=True), why="without momentum nesterov is sgd: use that")
BETA1 = Hyper("beta1", "momentum", 0.9, 0.5, 0.995, "log1m", UNIT, SOME, _KEPT)
BETA2 = Hyper("beta2", "beta2", 0.999, 0.9, 0.9999, "log1m", UNIT, ASKED, _SIZES)
ALPHA = Hyper("alpha", "beta2", 0.99, 0.7, 0.9999, "log1m", UNIT, ASKED, _SIZES)
RHO = Hyper("rho", "beta2", 0.9, 0.7, 0.9999, "log1m", UNIT, ASKED, _SIZES)
NO_MOMENTUM = Hyper("momentum", "momentum", 0.0, 0.5, 0.995, "log1m", UNIT, ASKED, _KEPT)
START = Hyper(
    "initial_accumulator", "initial_accumulator", 0.0, 1e-4, 1.0, "log", DECAY, ASKED, "where the sum of squares starts"
)
PSI = Hyper(
    "momentum_decay", "momentum_decay", 4e-3, 1e-4, 1.0, "log", DECAY, ASKED, "how fast momentum rises to beta1"
)
L2 = Hyper("weight_decay", "weight_decay", 0.0, 1e-7, 1e-1, "log", DECAY, ASKED, _PENALTY)
SHRINK = Hyper(
    "weight_decay", "weight_decay", 1e-2, 1e-5, 1.0, "log", DECAY, SOME,
    "shrinks the weights by lr times itself at each step, whatever the gradient",
)  # fmt: skip
SPREAD = Hyper(
    "spread", "spread", 1.0, 1e-2, 10.0, "log", POSITIVE, ALWAYS,
    "how wide the weights are drawn, in widths of the model's initialisation",
)  # fmt: skip
