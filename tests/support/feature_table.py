"""What a study has for each kind of subject, and the manual's table of it, which `python -m tests.docs --write` writes.

A row is a test of `test_features`: it runs once for each kind. A cell that begins with "no" is a study that is refused
with a line that says so, any other one that runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

__all__ = ["KINDS", "Feature", "feature", "rows", "table"]

KINDS = {"core": "the tuner's core", "python": "Python", "command": "a command"}
ROWS: list[Feature] = []


@dataclass(frozen=True)
class Feature:
    """A row: what a study has, and for each kind "yes", with what goes with it, or "no", and why."""

    name: str
    cells: tuple[str, ...]


def feature(name: str, core: str = "yes", python: str = "yes", command: str = "yes") -> Callable[[Any], Any]:
    """Make a test with the arguments `kind` and `there`, whether the kind has it, the proof of a row."""

    def proof(test: Any) -> Any:
        cells = (core, python, command)
        ROWS.append(Feature(name, cells))
        kinds = [(kind, not cell.startswith("no")) for kind, cell in zip(KINDS, cells, strict=True)]
        return pytest.mark.parametrize(("kind", "there"), kinds, ids=list(KINDS))(test)

    return proof


def rows() -> list[Feature]:
    """All rows, in the order of their tests."""
    known = import_module("tests.support.feature_table")  # run as a command, this module is another
    if not known.ROWS:
        import_module("tests.tuner.trainables.test_features")
    found: list[Feature] = known.ROWS
    return found


def table() -> str:
    """Markdown."""
    lines = [f"| | {' | '.join(KINDS.values())} |", "| --- " * (1 + len(KINDS)) + "|"]
    return "\n".join([*lines, *(f"| {row.name} | {' | '.join(row.cells)} |" for row in rows())])
