"""What a study says about one hyperparameter: a fixed value, a range, or choices.

A fixed value stands for itself; `Range` and `Choices` are searched. Choices are a set: they are kept in ascending
order, so that the order in which they were written decides nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from objectives.class_weights import given_weights, written
from objectives.errors import InvalidInput
from objectives.optimizers import Hyper
from tuner.study.hints import shown, suggest
from tuner.study.problems import InvalidValue, ProblemCollector

__all__ = [
    "MOST_CHOICES",
    "Choices",
    "Domain",
    "Range",
    "Value",
    "choice_of",
    "class_weights",
    "count",
    "flag",
    "highest",
    "hyper_domain",
    "is_searched",
    "layers",
    "number",
    "numbers_of",
    "plain",
    "several",
    "values_of",
    "whole",
]

Value = float | int | bool | str | tuple[int, ...]
MOST_CHOICES = 1000
MOST_UNITS = 65536
MOST_LAYERS = 16


@dataclass(frozen=True)
class Range:
    """All values from `low` to `high`, even on `scale`: "linear", "log", or "log1m" (log of 1 - value).

    With a `step`, those that are so far apart, from `low` on; whole numbers where all three are.
    """

    low: float
    high: float
    scale: str
    step: float = 0


@dataclass(frozen=True)
class Choices:
    """Two values or more, ascending."""

    values: tuple[Any, ...]


Domain = Value | Range | Choices


def is_searched(domain: Domain | None) -> bool:
    """Return True if there is more than one value."""
    return isinstance(domain, Range | Choices)


def plain(domain: Domain) -> Any:
    """Return the domain as a study file writes it."""
    if isinstance(domain, Range):
        ends = {"low": domain.low, "high": domain.high, "log": domain.scale != "linear"}
        return ends if domain.step == _step_between(domain.low, domain.high) else ends | {"step": domain.step}
    if isinstance(domain, Choices):
        return [plain(value) for value in domain.values]
    return list(domain) if isinstance(domain, tuple) else domain


def _step_between(low: float, high: float) -> int:
    """Return the step that a reader assumes for a range without one; 0 for none.

    0 and 1 are refused without a step, as they might be a flag.
    """
    return int(isinstance(low, int) and isinstance(high, int) and (low, high) != (0, 1))


def values_of(domain: Domain) -> tuple[Any, ...]:
    """Return the values of a domain that is no range."""
    return domain.values if isinstance(domain, Choices) else (domain,)


def highest(domain: Domain) -> Any:
    """Return the highest value of a domain of numbers."""
    return domain.high if isinstance(domain, Range) else max(values_of(domain))


def several(raw: list[Any], item: Callable[[Any], Value]) -> Domain:
    """Return the single value of a list, or its Choices. Raises InvalidValue for an empty list, a wrong item or a
    duplicate.
    """
    if not raw:
        raise InvalidValue("is an empty list", "give at least one value")
    if len(raw) > MOST_CHOICES:
        raise InvalidValue(f"has {len(raw)} choices", f"give at most {MOST_CHOICES}")
    values = [item(value) for value in raw]
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise InvalidValue(f"has {shown(plain(value))} twice", "give each choice once")
        seen.add(value)
    return values[0] if len(values) == 1 else Choices(tuple(sorted(values)))


def whole(value: Any, high: int) -> int:
    """Parse a whole number from 1. Raises InvalidValue."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(f"must be a whole number, but got {shown(value)}")
    if not 1 <= value <= high:
        raise InvalidValue(f"must be from 1 to {high}, but got {shown(value)}")
    return value


def count(raw: Any) -> Domain:
    """Parse a whole number from 1, or a list of them to search. Raises InvalidValue."""
    return several(raw, _count) if isinstance(raw, list) else _count(raw)


def _count(value: Any) -> int:
    return whole(value, 2**31 - 1)


def layers(raw: Any) -> Domain:
    """Parse hidden sizes, or a list of lists of them to search. Raises InvalidValue."""
    if not isinstance(raw, list):
        raise InvalidValue(
            f"must be a list of sizes, but got {shown(raw)}", "write it like [64], or [[64], [64, 64]] to search"
        )
    if any(isinstance(item, list) for item in raw):
        return several(raw, _sizes)
    return _sizes(raw)


def _sizes(raw: Any) -> tuple[int, ...]:
    if not isinstance(raw, list):
        raise InvalidValue(f"mixes sizes and lists: {shown(raw)}", "write it like [64], or [[64], [64, 64]] to search")
    if not raw:
        raise InvalidValue("has no hidden layer", 'give a size, or use kind = "linear"')
    if len(raw) > MOST_LAYERS:
        raise InvalidValue(f"has {len(raw)} layers", f"give at most {MOST_LAYERS}")
    return tuple(whole(size, MOST_UNITS) for size in raw)


def choice_of(options: Collection[str]) -> Callable[[Any], Domain]:
    """Build a reader of one name out of `options`, or a list of them to search. It raises InvalidValue."""

    def one(value: Any) -> str:
        if not isinstance(value, str):
            raise InvalidValue(f"must be text, but got {shown(value)}", suggest(value, options))
        if value not in options:
            raise InvalidValue(f"{shown(value)} is not known", suggest(value, options))
        return value

    return lambda raw: several(raw, one) if isinstance(raw, list) else one(raw)


def class_weights(raw: Any) -> Domain:
    """Parse "none", "balanced" or a table of weights by class, or a list of them to search. Raises InvalidValue."""
    return several(raw, _weights) if isinstance(raw, list) else _weights(raw)


def _weights(value: Any) -> str:
    if not isinstance(value, Mapping | str):
        hint = 'write "balanced", or { rare = 5.0 }'
        raise InvalidValue(f"must be text or a table, but got {shown(value)}", hint)
    try:
        weights = given_weights(value if isinstance(value, str) else json.dumps(value))
    except InvalidInput as error:
        raise InvalidValue(error.complaints[0].what, error.complaints[0].hint) from None
    except (TypeError, ValueError):
        raise InvalidValue(f"must be weights by class, but got {shown(value)}", "write { rare = 5.0 }") from None
    return str(value) if weights is None else written(weights)


def flag(raw: Any) -> Domain:
    """Parse true or false, or a list of both to search. Raises InvalidValue."""

    def one(value: Any) -> bool:
        if not isinstance(value, bool):
            raise InvalidValue(f"must be true or false, but got {shown(value)}")
        return value

    return several(raw, one) if isinstance(raw, list) else one(raw)


def numbers_of(hyper: Hyper) -> Callable[[Any], Domain]:
    """Build a reader of a number, or of a list or a range to search. It raises InvalidValue."""

    def read(raw: Any) -> Domain:
        report = ProblemCollector("")
        domain = hyper_domain(raw, hyper, (), report)
        if domain is None:
            first = report.complaints[0]
            what = f"{first.where}: {first.what}" if first.where else first.what
            raise InvalidValue(what, first.hint if isinstance(raw, dict) else f"{hyper.default:g} is usual")
        return domain

    return read


def hyper_domain(raw: Any, hyper: Hyper, key: tuple[str, ...], report: ProblemCollector) -> Domain | None:
    """Read the domain of an optimizer's hyperparameter; complain and return None where it cannot be used."""
    if isinstance(raw, dict):
        return _table(raw, hyper, key, report)
    try:
        return several(raw, lambda value: number(value, hyper)) if isinstance(raw, list) else number(raw, hyper)
    except InvalidValue as bad:
        report.add(key, bad.what, bad.hint)
        return None


def number(value: Any, hyper: Hyper) -> float:
    """Parse a finite number that the hyperparameter may take. Raises InvalidValue."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue(f"must be a number, a list or a range, but got {shown(value)}", _example(hyper))
    try:
        real = float(value)
    except OverflowError:  # an integer beyond all floats
        real = math.inf
    if not math.isfinite(real):
        raise InvalidValue(f"must be finite, but got {shown(value)}", _example(hyper))
    if real not in hyper.valid:
        raise InvalidValue(f"must lie in {hyper.valid}, but got {shown(value)}", hyper.why or _example(hyper))
    return real


def _example(hyper: Hyper) -> str:
    return f"the usual range is {{ low = {hyper.low:g}, high = {hyper.high:g} }}"


def _table(raw: Mapping[str, Any], hyper: Hyper, key: tuple[str, ...], report: ProblemCollector) -> Domain | None:
    allowed = ("choices", "high", "log", "low")
    unknown = [name for name in raw if name not in allowed]
    for name in unknown:
        report.add((*key, name), "unknown key", suggest(name, allowed))
    if "choices" not in raw:
        domain = _range(raw, hyper, key, report)
        return None if unknown else domain
    for name in sorted({"high", "log", "low"} & set(raw)):
        report.add((*key, name), "does not go with choices", "give choices, or low and high")
    if not isinstance(raw["choices"], list):
        report.add((*key, "choices"), f"must be a list, but got {shown(raw['choices'])}")
        return None
    return hyper_domain(raw["choices"], hyper, (*key, "choices"), report)


def _range(raw: Mapping[str, Any], hyper: Hyper, key: tuple[str, ...], report: ProblemCollector) -> Domain | None:
    """Parse a range; an end or a scale that is not given is that of the preset."""
    before = len(report.complaints)
    log = raw.get("log", hyper.scale != "linear")
    if not isinstance(log, bool):
        report.add((*key, "log"), f"must be true or false, but got {shown(log)}")
    ends = {}
    for end, preset in (("low", hyper.low), ("high", hyper.high)):
        try:
            ends[end] = number(raw.get(end, preset), hyper)
        except InvalidValue as bad:
            # an end of exactly 0 is a likely wish, and there is a way to have it
            zero = log is True and raw.get(end) == 0 and end == "low" and not hyper.why
            what = "a log range cannot start at 0" if zero else bad.what
            report.add((*key, end), what.replace("a number, a list or a range", "a number"), bad.hint)
    if len(ends) == 2 and ends["low"] > ends["high"]:
        what = f"is upside down: low = {ends['low']:g} is above high = {ends['high']:g}"
        report.add(key, what, "swap them" if {"low", "high"} <= set(raw) else "give both ends")
    scale = "linear" if not log else hyper.scale if hyper.scale != "linear" else "log"
    if scale == "log" and ends.get("low") == 0:
        hint = f"start it at {hyper.low:g}, or write log = false"
        report.add((*key, "low"), "a log range cannot start at 0", hint)
    if len(report.complaints) > before:
        return None
    return ends["low"] if ends["low"] == ends["high"] else Range(ends["low"], ends["high"], scale)
