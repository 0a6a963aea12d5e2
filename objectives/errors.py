"""What can be wrong with an input, said once for the whole project.

    InvalidInput(ValueError)    one or more complaints about what the user gave
    +- DataError                about data: a file, a column, a row

A complaint names the place, the problem and the next thing to try. Everything that validates collects complaints and
raises them together, so that one run shows all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Complaint", "DataError", "InvalidInput", "nearest"]


@dataclass(frozen=True)
class Complaint:
    """One problem: `where` (file and key, column, row), `what` is wrong there, and a `hint` at what to do."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class InvalidInput(ValueError):
    """One or more complaints about what the user gave; `str()` has a line each."""

    def __init__(self, *complaints: Complaint) -> None:
        self.complaints = complaints
        super().__init__("\n".join(map(str, complaints)))


class DataError(InvalidInput):
    """The data cannot be used as they are."""


def nearest(name: object, options: Iterable[str], cutoff: float = 0.6) -> str:
    """Suggest the nearest valid option, or list them all: "did you mean 'adam'?".

    `cutoff` is the least similarity of a suggestion, from 0 to 1. It should be higher for names that users chose.
    """
    known = sorted(options)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=cutoff)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"choose one of: {shown}" if known else ""
