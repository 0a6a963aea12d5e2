"""Guesses for a first study of a table: its target column and task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from objectives.data import load_table
from objectives.data.sources import read_source

__all__ = ["Guess", "guess_study", "guess_target"]

# Names of target columns, the clearest first. Compared without case, spaces and underscores.
TARGETS = ("target", "label", "labels", "y", "class", "outcome", "response", "survived", "diagnosis", "churn", "price")


@dataclass(frozen=True)
class Guess:
    """What a table seems to ask: its target, why that column, its task, and how many rows and features it has."""

    target: str
    why: str
    task: str
    rows: int
    features: int


def guess_target(columns: Sequence[str]) -> tuple[str, str]:
    """Return the column that is probably the target, and why: its name, else its place at the end."""
    plain = {column.lower().replace(" ", "").replace("_", ""): column for column in reversed(columns)}
    for name in TARGETS:
        if name in plain:
            return plain[name], "by its name"
    return columns[-1], "the last column"


def guess_study(source: Path, target: str | None = None) -> Guess:
    """Read a table and guess what a study of it should predict; a given `target` is not guessed.

    Raises DataError for a file or a target that cannot be used.
    """
    raw = read_source(str(source), target, Path())
    chosen, why = (target, "as you said") if target is not None else guess_target(raw.features)
    table = load_table(str(source), chosen)
    return Guess(chosen, why, table.task, len(table), len(table.features))
