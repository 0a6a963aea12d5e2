"""Reads a table a block of rows at a time, so that a file may be larger than memory.

What training reads (csv, tsv, parquet, npy, npz, built-in sets, functions) can be read here, with the same checks: the
rows of a csv are counted before pandas sees them. Text columns are named, so that a block which happens to hold numbers
alone reads as the others do.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.data.arrays import read_npy
from objectives.data.files.content import content_of
from objectives.data.files.dialect import Dialect
from objectives.data.files.formats import TEXT, format_of, read_table
from objectives.data.files.text import TextTable, text_table
from objectives.data.matrix import stretches
from objectives.data.raw import Raw, column_complaints
from objectives.data.sources import call_user, is_function, read_source
from objectives.errors import Complaint, DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Block", "read_ahead", "read_blocks"]

BYTES = 1 << 23  # of a csv file that are read together
MOST_BYTES = 1 << 27  # that a single row may hold, quotes and all
ROWS = 50_000  # of a parquet file that are read together
GAPS_OF_NUMBERS = [  # as pandas has them by default; in texts "NA" is a text
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null"),
]
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive rows: a frame, or an array (n, D) without names; `first` rows of the table came before them."""

    rows: Any
    first: int


def read_blocks(source: str, texts: Collection[str], base: Path = Path(), names: Sequence[str] = ()) -> Iterator[Block]:
    """Yield the rows that `source` names, in order; columns of `texts` are read as they stand.

    `names` are columns that must be there: they tell the line of names from rows.

    Raises DataError when it is not there, not readable, or has no rows.
    """
    asked = Dialect(names=tuple(names))
    path = base / Path(source).expanduser()
    suffix = path.suffix.lower()
    if is_function(source):
        yield Block(call_user(source, base)[0], 0)
    elif suffix in (".csv", ".tsv") and path.is_file() and path.stat().st_size:
        content = content_of(path, source)
        form = text_table(content, source, asked) if format_of(content, source) is TEXT else None
        if form is not None and form.plain:
            yield from _csv_blocks(path, source, form, texts)
        else:
            yield Block(_as_texts(read_table(content, source, asked), texts), 0)
    elif suffix == ".parquet" and path.is_file() and path.stat().st_size:
        yield from _parquet_blocks(path, source)
    elif suffix == ".npy" and path.is_file() and path.stat().st_size:
        matrix = read_npy(path, source).x
        for rows in stretches(matrix.shape):
            yield Block(np.asarray(matrix[rows]), rows.start)
    else:
        yield Block(_as_texts(read_source(source, None if suffix != ".npz" else 0, base, asked), texts), 0)


def _as_texts(raw: Raw, texts: Collection[str]) -> Any:
    """Return the rows of a whole file; columns of `texts` as they stand in a file of text."""
    wanted = [name for name in raw.features if name in texts]
    if raw.text is None or not wanted:
        return raw.x
    rows: Any = raw.x
    found = raw.text(wanted)
    return rows.assign(**{name: found[name].replace("", None) for name in wanted})


def read_ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield the same blocks, the next of which is read while one is worked on. Raises what reading raises."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield block


def _parquet_blocks(path: Path, where: str) -> Iterator[Block]:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(Complaint(where, "reading parquet needs pyarrow", "pip install pyarrow")) from error
    first = 0
    try:
        for batch in ParquetFile(path).iter_batches(batch_size=ROWS):
            if batch.num_rows:
                yield Block(batch.to_pandas().reset_index(drop=True), first)
            first += batch.num_rows
    except (OSError, ValueError, NotImplementedError) as error:
        what = f"is damaged or no parquet file ({str(error).splitlines()[0]})"
        raise DataError(Complaint(where, what, "write it again, or save a csv")) from error
    if not first:
        raise DataError(Complaint(where, "has no rows", "add data"))


def _csv_blocks(path: Path, where: str, form: TextTable, texts: Collection[str]) -> Iterator[Block]:
    names, delimiter = list[str](), form.separator
    first, line = 0, 1
    for block in _records(path, where):
        _check_text(block, where, line)
        if not names:
            names, body = _header(block, where, delimiter)
            names[:1] = [name or names[0] for name in form.layout.names[:1]]  # without a mark before it
        else:
            body = block
        _check_fields(body, len(names), delimiter, where, line + block[: len(block) - len(body)].count(b"\n"))
        line += block.count(b"\n")
        if body.strip():
            rows = _frame(body, names, delimiter, texts)
            yield Block(rows, first)
            first += len(rows)
    if not names:
        raise DataError(Complaint(where, "is empty", "a csv starts with a line of column names"))
    if not first:
        raise DataError(Complaint(where, "has a header but no rows", "add data"))


def _records(path: Path, where: str) -> Iterator[bytes]:
    """Return whole rows of a file, some at a time: a line break within quotes ends none."""
    with path.open("rb") as file:
        left = file.read(len(BOM)).removeprefix(BOM)
        while more := file.read(BYTES):
            left += more
            cut = left.rfind(b"\n")
            quoted = b'"' in left  # counting takes ten times as long as looking
            while cut >= 0 and quoted and left.count(b'"', 0, cut) % 2:
                cut = left.rfind(b"\n", 0, cut)
            if cut >= 0:
                yield left[: cut + 1]
                left = left[cut + 1 :]
            elif len(left) > MOST_BYTES:
                what = f"has a row of more than {MOST_BYTES:,} bytes"
                raise DataError(Complaint(where, what, "look for a quote that is not closed"))
    if left.strip():
        yield left


def _check_text(block: bytes, where: str, line: int) -> None:
    if b"\0" in block:
        raise DataError(Complaint(where, "holds NUL bytes, so it is not a text file", "save it as UTF-8 csv"))
    if block.isascii():
        return
    try:
        block.decode()
    except UnicodeDecodeError as error:
        at = line + block.count(b"\n", 0, error.start)
        raise DataError(Complaint(f"{where}, line {at}", "is not UTF-8 text", "save the file as UTF-8")) from error


def _header(block: bytes, where: str, delimiter: str) -> tuple[list[str], bytes]:
    """Return the names in the first row, and what comes after it."""
    block = block.lstrip(b"\r\n")
    end = block.find(b"\n")
    while end >= 0 and block.count(b'"', 0, end) % 2:
        end = block.find(b"\n", end + 1)
    head = block if end < 0 else block[: end + 1]
    rows = [row for row in csv.reader(io.StringIO(head.decode()), delimiter=delimiter) if row]
    names = [name.strip() for name in rows[0]] if rows else []
    if found := column_complaints([name for name in names if name], where):
        raise DataError(*found)
    return [name or f"unnamed {i}" for i, name in enumerate(names)], block[len(head) :]


def _check_fields(body: bytes, width: int, delimiter: str, where: str, line: int) -> None:
    """Raise DataError for the first row that has more or fewer fields than the header: pandas would not tell."""
    if b'"' not in body and (b"\r" not in body or body.count(b"\r") == body.count(b"\r\n")):
        wrong = next(_unlike(body, width, delimiter.encode()), None)
    else:
        reader = csv.reader(io.StringIO(body.decode()), delimiter=delimiter)
        rows = ((reader.line_num - 1, len(row)) for row in reader if any(row) or len(row) > 1)
        wrong = next(((i, count) for i, count in rows if count != width), None)
    if wrong:
        what = f"the header has {width} columns, but line {line + wrong[0]} has {wrong[1]}"
        raise DataError(Complaint(where, what, "quote texts that contain the separator"))


def _unlike(body: bytes, width: int, mark: bytes) -> Iterator[tuple[int, int]]:
    """Yield the places and numbers of fields of lines without quotes that have another number; blank ones are skipped.

    Separators are counted all at once: a million rows line by line take as long as it takes to parse them.
    """
    letters = np.frombuffer(body if body.endswith(b"\n") else body + b"\n", np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    counts = np.diff(np.searchsorted(np.flatnonzero(letters == ord(mark)), ends), prepend=0) + 1
    for i in np.flatnonzero(counts != width):
        if body[ends[i - 1] + 1 if i else 0 : ends[i]].strip(b" \t\r\f\v"):
            yield int(i), int(counts[i])


def _frame(body: bytes, names: list[str], delimiter: str, texts: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_csv(
        io.BytesIO(body),
        sep=delimiter,
        header=None,
        names=names,
        index_col=False,
        low_memory=False,
        dtype={name: str for name in names if name in texts},
        keep_default_na=False,
        na_values={name: GAPS_OF_NUMBERS for name in names if name not in texts},
    )
    return frame.assign(**{name: frame[name].replace("", None) for name in names if name in texts})
