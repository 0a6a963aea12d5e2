"""What a study file asks of splits, checked: what divides its rows in one way, and what the rows cannot give."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.study.problems import Report
from tuner.study.tables import MOST_SEEDS, Data, Train

__all__ = ["check_own_resampling", "check_replicates", "check_resampling"]

SEVERAL = ("fresh", "kfold", "rolling")


def check_replicates(data: Data, train: Train, report: Report) -> None:
    """There are seeds enough for all trainings of a trial that a confirmation does not use."""
    if (count := (data.splits or 1) * train.replicates) > MOST_SEEDS:
        what = f"{data.splits} splits with {train.replicates} replicates each are {count:,} trainings of one trial"
        report.add(["data", "splits"], what, f"ask for {MOST_SEEDS:,} at the most")


def check_own_resampling(data: Data, report: Report) -> None:
    """An objective of somebody's own is told the numbers of its splits, and divides its rows itself."""
    if data.resampling in ("kfold", "rolling"):
        report.add(["data", "resampling"], "does not go with an objective of your own", "write splits = 4, say")
    elif data.resampling == "fresh" and data.splits is None:
        report.add(["data", "splits"], "is missing", "write splits = 4, say")
    else:
        check_resampling(data, [], report)


def check_resampling(data: Data, given: Sequence[str], report: Report) -> None:
    """That rows may be divided several times, and in that way, where that is asked for."""
    several = data.resampling in SEVERAL or (data.splits or 1) > 1
    if several and "column" in given:
        what = "asks for several splits, but split.column divides the rows in one way"
        report.add(["data", "resampling"], what, "remove data.splits and data.resampling")
    elif data.resampling == "holdout" and (data.splits or 1) > 1:
        report.add(["data", "splits"], f"is {data.splits}, but a hold-out is one split", 'write resampling = "fresh"')
    if data.resampling in ("fresh", "kfold") and "order" in given:
        what = "would train on rows that are later than those that validate"
        report.add(["data", "resampling"], what, 'write resampling = "rolling", or leave it out')
    if data.resampling == "rolling" and "order" not in given:
        report.add(["data", "resampling"], "needs rows in time order", 'write split = { order = "date" }, say')
    if data.resampling in SEVERAL and data.splits == 1:
        report.add(["data", "splits"], "is 1, which is a hold-out", 'write resampling = "holdout", or ask for more')
