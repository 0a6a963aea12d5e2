"""What `tuner list` says of a study: the summary that its ledger keeps, read without NumPy, pandas or SQLAlchemy.

A run writes it with each commit, and at its end. Where there is none, in a ledger of before it was kept, its rows are
counted.
"""

from __future__ import annotations

import json
import time
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objectives.errors import InvalidInput
from tuner.best import load_best
from tuner.enums import TrialState
from tuner.errors import TunerError
from tuner.store.directory import Home, StudyDirectory, home_of, studies
from tuner.store.notes import StudyNotes, read_notes
from tuner.store.signed import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "DAMAGED", "STATES", "Overview", "age_text", "list_studies", "overview", "row", "states_of"]

STATES = tuple(state.value for state in TrialState)
FOUND, OWN = ("metric", "best", "confirmed", "low", "high", "age"), ("description", "tags", "note")
COLUMNS = ("name", "trials", "planned", *STATES, *FOUND, *OWN)


@dataclass(frozen=True)
class Overview:
    """A study in one line: trials by state out of those planned, the best value if there is one, age in seconds.

    `mean`, `low` and `high` are what fresh seeds said of the best.
    """

    name: str
    planned: int
    states: Mapping[str, int]
    metric: str
    age: float
    value: float | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    description: str = ""
    notes: StudyNotes = field(default_factory=StudyNotes)

    @property
    def trials(self) -> int:
        """Return the number of committed trials."""
        return sum(self.states.values())


def overview(directory: StudyDirectory) -> Overview:
    """Return the overview of a study. Raises what a damaged directory raises: OSError, ValueError, TunerError."""
    about = tomllib.loads(directory.study_text())["study"]
    summary = json.loads(directory.summary_text() or "{}") or _recorded(directory, "maximize" in about)
    metric = str(about.get("minimize") or about.get("maximize"))
    age = max(0.0, time.time() - directory.changed())
    states = {str(state): int(number) for state, number in summary["states"].items()}
    found: dict[str, Any] = {name: summary.get(name) for name in ("value", "mean", "low", "high")}
    own: dict[str, Any] = {"description": str(about.get("description", "")), "notes": read_notes(directory)}
    return Overview(directory.name, int(about["trials"]), states, metric, age, **own, **found)


def _recorded(directory: StudyDirectory, maximize: bool) -> dict[str, Any]:
    """Return the summary of a study whose last writer left none."""
    found = counted(directory.place, maximize) if isinstance(directory.place, Path) else {}
    if "value" in found:
        return found
    if found and _is_current(directory):
        if not directory.best.exists():
            return found | {"value": None}
        best = load_best(directory.best)
        low, high = best.interval or (None, None)
        return found | {"value": best.value, "mean": best.confirmation.get("mean"), "low": low, "high": high}
    from tuner.orchestrator.artifacts import summary_of
    from tuner.result import Result

    return summary_of(Result(directory))


def _is_current(directory: StudyDirectory) -> bool:
    """Return True if the files agree with the ledger."""
    try:
        return directory.ranking.stat().st_mtime >= directory.changed()
    except FileNotFoundError:
        return False


def row(study: Overview) -> tuple[Any, ...]:
    """Return the cells of a study under `COLUMNS`."""
    counts = (study.states.get(state, 0) for state in STATES)
    found = (study.value, study.mean, study.low, study.high)
    own = (study.description, " ".join(study.notes.tags), study.notes.text or study.notes.problem)
    return (study.name, study.trials, study.planned, *counts, study.metric, *found, study.age, *own)


def list_studies(home: Home = None, *, storage: str | None = None) -> pd.DataFrame:
    """List the studies of a home directory, or of a `storage`, as a table with a row for each.

    Returns a pandas DataFrame: trials by state, `best` of the search, `confirmed` with `low` and `high` on fresh seeds,
    `age` in seconds, the `description`, and the user's `tags` and `note`. A study that cannot be read is left out, with
    a warning.

    ```python
    tuner.list().sort_values("age")
    ```
    """
    import pandas as pd

    rows = []
    for directory in studies(home_of(home, storage)):
        try:
            rows.append(row(overview(directory)))
        except (*DAMAGED, TunerError) as error:
            reason = (str(error).splitlines() or [""])[0]
            warnings.warn(f"{directory.name}: cannot be read: {reason}", stacklevel=2)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def states_of(states: Mapping[str, int]) -> str:
    """Write counts: "41 complete, 85 pruned, 2 diverged"."""
    known = [f"{states[state]} {state}" for state in STATES if states.get(state)]
    return ", ".join(known) or "none yet"


def age_text(seconds: float) -> str:
    """Write an age in its largest unit: "3 min"."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


DAMAGED = (OSError, ValueError, KeyError, InvalidInput)
