"""Retrainings of a trial's config: their replicates, and how they are combined with the scores of the search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.ranking.goal import around, signed, smoothed
from tuner.records import AT_EPOCH, ConfirmationRun, Trial
from tuner.study import MOST_SEEDS, Study

__all__ = [
    "REPORTING",
    "SEARCHED",
    "by_trial",
    "final_epoch",
    "follows_curves",
    "kept_curve",
    "on",
    "raced",
    "rank_seeds",
    "report_seeds",
    "round_sizes",
    "search_seeds",
]

ROUNDS = 4
SEARCHED = "searched"  # the state of a row that is no retraining
PLACES = 64  # epochs at which the curve of a retraining is kept, at the most
REPORTING = 2 * MOST_SEEDS  # the number before the first reporting seed; the search's own end well below


def search_seeds(study: Study) -> tuple[int, ...]:
    """Return the replicates on which the search trains each trial, equally many for each of its splits.

    The first has number 0, so that one replicate is the beginning of several. The others have numbers that no
    confirmation reaches: a random stream that the search chose by would not be fresh.
    """
    return 0, *range(MOST_SEEDS + 1, MOST_SEEDS + study.train.replicates * study.splits)


def rank_seeds(study: Study) -> range:
    """Return the replicates that rank all leaders: the first round of the race."""
    return range(1, study.confirm.seeds + 1)


def round_sizes(study: Study) -> tuple[int, ...]:
    """Return the number of fresh splits that each round of the race brings the remaining contenders to.

    There is a single round where all replicates share one split.
    """
    first = study.confirm.seeds
    rounds = ROUNDS if study.splits > 1 and study.fresh_splits else 1
    return tuple(size for r in range(rounds) if (size := first << r) <= MOST_SEEDS)


def report_seeds(study: Study) -> range:
    """Return the replicates that report on the best leader; widening the others never reaches them."""
    return range(REPORTING + 1, REPORTING + study.confirm.seeds + 1)


def by_trial(rows: Sequence[ConfirmationRun]) -> dict[int, list[ConfirmationRun]]:
    """Group confirmation runs by trial, each group in the order of its seeds."""
    found: dict[int, list[ConfirmationRun]] = {}
    for row in sorted(rows, key=lambda row: row.replicate):
        found.setdefault(row.trial, []).append(row)
    return found


def on(seeds: range, rows: Sequence[ConfirmationRun]) -> list[ConfirmationRun]:
    """Return one trial's confirmation runs on these seeds; empty where one is missing."""
    own = [row for row in rows if row.replicate in seeds]
    return own if len(own) == len(seeds) else []


def search_rows(study: Study, trial: Trial) -> list[ConfirmationRun]:
    """Return a trial's scores on the splits of the search as rows of a confirmation; none where there is a single
    split.

    The mean of many splits can be used beside fresh ones, although the trial was chosen by it; the value of one cannot.
    """
    if study.splits == 1 or trial.epoch is None:
        return []
    curve = np.asarray(trial.curves[study.metric])
    near = curve[:, around(trial.epoch, study.window, curve.shape[1])].mean(axis=1)
    values = near.reshape(-1, study.train.replicates).mean(axis=1)
    return [
        ConfirmationRun(trial.number, -r, trial.epoch, {study.metric: float(v)}, 0.0, SEARCHED)
        for r, v in enumerate(values)
    ]


def raced(study: Study, trial: Trial, fresh: Sequence[ConfirmationRun]) -> list[ConfirmationRun]:
    """Return all rows that a trial is compared by: its scores on the splits of the search, then on fresh ones.

    All are averaged over the epochs around the trial's own, where the curves of the fresh ones were kept.
    """
    return [*search_rows(study, trial), *(_averaged(study, row, f"{AT_EPOCH}{trial.epoch}") for row in fresh)]


def _averaged(study: Study, row: ConfirmationRun, key: str) -> ConfirmationRun:
    value = row.metrics.get(key, math.nan)
    return replace(row, metrics={**row.metrics, study.metric: value}) if math.isfinite(value) else row


def follows_curves(study: Study) -> bool:
    """Return True if contenders train to their full length, so that fresh splits help to choose the epoch.

    Trials that stop early do not: their curves end in different places.
    """
    return study.window > 1 and study.splits > 1 and study.fresh_splits and not study.train.patience


def kept_curve(curve: Sequence[float] | NDArray[Any], window: int) -> dict[str, float]:
    """Return the part of a retraining's curve `(E,)` that is kept: its moving average at up to `PLACES` epochs."""
    with np.errstate(invalid="ignore"):
        found = smoothed(curve, window)
    return {f"{AT_EPOCH}{epoch}": float(found[epoch - 1]) for epoch in _places(len(found))}


def final_epoch(study: Study, trial: Trial, rows: Sequence[ConfirmationRun]) -> int | None:
    """Return the epoch that users should train a trial's config to: the best of its mean curve over all splits.

    These are the splits of the search and the fresh ones of the race; only those of the search where curves were not
    kept. Once the config was reported on at an epoch, that epoch stays.
    """
    own = [row for row in rows if row.trial == trial.number]
    if reported := [row.epoch for row in own if row.replicate > REPORTING]:
        return reported[0]
    keys = [f"{AT_EPOCH}{epoch}" for epoch in _places(trial.epochs)]
    fresh = [row for row in own if row.replicate <= MOST_SEEDS]
    if not follows_curves(study) or not fresh or not all(key in row.metrics for key in keys for row in fresh):
        return trial.epoch
    places = np.array(_places(trial.epochs))
    with np.errstate(invalid="ignore"):
        searched = smoothed(np.asarray(trial.curves[study.metric]).mean(axis=0), study.window)[places - 1]
        total = study.splits * searched + np.array([[row.metrics[key] for key in keys] for row in fresh]).sum(axis=0)
    lower = np.where(np.isfinite(total), signed(1.0, study.direction) * total, np.inf)
    return int(places[lower.argmin()]) if np.isfinite(lower).any() else trial.epoch


def _places(epochs: int) -> list[int]:
    """Return the epochs, from 1, at which a curve of so many is kept; all of them where they are few."""
    return sorted({math.ceil(epochs * k / PLACES) for k in range(1, PLACES + 1)})
