"""Noise: how far apart two values of the search lie by chance alone.

It has two sources, both measured on the confirmed configs. Retraining: another seed gives other weights. The validation
rows: others would give other values, which is estimated row by row; as all configs are judged on the same rows, the
spread of their differences counts. A config that was not confirmed is assumed to be as noisy as those that were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from statistics import median

import numpy as np

from objectives.types import Array, Direction
from tuner.enums import TrialState
from tuner.ranking.intervals import row_variance
from tuner.ranking.retrainings import by_trial, on, rank_seeds
from tuner.ranking.statistics import t_quantile
from tuner.records import ConfirmationRun
from tuner.study import Study

__all__ = ["Noise", "Variance", "noise_of"]

PAIRED = 20  # configs whose every pair is looked at, best first, for what is typical


@dataclass(frozen=True)
class Variance:
    """Variances of the difference of two configs' values: from retraining, and from the choice of validation rows."""

    retraining: float
    rows: float


@dataclass(frozen=True)
class Noise:
    """The measured noise of a study: of each pair of confirmed trials, and of a typical pair.

    `scores[trial]` is `(N,)`, the goal on each ranking seed, and `blocks[trial]` `(N, G)` its validation rows.
    """

    scores: Mapping[int, Array]
    blocks: Mapping[int, Array]
    typical: Variance
    replicates: int  # that a value of the search is a mean of
    fresh_splits: bool
    splits: int = 1  # that a value of the search is a mean of
    overlap: float = 0.0  # validation rows for each train row

    @property
    def seeds(self) -> int:
        """Return N, the number of seeds that the noise of retraining was measured on."""
        return len(next(iter(self.scores.values())))

    def between(self, a: int, b: int) -> Variance:
        """Return the noise between two trials: their own where both were confirmed, the typical one otherwise.

        The typical one also where their scores are tied: a few equal differences do not show that there is no noise.
        """
        if a not in self.scores or b not in self.scores:
            return self.typical
        own = variance(self.scores[a] - self.scores[b], self.blocks[a] - self.blocks[b], self.fresh_splits)
        return own if own.retraining + own.rows > 0 else self.typical

    def standard_error(self, between: Variance) -> float:
        """Return the standard error of two search values' difference: means over replicates on one split, or over
        splits.
        """
        if self.splits > 1:
            return math.sqrt((between.retraining / self.replicates + between.rows) * (1 / self.splits + self.overlap))
        return math.sqrt(between.retraining / self.replicates + between.rows)

    def alike(self, a: int, b: int, difference: float) -> bool:
        """Return True if chance alone can cause a difference of two search values, at 95 %."""
        if a not in self.scores or b not in self.scores:
            return abs(difference) <= self.reach
        return abs(difference) <= self._quantile * self.standard_error(self.between(a, b))

    # A ranking may ask of a hundred thousand trials.
    @cached_property
    def _quantile(self) -> float:
        return t_quantile(0.975, self.seeds - 1)

    @cached_property
    def reach(self) -> float:
        """Return the largest difference of two search values that chance alone causes, at 95 %, for typical configs."""
        return self._quantile * self.standard_error(self.typical)


def noise_of(study: Study, rows: Sequence[ConfirmationRun]) -> Noise | None:
    """Measure the noise from a study's confirmations; None before two configs finished all their seeds."""
    whole = {trial: on(rank_seeds(study), own) for trial, own in by_trial(rows).items()}
    finished = {
        trial: own for trial, own in whole.items() if own and all(row.state == TrialState.COMPLETE for row in own)
    }
    if len(finished) < 2:
        return None
    scores = {trial: np.array([row.metrics[study.metric] for row in own]) for trial, own in finished.items()}
    blocks = {trial: np.stack([row.blocks for row in own]).astype(np.float64) for trial, own in finished.items()}
    best = sorted(
        scores, key=lambda trial: (float(scores[trial].mean()), trial), reverse=study.direction == Direction.MAXIMIZE
    )
    pairs = [
        variance(scores[a] - scores[b], blocks[a] - blocks[b], study.fresh_splits)
        for a, b in combinations(best[:PAIRED], 2)
    ]
    typical = Variance(median(v.retraining for v in pairs), median(v.rows for v in pairs))
    more = study.splits, study.overlap
    return Noise(scores, blocks, typical, study.train.replicates, study.fresh_splits, *more)


def variance(scores: Array, blocks: Array, fresh_splits: bool) -> Variance:
    """Compute the noise from paired differences on every seed: of the goal `(N,)`, and of blocks of rows `(N, G)`.

    Rows: the mean over seeds of `s^2 / G` over blocks. Retraining: the variance over seeds, minus the part due to the
    rows where each seed had its own validation rows.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total, rows = float(scores.var(ddof=1)), row_variance(list(blocks))
    return Variance(max(0.0, total - rows) if fresh_splits else total, rows)
