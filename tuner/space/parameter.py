"""A hyperparameter as a config names it, and the coordinate in [0, 1] on its own scale that a sampler sees.

Numbers to choose from are bins of a coordinate, in ascending order; text and layer sizes are categories.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from objectives.errors import Complaint, InvalidInput, nearest
from tuner.records import Latent
from tuner.study import Choices, Domain, Range, is_searched, values_of

__all__ = [
    "ABSENT",
    "DEFAULTS",
    "UNUSED",
    "Parameter",
    "coordinate_of",
    "count_of",
    "grid_of",
    "latent_of",
    "middle_of",
    "nearest_in",
    "problem_with",
    "value_at",
    "warp",
]

DEFAULTS = {
    "batch_size": 32,
    "schedule": "constant",
    "loss": "squared_error",
    "class_weight": "none",
    "hidden": (64,),
    "activation": "relu",
    "init": "torch",
}
ABSENT = object()  # in the place of a default: a config that does not have it does without
UNUSED = 0.5  # the coordinate of a latent that does not apply


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter as a config names it, its domain, its default, and the latent that moves it if searched.

    `owner` is another one and `owners` the values of that under which this one means anything, where not under all.
    `when` are the values of others under which it is searched, where the study says so; elsewhere it has its default.
    """

    name: str
    latent: str
    domain: Domain
    default: Any
    owner: str = ""
    owners: tuple[str, ...] = ()
    minibatch: bool = False  # whether it means nothing to a method that sees all rows at once
    when: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    @property
    def deciders(self) -> set[str]:
        """Return the names of the parameters that decide whether this one is searched."""
        return {self.owner, *(name for name, _ in self.when)} - {""}

    def searched(self, config: Mapping[str, Any]) -> bool:
        """Return True if a latent sets this parameter, given a config's other values."""
        return is_searched(self.domain) and self.applies(config) and self.active(config)

    def active(self, config: Mapping[str, Any]) -> bool:
        """Return True if the study's own condition on it holds."""
        return all(_frozen(config.get(name, DEFAULTS.get(name))) in values for name, values in self.when)

    def applies(self, config: Mapping[str, Any]) -> bool:
        """Return True if it has an effect, given a config's other values."""
        return not self.owner or config.get(self.owner, DEFAULTS[self.owner]) in self.owners


def latent_of(p: Parameter) -> Latent:
    """Build the latent of a searched parameter."""
    if isinstance(p.domain, Choices) and not _numeric(p.domain):
        return Latent(p.latent, "categorical", tuple(map(_label, p.domain.values)))
    return Latent(p.latent, "float")


def _numeric(domain: Choices) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in domain.values)


def _label(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _natural(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def value_at(p: Parameter, latents: Mapping[str, float | str]) -> Any:
    """Return a parameter's value in natural units."""
    domain = p.domain
    if isinstance(domain, Range):
        return (
            _unfold(float(latents[p.latent]), domain) if not domain.step else _step_at(float(latents[p.latent]), domain)
        )
    if not isinstance(domain, Choices):
        return _natural(domain)
    at = latents[p.latent]
    if isinstance(at, str):
        return next(_natural(value) for value in domain.values if _label(value) == at)
    return domain.values[min(int(at * len(domain.values)), len(domain.values) - 1)]


def coordinate_of(p: Parameter, value: Any) -> float | str:
    """Invert `value_at` for a searched parameter; a number among choices gives the middle of its bin."""
    domain = p.domain
    if isinstance(domain, Range):
        return _fold(float(value), domain) if not domain.step else _place_of(float(value), domain)
    values = domain.values if isinstance(domain, Choices) else (domain,)
    if isinstance(domain, Choices) and _numeric(domain):
        return (values.index(nearest_in(domain, value)) + 0.5) / len(values)
    label, known = _label(value), [_label(one) for one in values]
    if label not in known:
        raise InvalidInput(Complaint(p.name, f"{value!r} is not searched", nearest(label, known)))
    return label


def grid_of(domain: Domain, points: int) -> tuple[float | str, ...]:
    """Return the coordinates of a grid: evenly spaced ones including the ends of a range, or every choice."""
    if isinstance(domain, Range):
        return tuple(i / (points - 1) for i in range(points)) if points > 1 else (UNUSED,)
    values = values_of(domain)
    if isinstance(domain, Choices) and _numeric(domain):
        return tuple((i + 0.5) / len(values) for i in range(len(values)))
    return tuple(map(_label, values))


def count_of(domain: Domain) -> float:
    """Count the values of a domain: infinity for a range without steps."""
    if isinstance(domain, Range):
        return round((domain.high - domain.low) / domain.step) + 1 if domain.step else math.inf
    return len(values_of(domain))


def problem_with(domain: Domain, value: Any) -> tuple[str, str] | None:
    """Return why a value is not in a domain and a hint, or None if it is."""
    if isinstance(domain, Range):
        if not isinstance(value, int | float) or isinstance(value, bool):
            return f"must be a number, but got {value!r}", f"give one in [{domain.low:g}, {domain.high:g}]"
        if domain.low <= value <= domain.high and (not domain.step or _on_step(value, domain)):
            return None
        steps = f" in steps of {domain.step:g}" if domain.step else ""
        return f"{value!r} is not in [{domain.low:g}, {domain.high:g}]{steps}", "widen the range, or stay in it"
    values, value = values_of(domain), tuple(value) if isinstance(value, list) else value
    if any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values):
        return None
    if isinstance(domain, Choices):
        return f"{value!r} is not searched", f"choose one of: {', '.join(map(_label, values))}"
    return f"{value!r} is another value than the {_label(domain)} that is fixed", "leave it out, or search it"


def _on_step(value: float, domain: Range) -> bool:
    """Return True if a value is one of the steps of a range."""
    whole = isinstance(domain.low, int) and isinstance(domain.step, int)
    if whole and not isinstance(value, int):
        return False
    return abs(_step_at(_place_of(value, domain), domain) - value) <= 1e-9 * max(1.0, abs(value))


def middle_of(domain: Domain) -> Any:
    """Return a first value where none is given: the middle of a range or of numbers, else the first choice."""
    if isinstance(domain, Range):
        return value_at(Parameter("", "", domain, None), {"": UNUSED})
    if isinstance(domain, Choices):
        return domain.values[(len(domain.values) - 1) // 2 if _numeric(domain) else 0]
    return domain


def nearest_in(domain: Domain, value: Any) -> Any:
    """Return the value of a domain nearest to `value`; the first category where there is no order."""
    if isinstance(domain, Range):
        return min(max(value, domain.low), domain.high)
    if not isinstance(domain, Choices):
        return domain
    if not _numeric(domain):
        return value if value in domain.values else domain.values[0]
    if value > 0 and domain.values[0] > 0:
        return min(domain.values, key=lambda one: abs(math.log(one / value)))
    return min(domain.values, key=lambda one: abs(one - value))


def warp(value: float, scale: str) -> float:
    """Transform a value to its scale: `x`, `log x` or `log(1 - x)`."""
    return value if scale == "linear" else math.log(value) if scale == "log" else math.log1p(-value)


def _unfold(u: float, domain: Range) -> float:
    """Return the value at coordinate `u`, uniform on the scale; the ends are exact."""
    if u in (0, 1):
        return domain.high if u else domain.low
    a, b = warp(domain.low, domain.scale), warp(domain.high, domain.scale)
    x = a + u * (b - a)
    value = _short(x) if domain.scale == "linear" else _short(math.exp(x))
    return min(max(1 - value if domain.scale == "log1m" else value, domain.low), domain.high)


def _step_at(u: float, domain: Range) -> float:
    """Return the step at coordinate `u`; each step has an equal part of the scale, integers stay integers."""
    last = int((domain.high - domain.low) / domain.step + 1e-9)
    if domain.scale == "log":  # whole numbers, each with what rounds to it
        a, b = math.log(domain.low - 0.5), math.log(domain.high + 0.5)
        return min(max(round(math.exp(a + u * (b - a))), int(domain.low)), int(domain.high))
    value = domain.low + min(int(u * (last + 1)), last) * domain.step
    return value if isinstance(value, int) else _short(value)


def _place_of(value: float, domain: Range) -> float:
    """Return the coordinate of a step: the middle of its part."""
    last = int((domain.high - domain.low) / domain.step + 1e-9)
    if domain.scale == "log":
        a, b = math.log(domain.low - 0.5), math.log(domain.high + 0.5)
        return min(max((math.log(min(max(value, domain.low), domain.high)) - a) / (b - a), 0.0), 1.0)
    return (min(max(round((value - domain.low) / domain.step), 0), last) + 0.5) / (last + 1)


def _short(value: float) -> float:
    """Round to twelve digits, so that defaults are 0.01 and not 0.010000000000000004 and files stay readable."""
    return float(f"{value:.12g}")


def _fold(value: float, domain: Range) -> float:
    """Return the coordinate of a value; outside the range, that of the nearer end."""
    value = min(max(value, domain.low), domain.high)
    a, b = warp(domain.low, domain.scale), warp(domain.high, domain.scale)
    return min(max((warp(value, domain.scale) - a) / (b - a), 0.0), 1.0) if a != b else UNUSED
