"""Reads .npy and .npz files, trusting nothing in them.

A header is checked (kind of numbers, dimensions, bytes against the size of the file) before a byte of data is read,
and nothing is ever unpickled. An .npz holds `X` (or `x`) and the target under its name, `y` if none is given, and may
hold further arrays for the split; an .npy is one matrix, its target a column number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from objectives.data.raw import Column, Raw
from objectives.errors import Complaint, DataError, nearest

if TYPE_CHECKING:
    import zipfile

__all__ = ["read_npy", "read_npz"]

NUMBERS = "biuf"
LABELS = "biufUM"  # a target, group or date may be text or dates too
MOST_BYTES = 2**31  # unpacked: a small archive may claim to hold terabytes


def read_npy(path: Path, where: str) -> Raw:
    """The matrix (n, D + 1) in `path`, mapped from there, its target still among the columns.

    Raises DataError for anything but a whole matrix of real numbers.
    """
    with path.open("rb") as stream:
        _check_header(stream, path.stat().st_size, where, NUMBERS)
    matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    if matrix.ndim != 2:
        what = f"holds an array with {matrix.ndim} dimensions, a table has 2 (rows, columns)"
        raise DataError(Complaint(where, what, "reshape it, or keep X and y in one .npz file"))
    return Raw(where, matrix, tuple(f"x{i}" for i in range(matrix.shape[1])))


def read_npz(path: Path, where: str, target: str | int | None) -> Raw:
    """The arrays of `path`: X (n, D), the target (n,) or (n, C), and all others as extra columns.

    Raises DataError for a damaged archive, unsafe or missing arrays.
    """
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return _from_archive(archive, where, target)
    except DataError:
        raise
    # zipfile lets out what its decompressors raise: zlib.error, NotImplementedError, RuntimeError (encrypted), EOFError
    except Exception as error:
        what = f"is damaged or no .npz file ({error})"
        raise DataError(Complaint(where, what, "write it again with numpy.savez")) from error


def _from_archive(archive: zipfile.ZipFile, where: str, target: str | int | None) -> Raw:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    total = sum(info.file_size for info in members.values())
    if total > MOST_BYTES:
        what = f"unpacks to {total:,} bytes, more than {MOST_BYTES:,}"
        raise DataError(Complaint(where, what, "keep fewer rows"))
    x_name = "X" if "X" in members or "x" not in members else "x"
    y_name = "y" if target is None else target
    _check_names(members, where, x_name, y_name)

    def read(name: str, kinds: str) -> Column:
        with archive.open(members[name]) as stream:
            return _array(stream, members[name].file_size, f"{where}, array {name!r}", kinds)

    x = read(x_name, NUMBERS)
    y = read(y_name, LABELS) if isinstance(y_name, str) else None
    features = tuple(f"x{i}" for i in range(x.shape[1] if x.ndim == 2 else 1))
    others = [name for name in members if name not in (x_name, y_name)]
    return Raw(where, x, features, y, extra=_readable(others, lambda name: read(name, LABELS)))


def _check_names(members: dict[str, zipfile.ZipInfo], where: str, x_name: str, y_name: str | int) -> None:
    found = []
    if x_name not in members:
        found.append(Complaint(where, "no array 'X'", f"it holds {', '.join(members) or 'nothing'}"))
    if isinstance(y_name, str) and y_name not in members:
        found.append(Complaint(where, f"no array {y_name!r} for the target", nearest(y_name, members)))
    if found:
        raise DataError(*found)


def _readable(names: list[str], read: Callable[[str], Column]) -> dict[str, Column]:
    """Arrays nobody asked for may be anything: those that cannot be columns are left out."""
    columns = {}
    for name in names:
        try:
            column = read(name)
        except DataError:
            continue
        if column.ndim == 1:
            columns[name] = column
    return columns


def _array(stream: IO[bytes], size: int, where: str, kinds: str) -> Column:
    _check_header(stream, size, where, kinds)
    stream.seek(0)
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _check_header(stream: IO[bytes], size: int, where: str, kinds: str) -> None:
    try:
        version = np.lib.format.read_magic(stream)
        old = version == (1, 0)
        reader = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(stream)
    # NumPy parses the header as Python text, so that a damaged one ends in any of a dozen exceptions
    except Exception as error:
        hint = "write it with numpy.save, or name a csv file as .csv"
        raise DataError(Complaint(where, "is damaged or not in NumPy's format", hint)) from error
    if dtype.kind not in kinds:
        raise DataError(Complaint(where, f"holds {_kind(dtype)}", "save an array of plain numbers"))
    needed = math.prod(shape) * dtype.itemsize
    held = size - stream.tell()
    if min(shape, default=0) < 0 or needed != held:
        what = f"is cut or damaged: the header says shape {shape}, {needed:,} bytes, but {held:,} follow"
        raise DataError(Complaint(where, what, "write it again"))
    if needed > MOST_BYTES:
        raise DataError(Complaint(where, f"has {needed:,} bytes, more than {MOST_BYTES:,}", "keep fewer rows"))


def _kind(dtype: np.dtype[np.generic]) -> str:
    if dtype.hasobject:
        return "Python objects, which are never unpickled"
    names = {"U": "text", "S": "text", "c": "complex numbers", "V": "records", "M": "dates", "m": "durations"}
    return f"{names.get(dtype.kind, 'values')} ({dtype}), not numbers"
