"""How many splits a trial is judged on, where a study file does not say: as many as its rows leave in doubt."""

from __future__ import annotations

from dataclasses import replace

from objectives.data import SplitSpec, Table, windows
from objectives.data.reading import FIRST_RULES
from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.study import MOST_SEEDS, Study

__all__ = ["as_begun", "raced", "resampled", "rolled", "split_of", "splits_for"]

# tuner/search/defaults.md has the measurements: train rows up to which so many splits are worth their training
WORTH = ((500, 16), (2_000, 8), (30_000, 4), (200_000, 2))
SHARE_OF_FEW, FEW_ROWS = 1.0, 500  # of the search's training that the race may take, up to so many train rows
WITH = ((128, 16), (64, 8), (0, 4))  # trials from which on, and so many splits at the most


def splits_for(rows: int, trials: int) -> int:
    """Return the splits that a trial is judged on at the last rung, in a study of so many train rows and trials.

    The fewer the rows, the more luck is in a split; the more trials, the luckier is the best of them. A small study has
    more of trials than of splits.
    """
    by_rows = next((splits for most, splits in WORTH if rows <= most), 1)
    by_trials = next(splits for least, splits in WITH if trials >= least)
    return min(by_rows, by_trials)


def as_begun(study: Study, begun: Study | None) -> Study:
    """Return the study judged on the splits that it began with, where its file leaves their number open.

    One that was begun before trials had splits has a hold-out. The share of the race stays too.
    """
    if begun is None:
        return study
    if study.confirm.share is None:
        study = replace(study, confirm=study.confirm.model_copy(update={"share": begun.confirm.share}))
    if study.data.rules is None and not study.data.surface:
        rules = begun.data.rules or FIRST_RULES
        study = replace(study, data=study.data.model_copy(update={"rules": rules}))
    asked = study.data
    if asked.surface or asked.splits is not None:
        return study
    resampling, splits = (begun.data.resampling, begun.splits) if begun.data.splits else ("holdout", 1)
    return _settled(study, resampling, splits) if asked.resampling in ("auto", resampling) else study


def rolled(study: Study, table: Table) -> tuple[Study, list[str]]:
    """Return a study of rows in time order with its windows settled, before the rows are divided, and a note on that.

    Raises StudyError where so many windows are asked for that two would be the same.
    """
    data = study.data
    if data.split.order is None or data.resampling == "holdout" or data.splits == 1:
        return study, []
    found = windows(table.rows.count, split_of(study))
    most = 1 if table.large else found.different(MOST_SEEDS // study.train.replicates)
    if (data.splits or 0) > most:
        what = f"asks for {data.splits} windows, but {table.rows.count:,} rows have {most} that differ"
        raise StudyError(Complaint("data.splits", what, f"ask for {most}, or leave it out"))
    rows = found.train + found.room  # of the newest window, were it the only one
    splits = data.splits or min(most, splits_for(rows, study.planned))
    if splits < 2:
        return _settled(study, "holdout", 1), []
    said = f"{splits} windows in time order, {found.train:,} rows train and the next {found.valid:,} validate"
    note = [] if data.splits else [f"{said}: trials are compared on up to so many of them (data.splits)"]
    return _settled(study, "rolling", splits), note


def resampled(study: Study, large: bool, groups: int = 0) -> tuple[Study, list[str]]:
    """Return the study with its number of splits settled, and a note where that was not asked for.

    One where the study asks for a hold-out, where a column decides what is validated, and where data are so `large`
    that every split would be written to the disk. Of `groups` rows no more splits than differ. A surface has none.
    """
    data = study.data
    if data.surface:
        return study, []
    if data.resampling == "holdout" or not study.fresh_splits:
        return _settled(study, "holdout", 1), []
    if data.folds:
        return _settled(study, "kfold", data.folds), []
    if data.splits is not None:
        return _settled(study, data.resampling if data.resampling == "rolling" else "fresh", data.splits), []
    most = MOST_SEEDS // study.train.replicates
    splits = 1 if large else min(most, splits_for(study.rows, study.planned), max(1, (groups or most + 1) - 1))
    note = f"{study.rows:,} train rows: trials are compared on up to {splits} splits of them (data.splits)"
    return _settled(study, "fresh" if splits > 1 else "holdout", splits), [note] if splits > 1 else []


def raced(study: Study) -> Study:
    """Return a study that begins with the share of its race settled: trainings on few rows cost little."""
    if study.confirm.share is not None or study.splits < 2 or not study.fresh_splits or study.rows > FEW_ROWS:
        return study
    return replace(study, confirm=study.confirm.model_copy(update={"share": SHARE_OF_FEW}))


def split_of(study: Study) -> SplitSpec:
    """Return how the study divides its rows."""
    data = study.data
    return SplitSpec(**data.split.model_dump(), folds=data.folds, rolling=data.resampling == "rolling")


def _settled(study: Study, resampling: str, splits: int) -> Study:
    return replace(study, data=study.data.model_copy(update={"resampling": resampling, "splits": splits}))
