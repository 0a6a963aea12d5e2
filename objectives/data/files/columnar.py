"""Tables that know their columns' types: Parquet, Feather and Arrow files, through pyarrow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from objectives.data.files.content import Content
from objectives.data.files.dialect import Dialect
from objectives.data.raw import Raw, column_complaints
from objectives.errors import Complaint, DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_to_raw", "read_arrow", "read_feather", "read_parquet"]


def read_parquet(content: Content, where: str, asked: Dialect) -> Raw:
    """Read a parquet file as a frame (n, D). Raises DataError for a damaged one, or without pyarrow."""
    del asked
    import pandas as pd

    return _read(lambda: pd.read_parquet(_place(content)), where, "parquet")


def read_feather(content: Content, where: str, asked: Dialect) -> Raw:
    """Read a feather file as a frame (n, D). Raises DataError for a damaged one, or without pyarrow."""
    del asked

    def read() -> pd.DataFrame:
        from pyarrow import feather

        return _checked(feather.read_table(io.BytesIO(content.whole())))

    return _read(read, where, "feather")


def read_arrow(content: Content, where: str, asked: Dialect) -> Raw:
    """Read an arrow file or stream as a frame (n, D). Raises DataError for a damaged one, or without pyarrow."""
    del asked

    def read() -> pd.DataFrame:
        from pyarrow import ipc

        opener = ipc.open_file if content.start(6) == b"ARROW1" else ipc.open_stream
        return _checked(opener(io.BytesIO(content.whole())).read_all())

    return _read(read, where, "arrow")


def frame_to_raw(frame: pd.DataFrame, where: str, notes: tuple[str, ...] = ()) -> Raw:
    """Return a frame's columns. Raises DataError for columns that occur twice, or where there is nothing."""
    frame = frame.reset_index(drop=True)
    names = tuple(map(str, frame.columns))
    found = column_complaints(list(names), where)
    if frame.empty:
        found.append(Complaint(where, f"has {len(frame)} rows and {frame.shape[1]} columns", "nothing to learn from"))
    if found:
        raise DataError(*found)
    return Raw(where, frame, names, notes=notes)


def _checked(table: Any) -> pd.DataFrame:
    """Return an arrow table as a frame, once its offsets are known to lie within it: damage would end the process."""
    table.validate(full=True)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _place(content: Content) -> Any:
    return io.BytesIO(content.data) if content.path is None else content.path


def _read(read: Any, where: str, kind: str) -> Raw:
    try:
        frame = read()
    except ImportError as error:
        hint = "pip install 'tuner[parquet]'"
        raise DataError(Complaint(where, f"reading {kind} needs pyarrow", hint)) from error
    # pyarrow's exceptions derive from ValueError, OSError and NotImplementedError, by version
    except Exception as error:
        what = f"is damaged or no {kind} file ({(str(error).splitlines() or [''])[0]})"
        raise DataError(Complaint(where, what, "write it again, or save a csv")) from error
    return frame_to_raw(frame, where)
