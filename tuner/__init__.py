"""Who optimises: studies, searched in parallel, ranked, confirmed and handed over.

import tuner

result = tuner.run("studies/digits.toml", jobs=2)   # or tuner.open("digits")
result.ranking()                                    # pandas DataFrame, best first
best = tuner.load_best("runs/digits")               # needs the standard library alone
best["lr"], best.interval, best.epochs
model = tuner.load_model("runs/digits")             # needs NumPy alone
model.predict(rows)
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from objectives.errors import DataError, InvalidInput
    from tuner.api.confirm import confirm
    from tuner.api.read_study import read_study
    from tuner.api.refit import refit
    from tuner.api.run import run
    from tuner.api.side_by_side import compare
    from tuner.api.tune import log, tune
    from tuner.api.verify import verify
    from tuner.best import Best, load_best
    from tuner.best.live_torch import attached_optimizer as optimizer
    from tuner.errors import (
        ChangedStudy,
        GivenUp,
        InexactMapping,
        InexactWarning,
        LedgerError,
        NoResult,
        NotInstalled,
        StudyBusy,
        StudyError,
        TransferWarning,
        TunerError,
        UnknownStudy,
        UnknownTrial,
    )
    from tuner.model.bundle import load_model
    from tuner.result import Result
    from tuner.result import open_study as open
    from tuner.study import Study
    from tuner.views.overview import list_studies as list

__all__ = [
    "Best",
    "ChangedStudy",
    "DataError",
    "GivenUp",
    "InexactMapping",
    "InexactWarning",
    "InvalidInput",
    "LedgerError",
    "NoResult",
    "NotInstalled",
    "Result",
    "Study",
    "StudyBusy",
    "StudyError",
    "TransferWarning",
    "TunerError",
    "UnknownStudy",
    "UnknownTrial",
    "compare",
    "confirm",
    "list",
    "load_best",
    "load_model",
    "log",
    "open",
    "optimizer",
    "read_study",
    "refit",
    "run",
    "tune",
    "verify",
]

_HOMES = {
    "Best": ("tuner.best", "Best"),
    "ChangedStudy": ("tuner.errors", "ChangedStudy"),
    "DataError": ("objectives.errors", "DataError"),
    "GivenUp": ("tuner.errors", "GivenUp"),
    "InexactMapping": ("tuner.errors", "InexactMapping"),
    "InexactWarning": ("tuner.errors", "InexactWarning"),
    "InvalidInput": ("objectives.errors", "InvalidInput"),
    "LedgerError": ("tuner.errors", "LedgerError"),
    "NoResult": ("tuner.errors", "NoResult"),
    "NotInstalled": ("tuner.errors", "NotInstalled"),
    "Result": ("tuner.result", "Result"),
    "Study": ("tuner.study", "Study"),
    "StudyBusy": ("tuner.errors", "StudyBusy"),
    "StudyError": ("tuner.errors", "StudyError"),
    "TransferWarning": ("tuner.errors", "TransferWarning"),
    "TunerError": ("tuner.errors", "TunerError"),
    "UnknownStudy": ("tuner.errors", "UnknownStudy"),
    "UnknownTrial": ("tuner.errors", "UnknownTrial"),
    "compare": ("tuner.api.side_by_side", "compare"),
    "confirm": ("tuner.api.confirm", "confirm"),
    "list": ("tuner.views.overview", "list_studies"),
    "load_best": ("tuner.best", "load_best"),
    "load_model": ("tuner.model.bundle", "load_model"),
    "log": ("tuner.api.tune", "log"),
    "open": ("tuner.result", "open_study"),
    "optimizer": ("tuner.best.live_torch", "attached_optimizer"),
    "read_study": ("tuner.api.read_study", "read_study"),
    "refit": ("tuner.api.refit", "refit"),
    "run": ("tuner.api.run", "run"),
    "tune": ("tuner.api.tune", "tune"),
    "verify": ("tuner.api.verify", "verify"),
}


def _check_objectives() -> None:
    """Raise ImportError where a foreign `objectives` stands first on the path: its missing parts would puzzle later."""
    found = find_spec("objectives")
    ours = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "objectives", "__init__.py")
    origin = getattr(found, "origin", None)
    if origin is None or os.path.realpath(origin) != os.path.realpath(ours):
        raise ImportError(
            f"tuner needs its own package 'objectives' ({ours}), but {origin or 'nothing'} comes first on the path; "
            "rename that module, or run from another directory"
        )


_check_objectives()


def __dir__() -> Iterable[str]:
    """List what the package offers, imported yet or not."""
    return [*__all__, "__version__", *(name for name in globals() if name.startswith("__"))]


def __getattr__(name: str) -> Any:
    """Import on first use: `load_best` must not wait for pandas, nor `tuner --help` for anything."""
    if name == "__version__":
        from importlib.metadata import version

        return version("tuner")
    if name not in _HOMES:
        raise AttributeError(f"module 'tuner' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
