"""Settings that take precedence over the file: "optimizers.adam.lr.high=0.3", or typed values by dotted key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.study.budget import UNITS
from tuner.study.hints import shown
from tuner.study.problems import InvalidValue, Key, ProblemCollector
from tuner.study.reading import parse_toml, plain_copy

__all__ = ["apply", "literal", "parse_override"]

PATH = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
DEPTH = 4
EITHER = {"train": UNITS, "study": ("minimize", "maximize")}  # keys of which a study has one


def apply(raw: dict[str, Any], overrides: Sequence[str], settings: Mapping[str, Any], label: str) -> ProblemCollector:
    """Write the settings into `raw`; the report records which keys they gave and what is wrong with them.

    Of keys that exclude each other, one that is set replaces those that are written.
    """
    report, flags = ProblemCollector(label), dict[Key, str]()
    for text in overrides:
        try:
            key, value = parse_override(text)
            _put(raw, key, value)
            flags[key] = f"--set {text}" if len(text) <= 80 else f"--set {text[:77]}..."
        except InvalidValue as bad:
            report.complaints.append(Complaint(f"--set {shown(text)[1:-1]}", bad.what, bad.hint))
    for name, value in settings.items():
        key = tuple(name.split("."))
        _put(raw, key, plain_copy(value))
        flags[key] = ""
    for table, names in EITHER.items():
        if isinstance(there := raw.get(table), dict) and any((table, name) in flags for name in names):
            raw[table] = {key: value for key, value in there.items() if key not in names or (table, key) in flags}
    report.flags = flags
    return report


def parse_override(text: str) -> tuple[Key, Any]:
    """Parse "a.b.c=VALUE" to a key path and a value. Raises InvalidValue."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not PATH.fullmatch(name):
        raise InvalidValue("is not KEY=VALUE", "write it like --set train.epochs=10")
    key = tuple(name.split("."))
    if not 2 <= len(key) <= DEPTH:
        raise InvalidValue("does not name a key of a table", "write it like --set train.epochs=10")
    return key, literal(value.strip())


def literal(text: str) -> Any:
    """Parse a TOML literal; bare words are text. Raises InvalidValue."""
    try:
        table = parse_toml(f"value = {text}")
        if len(table) == 1 and "\n" not in text:
            return table["value"]
    except StudyError as error:
        decoding = isinstance(error.__cause__, tomllib.TOMLDecodeError)
        if decoding and text and text[0] not in "[{\"'" and text.isprintable():
            return text
    raise InvalidValue("has no TOML value after =", "write a number, true, text, or [a, list]")


def _put(raw: dict[str, Any], key: Key, value: Any) -> None:
    table = raw
    for depth, part in enumerate(key[:-1], 1):
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            at = ".".join(key[:depth])
            raise InvalidValue(
                f"{at} is not a table but {shown(inner)}", f"set {at} itself, like --set {at}='{{ ... }}'"
            )
        table = inner
    table[key[-1]] = value
