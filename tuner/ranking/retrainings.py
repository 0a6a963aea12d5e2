"""Retrainings of a trial's config: on which replicates, and together with what the search saw of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuner.ranking.goal import around
from tuner.records import Confirmed, Trial
from tuner.study import MOST_SEEDS, Study

__all__ = [
    "REPORTING",
    "SEARCHED",
    "by_trial",
    "on",
    "raced",
    "rank_seeds",
    "report_seeds",
    "round_sizes",
    "search_seeds",
]

ROUNDS = 4
SEARCHED = "searched"  # the state of a row that is no retraining
REPORTING = 2 * MOST_SEEDS  # the number before the first reporting seed; the search's own end well below


def search_seeds(study: Study) -> tuple[int, ...]:
    """Replicates on which the search trains each trial: so many for each of its splits.

    The first has number 0, so that one replicate is the start of several. The others are numbered beyond all that a
    confirmation may ever be widened to: on a random stream that the search had chosen by, it would not be fresh.
    """
    return 0, *range(MOST_SEEDS + 1, MOST_SEEDS + study.train.replicates * study.splits)


def rank_seeds(study: Study) -> range:
    """Replicates on which all leaders are ranked: the first round of the race."""
    return range(1, study.confirm.seeds + 1)


def round_sizes(study: Study) -> tuple[int, ...]:
    """Return how many fresh splits each round of the race brings those that are left to.

    A single round where there is one split for all.
    """
    first = study.confirm.seeds
    rounds = ROUNDS if study.splits > 1 and study.fresh_splits else 1
    return tuple(size for r in range(rounds) if (size := first << r) <= MOST_SEEDS)


def report_seeds(study: Study) -> range:
    """Replicates on which the best of them is reported; no widening of the others reaches them."""
    return range(REPORTING + 1, REPORTING + study.confirm.seeds + 1)


def by_trial(rows: Sequence[Confirmed]) -> dict[int, list[Confirmed]]:
    """Retrainings by their trial, each in the order of its seeds."""
    found: dict[int, list[Confirmed]] = {}
    for row in sorted(rows, key=lambda row: row.replicate):
        found.setdefault(row.trial, []).append(row)
    return found


def on(seeds: range, rows: Sequence[Confirmed]) -> list[Confirmed]:
    """Those of one trial's retrainings that are on these seeds; empty where one is missing."""
    own = [row for row in rows if row.replicate in seeds]
    return own if len(own) == len(seeds) else []


def search_rows(study: Study, trial: Trial) -> list[Confirmed]:
    """Return a trial's scores on the splits of the search as rows of a confirmation; none of a single split.

    The mean of many splits is a fair witness beside fresh ones, though the trial was chosen by it; that of one is not.
    """
    if study.splits == 1 or trial.epoch is None:
        return []
    curve = np.asarray(trial.curves[study.metric])
    near = curve[:, around(trial.epoch, study.window, curve.shape[1])].mean(axis=1)
    values = near.reshape(-1, study.train.replicates).mean(axis=1)
    return [
        Confirmed(trial.number, -r, trial.epoch, {study.metric: float(v)}, 0.0, SEARCHED) for r, v in enumerate(values)
    ]


def raced(study: Study, trial: Trial, fresh: Sequence[Confirmed]) -> list[Confirmed]:
    """Return all that a trial is compared by: its scores on the splits of the search, then on fresh ones."""
    return [*search_rows(study, trial), *fresh]
