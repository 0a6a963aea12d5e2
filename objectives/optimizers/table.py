"""`OPTIMIZERS`: the rows, and what a config says of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.hyper import ALWAYS, ASKED, POSITIVE, SOME, Flag, Hyper, Interval
from objectives.optimizers.moments import adam_rule, adamax_rule, amsgrad_rule, nadam_rule
from objectives.optimizers.rows import Convention, Optimizer, Rule
from objectives.optimizers.scaled import adadelta_rule, adagrad_rule, rmsprop_rule
from objectives.optimizers.slope import momentum_rule, nesterov_rule, sgd_rule

__all__ = ["OPTIMIZERS", "hyperparameters", "rule_of", "switches"]

UNIT = Interval(0.0, 1.0)
DECAY = Interval()
TORCH = {"torch": Convention()}


def _rate(default: float, low: float, high: float) -> Hyper:
    return Hyper("lr", "lr", default, low, high, "log", POSITIVE, ALWAYS)


def _eps(default: float) -> Hyper:
    return Hyper("eps", "eps", default, 1e-10, 1e-1, "log", POSITIVE, ASKED)


_MOMENTUM = Hyper("momentum", "momentum", 0.9, 0.5, 0.995, "log1m", UNIT, SOME)
_BETA1 = Hyper("beta1", "momentum", 0.9, 0.5, 0.995, "log1m", UNIT, SOME)
_BETA2 = Hyper("beta2", "beta2", 0.999, 0.9, 0.9999, "log1m", UNIT, ASKED)
_ALPHA = Hyper("alpha", "beta2", 0.99, 0.7, 0.9999, "log1m", UNIT, ASKED)
_RHO = Hyper("rho", "beta2", 0.9, 0.7, 0.9999, "log1m", UNIT, ASKED)
_NO_MOMENTUM = Hyper("momentum", "momentum", 0.0, 0.5, 0.995, "log1m", UNIT, ASKED)
_START = Hyper("initial_accumulator", "initial_accumulator", 0.0, 1e-4, 1.0, "log", DECAY, ASKED)
_PSI = Hyper("momentum_decay", "momentum_decay", 4e-3, 1e-4, 1.0, "log", DECAY, ASKED)
_L2 = Hyper("weight_decay", "weight_decay", 0.0, 1e-7, 1e-1, "log", DECAY, ASKED)
_SHRINK = Hyper("weight_decay", "weight_decay", 1e-2, 1e-5, 1.0, "log", DECAY, SOME)

_AVERAGES = (_BETA1, _BETA2, _eps(1e-8))
_ADAM = (_rate(1e-3, 1e-5, 0.1), *_AVERAGES)
_SLOWER = (_rate(2e-3, 1e-5, 0.1), *_AVERAGES)  # torch's default for adamax and nadam
_BALL = (_rate(0.01, 1e-4, 3.0), _MOMENTUM, _L2)
_ROWS = (
    Optimizer("sgd", "a step against the gradient", (_rate(0.1, 1e-4, 3.0), _L2), sgd_rule, TORCH),
    Optimizer("momentum", "a step along a decaying sum of gradients (heavy ball)", _BALL, momentum_rule, TORCH),
    Optimizer("nesterov", "momentum that already counts the coming step", _BALL, nesterov_rule, TORCH),
    Optimizer(
        "rmsprop",
        "each weight's step divided by its recent gradient size",
        (_rate(1e-2, 1e-5, 0.1), _ALPHA, _eps(1e-8), _NO_MOMENTUM, _L2),
        rmsprop_rule,
        TORCH,
        flags=(Flag("centered", "divide by the gradients' deviation from their mean"),),
        switches=("centered", "momentum", "weight_decay"),
    ),
    Optimizer(
        "adagrad",
        "each weight's step divided by the size of all its gradients so far",
        (_rate(1e-2, 1e-3, 3.0), _START, _eps(1e-10), _L2),
        adagrad_rule,
        TORCH,
        switches=("initial_accumulator", "weight_decay"),
    ),
    Optimizer(
        "adadelta",
        "each weight's step as large as its recent steps, for its recent gradients",
        (_rate(1.0, 1e-2, 10.0), _RHO, _eps(1e-6), _L2),
        adadelta_rule,
        TORCH,
    ),
    Optimizer(
        "adam",
        "momentum divided by recent gradient size, both corrected for their start",
        (*_ADAM, _L2),
        adam_rule,
        TORCH,
    ),
    Optimizer(
        "adamw",
        "adam with weight decay that shrinks the weights directly",
        (*_ADAM, _SHRINK),
        adam_rule,
        {"torch": Convention(decoupled=True)},
    ),
    Optimizer(
        "amsgrad", "adam whose steps are divided by the greatest size so far", (*_ADAM, _L2), amsgrad_rule, TORCH
    ),
    Optimizer(
        "adamax",
        "momentum divided by the greatest recent gradient, which slowly fades",
        (*_SLOWER, _L2),
        adamax_rule,
        TORCH,
    ),
    Optimizer("nadam", "adam that already counts the coming step", (*_SLOWER, _PSI, _L2), nadam_rule, TORCH),
)
OPTIMIZERS: dict[str, Optimizer] = {row.name: row for row in _ROWS}


def _row(config: Mapping[str, Any]) -> Optimizer:
    name = config.get("optimizer")
    if name not in OPTIMIZERS:
        raise InvalidInput(Complaint("optimizer", f"{name!r} is not known", nearest(name, OPTIMIZERS)))
    return OPTIMIZERS[name]


def hyperparameters(config: Mapping[str, Any]) -> dict[str, float]:
    """The full hyperparameters of a config's rule: its own where given, defaults elsewhere.

    Raises InvalidInput for an unknown optimizer or a value outside its interval.
    """
    row = _row(config)
    values = {hyper.name: float(config.get(hyper.name, hyper.default)) for hyper in row.hypers}
    wrong = [
        Complaint(f"{row.name}.{hyper.name}", f"must lie in {hyper.valid}, but got {values[hyper.name]!r}")
        for hyper in row.hypers
        if values[hyper.name] not in hyper.valid
    ]
    if wrong:
        raise InvalidInput(*wrong)
    return values


def switches(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The switches of a config's rule that are on: hyperparameters that are not zero, and flags."""
    row = _row(config)
    values = {**hyperparameters(config), **{flag.name: bool(config.get(flag.name, False)) for flag in row.flags}}
    return tuple(name for name in row.switches if values[name])


def rule_of(config: Mapping[str, Any]) -> Rule:
    """The passes that a config's trial goes through."""
    row = _row(config)
    return row.rule(row.frameworks[config.get("framework", "torch")], switches(config))
