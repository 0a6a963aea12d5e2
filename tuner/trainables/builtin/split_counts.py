"""How many splits a trial is judged on, where a study file does not say: as many as its rows leave in doubt."""

from __future__ import annotations

from dataclasses import replace

from tuner.study import MOST_SEEDS, Study

__all__ = ["SPLITS_NOTE", "resampled", "splits_for"]

SPLITS_NOTE = "(data.splits)"

# tuner/search/defaults.md has the measurements: train rows up to which so many splits are worth their training
WORTH = ((500, 16), (2_000, 8), (30_000, 4), (200_000, 2))
WITH = ((128, 16), (64, 8), (0, 4))  # trials from which on, and so many splits at the most


def splits_for(rows: int, trials: int) -> int:
    """Return the splits that a trial is judged on at the last rung, in a study of so many train rows and trials.

    The fewer the rows, the more luck is in a split; the more trials, the luckier is the best of them. A small study has
    more of trials than of splits.
    """
    by_rows = next((splits for most, splits in WORTH if rows <= most), 1)
    by_trials = next(splits for least, splits in WITH if trials >= least)
    return min(by_rows, by_trials)


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
        return _settled(study, "fresh", data.splits), []
    most = MOST_SEEDS // study.train.replicates
    splits = 1 if large else min(most, splits_for(study.rows, study.trials), max(1, (groups or most + 1) - 1))
    note = f"{study.rows:,} train rows: trials are compared on up to {splits} splits of them {SPLITS_NOTE}"
    return _settled(study, "fresh" if splits > 1 else "holdout", splits), [note] if splits > 1 else []


def _settled(study: Study, resampling: str, splits: int) -> Study:
    return replace(study, data=study.data.model_copy(update={"resampling": resampling, "splits": splits}))
