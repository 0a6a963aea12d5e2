"""What a config says of its optimizer: the row, the convention, the full hyperparameters, and the passes of a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.optimizers.definition import Convention, Optimizer, Rule
from objectives.optimizers.registry import FRAMEWORKS, OPTIMIZERS, RULES

__all__ = ["convention_of", "hyperparameters", "missing", "row_of", "rule_of", "switches"]


def row_of(config: Mapping[str, Any]) -> Optimizer:
    """Return the registry row of a config's optimizer. Raises InvalidInput with the nearest name."""
    name = config.get("optimizer")
    if name not in OPTIMIZERS:
        raise InvalidInput(Complaint("optimizer", f"{name!r} is not known", nearest(name, OPTIMIZERS)))
    return OPTIMIZERS[name]


def convention_of(config: Mapping[str, Any]) -> Convention:
    """Return how a config's framework computes its rule. Raises InvalidInput where the framework does not have it."""
    row, framework = row_of(config), config.get("framework", "torch")
    if framework not in FRAMEWORKS:
        raise InvalidInput(Complaint("framework", f"{framework!r} is not known", nearest(framework, FRAMEWORKS)))
    if framework not in row.frameworks:
        raise InvalidInput(Complaint("optimizer", *missing(row, framework)))
    return row.frameworks[framework]


def missing(row: Optimizer, framework: str) -> tuple[str, str]:
    """Return the message and hint for an optimizer that a framework does not have."""
    others = [other.name for other in RULES.values() if framework in other.frameworks]
    return f"{framework} has no {row.name}", f"it has {', '.join(others)}"


def hyperparameters(config: Mapping[str, Any]) -> dict[str, float]:
    """Return all hyperparameters of a config's rule, defaults where the config gives none.

    Raises InvalidInput for an unknown optimizer, one that its framework does not have, or invalid values.
    """
    row = row_of(config)
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
    """Return the switches of a config's rule that are on: switchable hyperparameters other than zero, and flags."""
    row, fixed = row_of(config), convention_of(config).fixed
    usual = {**{hyper.name: hyper.default for hyper in row.hypers}, **fixed}
    return tuple(name for name in row.switches if float(config.get(name, usual.get(name, 0.0))))


def rule_of(config: Mapping[str, Any]) -> Rule:
    """Return the update rule of a config's trial. Raises InvalidInput for a whole-batch method."""
    row = row_of(config)
    if row.rule is None:
        raise InvalidInput(Complaint("optimizer", f"{row.name} takes no minibatch steps", "it sees all rows at once"))
    return row.rule(convention_of(config), switches(config))
