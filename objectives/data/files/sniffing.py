"""Which separator a text has: the one by which its lines fall into equally many cells that are each one thing.

A comma is also a decimal mark, a blank also stands in texts, and semicolons occur within cells. So each candidate
divides the first lines, and is judged by how many lines agree on the number of cells, and by how many cells are whole
numbers, dates or plain words by themselves.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from objectives.data.files.cells import is_clean
from objectives.data.files.dialect import BLANKS, MARKS
from objectives.data.files.layout import row_with

__all__ = ["cells_of", "separator_of"]

MOST_LINES = 200
ENOUGH = 0.7  # of the lines agree on the number of cells


def separator_of(lines: Sequence[str], suffix: str, names: Sequence[str] = ()) -> str:
    """Return the separator of the first lines of a text; a comma, or a tab by the suffix, where there is none.

    One that divides a line into cells with all `names` among them goes before others.
    """
    usual = "\t" if suffix in (".tsv", ".tab") else ","
    lines = [line for line in lines if line.strip()][:MOST_LINES]
    ordered = sorted(MARKS, key=lambda mark: mark != usual)
    ordered = [mark for mark in ordered if names and _has(lines, mark, names)] or ordered
    if len(ordered) == 1:
        return ordered[0]
    scores = {mark: _score(lines, mark) for mark in ordered}
    best = max(ordered, key=lambda mark: scores[mark] + 0.02 * (mark == usual))
    return best if scores[best] > 0 else usual


def _has(lines: Sequence[str], separator: str, names: Sequence[str]) -> bool:
    try:
        return row_with(cells_of(lines, separator), names) is not None
    except csv.Error:
        return False


def cells_of(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Divide lines into rows of cells; quotes hold texts with separators and line breaks together."""
    if separator == BLANKS:
        text = "\n".join(" ".join(line.split()) for line in lines)
        return [row for row in csv.reader(io.StringIO(text), delimiter=" ") if row]
    return [row for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if row]


def _score(lines: Sequence[str], separator: str) -> float:
    """Return how well a separator fits, 0 to 1; 0 where it does not divide."""
    try:
        rows = cells_of(lines, separator)
    except csv.Error:
        return 0.0
    counts = Counter(len(row) for row in rows)
    width = max(counts, key=lambda size: (counts[size], size), default=0)
    if width < 2:
        return 0.0
    fitting = [row for row in rows if len(row) == width]
    share = len(fitting) / len(rows)
    if share < ENOUGH:
        return 0.0
    cells = [cell for row in fitting for cell in row]
    clean = sum(map(is_clean, cells)) / len(cells)
    loose = 0.7 if separator == BLANKS else 1.0  # blanks stand in texts, too
    return share * clean * loose
