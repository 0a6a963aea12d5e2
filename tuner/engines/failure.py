"""What a task comes to that did not return: a plain record that any process can read, whatever was raised."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Failure", "guarded"]

LONGEST = 2000  # characters of a message
LINES = 20  # last lines of a traceback
WIDEST = 500  # characters of such a line


@dataclass(frozen=True)
class Failure:
    """Why a task has no outcome: the exception's type, its message, and the last lines of its traceback.

    A `fatal` one is no fault of the task: the engine is lost, and all that it had to do.
    """

    type: str
    message: str
    lines: tuple[str, ...] = ()
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The record of an exception; never raises, whatever the exception does when it is looked at."""
        try:
            lines = "".join(traceback.format_exception(error)).splitlines()[-LINES:]
        except BaseException:  # an exception's own code runs here, and it may do anything
            lines = []
        # NumPy's is of a kind of its own, with the same meaning.
        kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
        return cls(kind, _plain(_message(error), LONGEST), tuple(_plain(line, WIDEST) for line in lines))


def guarded(function: Callable[..., Any], let_through: type[BaseException] | tuple[()] = ()) -> Callable[..., Any]:
    """`function`, returning a `Failure` where it would raise; SystemExit and KeyboardInterrupt as well.

    What is in `let_through` is raised all the same.
    """

    def run(*args: Any) -> Any:
        try:
            return function(*args)
        except let_through:
            raise
        except BaseException as error:
            return Failure.of(error)

    return run


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return "its message cannot be made"


def _plain(text: str, most: int) -> str:
    # Text that every file and database takes: lone surrogates and NUL would be refused by some.
    cut = text if len(text) <= most else text[: most - 3] + "..."
    return cut.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
