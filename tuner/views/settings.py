"""Settings of several studies beside each other: those that differ, by the keys of the study file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner.study import Study
from tuner.text import cell_text

__all__ = ["differing_settings"]

OWN = ("study.name", "study.description")  # of each study, and no setting
RANGE = {"low", "high"}


def differing_settings(studies: Sequence[Study]) -> list[tuple[str, list[str]]]:
    """Return a row for each setting that is not the same in all: its key, and its value in each, "" where it has none.

    Defaults are filled in, so a setting that only one file writes down is no difference. A table that some lack is one
    setting, and so is a range.
    """
    return [(key, cells) for key, cells in _rows([study.to_table() for study in studies]) if key not in OWN]


def _rows(tables: Sequence[Mapping[str, Any]], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for key in dict.fromkeys(key for table in tables for key in table):
        values: list[Any] = [table.get(key) for table in tables]
        if all(value == values[0] for value in values):
            continue
        if all(isinstance(value, Mapping) and not set(value) >= RANGE for value in values):
            yield from _rows(values, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", [_text(value) for value in values]


def _text(value: Any) -> str:
    """Write a value, a list, a range as "0.1 to 1, log", or a table as its keys and values."""
    if isinstance(value, list | tuple):
        return ", ".join(map(cell_text, value))
    if not isinstance(value, Mapping):
        return cell_text(value)
    if not set(value) >= RANGE:
        return "; ".join(f"{cell_text(key)} {_text(one)}" for key, one in value.items()) or "all defaults"
    more = {key: one for key, one in value.items() if key not in RANGE and one is not False}
    words = [key if one is True else f"{key} {_text(one)}" for key, one in more.items()]
    return ", ".join([f"{cell_text(value['low'])} to {cell_text(value['high'])}", *words])
