"""Parameters of somebody's own objective: what [parameters] says of each, and the columns that hold their values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tuner.study.domains import Choices, Domain, Range, plain, several, values_of
from tuner.study.hints import shown, suggest
from tuner.study.problems import InvalidValue, ProblemCollector

__all__ = ["PARAMETERS", "kind_of", "read_parameter", "text_of", "written"]

PARAMETERS = "parameters"
KEYS = ("choices", "default", "high", "log", "low", "step")
MOST_STEPS = 10**9
MOST_FLOAT = sys.float_info.max
MOST_WHOLE = 2**63 - 1  # what a table's column of whole numbers can hold


def read_parameter(
    name: str, raw: Any, parameters: dict[str, Domain], starts: dict[str, Any], report: ProblemCollector
) -> None:
    """Read one parameter into `parameters`, and its default into `starts`."""
    key = (PARAMETERS, name)
    if isinstance(raw, dict):
        unknown = [one for one in raw if one not in KEYS]
        for one in unknown:
            report.add((*key, one), "unknown key", suggest(one, KEYS))
        if unknown:
            return
    start = raw.get("default") if isinstance(raw, dict) else None
    try:
        domain = _domain(raw)
        if start is not None:
            starts[name] = _start(domain, start)
    except InvalidValue as bad:
        report.add(key, bad.what, bad.hint)
        return
    parameters[name] = domain


def _start(domain: Domain, start: Any) -> Any:
    """Check that a default lies in its domain, and return it. Raises InvalidValue."""
    if isinstance(domain, Range):
        if isinstance(start, bool) or not isinstance(start, int | float) or not domain.low <= start <= domain.high:
            raise InvalidValue(
                f"default = {shown(start)} is not in [{domain.low:g}, {domain.high:g}]", "choose one that is"
            )
    elif (tuple(start) if isinstance(start, list) else start) not in values_of(domain):
        raise InvalidValue(f"default = {shown(start)} is not one of its values", "choose one that is")
    return start


def _domain(raw: Any) -> Domain:
    """Parse a value, a list to choose from, or a range. Raises InvalidValue."""
    if not isinstance(raw, dict):
        return _choices(raw) if isinstance(raw, list) else _value(raw)
    if "choices" in raw:
        if extra := sorted({"low", "high", "log", "step"} & set(raw)):
            raise InvalidValue(f"has choices and {extra[0]}", "give choices, or low and high")
        if not isinstance(raw["choices"], list):
            raise InvalidValue(f"choices must be a list, but got {shown(raw['choices'])}")
        return _choices(raw["choices"])
    return _range(raw)


def _choices(raw: list[Any]) -> Domain:
    kinds = {_kind(_value(value)) for value in raw}
    if len(kinds) > 1:
        raise InvalidValue(f"mixes {' and '.join(sorted(kinds))}: {shown(raw)}", "write numbers alone, or text alone")
    return several(raw, _value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "numbers" if isinstance(value, int | float) else "text" if isinstance(value, str) else "lists"


def _value(raw: Any) -> Any:
    """Parse a single value: a finite number, text, true or false, or a list of numbers or of texts. Raises
    InvalidValue.
    """
    if isinstance(raw, list):
        if not raw or len({_kind(one) for one in raw}) > 1 or any(isinstance(one, bool | list | dict) for one in raw):
            raise InvalidValue(
                f"{shown(raw)} is not a list of numbers or of texts", "write each choice as [64] or [64, 32]"
            )
        return tuple(_value(one) for one in raw)
    if isinstance(raw, bool | str):
        return raw
    if not isinstance(raw, int | float) or not abs(raw) < float("inf"):
        raise InvalidValue(
            f"must be a value, a list or a range, but got {shown(raw)}", "write { low = 1e-4, high = 0.1 }"
        )
    return _held(raw)


def _held(number: Any) -> Any:
    """Check that a table's column can hold the number, and return it. Raises InvalidValue."""
    if isinstance(number, int) and abs(number) > MOST_WHOLE:
        raise InvalidValue(f"{shown(number)} does not fit into 64 bits", "write it as a decimal number, like 1e20")
    return number


def _range(raw: Mapping[str, Any]) -> Domain:
    """Return a range of numbers, of whole ones where both ends are; `step` apart where given. Raises InvalidValue."""
    ends: list[float] = []
    for end in ("low", "high"):
        value = raw.get(end)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
            raise InvalidValue(
                f"{end} must be a number, but got {shown(value) if end in raw else 'nothing'}", "give both ends"
            )
        ends.append(_held(value))
    low, high = ends
    log, step = raw.get("log", False), raw.get("step")
    if not isinstance(log, bool):
        raise InvalidValue(f"log must be true or false, but got {shown(log)}")
    if low > high:
        raise InvalidValue(f"is upside down: low = {low:g} is above high = {high:g}", "swap them")
    if log and low <= 0:
        raise InvalidValue(f"a log range cannot start at {low:g}", "start it above 0, or write log = false")
    if not high - low <= (MOST_WHOLE if isinstance(high - low, int) else MOST_FLOAT):
        raise InvalidValue(f"is too wide: from {low:g} to {high:g}", "bring the ends nearer, or search the exponent")
    whole = isinstance(low, int) and isinstance(high, int)
    if whole and (low, high) == (0, 1) and step is None:
        raise InvalidValue("0 and 1 alone, or all between them?", "write [0, 1], or { low = 0.0, high = 1.0 }")
    if low == high:
        return low
    if step is None:
        return Range(low, high, "log" if log else "linear", 1 if whole else 0)
    if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= high - low:
        raise InvalidValue(f"step must be above 0 and at most {high - low:g}, but got {shown(step)}")
    if log:
        raise InvalidValue("has log and step", "keep one of them")
    if (high - low) / step > MOST_STEPS:
        raise InvalidValue(f"has {(high - low) / step:.3g} steps", "leave step out")
    return Range(low, high, "linear", step if whole and isinstance(step, int) else float(step))


def written(domain: Domain, start: Any) -> Any:
    """Return a domain as a study file writes it, with its default; a fixed list is its single choice."""
    body = [plain(domain)] if isinstance(domain, tuple) else plain(domain)
    if start is None:
        return body
    if isinstance(body, dict):
        return body | {"default": start}
    return {"choices": body if isinstance(body, list) else [body], "default": start}


def kind_of(domain: Domain) -> str | tuple[str, ...]:
    """Return the kind of a column that holds such values: "float64", "Int64", "boolean", or categories."""
    values = (domain.low, domain.high, domain.step or 0.5) if isinstance(domain, Range) else values_of(domain)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "Int64"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "float64"
    if all(isinstance(value, bool) for value in values):
        return "boolean"
    texts = domain.values if isinstance(domain, Choices) else values
    return tuple(text_of(value) for value in texts)


def text_of(value: Any) -> str:
    """Format a value for a table: hidden sizes as 64x32, flags as a study file writes them."""
    if isinstance(value, bool):
        return str(value).lower()
    return "x".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
