"""What can go wrong in a study, and the exit code that each kind ends a command with.

    TunerError(Exception)          exit 1   anything below; one line a problem, no traceback
    +- StudyError(InvalidInput)    exit 2   the study file or a setting cannot be used
    +- UnknownStudy                exit 2   there is no study of that name
    +- UnknownTrial                exit 2   the study has no trial of that number
    +- ChangedStudy                exit 2   the study exists and asks another question
    +- GivenUp                     exit 1   the first trials of a search have all failed alike
    +- StudyBusy                   exit 1   another run holds the study
    +- LedgerError                 exit 1   the ledger cannot be read or written
    +- NoResult                    exit 3   the study has no usable result
    +- InexactMapping              exit 1   a framework cannot do what a config says
    +- NotInstalled(ImportError)   exit 1   an optional package is not there

    InexactWarning(UserWarning)    what was asked for is not the same, but the nearest
    TransferWarning(UserWarning)   a config was tuned for another model than it is used for
    RowsWarning(UserWarning)       a model is asked about rows unlike those that it was trained on

This module imports nothing heavy, so that every command can afford it.
"""

from __future__ import annotations

from collections.abc import Iterable

from objectives.errors import InvalidInput, nearest
from tuner.masking import shown

__all__ = [
    "ChangedStudy",
    "GivenUp",
    "InexactMapping",
    "InexactWarning",
    "LedgerError",
    "NoResult",
    "NotInstalled",
    "RowsWarning",
    "StudyBusy",
    "StudyError",
    "TransferWarning",
    "TunerError",
    "UnknownStudy",
    "UnknownTrial",
]

ALIKE = 0.65  # how alike the names of two studies have to be for one to be meant by the other


class TunerError(Exception):
    """A problem that is told to the user in its own words, without passwords; `exit_code` ends the command."""

    exit_code = 1

    def __str__(self) -> str:
        return shown(super().__str__())


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
        hint = nearest(self.name, self.known, ALIKE) or "there are no studies yet: `tuner run FILE` makes one"
        return shown(f"no study {self.name!r}{f' in {self.home}' if self.home else ''}; {hint}")


class UnknownTrial(TunerError):
    """The study has no trial of that number."""

    exit_code = 2


class ChangedStudy(TunerError):
    """The study exists, and a key that decides its results differs from what is asked now."""

    exit_code = 2


class GivenUp(TunerError):
    """The first trials of a search have all failed alike; the message has their reason."""

    exit_code = 1


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
    """The study has no complete trial to answer with; `command` is the one that the message names, if it does."""

    exit_code = 3

    def __init__(self, message: str, command: str = "") -> None:
        self.command = command
        super().__init__(message)


class InexactMapping(TunerError):
    """A framework cannot make the steps of a config: the message names every difference and its size.

    `framework` is one whose rules a study can take, to tune what can be had there; "" where that would not help.
    """

    exit_code = 1

    def __init__(self, difference: str, framework: str = "") -> None:
        self.difference, self.framework = difference, framework
        super().__init__(difference, framework)

    def __str__(self) -> str:
        rules = f", or tune with its rules: --set train.framework={self.framework} --name NEW" if self.framework else ""
        return f"{self.difference}; ask for the nearest (strict=False, --nearest){rules}"


class NotInstalled(TunerError, ImportError):
    """An optional package is not there; the message has the line that installs it."""

    exit_code = 1

    def __init__(self, package: str, line: str) -> None:
        self.package, self.line = package, line
        super().__init__(package, line)

    def __str__(self) -> str:
        return f"{self.package} is not installed: {self.line}"


class InexactWarning(UserWarning):
    """What was asked for cannot be had exactly: this is the nearest."""


class TransferWarning(UserWarning):
    """A config was tuned for another model than the one it is used for: its values are a starting point."""


class RowsWarning(UserWarning):
    """A model is asked about rows unlike those that it was trained on: the message counts them, by column."""
