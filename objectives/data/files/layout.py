"""Where a table lies among rows of cells: titles above it, the names of its columns, lines below it that are no rows.

The rows are texts, of a file or a sheet. A header is a row that is unlike the rows below it: words above numbers. Where
everything is words, the first row is the header.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from objectives.data.files.cells import is_gap_mark, looks_numeric, plain_number

__all__ = ["Layout", "layout_of", "row_with"]

Cells = Sequence[str]
MOST_TITLES = 30  # rows above the names
MOST_FOOTERS = 10  # rows below the last one
TOTALS = re.compile(
    r"(?:grand |sub)?totals?\b.*|sums?|(?:gesamt(?:summe)?|summe|somme|suma|totale)\b.*|averages?|mean",
    re.IGNORECASE,
)
NOTES = re.compile(r"(?:sources?|quelle|notes?|footnotes?)\s*:|[*©]", re.IGNORECASE)
NUMERIC_SHARE = 0.8  # of the cells below that are there: a column of numbers


@dataclass(frozen=True)
class Layout:
    """Which rows are what: `titles` above `header` rows of names (0: there are none), `footer` rows at the end.

    `names` has one of `width` columns each. `trailing`: a separator ends each row, and the last column is not there.
    `unnamed`: the first column has no name, as R leaves out the one of row names.
    """

    titles: int
    header: int
    footer: int
    names: tuple[str, ...]
    width: int
    trailing: bool = False
    unnamed: bool = False


def layout_of(
    rows: Sequence[Cells],
    tail: Sequence[Cells],
    asked: tuple[int | None, int | None] | None = None,
    wanted: Sequence[str] = (),
) -> Layout:
    """Return the layout of a table by its first rows, and the last ones, without blank ones.

    `asked` says where the header is: how many rows come before it, and how many it has. Otherwise a row that has all
    names that are `wanted` is one, whatever it looks like.
    """
    found = _layout(rows, tail, asked)
    if asked is not None or not wanted or {*wanted} <= {*found.names}:
        return found
    at = row_with(rows, wanted)
    return found if at is None else _layout(rows, tail, (at, 1))


def row_with(rows: Sequence[Cells], wanted: Sequence[str]) -> int | None:
    """Return the place of the first row that has all names that are wanted; None if there is none."""
    first = rows[: MOST_TITLES + 1]
    return next((i for i, row in enumerate(first) if {*wanted} <= {cell.strip() for cell in row}), None)


def _layout(rows: Sequence[Cells], tail: Sequence[Cells], asked: tuple[int | None, int | None] | None) -> Layout:
    width = _width(rows)
    titles, count = asked or (None, None)
    if titles is None:
        titles = _titles(rows, width)
    body = rows[titles:]
    if count is None:
        count = _header_rows(body, width)
    below = body[count:]
    names = _names(body[:count], width)
    trailing = width > 1 and bool(below) and _ends_empty(below, names, width)
    unnamed = count > 0 and not trailing and len(names) == width - 1 and _ids(below)
    if trailing:
        names, width = names[: width - 1], width - 1
    if unnamed:
        names = ["", *names]
    if not count:
        names = [f"x{i}" for i in range(width)]
    footer = _footers(tail[-min(len(tail), max(0, len(below)) or len(tail)) :], width + trailing, below)
    return Layout(titles, count, footer, tuple(names), width, trailing, unnamed)


def _width(rows: Sequence[Cells]) -> int:
    """Return the number of cells that most rows have; of the rows below titles, where there is a draw."""
    if not rows:
        return 0
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width))


def _filled(row: Cells) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _titles(rows: Sequence[Cells], width: int) -> int:
    """Return how many rows come before the names: rows of another width, or with a single filled cell."""
    if width < 2:
        return 0
    for i, row in enumerate(rows[:MOST_TITLES]):
        fits = len(row) in (width, width - 1) and not (len(row) == 1 and width == 2)
        if fits and (_filled(row) > 1 or (width == 2 and not row[0].strip())):
            return i
        if len(row) > width:
            return 0  # a row that is too long is damage, not a title
    return 0


def _header_rows(rows: Sequence[Cells], width: int) -> int:
    """Return how many of the first rows hold names."""
    if not rows or not _is_header(rows[0], rows[1:]):
        return 0
    count = 1
    while count < 3 and len(rows) > count + 1 and _is_more_header(rows[count], rows[count + 1 :], width):
        count += 1
    return count


def _numeric_columns(rows: Sequence[Cells], width: int) -> list[int]:
    """Return the columns whose cells below are numbers."""
    return [i for i in range(width) if _is_numeric([row[i] for row in rows if len(row) > i])]


def _is_numeric(cells: Cells) -> bool:
    """Return True if most of the cells that are no gaps are numbers."""
    rest = [cell for cell in cells if not plain_number(cell)]
    others, plain = [cell for cell in rest if not is_gap_mark(cell)], len(cells) - len(rest)
    there = plain + len(others)
    return there > 0 and plain + sum(map(looks_numeric, others)) >= NUMERIC_SHARE * there


def _is_header(row: Cells, below: Sequence[Cells]) -> bool:
    """Return False if a row is like those below it: numbers above numbers, words that come again."""
    if not below:
        return not row or not all(map(plain_number, row)) or _counts(row)
    numeric = [i for i in _numeric_columns(below, len(row)) if row[i].strip()]
    cells = [row[i] for i in numeric]
    if not cells:
        return not _comes_again(row, below, range(len(row))) or len(below) < 3
    if not all(looks_numeric(cell) for cell in cells) or _counts(cells):
        return True
    words = [i for i in range(len(row)) if i not in numeric and row[i].strip()]
    broken = any("." in cell or "," in cell for cell in cells)
    return not (broken or not words or _comes_again(row, below, words))


def _counts(cells: Cells) -> bool:
    """Return True for whole numbers at equal steps, which are names: 0, 1, 2 or 1990, 2000, 2010."""
    if len(cells) < 2 or not all(re.fullmatch(r"\d{1,4}", cell.strip()) for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    steps = {b - a for a, b in pairwise(numbers)}
    return len(steps) == 1 and steps != {0}


def _comes_again(row: Cells, below: Sequence[Cells], places: Sequence[int]) -> bool:
    """Return True if each of some cells occurs below it, in columns that repeat themselves."""
    places = [i for i in places if row[i].strip()]
    return bool(places) and all(row[i] in {other[i] for other in below if len(other) > i} for i in places)


def _is_more_header(row: Cells, below: Sequence[Cells], width: int) -> bool:
    """Return True for a second row of names or units: words in every column of numbers, of which there are two."""
    if len(row) != width or len(below) < 3:
        return False
    numeric = _numeric_columns(below, width)
    cells = [row[i] for i in numeric]
    words = [cell for cell in cells if not is_gap_mark(cell) and not looks_numeric(cell)]
    units = len(numeric) == 1 and re.fullmatch(r"[(\[].*[)\]]", cells[0].strip())
    return bool(units) or (
        len(numeric) > 1 and len(words) >= max(2, len(cells) - 1) and not any(map(plain_number, row))
    )


def _names(rows: Sequence[Cells], width: int) -> list[str]:
    """Return the names of columns: of several rows joined, a name of the first holds for blanks to its right."""
    if not rows:
        return []
    if len(rows) == 1:
        return [cell.strip() for cell in rows[0]]
    levels = [[row[i].strip() if i < len(row) else "" for i in range(width)] for row in rows]
    for level in levels[:-1]:
        for i in range(1, width):
            level[i] = level[i] or (level[i - 1] if _filled(level) < width else "")
    return [
        " ".join(dict.fromkeys(part for part in parts if not is_gap_mark(part))) for parts in zip(*levels, strict=True)
    ]


def _ids(rows: Sequence[Cells]) -> bool:
    """Return True if the first cells are all different."""
    first = [row[0] for row in rows if row]
    return len(set(first)) == len(first) > 0


def _ends_empty(rows: Sequence[Cells], names: Sequence[str], width: int) -> bool:
    unnamed = len(names) == width - 1 or (len(names) == width and not names[-1])
    return unnamed and all(len(row) == width and not row[-1].strip() for row in rows)


def _footers(tail: Sequence[Cells], width: int, body: Sequence[Cells]) -> int:
    """Return how many of the last rows are no rows of the table: notes in a single cell, and totals.

    A text that comes again in the first cells is a category, and its row a row; so are more than a few such rows.
    """
    if width < 2:
        return 0
    firsts = Counter(row[0].strip() for row in tail)
    again = {text for text, times in firsts.items() if times > 1}
    again |= {row[0].strip() for row in body[: len(body) - len(tail)]} if len(body) > len(tail) else set()
    count = 0
    for row in reversed(tail):
        below = not _filled(row) or (row[0].strip() not in again and (_is_note(row, width) or _is_total(row, body)))
        if not below or count >= len(tail) - 1:
            break
        count += 1
    said = sum(_filled(row) > 0 for row in tail[len(tail) - count :])
    return count if said <= MOST_FOOTERS else 0


def _is_note(row: Cells, width: int) -> bool:
    """Return True for words in the first cell alone: several, or such as begin a note."""
    first = row[0].strip()
    if not first or _filled(row) > 1 or looks_numeric(first) or (width == 2 and len(row) > 1):
        return False
    return len(row) == 1 or " " in first or bool(TOTALS.fullmatch(first) or NOTES.match(first))


def _is_total(row: Cells, body: Sequence[Cells]) -> bool:
    """Return True for a row that sums up: its first words say so, and no other row's do."""
    first = next((cell.strip() for cell in row if cell.strip()), "")
    if not TOTALS.fullmatch(first):
        return False
    others = [next((cell.strip() for cell in other if cell.strip()), "") for other in body]
    return sum(bool(TOTALS.fullmatch(other)) for other in others) <= 1
