"""Documents of a study and of its trials: plain values for `tuner show -f json`, and for whatever serves them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tuner.enums import TrialState
from tuner.errors import NoResult
from tuner.ranking.goal import ranked
from tuner.ranking.table import evaluations
from tuner.result import Result
from tuner.views.overview import COLUMNS, Overview, row
from tuner.views.ranking import ranking_sheet
from tuner.views.sheet import Sheet, sheet_of

__all__ = [
    "by_optimizer",
    "list_document",
    "mean_curve",
    "output_of",
    "ranking_document",
    "study_document",
    "trial_document",
]


def study_document(result: Result) -> dict[str, Any]:
    """Return a study as a document: settings, notes, trials by state, best, confirmation, optimizers, findings."""
    return {
        "study": result.study.name,
        "settings": result.study.to_table(),
        "note": result.notes.text,
        "tags": list(result.notes.tags),
        "trials": len(result.all_trials),
        "states": dict(Counter(str(trial.state) for trial in result.all_trials)),
        "best": best_document(result),
        "confirmation": records(sheet_of(result.confirmation())),
        "optimizers": records(by_optimizer(result)),
        "findings": [finding.document() for finding in result.findings()],
        "directory": str(result.path),
    }


def trial_document(result: Result, number: int) -> dict[str, Any]:
    """Return a trial as a document, its curves as means over replicates `(E,)`. Raises UnknownTrial."""
    trial = result.trial(number)
    return {
        "study": result.study.name,
        "trial": number,
        "generation": trial.generation,
        "state": str(trial.state),
        "stable": trial.stable,
        "value": trial.value,
        "epoch": trial.epoch,
        "epochs": trial.epochs,
        "steps": trial.steps,
        "evaluations": evaluations(result.study, trial),
        "rung": trial.rung,
        "seconds": trial.seconds,
        "error": trial.error,
        "config": dict(trial.config),
        "metrics": dict(trial.metrics),
        "curves": {name: mean_curve(values) for name, values in trial.curves.items()},
        **({"printed": output_of(result, number)[1]} if result.study.custom else {}),
    }


def list_document(studies: list[Overview]) -> list[dict[str, Any]]:
    """Return a line for each study, under the columns of `tuner list`."""
    return [dict(zip(COLUMNS, row(study), strict=True)) for study in studies]


def ranking_document(result: Result, rows: int | None = None, optimizer: str | None = None) -> list[dict[str, Any]]:
    """Return the first `rows` of the ranking, best first, with every column."""
    return records(ranking_sheet(result, rows, optimizer))


def best_document(result: Result) -> dict[str, Any] | None:
    """Return the best config as a document; None where no trial is complete."""
    try:
        return result.best().document()
    except NoResult:
        return None


def by_optimizer(result: Result) -> Sheet:
    """Build one row for each optimizer: its budget in trials and in epochs, how its trials ended, its best.

    That is the first that was checked, once any was, and `best` its value in the search.
    """
    states, rows = tuple(TrialState), []
    checked = [result.trial(standing.trial) for standing in result.standings] if result.is_confirmed else []
    for name in result.study.optimizers:
        own = [trial for trial in result.all_trials if trial.config.get("optimizer") == name]
        counts = Counter(str(trial.state) for trial in own)
        best = next((t for t in checked if t in own), next(iter(ranked(own, result.study.direction)), None))
        cells = (best.value, best.number) if best else (None, None)
        epochs = sum(trial.epochs for trial in own)
        rows.append((name, len(own), epochs, *(counts[state] for state in states), *cells))
    always = frozenset(("optimizer", "trials", "epochs", "complete", "best"))
    titles = {"best": "search", "trial": "best trial"}
    return Sheet(("optimizer", "trials", "epochs", *states, "best", "trial"), tuple(rows), always, titles=titles)


def records(sheet: Sheet) -> list[dict[str, Any]]:
    """Convert the rows of a sheet to mappings."""
    return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]


def output_of(result: Result, number: int) -> tuple[Path, str]:
    """Return where a trial's output is kept, and the output; "" where it printed nothing."""
    place = result.directory.output / f"trial-{number}.txt"
    try:
        return place, place.read_bytes().decode("utf-8", "replace")
    except OSError:
        return place, ""


def mean_curve(values: Any) -> list[float]:
    """Average a curve `(R, E)` over replicates, `(E,)`."""
    return [float(value) for value in values.mean(axis=0)]
