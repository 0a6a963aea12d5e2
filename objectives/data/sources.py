"""Finds what a source names: a built-in set, a file, or a function of the user's.

"sklearn:digits", "table.csv" (any kind of `files.formats`, npz, npy; relative to the study
file's folder), "-" for standard input, or "module:function" or "file.py:function", which is called without arguments
and returns X, y or a frame.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from objectives.data.arrays import read_npy, read_npz
from objectives.data.builtin import BUILTIN, PREFIX, read_builtin
from objectives.data.files.content import STANDARD, content_of, of_standard_input
from objectives.data.files.dialect import ASKED, Dialect
from objectives.data.files.formats import FORMATS, PACKED, read_table
from objectives.data.raw import Raw, is_frame
from objectives.errors import Complaint, DataError, nearest

__all__ = ["SUFFIXES", "call_user", "is_function", "read_source"]

FUNCTION = re.compile(r"(?:[^:]+\.py|[A-Za-z_][\w.]*):[A-Za-z_]\w*")
SURFACE = "surface:"  # what begins so is an analytic surface, and no source of rows
MOST_BYTES = 2**31
ARRAYS = (".npy", ".npz")
SUFFIXES = (*(suffix for row in FORMATS for suffix in row.suffixes), *ARRAYS, *PACKED)


def is_function(source: str) -> bool:
    """Whether `source` names a function of the user's, "module:function"."""
    return not source.startswith((PREFIX, SURFACE)) and FUNCTION.fullmatch(source) is not None


def read_source(source: str, target: str | int | None, base: Path, dialect: Dialect = ASKED) -> Raw:
    """Read the columns of a built-in set, of standard input, or of a file relative to the folder `base`.

    `dialect` says how a file is written; the name of the `target` tells which line has names. Raises DataError when the
    source does not exist or cannot be read.
    """
    if source.startswith(PREFIX):
        return read_builtin(source)
    if isinstance(target, str):
        dialect = replace(dialect, names=(*dialect.names, target))
    if source == STANDARD:
        return read_table(of_standard_input(), "standard input", dialect)
    try:
        path = base / Path(source).expanduser()
        _check_file(path, source)
        suffix = path.suffix.lower()
        if suffix == ".npz":
            return read_npz(path, source, target)
        return read_npy(path, source) if suffix == ".npy" else read_table(content_of(path, source), source, dialect)
    # a NUL in the name is a ValueError, a home directory that is not there a RuntimeError
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        what = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise DataError(Complaint(repr(source)[1:-1], what, "check the path and its permissions")) from error
    except MemoryError as error:
        raise DataError(Complaint(source, "does not fit into memory", "keep fewer rows")) from error


def call_user(source: str, base: Path) -> tuple[Any, Any]:
    """Import "module:function" or "file.py:function", call it and return its X and y; y is None where it gives a frame.

    A module is looked for last in the folder `base`, a file is relative to it. Raises DataError when it cannot be
    imported, raises, or returns something else.
    """
    module, _, name = source.rpartition(":")
    folder = str(base.resolve())
    sys.path.append(folder)
    try:
        function = _attribute(module, name, source, base)
        result = _guarded(function, source, "raised")
    finally:
        sys.path.remove(folder)
    if is_frame(result):
        return result, None
    if isinstance(result, tuple) and len(result) == 2:
        return result
    shape = f"a tuple of {len(result)}" if isinstance(result, tuple) else type(result).__name__
    raise DataError(Complaint(source, f"returned {shape}", "return a pair: X, y, or a frame with the target in it"))


def _module(module: str, source: str, base: Path) -> ModuleType:
    """Import a module, or the file of one."""
    if not module.endswith(".py"):
        return importlib.import_module(module)
    path = (base / module).expanduser().resolve()
    if not path.is_file():
        raise DataError(Complaint(source, f"there is no file {module}", "name it relative to the study file"))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise DataError(Complaint(source, f"{module} is no Python file", "name a .py file"))
    made = importlib.util.module_from_spec(spec)
    sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(made)
    finally:
        sys.path.remove(str(path.parent))
    return made


def _attribute(module: str, name: str, source: str, base: Path) -> Callable[[], Any]:
    imported = _guarded(lambda: _module(module, source, base), source, "cannot be imported:")
    function = getattr(imported, name, None)
    if callable(function):
        return function  # type: ignore[no-any-return]
    if function is not None:
        raise DataError(Complaint(source, f"{name} is {type(function).__name__}, not a function", "name a function"))
    names = [key for key, value in vars(imported).items() if callable(value) and not key.startswith("_")]
    raise DataError(Complaint(source, f"module {module!r} has no {name!r}", nearest(name, names)))


def _guarded(call: Callable[[], Any], source: str, verb: str) -> Any:
    try:
        return call()
    except (KeyboardInterrupt, DataError):
        raise
    # other people's code: it may raise anything, SystemExit too
    except BaseException as error:
        options = [PREFIX + name for name in BUILTIN]
        near = nearest(source, options)
        hint = near if near.startswith("did") else "run it by itself in Python to see where"
        first = (str(error).splitlines() or [""])[0][:200]
        raise DataError(Complaint(source, f"{verb} {type(error).__name__}: {first}", hint)) from error


def _check_file(path: Path, source: str) -> None:
    if path.is_dir():
        raise DataError(Complaint(source, "is a directory", "name a file in it"))
    if not path.exists():
        raise DataError(Complaint(source, "there is no such file", _neighbours(path, source)))
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DataError(Complaint(source, "is not a regular file", "save the data in a file"))
    if status.st_size == 0:
        raise DataError(Complaint(source, "is empty", "write the data again"))
    if status.st_size > MOST_BYTES:
        what = f"has {status.st_size:,} bytes, more than {MOST_BYTES:,}"
        raise DataError(Complaint(source, what, "keep fewer rows"))


def _neighbours(path: Path, source: str) -> str:
    if source in BUILTIN:
        return f"did you mean {PREFIX + source!r}?"
    if not path.parent.is_dir():
        return f"{str(path.parent)!r} is no directory"
    names = [entry.name for entry in path.parent.iterdir() if entry.suffix.lower() in SUFFIXES]
    return nearest(path.name, names) or f"there are no data files in {str(path.parent)!r}"
