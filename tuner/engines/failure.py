"""The outcome of a task that did not return: a plain record that any process can read, whatever was raised."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tuner.errors import TunerError

__all__ = ["FULL", "SHORT", "Failure", "Lost", "guarded", "of_machine"]

LONGEST = 2000  # characters of a message
LINES = 20  # last lines of a traceback
WIDEST = 500  # characters of such a line
DEPTH = 20  # exceptions in a chain that are looked at
# Errors of a machine that is out of something, whichever code meets them. A full disk is waited for; the others may be
# due to the code itself.
FULL = {getattr(errno, name, 0) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS")} - {0}
SHORT = {getattr(errno, name, 0) for name in ("EMFILE", "ENFILE", "EAGAIN", "ENOLCK", "ENOMEM", "EIO", "ESTALE")} - {0}


class Lost(TunerError):
    """Raised where files that the tuner itself wrote are gone: no trial is to blame, and the run cannot go on."""


@dataclass(frozen=True)
class Failure:
    """Why a task has no outcome: the exception's type, its message, and the last lines of its traceback.

    What the `machine` did is no fault of the task, which may succeed later: "full" where it cannot write to a disk,
    "short" where it is out of files, processes or the like, "ended" where somebody ended the task, "starved" where the
    system ended it for lack of memory. After a `fatal` one, which is no fault of the task either, the engine and all of
    its tasks are lost.
    """

    type: str
    message: str
    lines: tuple[str, ...] = ()
    fatal: bool = False
    machine: str = ""

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Record an exception; never raises, even if formatting the exception does."""
        try:
            lines = "".join(traceback.format_exception(error)).splitlines()[-LINES:]
        except BaseException:  # the exception's own code runs here, and may raise
            lines = []
        # NumPy raises a class of its own with the same meaning.
        kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
        shown = tuple(_plain(line, WIDEST) for line in lines)
        return cls(kind, _plain(_message(error), LONGEST), shown, isinstance(error, Lost), of_machine(error))


def guarded(function: Callable[..., Any], let_through: type[BaseException] | tuple[()] = ()) -> Callable[..., Any]:
    """Wrap `function` to return a `Failure` where it would raise, SystemExit and KeyboardInterrupt included.

    Exceptions in `let_through` are raised all the same.
    """

    def run(*args: Any) -> Any:
        try:
            return function(*args)
        except let_through:
            raise
        except BaseException as error:
            return Failure.of(error)

    return run


def of_machine(error: BaseException) -> str:
    """Return what the machine was out of by an exception or its causes: "full", "short", or ""."""
    one: BaseException | None = error
    for _ in range(DEPTH):
        if one is None:
            break
        number = one.errno if isinstance(one, OSError) and type(one.errno) is int else 0
        if number in FULL | SHORT:
            return "full" if number in FULL else "short"
        one = one.__cause__ or one.__context__
    return ""


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return "its message cannot be made"


def _plain(text: str, most: int) -> str:
    # Text that every file and database takes: lone surrogates and NUL would be refused by some.
    cut = text if len(text) <= most else text[: most - 3] + "..."
    return cut.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
