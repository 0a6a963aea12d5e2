"""What `tuner list` says of a study, read from the light files of its directory: no NumPy, pandas or SQLAlchemy.

A run writes those files after its last commit. Where the ledger is newer, because a run is going on or was stopped, the
ledger itself is asked.
"""

from __future__ import annotations

import csv
import time
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from objectives.errors import InvalidInput
from tuner.best import Best, load_best
from tuner.errors import NoResult
from tuner.store.directory import StudyDirectory

__all__ = ["COLUMNS", "DAMAGED", "Overview", "age_text", "overview", "row", "states_of"]

STATES = ("complete", "pruned", "diverged", "failed")
COLUMNS = ("name", "trials", "planned", *STATES, "metric", "best", "confirmed", "low", "high", "age")


@dataclass(frozen=True)
class Overview:
    """A study in one line: trials by state out of those planned, the best config if there is one, age in seconds."""

    name: str
    planned: int
    states: Mapping[str, int]
    metric: str
    best: Best | None
    age: float

    @property
    def trials(self) -> int:
        """Trials that are committed."""
        return sum(self.states.values())


def overview(directory: StudyDirectory) -> Overview:
    """The overview of a study. Raises what a damaged directory raises: OSError, ValueError, TunerError."""
    about = tomllib.loads(directory.study_text())["study"]
    states, best = _written(directory) if _is_current(directory) else _recorded(directory)
    metric = str(about.get("minimize") or about.get("maximize"))
    age = max(0.0, time.time() - directory.changed())
    return Overview(directory.name, int(about["trials"]), states, metric, best, age)


def _is_current(directory: StudyDirectory) -> bool:
    """Whether the files say what the ledger says."""
    if directory.storage is not None:
        return False
    try:
        return directory.ranking.stat().st_mtime >= directory.changed()
    except FileNotFoundError:
        return False


def _written(directory: StudyDirectory) -> tuple[dict[str, int], Best | None]:
    with open(directory.ranking, encoding="utf-8", newline="") as file:
        states = Counter(row["state"] for row in csv.DictReader(file))
    return dict(states), load_best(directory.best) if directory.best.exists() else None


def _recorded(directory: StudyDirectory) -> tuple[dict[str, int], Best | None]:
    from tuner.result import Result

    result = Result(directory)
    states = dict(Counter(trial.state for trial in result.all_trials))
    try:
        return states, result.best()
    except NoResult:
        return states, None


def row(study: Overview) -> tuple[Any, ...]:
    """Cells of a study under `COLUMNS`."""
    best = study.best
    confirmed = best.confirmation["mean"] if best and best.confirmed else None
    low, high = (best.interval if best else None) or (None, None)
    counts = (study.states.get(state, 0) for state in STATES)
    value = best.value if best else None
    return (study.name, study.trials, study.planned, *counts, study.metric, value, confirmed, low, high, study.age)


def states_of(states: Mapping[str, int]) -> str:
    """Counts in words: "41 complete, 85 pruned, 2 diverged"."""
    known = [f"{states[state]} {state}" for state in STATES if states.get(state)]
    return ", ".join(known) or "none yet"


def age_text(seconds: float) -> str:
    """An age in its largest unit: "3 min"."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


DAMAGED = (OSError, ValueError, KeyError, InvalidInput)
