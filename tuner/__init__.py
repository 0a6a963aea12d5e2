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
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = [
    "Best",
    "Result",
    "Study",
    "confirm",
    "load_best",
    "load_model",
    "open",
    "optimizer",
    "read_study",
    "refit",
    "run",
    "verify",
]

_HOMES = {
    "Best": ("best", "Best"),
    "Result": ("result", "Result"),
    "Study": ("study", "Study"),
    "confirm": ("api.confirm", "confirm"),
    "load_best": ("best", "load_best"),
    "load_model": ("model.bundle", "load_model"),
    "open": ("result", "open_study"),
    "optimizer": ("best.live_torch", "attached"),
    "read_study": ("study", "read_study"),
    "refit": ("api.refit", "refit"),
    "run": ("api.run", "run"),
    "verify": ("api.verify", "verify"),
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


def __dir__() -> list[str]:
    """What is offered, imported yet or not."""
    return [*__all__, *(name for name in globals() if name.startswith("__"))]


def __getattr__(name: str) -> Any:
    """Import on first use: `load_best` must not wait for pandas, nor `tuner --help` for anything."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tuner' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"tuner.{module}"), attribute)
