"""How many splits a trial is judged on, where a study file does not say: as many as its rows leave in doubt."""

from __future__ import annotations

from dataclasses import replace

from tuner.spec import Study

__all__ = ["resampled", "splits_for"]

# tuner/search/defaults.md has the measurements: train rows up to which so many splits are worth their training
WORTH = ((500, 16), (2_000, 8), (30_000, 4), (200_000, 2))


def splits_for(rows: int) -> int:
    """Return the splits that a trial of so many train rows is judged on at the last rung."""
    return next((splits for most, splits in WORTH if rows <= most), 1)


def resampled(study: Study, large: bool) -> tuple[Study, list[str]]:
    """Return the study with its number of splits settled, and a note where that was not asked for.

    One where the study asks for a hold-out, where a column decides what is validated, and where data are so `large`
    that every split would be written to the disk. A surface has none.
    """
    data = study.data
    if data.surface:
        return study, []
    if data.resampling == "holdout" or not study.fresh_splits:
        return _settled(study, "holdout", 1), []
    if data.splits is not None:
        return _settled(study, "fresh", data.splits), []
    splits = 1 if large else splits_for(study.rows)
    note = f"{study.rows:,} train rows: trials are compared on up to {splits} splits of them (data.splits)"
    return _settled(study, "fresh" if splits > 1 else "holdout", splits), [note] if splits > 1 else []


def _settled(study: Study, resampling: str, splits: int) -> Study:
    return replace(study, data=study.data.model_copy(update={"resampling": resampling, "splits": splits}))
