"""`refit`: trains the best config of a study on all rows and writes the model that it ships."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.api.confirm import check_unchanged, stored_subject, writable
from tuner.errors import StudyError
from tuner.model.refit import MOST_REFIT_SEEDS, Refit
from tuner.model.trained import TrainedModel
from tuner.orchestrator.callbacks import RunCallback, default_callback
from tuner.orchestrator.shipping import shipped_by
from tuner.result import Result
from tuner.store.directory import Home, find, home_of
from tuner.store.ledger import Ledger
from tuner.store.stored import stored_study
from tuner.study import not_run

__all__ = ["refit"]


def refit(  # noqa: PLR0913
    name: str | Path,
    seeds: int = 5,
    *,
    all_rows: bool = False,
    baselines: bool = False,
    data: Any = None,
    jobs: int | None = None,
    home: Home = None,
    storage: str | None = None,
    callback: RunCallback | None = None,
    objective: Callable[..., Any] | None = None,
) -> TrainedModel | None:
    """Train the best config of a study on all rows but the test rows, with `seeds` seeds, and write `model/`.

    With `all_rows` the test rows train too, and nothing is left to judge the model by. With `baselines` a constant, a
    linear model and boosted trees at scikit-learn's defaults are fitted on the same rows. `data` is needed where the
    study was run with some given in Python. Your own code is called with the phase "refit"; what it leaves in its
    directory is put into `model/seed-0` and so on, and None is returned. Raises UnknownStudy, NoResult where no trial
    is complete, StudyBusy, StudyError where there is no model to ship, DataError, ChangedStudy where the data or the
    machine's arithmetic are others.
    """
    callback = callback or default_callback()
    directory = find(name, home_of(home, storage))
    frozen = stored_study(directory)
    if frozen.imported:
        raise not_run(frozen.name, frozen.imported)
    check_asked(seeds, jobs)
    if frozen.data.surface:
        what = "an analytic surface has no model"
        raise StudyError(Complaint(f"study {frozen.name!r}", what, "best.toml has the config"))
    with writable(directory, "refitting"), directory.room() as room:
        result = Result(directory)
        result.best()  # raises NoResult before anything is read or trained
        callback.stage("prepare")
        trainable = stored_subject(frozen, data, room, objective, "refit")
        with Ledger.open(directory.place) as ledger:
            check_unchanged(trainable, ledger, "refitted")
        study = replace(frozen, rows=trainable.study.rows)
        with trainable.engine(study, jobs or 1, None) as engine:
            callback.stage("refit")
            model = shipped_by(trainable, result, engine, Refit(seeds, all_rows, baselines))
    callback.ended()
    if model is None and frozen.custom is None:
        raise StudyError(Complaint(f"study {frozen.name!r}", "has no model to ship", "best.toml has the config"))
    return model


def check_asked(seeds: int, jobs: int | None) -> None:
    """Raise StudyError with every number that is out of its bounds."""
    bounds = {"seeds": (seeds, MOST_REFIT_SEEDS), "jobs": (jobs, 1024)}
    wrong = [
        Complaint(key, f"must lie in [1, {most}], but got {value}")
        for key, (value, most) in bounds.items()
        if value is not None and not 1 <= value <= most
    ]
    if wrong:
        raise StudyError(*wrong)
