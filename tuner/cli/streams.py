"""Standard streams that a command can rely on: there, able to write any character, and never the reason that it ends.

What is said on stderr is no result: where it cannot be written, on a full disk say, it is left out and work goes on.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

__all__ = ["reliable"]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EBADF)


class Optional(io.FileIO):
    """A file of which what cannot be written is left out."""

    def write(self, data: Any) -> int:
        """Write bytes; returns how many are done with."""
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno not in FULL:
                raise
            return len(data)


def reliable() -> None:
    """Put what is needed in the places of streams that are closed, and of a stderr that may be full."""
    for number in range(3):
        _open(number)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(os.devnull), encoding="utf-8")
    sys.stdout = sys.stdout or io.TextIOWrapper(io.FileIO(os.devnull, "w"), encoding="utf-8")
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _optional(sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        _forgiving(stream)


def _open(number: int) -> None:
    """Open a closed descriptor on the null device: else the next file would get its number and what is printed."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened == number:
            os.set_inheritable(number, True)  # workers have it too
        else:
            os.dup2(opened, number)
            os.close(opened)


def _optional(stream: TextIO | None) -> TextIO:
    raw = Optional(2, "w", closefd=False)
    encoding = stream.encoding if stream is not None else "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="replace", line_buffering=True)


def _forgiving(stream: TextIO) -> None:
    """Replace characters that the stream cannot write by `?` instead of raising an error."""
    reconfigure: Callable[..., Any] | None = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
