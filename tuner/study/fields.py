"""How a key of a study file is read, where its type does not say it all: one of some names, lists, what is searched."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

from pydantic import AfterValidator, PlainValidator

from objectives.data.columns.kinds import KINDS, is_kind
from objectives.data.files.dialect import BLANKS
from tuner.placeholders import word_text
from tuner.study.domains import Domain, whole
from tuner.study.hints import shown, suggest
from tuner.study.problems import InvalidValue

__all__ = [
    "configs",
    "distinct",
    "header_lines",
    "kinds_of_columns",
    "mark_of",
    "names_of",
    "one_of",
    "program",
    "rising",
    "scorers",
    "searched",
    "settings_of",
    "variables",
]

VARIABLE = re.compile(r"[A-Za-z_]\w*")
MARKS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "bar": "|",
    "pipe": "|",
    "space": BLANKS,
    " ": BLANKS,
    BLANKS: BLANKS,
}


def one_of(options: Collection[str]) -> AfterValidator:
    """Build a field of text that is one of `options`."""

    def check(value: str) -> str:
        if value not in options:
            raise InvalidValue(f"{shown(value)} is not known", suggest(value, options))
        return value

    return AfterValidator(check)


def searched(read: Callable[[Any], Domain]) -> PlainValidator:
    """Build a field of a fixed value, or a list that is searched."""
    return PlainValidator(read)


def scorers(value: Any) -> tuple[str, ...]:
    """Parse names of scikit-learn's scorers; scikit-learn is imported only if one is named."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise InvalidValue(f"must be a list of names, but got {shown(value)}", 'write ["f1_macro"]')
    if value:
        from sklearn.metrics import get_scorer_names

        known = get_scorer_names()
        for name in value:
            if name not in known:
                raise InvalidValue(f"{shown(name)} is not a scorer of scikit-learn", suggest(name, known))
    return tuple(value)


def rising(value: Any) -> tuple[int, ...]:
    """Parse whole numbers from 1, each above the one before."""
    if not isinstance(value, list | tuple):
        raise InvalidValue(f"must be a list of whole numbers, but got {shown(value)}", "write it like [3, 9]")
    steps = tuple(whole(step, 10**12) for step in value)
    if any(b <= a for a, b in pairwise(steps)):
        raise InvalidValue(f"must rise, but got {shown(list(steps))}", f"write {sorted(set(steps))}")
    return steps


def configs(value: Any) -> tuple[dict[str, Any], ...]:
    """Parse configs by natural names; the space checks what they hold."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, dict) for one in value):
        raise InvalidValue(
            f"must be a list of configs, but got {shown(value)}", 'write [{ optimizer = "adam", lr = 0.001 }]'
        )
    return tuple(dict(one) for one in value)


def names_of(what: str, example: str) -> Callable[[Any], tuple[str, ...]]:
    """Build a reader of a list of names, each once."""

    def names(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one for one in value):
            raise InvalidValue(f"must be a list of {what}, but got {shown(value)}", f'write ["{example}"]')
        return tuple(dict.fromkeys(value))

    return names


def mark_of(value: Any) -> str | None:
    """Parse a separator: a letter, or the name of one."""
    if value is None:
        return None
    if not isinstance(value, str) or not (value in MARKS or len(value) == 1):
        raise InvalidValue(f"must be one letter, or the name of one, but got {shown(value)}", suggest(value, MARKS))
    if value in '"\r\n':
        raise InvalidValue(f"{shown(value)} cannot separate columns", 'write ",", ";", "tab" or "blanks"')
    return MARKS.get(value, value)


def header_lines(value: Any) -> tuple[int, ...]:
    """Parse the lines of a header: a number, a list of adjacent ones, or false for none; (0,) is none."""
    if value is False:
        return (0,)
    lines = tuple(value) if isinstance(value, list | tuple) else (value,)
    if lines in ((), (0,)):
        return lines
    if not all(isinstance(line, int) and not isinstance(line, bool) and line >= 1 for line in lines):
        raise InvalidValue(f"must be a number of a line, but got {shown(value)}", "lines count from 1; false is none")
    if any(b != a + 1 for a, b in pairwise(lines)):
        raise InvalidValue(f"must be lines that follow each other, but got {shown(value)}", "write [3, 4]")
    return lines


def kinds_of_columns(value: Any) -> dict[str, str]:
    """Parse kinds of columns by name."""
    example = 'write { joined = "day first", note = "leave out" }'
    if not isinstance(value, dict):
        raise InvalidValue(f"must be a table of columns, but got {shown(value)}", example)
    for name, kind in value.items():
        if not isinstance(kind, str) or not is_kind(kind):
            raise InvalidValue(f"has {shown(kind)} for {shown(name)}", suggest(kind, KINDS))
    return dict(value)


def program(value: Any) -> tuple[str, ...]:
    """Parse a program and its arguments."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) and one for one in value):
        raise InvalidValue(
            f"must be a list of words, but got {shown(value)}", 'write ["python", "train.py", "--lr={lr}"]'
        )
    return tuple(value)


def variables(value: Any) -> dict[str, str]:
    """Parse environment variables by name; numbers and flags become text."""
    example = 'write { LEARNING_RATE = "{lr}" }'
    if not isinstance(value, dict):
        raise InvalidValue(f"must be a table of variables, but got {shown(value)}", example)
    for name, text in value.items():
        if not VARIABLE.fullmatch(name) or name.startswith("TUNER_"):
            raise InvalidValue(
                f"has {shown(name)}, which cannot be the name of a variable", "use letters, digits and _"
            )
        if not isinstance(text, str | int | float):
            raise InvalidValue(f"has {shown(text)} for {name}, which is no text", example)
    return {name: word_text(text) for name, text in value.items()}


def settings_of(value: Any) -> dict[str, Any]:
    """Parse settings by dotted names; texts may hold placeholders."""
    if not isinstance(value, dict):
        raise InvalidValue(f"must be a table of settings, but got {shown(value)}", 'write { "train.seed" = "{seed}" }')
    return dict(value)


def distinct(value: Any) -> tuple[str, ...]:
    """Parse names of devices, each once."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) and one for one in value):
        raise InvalidValue(f"must be a list of devices, but got {shown(value)}", 'write ["cuda:0", "cuda:1"]')
    for one in value:
        if list(value).count(one) > 1:
            raise InvalidValue(f"has {shown(one)} twice", "name each device once; two trials on one do not go faster")
    return tuple(value)
