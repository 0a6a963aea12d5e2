"""An Optuna study as a study directory: for `top`, `report`, `compare`, and as a warm start of a study here.

Parameters become the config's columns. A value that is not finite is a trial that diverged; one that was still running
or waiting is a failed one, so that every trial keeps its number. The k-th intermediate value is epoch k of the curve.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from objectives.errors import Complaint, nearest
from tuner.drafts import draft_of
from tuner.enums import TrialState
from tuner.errors import NoResult, StudyError
from tuner.masking import masked
from tuner.optuna_bridge.storage import load
from tuner.optuna_bridge.study import Distribution, OptunaStudy, OptunaTrial
from tuner.orchestrator.artifacts import summary_of
from tuner.parameter_names import parameter_name
from tuner.ranking.goal import goal_at
from tuner.ranking.table import IMPORTED, ranking
from tuner.records import Trial
from tuner.result import Result
from tuner.store.backend import write_private
from tuner.store.directory import StudyDirectory, study_directory
from tuner.store.ledger import Ledger
from tuner.study import UNNAMED, Imported, Study, imported_text, read_study, text_of
from tuner.text import visible

__all__ = ["import_study"]

GENERATION = 1000  # trials to a transaction
LONGEST = 200  # characters of a name
STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "fail": TrialState.FAILED,
    "running": TrialState.FAILED,
    "waiting": TrialState.FAILED,
}


def import_study(  # noqa: PLR0913
    source: str,
    name: str | None = None,
    home: str | Path | None = None,
    *,
    study_name: str | None = None,
    metric: str | None = None,
    rename: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
) -> StudyDirectory:
    """Read the Optuna study `study_name` of a storage into the study directory `name`, by default of the same name.

    `metric` says what its value is here, "valid_loss" say; `rename` turns its parameters' names into ours ({"learning
    _rate": "lr"}), and `constants` are added to every config ({"optimizer": "adam"}): a warm start matches by name, as
    `tuner init --from-optuna` gives them where it wrote the study that begins.
    Raises StudyError for what cannot be read or is there already, NoResult where no trial is complete.
    """
    study = load(source, study_name)
    if not any(trial.state == "complete" for trial in study.trials):
        raise NoResult(
            f"{masked(source)}: study {study.name!r} has no complete trial, so there is nothing to learn from"
        )
    directory = _place(name or study.name, home)
    if directory.exists:
        hint = "choose another with --name, or remove it with `tuner rm`"
        raise StudyError(Complaint(f"study {directory.name!r}", "is there already", hint))
    goal = metric or legible(study.metric) or UNNAMED
    constants = dict(constants or {})
    names = _names(study, goal, rename or {}, constants)
    columns = {names[key]: _kind(axis) for key, axis in study.axes.items()}
    if not isinstance(columns.get("optimizer", ()), tuple):
        raise StudyError(Complaint("column 'optimizer'", "is a number", "rename it"))
    columns = {key: (text_of(value),) for key, value in constants.items()} | columns
    origin = Imported(f"Optuna, {masked(source)}", study.name, columns)
    text = imported_text(directory.name, max(1, len(study.trials)), goal, study.direction, origin)
    trials = [_trial(study, trial, goal, names, constants) for trial in study.trials]
    _write(directory, text, trials, {"source": masked(source), "study": study.name})
    return directory


def _place(name: str, home: str | Path | None) -> StudyDirectory:
    try:
        read_study({"study": {"name": name}, "optimizers": {"sgd": {}}}, needs_data=False)
        return study_directory(name, home)
    except (StudyError, ValueError) as error:
        hint = "choose one with --name: letters, digits, space . _ -"
        raise StudyError(Complaint(f"study {name!r}", "cannot be the name of a directory", hint)) from error


def _write(directory: StudyDirectory, text: str, trials: Sequence[Trial], about: Mapping[str, str]) -> None:
    """Write a study directory; the ledger, which makes it a study, comes last and whole, or there is none of it."""
    new = not directory.path.exists()
    try:
        with directory.lock():
            _fill(directory, text, trials, {"task": IMPORTED, "data": "", "canary": "", "processor": ""} | dict(about))
    except BaseException:
        if new:
            shutil.rmtree(directory.path, ignore_errors=True)
        raise


def _fill(directory: StudyDirectory, text: str, trials: Sequence[Trial], facts: Mapping[str, str]) -> None:
    draft = draft_of(directory.path / "import")
    try:
        with Ledger.create(draft, facts, text) as ledger:
            for number, first in enumerate(range(0, len(trials), GENERATION)):
                ledger.commit_generation(number, trials[first : first + GENERATION])
        write_private(directory.study, text)
        os.replace(draft, directory.ledger)
        with Ledger.open(directory.ledger) as ledger:
            ledger.write_summary(summary_of(Result(directory)))
    finally:
        draft.unlink(missing_ok=True)


def _names(study: OptunaStudy, goal: str, rename: Mapping[str, str], constants: Mapping[str, Any]) -> dict[str, str]:
    """Choose each parameter's name: renamed as asked, or changed where a column of the table has its name."""
    if unknown := [name for name in rename if name not in study.axes]:
        raise StudyError(
            *(Complaint(f"rename {name!r}", "is no parameter", nearest(name, study.axes)) for name in unknown)
        )
    taken = {*_columns(), goal}
    plain = {key: legible(key) for key in study.axes}
    names = {key: rename.get(key, parameter_name(name) if name in taken else name) for key, name in plain.items()}
    every = [*names.values(), *constants]
    if twice := sorted({name for name in every if every.count(name) > 1 or name in taken}):
        raise StudyError(*(Complaint(f"column {name!r}", "would be there twice", "rename one") for name in twice))
    return names


def legible(name: str) -> str:
    """Convert another tool's name to one that tables and charts can show: one line, no control characters or quotes."""
    return " ".join(visible(name[:LONGEST]).replace("\\", "/").split())


def _columns() -> list[str]:
    """Return the names that a ranking reserves."""
    study: Study = read_study({"optimizers": {"sgd": {}}}, needs_data=False)
    return list(ranking(study, [], [], {}).columns)


def _kind(axis: Distribution) -> str | tuple[str, ...]:
    if axis.kind == "categorical":
        return tuple(dict.fromkeys(visible(text_of(choice)) for choice in axis.choices))
    return "Int64" if axis.kind == "int" else "float64"


def _trial(
    study: OptunaStudy, trial: OptunaTrial, goal: str, names: Mapping[str, str], constants: Mapping[str, Any]
) -> Trial:
    known = trial.value is not None and math.isfinite(trial.value) and not trial.attrs.get("capped")
    state = STATES[trial.state] if known or trial.state != "complete" else TrialState.DIVERGED
    reports = list(trial.reports.values()) or ([trial.value] if trial.value is not None else [])
    curve = np.array([reports], dtype=np.float64)
    value = trial.value if known and state in (TrialState.COMPLETE, TrialState.PRUNED) else None
    return Trial(
        number=trial.number,
        generation=trial.number // GENERATION,
        state=state,
        config={**constants, **{names[key]: _value(param) for key, param in trial.params.items()}},
        latents={},
        rung=0,
        epochs=len(reports),
        steps=0,
        value=value,
        epoch=goal_at(curve, study.direction, len(reports))[1] if value is not None else None,
        stable=value is not None and trial.feasible,
        metrics={goal: value} if value is not None else {},
        curves={goal: curve} if reports else {},
        seconds=trial.seconds,
        error="".join(_errors(trial)),
    )


def _value(param: Any) -> Any:
    return visible(param) if isinstance(param, str) else "None" if param is None else param


def _errors(trial: OptunaTrial) -> Iterator[str]:
    if trial.state in ("running", "waiting"):
        yield f"was still {trial.state} when it was imported"
    elif trial.state == "fail":
        yield str(trial.attrs.get("error") or "failed in Optuna")
