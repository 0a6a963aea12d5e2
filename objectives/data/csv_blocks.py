"""Reads a csv file a block of rows at a time, with the same checks as one that is read whole.

The cells of each row are counted before pandas sees them: it fills short rows and cuts long ones. They are counted in
all bytes at once, as row by row it takes longer than to parse them.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from objectives.data.files.encodings import line_at
from objectives.data.files.text_form import TextTable
from objectives.data.raw import column_complaints
from objectives.errors import Complaint, DataError
from objectives.types import Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_frames"]

BYTES = 1 << 23  # that are read together
AHEAD = 2  # threads that parse
HEAP = 33_000_000  # bytes that are given back once: glibc then keeps those of blocks, and 0.3 of 4 s are saved
MOST_BYTES = 1 << 27  # that a single row may hold, quotes and all
GAPS_OF_NUMBERS = [  # as pandas has them by default; in texts "NA" is a text
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null"),
]
STRIP = 1 << 20  # bytes that are looked at together: few enough for the cache
QUOTED = re.compile(rb'"[^"]*"')
NEWLINE, RETURN, QUOTE = b'\n\r"'


@dataclass(frozen=True)
class CsvForm:
    """How the rows of a text whose form is plain become frames: `types` are of columns that are read as they stand."""

    table: TextTable
    where: str
    names: tuple[str, ...]
    types: Mapping[str, Any]

    def frame(self, rows: TextRows) -> pd.DataFrame:
        """Parse rows. Raises DataError for one that has more or fewer cells than there are names.

        pandas fills short rows: where there are as many separators as there should be, and the last column has no gap,
        no row was short, and none was long.
        """
        likely = self._has_all_separators(rows.text)
        if not likely:
            self._check(rows)
        try:
            found = self._parsed(rows.text)
        except ValueError:  # ParserError is one
            self._check(rows)
            raise
        if likely and found.iloc[:, -1].isna().any():
            self._check(rows)
        return found

    def _parsed(self, text: bytes) -> pd.DataFrame:
        """Parse a text, again where pandas took the texts of a category for numbers or flags: "007" is no 7."""
        found = _parsed(text, self.names, self.table.separator, self.types)
        words = {name: found[name].cat.categories for name in self.names if self.types.get(name) == "category"}
        taken = [name for name, some in words.items() if not all(isinstance(one, str) for one in some)]
        types = {**self.types, **dict.fromkeys(taken, object)}
        return _parsed(text, self.names, self.table.separator, types) if taken else found

    def _has_all_separators(self, text: bytes) -> bool:
        mark, each = self.table.separator, len(self.names) - 1
        if _first_width(text, mark) - 1 != each:
            return False
        quoted = b"".join(QUOTED.findall(text)) if b'"' in text else b""
        lines = _count(text, NEWLINE) - _count(quoted, NEWLINE) + (not text.endswith(b"\n"))
        return _count(text, ord(mark)) - _count(quoted, ord(mark)) == lines * each

    def _check(self, rows: TextRows) -> None:
        if wrong := _unlike(rows.text, len(self.names), self.table.separator):
            line = line_at(self.table.text.content, rows.first) + wrong[0]
            what = f"the header has {len(self.names)} columns, but line {line} has {wrong[1]}"
            raise DataError(Complaint(self.where, what, "quote texts that contain the separator"))


def _first_width(text: bytes, mark: str) -> int:
    """Return how many cells the first row has, as pandas only warns of a long one; 0 where no row can be read."""
    with suppress(csv.Error):
        return len(next(csv.reader((line.decode() for line in io.BytesIO(text)), delimiter=mark), []))
    return 0


def _count(text: bytes, letter: int) -> int:
    """Return how often a letter occurs: five times as quick as `bytes.count` for one that is frequent."""
    letters = np.frombuffer(text, np.uint8)
    return sum(int(np.count_nonzero(letters[i : i + STRIP] == letter)) for i in range(0, len(letters), STRIP))


@dataclass(frozen=True)
class TextRows:
    """Whole rows of a file, and the place of their first byte."""

    text: bytes
    first: int


def csv_frames(table: TextTable, where: str, types: Mapping[str, Any]) -> Iterator[pd.DataFrame]:
    """Yield the rows of a text whose form is plain, some at a time, while the next ones are parsed.

    Columns of `types` are read as they stand, as what pandas shall have them. Raises DataError for a row that has more
    or fewer cells than the header, and for names that occur twice.
    """
    if found := column_complaints([name for name in table.layout.names if name], where):
        raise DataError(*found)
    names = tuple(name or f"unnamed {i}" for i, name in enumerate(table.layout.names))
    bytearray(HEAP)
    form, rows = CsvForm(table, where, names, types), _rows(table, where)
    with ThreadPoolExecutor(AHEAD) as pool:  # pandas parses without Python's lock
        coming = deque(pool.submit(form.frame, some) for some in islice(rows, AHEAD))
        while coming:
            frame = coming.popleft().result()
            coming.extend(pool.submit(form.frame, some) for some in islice(rows, 1))
            yield frame


def _rows(table: TextTable, where: str) -> Iterator[TextRows]:
    """Yield all rows of a text that are not blank, some at a time."""
    first, mark = table.first, table.separator.encode()
    with table.open() as file:
        while text := file.read(BYTES):
            text += b"".join(_rest(text, file, where))
            if mark in text or text.strip():  # a row of gaps between tabs is one, too
                yield TextRows(text, first)
            first += len(text)


def _rest(text: bytes, file: IO[bytes], where: str) -> Iterator[bytes]:
    """Yield what is missing of the last row of a text, line by line: a line break within quotes ends none."""
    open_quote = b'"' in text and text.count(b'"') % 2 == 1  # counting takes ten times as long as looking
    size, last = 0, text
    while (open_quote or not last.endswith(b"\n")) and (last := file.readline(MOST_BYTES)):
        size += len(last)
        if size > MOST_BYTES:
            what = f"has a row of more than {MOST_BYTES:,} bytes"
            raise DataError(Complaint(where, what, "look for a quote that is not closed"))
        open_quote ^= last.count(b'"') % 2 == 1
        yield last


def _unlike(body: bytes, width: int, mark: str) -> tuple[int, int] | None:
    """Return the line of the first row that has more or fewer cells than `width`, from 0, and how many it has."""
    if _is_even(body if body.endswith(b"\n") else body + b"\n", width, ord(mark)):
        return None
    reader = csv.reader(io.StringIO(body.decode(), newline=""), delimiter=mark)
    rows = ((reader.line_num - 1, len(row)) for row in reader if len(row) > 1 or any(map(str.strip, row)))
    return next((row for row in rows if row[1] != width), None)


def _is_even(body: bytes, width: int, mark: int) -> bool:
    """Return True if all rows have `width` cells; False where they have not, or where it takes a parser to tell."""
    letters = np.frombuffer(body, np.uint8)
    marks, ends = letters == mark, letters == NEWLINE
    if b"\r" in body and body.count(b"\r") != body.count(b"\r\n"):
        return False
    if b'"' in body:
        quotes = letters == QUOTE
        if not _is_well_quoted(letters, np.flatnonzero(quotes), mark):
            return False
        outside = ~np.logical_xor.accumulate(quotes)
        marks &= outside
        ends &= outside
    last = np.flatnonzero(ends)
    starts = np.concatenate([[0], last[:-1] + 1])
    counts = np.add.reduceat(marks.view(np.uint8), starts, dtype=np.min_scalar_type(width))  # of a narrow type: quick
    unlike = np.flatnonzero(counts != width - 1)
    blank = all(not body[starts[i] : last[i]].strip() for i in unlike)
    return blank and int(np.count_nonzero(marks)) == (len(last) - len(unlike)) * (width - 1)


def _is_well_quoted(letters: Array, quotes: Array, mark: int) -> bool:
    """Return True if each quote opens a cell, closes one, or is one of two for a single one within a cell."""
    if len(quotes) % 2:
        return False
    before, after = letters[quotes[::2] - 1], letters[quotes[1::2] + 1]  # the last letter is as good as one before all
    return bool(np.isin(before, [mark, NEWLINE, QUOTE]).all() and np.isin(after, [mark, NEWLINE, RETURN, QUOTE]).all())


class _Whole(io.BytesIO):
    """Bytes that are read all at once, as pandas waits for Python's lock before each read."""

    def read(self, _: int | None = -1, /) -> bytes:
        return super().read()


def _parsed(body: bytes, names: Sequence[str], mark: str, types: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(
        _Whole(body),
        sep=mark,
        header=None,
        names=list(names),
        index_col=False,
        low_memory=False,
        dtype={name: types[name] for name in names if name in types},
        keep_default_na=False,
        na_values={name: [""] if name in types else GAPS_OF_NUMBERS for name in names} if types else GAPS_OF_NUMBERS,
    )
