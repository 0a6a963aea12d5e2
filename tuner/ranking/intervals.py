"""Intervals of metrics over retrainings, and what they cover.

Readers take the interval of a loss for what new rows would give. So it includes all that is random: the seed, the
division into train and validation rows, and the rows themselves. Where the last cannot be known, the interval says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.data import GIVEN_UP
from objectives.metrics import bounds_of
from tuner.ranking.statistics import Interval, RowNoise, bounded_interval, mean_interval, share_interval
from tuner.records import SPREAD, ConfirmationRun
from tuner.study import Study

__all__ = ["NEW_ROWS", "SAME_ROWS", "SEEDS", "SPLITS", "Sizes", "metric_interval", "row_variance", "sizes_of"]

# What an interval covers.
NEW_ROWS = "the value on new rows"
SAME_ROWS = "the mean over retrainings on these rows (not what others would give)"
SEEDS = "the mean over seeds alone (not what other data would give)"
SPLITS = "the mean over splits and seeds (as if splits shared no rows)"
LEVEL = 0.95


@dataclass(frozen=True)
class Sizes:
    """Rows of a study's parts, 0 where unknown; `overlap` is n_valid / n_train where each seed has its own split.

    Without such splits, or where there are no rows, it is 0. No more than `validating` rows ever validate.
    """

    train: int = 0
    valid: int = 0
    test: int = 0
    overlap: float = 0.0
    validating: float = math.inf

    def different(self, splits: int) -> float:
        """Return the expected number of different rows among the validation rows of `splits` splits."""
        if not self.train or not self.valid:
            return math.inf
        both = self.train + self.valid
        return min(self.validating, both * (1 - (1 - self.valid / both) ** splits))


def sizes_of(study: Study, facts: Mapping[str, str]) -> Sizes:
    """Return the sizes in a ledger's facts; without them, the overlap by the fractions of the split."""
    train, valid, test = (int(facts.get(name, 0)) for name in ("rows", "valid_rows", "test_rows"))
    if not study.fresh_splits or study.data.surface or study.custom:
        return Sizes(train, valid, test)
    split = study.data.split
    ratio = valid / train if train and valid else split.valid / (1 - split.valid - split.test)
    reached = valid + train / (GIVEN_UP - 1) if train and study.data.resampling == "rolling" else math.inf
    return Sizes(train, valid, test, ratio, reached)


def metric_interval(study: Study, sizes: Sizes, rows: Sequence[ConfirmationRun], name: str) -> Interval:
    """Compute a metric's mean and 95 % interval over confirmation runs, and what it is of; nan where one run lacks it.

    Validation on fresh splits: Nadeau and Bengio's correction for the rows that the splits share. Test rows, and the
    validation rows of one split, are the same for all: the variance of the mean is `s^2 / J + var(row) / n`, of seeds
    and rows. Accuracies and other metrics between two bounds: Wilson's interval with as many rows as that is worth.
    """
    values = [row.metrics.get(name, math.nan) for row in rows]
    part, _, kind = name.partition("_")
    if study.custom or study.data.surface:
        return replace(mean_interval(values, LEVEL, bounds_of(name)), of=SPLITS if study.splits > 1 else SEEDS)
    fresh = part == "valid" and study.fresh_splits
    share = kind == "accuracy" and study.data.weight is None  # else it is no count of rows
    if fresh and share:
        return replace(share_interval(values, LEVEL, sizes.overlap, sizes.different(len(values))), of=NEW_ROWS)
    if fresh:
        return replace(mean_interval(values, LEVEL, bounds_of(name), sizes.overlap), of=NEW_ROWS)
    if share:
        count = getattr(sizes, part, 0)
        found = share_interval(values, LEVEL, 0.0, count or math.inf, shared=count > 0)
        return replace(found, of=NEW_ROWS if count else SAME_ROWS)
    noise, bounds = row_noise(study, sizes, rows, name), bounds_of(name)
    if noise and all(map(math.isfinite, bounds)):
        return replace(bounded_interval(values, LEVEL, bounds, noise.variance), of=NEW_ROWS)
    found = mean_interval(values, LEVEL, bounds, rows=noise or RowNoise())
    return replace(found, of=NEW_ROWS if noise else SAME_ROWS)


def row_noise(study: Study, sizes: Sizes, rows: Sequence[ConfirmationRun], name: str) -> RowNoise | None:
    """Return what the choice of rows adds to the variance of a metric's mean if all runs share them; None if not
    measured.

    Of test metrics each run keeps the deviations of the rows' values, or of pseudo-values where a metric is no mean
    over rows; of the goal it keeps block means.
    """
    part = name.partition("_")[0]
    count = getattr(sizes, part, 0)
    kept = [row.metrics.get(f"{SPREAD}{name}", math.nan) for row in rows]
    if count > 1 and all(map(math.isfinite, kept)):
        return RowNoise(math.fsum(kept_one**2 for kept_one in kept) / len(kept) / count, count - 1)
    if name == study.metric and all(len(row.blocks) > 1 for row in rows):
        return RowNoise(row_variance([row.blocks for row in rows]), min(len(row.blocks) for row in rows) - 1)
    return None


def row_variance(blocks: Sequence[NDArray[Any]]) -> float:
    """Compute the variance of a mean over rows from block means `(G,)` of equal size: `s^2 / G`, averaged over
    trainings.

    0 where a training has fewer than two blocks, which say nothing.
    """
    if not blocks or any(len(one) < 2 for one in blocks):
        return 0.0
    return float(np.mean([one.astype(np.float64).var(ddof=1) / len(one) for one in blocks]))
