"""Reads csv and parquet files into pandas frames, strictly.

pandas by itself fills short rows, renames columns that occur twice and cuts long rows; each of these hides a broken
file, so the rows of a csv are counted with Python's csv module first. UTF-8 (with or without a byte-order mark), one
header line, comma separated (tab for .tsv).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from objectives.data.raw import Raw, first_lines
from objectives.errors import Complaint, DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["column_complaints", "read_csv", "read_parquet"]


def read_csv(path: Path, where: str) -> Raw:
    """Read the csv (or tsv) file at `path` as a frame (n, D).

    Raises DataError for wrong encoding, ragged rows, columns that occur twice, no header or no rows.
    """
    import pandas as pd

    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    _check_start(path, where)
    data = path.read_bytes()
    header = _check_rows(_text(data, where), delimiter, where)
    frame = pd.read_csv(
        io.BytesIO(data),
        encoding="utf-8-sig",
        sep=delimiter,
        header=0,
        names=header,
        index_col=False,
        low_memory=False,
    )
    return _without_row_numbers(frame, where)


def _check_start(path: Path, where: str) -> None:
    # Before a gigabyte of it is read: text has no zero bytes, and UTF-16, which has, says so at its start.
    with path.open("rb") as file:
        start = file.read(4096)
    if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(Complaint(where, "holds NUL bytes, so it is not a text file", "save it as UTF-8 csv"))


def read_parquet(path: Path, where: str) -> Raw:
    """Read the parquet file at `path` as a frame (n, D).

    Raises DataError for a damaged file, or when pyarrow is not installed.
    """
    import pandas as pd

    try:
        frame = pd.read_parquet(path).reset_index(drop=True)
    except ImportError as error:
        raise DataError(Complaint(where, "reading parquet needs pyarrow", "pip install pyarrow")) from error
    # pyarrow's exceptions derive from ValueError, OSError and NotImplementedError, by version
    except Exception as error:
        what = f"is damaged or no parquet file ({str(error).splitlines()[0]})"
        raise DataError(Complaint(where, what, "write it again, or save a csv")) from error
    found = column_complaints([str(c) for c in frame.columns], where)
    if frame.empty:
        found.append(Complaint(where, f"has {len(frame)} rows and {frame.shape[1]} columns", "nothing to learn from"))
    if found:
        raise DataError(*found)
    return Raw(where, frame, tuple(map(str, frame.columns)))


def column_complaints(names: list[str], where: str) -> list[Complaint]:
    """Return one complaint for each name that occurs more than once."""
    twice = sorted({name for name in names if names.count(name) > 1})
    return [
        Complaint(f"{where}, column {name!r}", f"occurs {names.count(name)} times", "rename or remove one")
        for name in twice
    ]


def _text(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(Complaint(f"{where}, line {line}", "is not UTF-8 text", "save the file as UTF-8")) from error
    if "\0" in text:
        raise DataError(Complaint(where, "holds NUL bytes, so it is not a text file", "save it as UTF-8 csv"))
    if not text or text.isspace():
        raise DataError(Complaint(where, "is empty", "a csv starts with a line of column names"))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_rows(text: str, delimiter: str, where: str) -> list[str]:
    """Return the header's names. Raises DataError with all that is wrong with the shape of the file."""
    header, lengths = _lengths(text, delimiter, where)
    found = column_complaints([name for name in header if name], where) + _header_complaints(header, where)
    ragged = [f"line {line} has {length}" for line, length in lengths if length != len(header)]
    if ragged:
        what = f"the header has {len(header)} columns, but {first_lines(ragged)}"
        found.append(Complaint(where, what, "quote texts that contain the separator"))
    if not lengths:
        found.append(Complaint(where, "has a header but no rows", "add data"))
    if found:
        raise DataError(*found)
    return [name or f"unnamed {i}" for i, name in enumerate(header)]


def _lengths(text: str, delimiter: str, where: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Return the header's names, and the line number and number of fields of each row that is not blank."""
    lines = text.split("\n")
    if '"' not in text and max(map(len, lines)) < csv.field_size_limit():
        # Without quotes counting separators is enough: 0.5 s instead of 3 s for 300,000 rows of 20 columns.
        counted = [(i, line.count(delimiter) + 1) for i, line in enumerate(lines, 1) if line and not line.isspace()]
        return [name.strip() for name in lines[counted[0][0] - 1].split(delimiter)], counted[1:]
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        rows = ((reader.line_num, row) for row in reader if any(row) or len(row) > 1)
        header = [name.strip() for name in next(rows)[1]]
        return header, [(line, len(row)) for line, row in rows]
    except csv.Error as error:
        hint = "look for a quote that is not closed"
        raise DataError(Complaint(f"{where}, line {reader.line_num}", str(error), hint)) from error


def _header_complaints(header: list[str], where: str) -> list[Complaint]:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        what = f"has one column, {header[0][:60]!r}; the separator seems not to be a comma"
        return [Complaint(where, what, "save it with commas, or as .tsv with tabs")]
    counted = header == [str(i) for i in range(len(header))]
    if all(_is_number(name) for name in header) and not counted:
        return [Complaint(f"{where}, line 1", "holds numbers, not column names", "add a line of column names")]
    return []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _without_row_numbers(frame: pd.DataFrame, where: str) -> Raw:
    """Drop an unnamed first column that only counts the rows, as pandas writes it with a frame's index."""
    names = tuple(map(str, frame.columns))
    if names[0] == "unnamed 0" and len(names) > 1:
        first = frame.iloc[:, 0].tolist()
        if first in (list(range(len(frame))), list(range(1, len(frame) + 1))):
            note = "the unnamed first column counts the rows: left out"
            return Raw(where, frame.iloc[:, 1:], names[1:], notes=(note,))
    return Raw(where, frame, names)
