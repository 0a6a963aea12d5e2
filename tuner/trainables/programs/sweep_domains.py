"""Parameters of a W&B sweep -> ranges and choices of a study, with a note where one says more than a study can.

`log_uniform` has the ends as powers of e, `log_uniform_values` has them as they are; `q_` rounds to multiples of q.
Source: the sweep configuration of the manual of Weights & Biases.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DISTRIBUTIONS", "SweepDomain", "Untranslatable", "sweep_domain"]

DISTRIBUTIONS = (
    "constant", "categorical", "categorical_w_probabilities", "int_uniform", "uniform", "q_uniform", "log_uniform",
    "log_uniform_values", "q_log_uniform", "q_log_uniform_values", "inv_log_uniform", "inv_log_uniform_values",
    "normal", "q_normal", "log_normal", "q_log_normal", "beta", "q_beta",
)  # fmt: skip
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
SIGMAS = 2  # of a normal distribution on each side that are searched
MOST_POINTS = 16  # of a range on a log scale with a step


class Untranslatable(ValueError):
    """A part of a sweep that a study cannot say, and why."""


@dataclass(frozen=True)
class SweepDomain:
    """What a parameter becomes: a range as a table, a list of choices, or a value; and what differs."""

    values: Any
    notes: tuple[str, ...] = ()

    @property
    def fixed(self) -> bool:
        """Return True for a single value."""
        return not isinstance(self.values, dict | list)


def sweep_domain(keys: Mapping[str, Any]) -> SweepDomain:
    """Translate a parameter of a sweep. Raises Untranslatable."""
    notes: list[str] = []
    said = {name: numeric(value, notes) for name, value in keys.items()}
    kind = str(keys.get("distribution") or guessed_kind(said))
    if kind not in DISTRIBUTIONS:
        raise Untranslatable(f"its distribution {kind!r} is not known")
    if kind == "constant":
        return SweepDomain(_needed(said, "value"), tuple(notes))
    if kind.startswith("categorical"):
        return _choices(said, notes)
    plain = kind.removeprefix("q_")
    low, high, log = ends_of(plain, said, notes)
    if not low < high:
        raise Untranslatable(f"it goes from {low:g} to {high:g}")
    step = said.get("q", 1) if kind != plain else 1 if plain == "int_uniform" else None
    return SweepDomain(_range(low, high, log, step, notes), tuple(notes))


def numeric(value: Any, notes: list[str]) -> Any:
    """Return the number that YAML 1.1 takes for text, like 1e-5, with a note; anything else unchanged."""
    if isinstance(value, list):
        return [numeric(one, notes) for one in value]
    if isinstance(value, str) and NUMBER.fullmatch(value) and re.search("[eE]", value):
        notes.append(f"{value} is text to YAML 1.1; it is taken for the number")
        return float(value)
    return value


def guessed_kind(keys: Mapping[str, Any]) -> str:
    """Return the distribution of a parameter that names none, as W&B guesses it. Raises Untranslatable."""
    if "value" in keys:
        return "constant"
    if "values" in keys:
        return "categorical_w_probabilities" if "probabilities" in keys else "categorical"
    if "mu" in keys or "sigma" in keys:
        return "normal"
    if {"min", "max"} <= set(keys):
        whole = all(isinstance(keys[end], int) for end in ("min", "max"))
        return "int_uniform" if whole and "q" not in keys else "q_uniform" if "q" in keys else "uniform"
    raise Untranslatable(f"has neither value nor values nor min and max: {', '.join(keys) or 'nothing'}")


def ends_of(kind: str, keys: Mapping[str, Any], notes: list[str]) -> tuple[float, float, bool]:
    """Return the ends of a range and whether it is on a log scale. Raises Untranslatable."""
    if kind in ("normal", "log_normal"):
        mu, sigma = keys.get("mu", 0), keys.get("sigma", 1)
        low, high = mu - SIGMAS * sigma, mu + SIGMAS * sigma
        notes.append(f"{kind} becomes an even range of {SIGMAS} sigma on each side: the search finds where to look")
        return (math.exp(low), math.exp(high), True) if kind == "log_normal" else (low, high, False)
    if kind == "beta":
        notes.append("beta becomes an even range from 0 to 1: the search finds where to look")
        return 0.0, 1.0, False
    low, high = _needed(keys, "min"), _needed(keys, "max")
    if kind == "log_uniform":
        return math.exp(low), math.exp(high), True
    if kind == "inv_log_uniform":
        return math.exp(-high), math.exp(-low), True
    log = kind in ("log_uniform_values", "inv_log_uniform_values")
    if log and low <= 0:
        raise Untranslatable(f"a log scale cannot start at {low}")
    return (low, high, log) if log or kind == "int_uniform" else (float(low), float(high), False)


def _range(low: float, high: float, log: bool, step: Any, notes: list[str]) -> Any:
    """Write a range; one on a log scale with a step becomes a list of choices."""
    short = {"low": float(f"{low:.12g}"), "high": float(f"{high:.12g}"), "log": log}
    if step is None:
        return short
    if not isinstance(step, int | float) or step <= 0:
        raise Untranslatable(f"q is {step!r}")
    first, last = (_multiple(end, step) for end in (low, high))
    first = first or step if log else first
    if log and step == 1:
        return {"low": int(first), "high": int(last), "log": True}
    if log:
        ratio = (high / low) ** (1 / (MOST_POINTS - 1))
        points = sorted({_multiple(low * ratio**i, step) for i in range(MOST_POINTS)} - {0})
        notes.append(f"a log scale with q becomes {len(points)} choices")
        return points
    if step == 1 and (first, last) == (0, 1):
        return [0, 1]
    return {"low": first, "high": last} if step == 1 else {"low": first, "high": last, "step": step}


def _multiple(value: float, step: float) -> Any:
    many = round(value / step) * step
    return int(many) if isinstance(step, int) else float(f"{many:.12g}")


def _choices(keys: Mapping[str, Any], notes: list[str]) -> SweepDomain:
    values = _needed(keys, "values")
    if not isinstance(values, list) or not values:
        raise Untranslatable("its values are no list")
    kept = list(dict.fromkeys(tuple(v) if isinstance(v, list) else v for v in values if not isinstance(v, dict)))
    if None in kept or any(isinstance(value, dict) for value in values):
        raise Untranslatable("a choice is null or a table, which a study does not have among its choices")
    kinds = {"number" if isinstance(v, int | float) and not isinstance(v, bool) else type(v).__name__ for v in kept}
    if len(kinds) > 1:
        raise Untranslatable(f"its values mix {' and '.join(sorted(kinds))}")
    if keys.get("probabilities"):
        notes.append("its probabilities are left out: all choices begin alike")
    listed = [list(value) if isinstance(value, tuple) else value for value in kept]
    return SweepDomain(listed if len(listed) > 1 else listed[0], tuple(notes))


def _needed(keys: Mapping[str, Any], name: str) -> Any:
    if name not in keys:
        raise Untranslatable(f"has no {name}")
    if name in ("min", "max") and (isinstance(keys[name], bool) or not isinstance(keys[name], int | float)):
        raise Untranslatable(f"its {name} is {keys[name]!r}, which is no number")
    return keys[name]
