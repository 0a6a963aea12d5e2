"""The form of a file of text: which lines are titles, names, rows and notes, and which marks divide them.

pandas by itself fills short rows, renames columns that occur twice and cuts long rows; each of these hides a broken
file, so what a file is like is found before it is parsed. Lines in messages are numbered as an editor does.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO

from objectives.data.files.cells import plain_number
from objectives.data.files.content import Content
from objectives.data.files.dialect import ASKED, BLANKS, MARKS, Dialect
from objectives.data.files.encodings import EncodedText, in_utf8
from objectives.data.files.layout import Layout, layout_of
from objectives.data.files.sniffing import cells_of, separator_of
from objectives.data.raw import first_lines
from objectives.errors import Complaint, DataError

__all__ = ["TextTable", "text_table"]

HEAD = 2**20  # bytes that a file is known by
TAIL = 2**16
MOST_ROWS = 1000  # of the first ones that are looked at
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*')  # what Excel writes to say it
COMMENTS = ("#", "%", "//", "--")
LEFT_OUT = "left out"


@dataclass(frozen=True, eq=False)
class TextTable:
    """A file of text whose form is known: rows of `layout.width` cells begin at byte `first`, on line `line`.

    Where lines among them are no rows, `body` has the others, and `numbers` their lines. `dialect` is complete.
    """

    text: EncodedText
    dialect: Dialect
    layout: Layout
    first: int
    line: int
    spaced: bool  # blanks follow the separators
    said: tuple[str, ...]
    body: bytes | None = None
    numbers: Sequence[int] = ()

    @property
    def separator(self) -> str:
        """Return the separator."""
        return str(self.dialect.separator)

    @property
    def plain(self) -> bool:
        """Return True if a file on disk has a line of names and then rows, and nothing else."""
        usual = self.layout.header == 1 and self.line == 2 and not self.layout.trailing and not self.spaced
        on_disk = self.text.content.path is not None and self.body is None and self.separator in ",\t;|"
        return usual and on_disk and not self.layout.unnamed and self.dialect.decimal == "."

    def open(self) -> IO[bytes]:
        """Open the rows, as bytes in UTF-8."""
        if self.body is not None:
            return io.BytesIO(self.body)
        stream = self.text.content.open()
        stream.seek(self.first)
        return stream

    def number(self, index: int) -> int:
        """Return the number of the line `index` of the rows."""
        return self.numbers[index] if self.numbers else self.line + index


def text_table(content: Content, where: str, asked: Dialect = ASKED) -> TextTable:
    """Find the form of a file of text. Raises DataError for one that is empty or no text."""
    text = in_utf8(content, where, asked.encoding)
    if text.blank:
        raise DataError(Complaint(where, "is empty", "a csv starts with a line of column names"))
    lines, whole = _head(text)
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    marked = SEPARATOR_LINE.fullmatch(lines[start]) if len(lines) > start + 1 else None
    start += marked is not None
    comment, start = _comment(lines, start, asked, content.suffix)
    dropped = [i for i in range(start, len(lines)) if comment and lines[i].startswith(comment)]
    kept = [i for i in range(start, len(lines)) if not (comment and lines[i].startswith(comment))]
    used = [_uncommented(lines[i], asked.names) if i == start and comment == "" else lines[i] for i in kept]
    separator = asked.separator or (marked[1] if marked else separator_of(used, content.suffix, asked.names))
    rows, ends = _records(used, separator, where)
    tail = _tail_rows([line for line in used if line.strip()][-30:] if whole else _tail(text), separator)
    layout = layout_of(rows[:MOST_ROWS], tail, _asked_header(asked, [kept[i] + 1 for i in ends], rows), asked.names)
    begin = ends[layout.titles + layout.header - 1] + 1 if layout.titles + layout.header else 0
    at = kept[begin] if begin < len(kept) else len(lines)
    spaced = separator != BLANKS and any(f'{separator} "' in line for line in used[:MOST_ROWS])
    cells = [cell for row in rows[layout.titles + layout.header :][:200] for cell in row]
    dialect = replace(
        asked,
        separator=separator,
        encoding=text.encoding,
        comment=comment or None,
        decimal=asked.decimal or _decimal(cells, separator),
        header=asked.header or tuple(range(1, layout.header + 1)),
    )
    found = TextTable(text, dialect, layout, text.first + _bytes_before(text, at), at + 1, spaced, ())
    found = _cleaned(found, comment) if comment or layout.footer else found
    said = (*content.said, *_said(found, marked is not None, len(dropped), lines))
    return replace(found, said=said)


def _head(text: EncodedText) -> tuple[list[str], bool]:
    """Return the first lines, and whether they are all; a line that is cut is left out."""
    with text.content.open() as file:
        file.seek(text.first)
        data = file.read(HEAD + 1)
    whole = len(data) <= HEAD
    lines = [line.decode("utf-8", "replace") for line in data.splitlines(keepends=True)]
    return (lines if whole or len(lines) < 2 else lines[:-1]), whole


def _tail(text: EncodedText) -> list[str]:
    """Return the last lines of a long file."""
    with text.content.open() as file:
        file.seek(-min(TAIL, text.content.size - text.first), io.SEEK_END)
        data = file.read()
    return [line.decode("utf-8", "replace") for line in data.splitlines(keepends=True)[1:] if line.strip()][-30:]


def _tail_rows(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Return the last lines as rows; none where a quote is open: then it is not known which lines are rows."""
    return [] if any(line.count('"') % 2 for line in lines) else cells_of(lines, separator)


def _bytes_before(text: EncodedText, lines: int) -> int:
    """Return the length of the first lines in bytes."""
    with text.content.open() as file:
        file.seek(text.first)
        return sum(map(len, file.read(HEAD + 1).splitlines(keepends=True)[:lines]))


def _comment(lines: Sequence[str], start: int, asked: Dialect, suffix: str) -> tuple[str | None, int]:
    """Return the mark of comments and the first line to look at; "" where that line's mark stands before names.

    A mark is taken for one where the first lines begin with it, and what follows has names of its own.
    """
    if asked.comment is not None:
        return asked.comment or None, start
    mark = next((mark for mark in COMMENTS if lines[start].startswith(mark)), None)
    if mark is None:
        return None, start
    at = start
    while at < len(lines) and (lines[at].startswith(mark) or not lines[at].strip()):
        at += 1
    last = max(i for i in range(start, at) if lines[i].strip())
    rest = [line for line in lines[at : at + MOST_ROWS] if line.strip() and not line.startswith(mark)]
    if not rest:
        return None, start  # what begins all lines is no comment
    separator = asked.separator or separator_of(rest, suffix)
    rows = cells_of([_uncommented(lines[last], asked.names), *rest], separator)
    names = len(rows) > 1 and len(rows[0]) == len(rows[1]) > 1
    names = names and (all(map(plain_number, rows[1])) or layout_of(rows[1:], rows[-30:]).header == 0)
    if not names:
        return mark, start
    several = any(line.startswith(mark) for line in lines[at : at + MOST_ROWS])
    return ("" if not several else None), last


def _uncommented(line: str, names: Sequence[str]) -> str:
    """Return a line of names without the mark that it begins with; a mark alone is a name, "%fat" is one, too."""
    if any(line.startswith(name) for name in names if name.startswith(COMMENTS)):
        return line
    plain = re.sub(r"^(?:#+|(?:#|%|//|--)+\s)\s*", "", line)
    return line if re.match(r"\s*[,;|\t]", plain) or not plain.strip() else plain


def _records(lines: Sequence[str], separator: str, where: str) -> tuple[list[list[str]], list[int]]:
    """Divide lines into rows of cells, without blank ones; also return the place of each row's last line."""
    if separator == BLANKS:
        found = [(i, cells_of([line], separator)) for i, line in enumerate(lines) if line.strip()]
        return [rows[0] for _, rows in found if rows], [i for i, rows in found if rows]
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    rows, ends = [], []
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                rows.append(row)
                ends.append(reader.line_num - 1)
    except csv.Error as error:
        hint = "look for a quote that is not closed"
        raise DataError(Complaint(f"{where}, line {reader.line_num}", str(error), hint)) from error
    return rows, ends


def _asked_header(
    asked: Dialect, numbers: Sequence[int], rows: Sequence[Sequence[str]]
) -> tuple[int | None, int | None] | None:
    if not asked.header:
        return None
    if asked.header == (0,):
        return None, 0
    before = sum(number < asked.header[0] for number in numbers)
    return min(before, len(rows)), len(asked.header)


def _decimal(cells: Sequence[str], separator: str) -> str:
    """Return the decimal mark: a comma where numbers have one that cannot divide thousands, and none has a point."""
    commas = [cell.strip() for cell in cells if re.fullmatch(r"\s*[-+]?\d*,\d+\s*", cell)]
    sure = [cell for cell in commas if not re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", cell)]
    points = any(
        re.fullmatch(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?", cell.strip()) for cell in cells if not _thousands(cell)
    )
    return "," if separator != "," and sure and not points else "."


def _thousands(cell: str) -> bool:
    """Return True for a number whose points may stand between thousands."""
    return re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+", cell.strip()) is not None


def _cleaned(table: TextTable, comment: str | None) -> TextTable:
    """Return the table with the rows alone: without comments, and without the lines below them."""
    with table.open() as stream:
        lines = stream.read().splitlines(keepends=True)
    mark = (comment or "").encode()
    kept = [i for i, line in enumerate(lines) if line.strip() and not (mark and line.startswith(mark))]
    kept = kept[: len(kept) - table.layout.footer] if table.layout.footer else kept
    body = b"".join(lines[i] for i in kept)
    return replace(table, body=body, numbers=[table.line + i for i in kept])


def _said(table: TextTable, marked: bool, comments: int, lines: Sequence[str]) -> list[str]:
    """Describe what a file's form is where it is not the usual one: a line of names, commas, UTF-8."""
    dialect, layout = table.dialect, table.layout
    usual = "\t" if table.text.content.suffix in (".tsv", ".tab") else ","
    found = []
    if table.separator != usual:
        found.append(f"columns are separated by {MARKS.get(table.separator, repr(table.separator))}")
    if dialect.decimal != ".":
        found.append("decimals have a comma")
    if dialect.encoding != "utf-8":
        found.append(f"the text is {dialect.encoding}, not UTF-8")
    if marked:
        found.append("line 1 names the separator")
    if comments and dialect.comment:
        found.append(f"{comments} lines begin with {dialect.comment}: {LEFT_OUT} as comments")
    if layout.titles:
        found.append(f"{layout.titles} line{'s' * (layout.titles > 1)} above the names: {LEFT_OUT}")
    if layout.header == 0:
        first = (lines[0] if lines else "").strip()[:30]
        found.append(f"no line of names (the first is {first!r}): columns are {first_lines(layout.names, 3)}")
    if layout.header > 1:
        found.append(f"{layout.header} lines of names: joined, as {layout.names[-1]!r}")
    if layout.footer:
        found.append(f"{layout.footer} line{'s' * (layout.footer > 1)} below the rows (totals, notes): {LEFT_OUT}")
    if layout.trailing:
        found.append("each row ends with a separator")
    return [f"file: {', '.join(found)}"] if found else []
