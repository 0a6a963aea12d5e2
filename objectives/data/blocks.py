"""Reads a table a block of rows at a time, so that a file may be larger than memory.

What training reads (csv, tsv, parquet, npy, npz, built-in sets, functions) can be read here, with the same checks: the
rows of a csv are counted before pandas sees them. Text columns are named, so that a block which happens to hold numbers
alone reads as the others do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.data.arrays import read_npy
from objectives.data.csv_blocks import csv_frames
from objectives.data.files.content import content_of
from objectives.data.files.dialect import Dialect
from objectives.data.files.formats import TEXT, format_of, read_table
from objectives.data.files.text_form import text_table
from objectives.data.matrix import stretches
from objectives.data.raw import Raw
from objectives.data.sources import call_user, is_function, read_source
from objectives.errors import Complaint, DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Block", "read_ahead", "read_blocks"]

ROWS = 50_000  # of a parquet file that are read together


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
            types = {name: "category" if name in names else object for name in texts}
            yield from _counted(csv_frames(form, source, types), source)
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


def _counted(frames: Iterator[pd.DataFrame], where: str) -> Iterator[Block]:
    """Yield the frames that have rows, numbered. Raises DataError where none has."""
    first = 0
    for frame in frames:
        if len(frame):
            yield Block(frame, first)
        first += len(frame)
    if not first:
        raise DataError(Complaint(where, "has a header but no rows", "add data"))


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
