"""Reads .npy and .npz files, trusting nothing in them.

A header is checked (kind of numbers, dimensions, bytes against the size of the file) before a byte of data is read,
and nothing is ever unpickled. An .npz holds `X` (or `x`) and the target under its name, `y` if none is given, and may
hold further arrays for the split; an .npy is one matrix, its target a column number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
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
SMALL = 2**26  # bytes that are read whatever they are
TIGHT = 1000  # times: deflate makes at most 1,030 bytes of one, of zeros; of 5,000 one-hot columns it made 940


def read_npy(path: Path, where: str) -> Raw:
    """Map the matrix (n, D + 1) in `path`, with the target still among its columns.

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
    """Read the arrays of `path`: X (n, D), the target (n,) or (n, C), and all others as extra columns.

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

    def shape(name: str, kinds: str) -> tuple[int, ...]:
        with archive.open(members[name]) as stream:
            return _check_header(stream, members[name].file_size, f"{where}, array {name!r}", kinds)

    def read(name: str) -> Column:
        _check_packing(members[name], f"{where}, array {name!r}")
        with archive.open(members[name]) as stream:
            return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))

    # What does not fit together is known before a byte of data is unpacked.
    x_shape = shape(x_name, NUMBERS)
    y_shape = shape(y_name, LABELS) if isinstance(y_name, str) else x_shape[:1]
    _check_shapes(x_shape, y_shape, where)

    def column(name: str) -> Column | None:
        own = shape(name, LABELS)
        fits = own == x_shape[:1] or members[name].file_size <= SMALL
        return read(name) if len(own) == 1 and fits else None

    extra = _readable([name for name in members if name not in (x_name, y_name)], column)
    x, y = read(x_name), read(y_name) if isinstance(y_name, str) else None
    return Raw(where, x, tuple(f"x{i}" for i in range(x.shape[1] if x.ndim == 2 else 1)), y, extra=extra)


def _check_names(members: dict[str, zipfile.ZipInfo], where: str, x_name: str, y_name: str | int) -> None:
    found = []
    if x_name not in members:
        found.append(Complaint(where, "no array 'X'", f"it holds {', '.join(members) or 'nothing'}"))
    if isinstance(y_name, str) and y_name not in members:
        found.append(Complaint(where, f"no array {y_name!r} for the target", nearest(y_name, members)))
    if found:
        raise DataError(*found)


def _check_shapes(x: tuple[int, ...], y: tuple[int, ...], where: str) -> None:
    if len(x) not in (1, 2):
        what = f"X has {len(x)} dimensions, a table has 2 (rows, columns)"
        raise DataError(Complaint(where, what, "reshape it to X.reshape(len(X), -1)"))
    if x[:1] != y[:1]:
        given = f"the target has {y[0]}" if y else "the target is a single value"
        raise DataError(Complaint(where, f"X has {x[0]} rows, but {given}", "give one value for each row"))


def _check_packing(member: zipfile.ZipInfo, where: str) -> None:
    if member.file_size > TIGHT * member.compress_size and member.file_size > SMALL:
        what = f"unpacks to {member.file_size:,} bytes from {member.compress_size:,}, so it says nothing"
        raise DataError(Complaint(where, what, "save data; with numpy.savez, if it is meant so: that packs nothing"))


def _readable(names: list[str], read: Callable[[str], Column | None]) -> dict[str, Column]:
    """Read the arrays that can be columns; others that nobody asked for are left out."""
    columns = {}
    for name in names:
        with suppress(DataError):
            if (column := read(name)) is not None:
                columns[name] = column
    return columns


def _check_header(stream: IO[bytes], size: int, where: str, kinds: str) -> tuple[int, ...]:
    """Return the shape in the header after checking that the rest of the file is as long as it says."""
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
    return tuple(shape)


def _kind(dtype: np.dtype[np.generic]) -> str:
    if dtype.hasobject:
        return "Python objects, which are never unpickled"
    names = {"U": "text", "S": "text", "c": "complex numbers", "V": "records", "M": "dates", "m": "durations"}
    return f"{names.get(dtype.kind, 'values')} ({dtype}), not numbers"
