"""What a confirmation says of its trials, as columns: a table of its own, and those that the ranking has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.metrics import metrics_of
from tuner.ranking.standings import ConfirmedTrial
from tuner.ranking.statistics import Interval
from tuner.records import Trial
from tuner.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["confirmation_table", "confirmed_columns", "tested_names"]

OWN = "own"  # the task of an objective of somebody's own


def confirmation_table(standings: Sequence[ConfirmedTrial], tests: Sequence[str]) -> pd.DataFrame:
    """Build one row for each confirmed trial, best first; `tests` are the names of the test metrics.

    rank          by the mean, those first that came further in the race; an optimizer's defaults before what may well
                  be no better
    tie           rank of the first that it is statistically tied with at 95 %; its own where there is none
    trial         number of the trial
    search_rank   its rank in the search
    search_value  its value in the search
    mean, low, high      mean of the goal over the splits of the search and the fresh ones, with its 95 % interval
    optimism      by how much the search's value was better than the mean
    p_best        probability that its true mean is the best of all
    seeds         how many fresh splits it was ranked on beside those of the search
    report, report_low, report_high    the same mean over the reporting seeds, which chose nothing; the first row alone
    NAME, NAME_low, NAME_high          each test metric over the ranking seeds
    report_NAME, ..._low, ..._high     and over the reporting ones
    """
    import pandas as pd

    columns: dict[str, Any] = {
        "rank": np.array([s.rank for s in standings], dtype=np.int64),
        "tie": np.array([s.tie for s in standings], dtype=np.int64),
        "trial": np.array([s.trial for s in standings], dtype=np.int64),
        "search_rank": np.array([s.search_rank for s in standings], dtype=np.int64),
        "search_value": np.array([s.search_value for s in standings], dtype=np.float64),
        **interval_columns("mean", "", [s.goal for s in standings]),
        "optimism": np.array([s.optimism for s in standings], dtype=np.float64),
        "p_best": np.array([s.p_best for s in standings], dtype=np.float64),
        "seeds": np.array([s.seeds for s in standings], dtype=np.int64),
        **interval_columns("report", "report_", [s.report.goal if s.report else None for s in standings]),
    }
    for name in tests:
        columns |= interval_columns(name, f"{name}_", [s.test.get(name) for s in standings])
    for name in tests:
        reported = [s.report.test.get(name) if s.report else None for s in standings]
        columns |= interval_columns(f"report_{name}", f"report_{name}_", reported)
    return pd.DataFrame(columns)


def interval_columns(mean: str, ends: str, intervals: Sequence[Interval | None]) -> dict[str, Any]:
    """Build three columns of float64 for a mean with its interval; missing where there is none."""
    cells = [(i.mean, i.low, i.high) if i else (np.nan,) * 3 for i in intervals]
    columns = np.array(cells, dtype=np.float64).reshape(-1, 3).T
    return dict(zip((mean, f"{ends}low", f"{ends}high"), columns, strict=True))


def tested_names(study: Study, task: str, standings: Sequence[ConfirmedTrial]) -> list[str]:
    """Test metrics that a confirmation of a task has: loss, the task's own, the goal, those of scikit-learn asked for.

    A custom objective has those that it reported.
    """
    if task == OWN:
        return list(dict.fromkeys(name for standing in standings for name in standing.test))
    own = [metric.name for metric in metrics_of(task, study.followed)]
    return list(dict.fromkeys(f"test_{name}" for name in ("loss", *own, *study.confirm.metrics)))


def confirmed_columns(standings: Sequence[ConfirmedTrial], rows: Sequence[Trial]) -> dict[str, Any]:
    """Return the mean on all splits and its interval, a column each, missing where a trial was not confirmed."""
    goals = {standing.trial: standing.goal for standing in standings}
    found = [goals.get(trial.number) for trial in rows]
    return interval_columns("confirmed", "confirmed_", found)
