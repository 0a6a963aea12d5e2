"""What a study file asks of splits, checked: what divides its rows in one way, and what the rows cannot give."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.study.problems import ProblemCollector
from tuner.study.tables import MOST_SEEDS, DataTable, TrainTable

__all__ = ["check_own_resampling", "check_replicates", "check_resampling"]

SEVERAL = ("fresh", "kfold", "rolling")


def check_replicates(data: DataTable, train: TrainTable, report: ProblemCollector) -> None:
    """Check that there are enough seeds for a trial's trainings which no confirmation uses."""
    if (count := (data.splits or 1) * train.replicates) > MOST_SEEDS:
        what = f"{data.splits} splits with {train.replicates} replicates each are {count:,} trainings of one trial"
        report.add(["data", "splits"], what, f"ask for {MOST_SEEDS:,} at the most")


def check_own_resampling(data: DataTable, report: ProblemCollector) -> None:
    """Check the splits of a custom objective, which is passed their numbers and divides its rows itself."""
    if data.resampling in ("kfold", "rolling"):
        report.add(["data", "resampling"], "does not go with an objective of your own", "write splits = 4, say")
    elif data.resampling == "fresh" and data.splits is None:
        report.add(["data", "splits"], "is missing", "write splits = 4, say")
    else:
        check_resampling(data, [], report)


def check_resampling(data: DataTable, given: Sequence[str], report: ProblemCollector) -> None:
    """Check that rows may be divided several times, in the way that was asked for."""
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
