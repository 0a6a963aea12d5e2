"""What a study searches, as a report speaks of it: a parameter's range, its scale, and where a value lies in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuner.records import Trial
from tuner.space import space_of
from tuner.space.parameter import warp
from tuner.study import Choices, Domain, Imported, Model, Range, Study, is_searched

__all__ = ["Parameter", "parameters_of", "place", "value_at"]

DECADES = 100  # times the least value, from which another tool's range was hardly an even one


@dataclass(frozen=True)
class Parameter:
    """A searched hyperparameter. `optimizer` is empty for one that all share; `key` is where a study file sets it."""

    name: str
    optimizer: str
    domain: Domain
    default: Any
    key: str

    @property
    def scale(self) -> str:
        """Return the scale it is searched on: "linear", "log", "log1m" or "choices"."""
        return self.domain.scale if isinstance(self.domain, Range) else "choices"

    @property
    def choices(self) -> tuple[Any, ...]:
        """Return its values, where it has no range."""
        return self.domain.values if isinstance(self.domain, Choices) else ()

    @property
    def ordered(self) -> bool:
        """Return True if its values are numbers."""
        return isinstance(self.domain, Range) or all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in self.choices
        )


def parameters_of(study: Study, trials: Sequence[Trial] = ()) -> list[Parameter]:
    """List every searched hyperparameter of a study: the optimizers' own, then the shared ones."""
    if study.imported:
        return tried(study.imported, trials)
    space = space_of(study)
    own = [
        Parameter(p.name, name, p.domain, p.default, f"optimizers.{name}.{p.name}")
        for name, parameters in space.optimizers.items()
        for p in parameters
        if is_searched(p.domain)
    ]
    shared = [
        Parameter(p.name, "", p.domain, p.default, _key(study, p.name)) for p in space.shared if is_searched(p.domain)
    ]
    return own + shared


def tried(origin: Imported, trials: Sequence[Trial]) -> list[Parameter]:
    """Infer from the trials what another tool searched: choices, or the range from the least to the greatest value."""
    found = []
    for name, kind in origin.columns.items():
        values = sorted({trial.config[name] for trial in trials if trial.config.get(name) is not None}, key=_sorting)
        if name == "optimizer" or len(values) < 2:
            continue
        numbers = kind in ("float64", "Int64")
        far = numbers and values[0] > 0 and values[-1] > DECADES * values[0]
        domain = Range(values[0], values[-1], "log" if far else "linear") if numbers else Choices(tuple(values))
        found.append(Parameter(name, "", domain, None, ""))
    return found


def _sorting(value: Any) -> tuple[str, Any]:
    return ("", value) if isinstance(value, int | float) else (str(value), 0)


def _key(study: Study, name: str) -> str:
    if study.own and name in study.own.space():
        return f"parameters.{name}"
    return f"model.{name}" if name in Model.model_fields else f"train.{name}"


def place(value: Any, domain: Domain) -> float | None:
    """Return a value's position in its range, 0 at the low end and 1 at the high end, on the scale that is searched.

    Returns None for a value that is missing or outside of the scale's domain, and for a domain that is no range.
    """
    if not isinstance(domain, Range) or value is None:
        return None
    try:
        a, b, x = (warp(float(one), domain.scale) for one in (domain.low, domain.high, value))
    except ValueError:
        return None
    return (x - a) / (b - a) if a != b and math.isfinite(x) else None


def value_at(u: float, domain: Range) -> float:
    """Return the value at a position of a range; positions beyond 0 and 1 lie outside of it."""
    a, b = warp(domain.low, domain.scale), warp(domain.high, domain.scale)
    x = a + u * (b - a)
    if domain.scale == "linear":
        return x
    return math.exp(x) if domain.scale == "log" else -math.expm1(x)
