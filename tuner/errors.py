"""What can go wrong in a study, and the exit code that each kind ends a command with.

    TunerError(Exception)          exit 1   anything below; one line a problem, no traceback
    +- StudyError(InvalidInput)    exit 2   the study file or a setting cannot be used
    +- UnknownStudy                exit 2   there is no study of that name
    +- ChangedStudy                exit 2   the study exists and asks another question
    +- StudyBusy                   exit 1   another run holds the study
    +- LedgerError                 exit 1   the ledger cannot be read or written
    +- NoResult                    exit 3   the study has no usable result

This module imports nothing heavy, so that every command can afford it.
"""

from __future__ import annotations

from collections.abc import Iterable

from objectives.errors import InvalidInput, nearest

__all__ = ["ChangedStudy", "LedgerError", "NoResult", "StudyBusy", "StudyError", "TunerError", "UnknownStudy"]


class TunerError(Exception):
    """A problem that is told to the user in its own words; `exit_code` is what the command ends with."""

    exit_code = 1


class StudyError(TunerError, InvalidInput):
    """The study cannot be used as it is written: `complaints` holds every problem, `str()` has a line each."""

    exit_code = 2


class UnknownStudy(TunerError):
    """There is no study `name`; `known` are the names that there are, `home` is where they were looked for."""

    exit_code = 2

    def __init__(self, name: str, known: Iterable[str] = (), home: str = "") -> None:
        self.name, self.known, self.home = name, tuple(known), home
        super().__init__(name, self.known, home)

    def __str__(self) -> str:
        hint = nearest(self.name, self.known) or "there are no studies yet: `tuner run FILE` makes one"
        return f"no study {self.name!r}{f' in {self.home}' if self.home else ''}; {hint}"


class ChangedStudy(TunerError):
    """The study exists, and a key that decides its results differs from what is asked now."""

    exit_code = 2


class StudyBusy(TunerError):
    """Another process runs the study; the message names it."""

    exit_code = 1


class LedgerError(TunerError):
    """The ledger cannot be read or written; the message names its file, the reason and what to do.

    `passing` says that the reason may pass by itself: a full disk, a lock, a database that is restarted.
    """

    exit_code = 1

    def __init__(self, message: str, passing: bool = False) -> None:
        self.passing = passing
        super().__init__(message)


class NoResult(TunerError):
    """The study has no complete trial to answer with."""

    exit_code = 3
