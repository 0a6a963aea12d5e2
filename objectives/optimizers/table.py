"""`OPTIMIZERS`: the rows, and what a config says of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.hyper import ALWAYS, ASKED, POSITIVE, SOME, Flag, Hyper, Interval
from objectives.optimizers.frameworks import CONVENTIONS, FRAMEWORKS
from objectives.optimizers.moments import adam_rule, adamax_rule, amsgrad_rule, nadam_rule
from objectives.optimizers.rows import Convention, Optimizer, Rule
from objectives.optimizers.scaled import adadelta_rule, adagrad_rule, rmsprop_rule
from objectives.optimizers.slope import momentum_rule, nesterov_rule, sgd_rule

__all__ = ["FRAMEWORKS", "OPTIMIZERS", "convention_of", "hyperparameters", "missing", "rule_of", "switches"]

UNIT = Interval(0.0, 1.0)
DECAY = Interval()


def _rate(default: float, low: float, high: float) -> Hyper:
    return Hyper("lr", "lr", default, low, high, "log", POSITIVE, ALWAYS)


def _eps(default: float) -> Hyper:
    return Hyper("eps", "eps", default, 1e-10, 1e-1, "log", POSITIVE, ASKED)


_MOMENTUM = Hyper("momentum", "momentum", 0.9, 0.5, 0.995, "log1m", UNIT, SOME)
_AHEAD = replace(_MOMENTUM, valid=Interval(0.0, 1.0, open_low=True), why="without momentum nesterov is sgd: use that")
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
_BALL_AHEAD = (_BALL[0], _AHEAD, _L2)
_ROWS = (
    Optimizer("sgd", "a step against the gradient", (_rate(0.1, 1e-4, 3.0), _L2), sgd_rule, CONVENTIONS["sgd"]),
    Optimizer(
        "momentum",
        "a step along a decaying sum of gradients (heavy ball)",
        _BALL,
        momentum_rule,
        CONVENTIONS["momentum"],
    ),
    Optimizer(
        "nesterov", "momentum that already counts the coming step", _BALL_AHEAD, nesterov_rule, CONVENTIONS["nesterov"]
    ),
    Optimizer(
        "rmsprop",
        "each weight's step divided by its recent gradient size",
        (_rate(1e-2, 1e-5, 0.1), _ALPHA, _eps(1e-8), _NO_MOMENTUM, _L2),
        rmsprop_rule,
        CONVENTIONS["rmsprop"],
        flags=(Flag("centered", "divide by the gradients' deviation from their mean"),),
        switches=("centered", "momentum", "weight_decay"),
    ),
    Optimizer(
        "adagrad",
        "each weight's step divided by the size of all its gradients so far",
        (_rate(1e-2, 1e-3, 3.0), _START, _eps(1e-10), _L2),
        adagrad_rule,
        CONVENTIONS["adagrad"],
        switches=("initial_accumulator", "weight_decay"),
    ),
    Optimizer(
        "adadelta",
        "each weight's step as large as its recent steps, for its recent gradients",
        (_rate(1.0, 1e-2, 10.0), _RHO, _eps(1e-6), _L2),
        adadelta_rule,
        CONVENTIONS["adadelta"],
    ),
    Optimizer(
        "adam",
        "momentum divided by recent gradient size, both corrected for their start",
        (*_ADAM, _L2),
        adam_rule,
        CONVENTIONS["adam"],
    ),
    Optimizer(
        "adamw",
        "adam with weight decay that shrinks the weights directly",
        (*_ADAM, _SHRINK),
        adam_rule,
        CONVENTIONS["adamw"],
    ),
    Optimizer(
        "amsgrad",
        "adam whose steps are divided by the greatest size so far",
        (*_ADAM, _L2),
        amsgrad_rule,
        CONVENTIONS["amsgrad"],
    ),
    Optimizer(
        "adamax",
        "momentum divided by the greatest recent gradient, which slowly fades",
        (*_SLOWER, _L2),
        adamax_rule,
        CONVENTIONS["adamax"],
    ),
    Optimizer(
        "nadam",
        "adam that already counts the coming step",
        (*_SLOWER, _PSI, _L2),
        nadam_rule,
        CONVENTIONS["nadam"],
    ),
)
OPTIMIZERS: dict[str, Optimizer] = {row.name: row for row in _ROWS}


def _row(config: Mapping[str, Any]) -> Optimizer:
    name = config.get("optimizer")
    if name not in OPTIMIZERS:
        raise InvalidInput(Complaint("optimizer", f"{name!r} is not known", nearest(name, OPTIMIZERS)))
    return OPTIMIZERS[name]


def convention_of(config: Mapping[str, Any]) -> Convention:
    """How the config's framework computes its rule. Raises InvalidInput where it has none."""
    row, framework = _row(config), config.get("framework", "torch")
    if framework not in FRAMEWORKS:
        raise InvalidInput(Complaint("framework", f"{framework!r} is not known", nearest(framework, FRAMEWORKS)))
    if framework not in row.frameworks:
        raise InvalidInput(Complaint("optimizer", *missing(row, framework)))
    return row.frameworks[framework]


def missing(row: Optimizer, framework: str) -> tuple[str, str]:
    """What is wrong with an optimizer that a framework does not have, and a hint."""
    others = [other.name for other in OPTIMIZERS.values() if framework in other.frameworks]
    return f"{framework} has no {row.name}", f"it has {', '.join(others)}"


def hyperparameters(config: Mapping[str, Any]) -> dict[str, float]:
    """The full hyperparameters of a config's rule: its own where given, defaults elsewhere.

    Raises InvalidInput for an unknown optimizer, one that its framework does not have, or values that it may not take.
    """
    row = _row(config)
    convention = convention_of(config)
    defaults = {hyper.name: convention.fixed.get(hyper.name, hyper.default) for hyper in row.hypers}
    values = {name: float(config.get(name, default)) for name, default in defaults.items()}
    wrong = [
        Complaint(f"{row.name}.{name}", f"must be {value:g}, but got {values[name]!r}", convention.why)
        for name, value in convention.fixed.items()
        if values[name] != value
    ]
    wrong += [
        Complaint(f"{row.name}.{hyper.name}", f"must lie in {hyper.valid}, but got {values[hyper.name]!r}", hyper.why)
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
    return row.rule(convention_of(config), switches(config))
