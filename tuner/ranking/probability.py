"""Probabilities to be best, and statistical ties, from scores of configs on the same seeds.

The spread of a few paired scores is unreliable: it is 0 where they are tied, and so large where a config failed on one
seed that no difference is significant. So it is bounded below by the noise of the validation rows, ties count as in a
sign test, and the worst seed is tested by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from objectives.types import Array
from tuner.ranking.intervals import row_variance
from tuner.ranking.statistics import HUGE, best_shares, t_quantile

__all__ = ["Paired"]

TIMES = 4.0  # the leader's worst: a config that did so on any seed is not its equal
TIED = 1e-9  # of the scores: differences that vary by less vary by rounding
MOST_SIGNS = 50  # of tied scores: beyond, their probability is 1 in floats
DOUBT = 0.05  # two-sided, of what is told apart by a spread; of tied scores, whose signs are all there is, one-sided


@dataclass(frozen=True)
class Paired:
    """Scores `(N, K)` of K configs on the same N seeds, lower is better, not finite where a training came to nothing.

    `overlap` is n_valid / n_train where each seed has a split of its own (`fresh`), `blocks[k][n]` are the values of
    blocks of validation rows. `gaps (N, K)` are distances from the best value that there can be, where tails may be
    looked at, and `constant` that of a constant prediction.
    """

    scores: Array
    overlap: float = 0.0
    fresh: bool = True
    blocks: Sequence[Sequence[Array]] = ()
    gaps: Array | None = None
    constant: float = math.inf

    @property
    def seeds(self) -> int:
        """Return N, the number of seeds."""
        return len(self.scores)

    def known(self, k: int) -> bool:
        """Return True where every training of a config has a finite score."""
        return bool((np.abs(self.scores[:, k]) < HUGE).all())

    def rows(self, a: int, b: int) -> float:
        """Return the variance of two configs' difference on one split that its rows cause; 0 where unknown."""
        if not self.blocks:
            return 0.0
        pairs = list(zip(self.blocks[a], self.blocks[b], strict=True))
        if any(len(one) != len(other) for one, other in pairs):
            return 0.0
        return row_variance([one.astype(np.float64) - other for one, other in pairs])

    def behind(self, leader: int, other: int) -> float:
        """Return the mean of the differences."""
        return float((self.scores[:, other] - self.scores[:, leader]).mean())

    def seen(self, a: int, b: int) -> float:
        """Return the variance of the mean difference from the scores alone, `s^2 (1/N + overlap)`; 0 where they
        are tied.
        """
        behind = self.scores[:, b] - self.scores[:, a]
        if np.ptp(behind) <= TIED * np.abs(self.scores[:, [a, b]]).max():
            return 0.0
        return float(behind.var(ddof=1)) * (1 / self.seeds + self.overlap)

    def variance(self, a: int, b: int) -> float:
        """Return the variance of two configs' mean difference on new rows.

        Where each seed has its own split, its rows are part of the scores' spread, which is no smaller than they alone
        would make it. On one split they are the same for all seeds, and add to the retrainings' variance.
        """
        rows = self.rows(a, b)
        return max(self.seen(a, b), rows * (1 / self.seeds + self.overlap)) if self.fresh else self.seen(a, b) + rows

    def apart(self, leader: int, other: int) -> bool:
        """Return True if a config is worse than another at 95 %, by its mean or by its worst seed."""
        if not (self.known(leader) and self.known(other)) or self.gone(leader, other):
            return True
        behind, variance = self.behind(leader, other), self.variance(leader, other)
        if variance == 0:
            return behind > 0 and 0.5**self.seeds < DOUBT
        return self.seeds > 1 and behind > t_quantile(1 - DOUBT / 2, self.seeds - 1) * math.sqrt(variance)

    def gone(self, leader: int, other: int) -> bool:
        """Return True if a config failed on a seed and the leader on none.

        Failing is being worse than a constant prediction, or than `TIMES` the leader's worst score. One such seed makes
        the spread so large that a t test finds nothing.
        """
        if self.gaps is None:
            return False
        best, worst = float(self.gaps[:, leader].max()), float(self.gaps[:, other].max())
        return worst > TIMES * best > 0 or best <= self.constant < worst

    def shares(self) -> list[float]:
        """Compute each config's probability to have the lowest true mean.

        It is 0 for a config that diverged or failed on a seed: all that is known of its mean is that it is bad.
        """
        known = [k for k in range(self.scores.shape[1]) if self.known(k)]
        if not known:
            return [0.0] * self.scores.shape[1]
        leader = min(known, key=lambda k: float(self.scores[:, k].mean()))
        left = [k for k in known if not self.gone(leader, k)]
        found = dict(zip(left, best_shares(self.scores[:, left], self.overlap, self.doubt(leader, left)), strict=True))
        return [found.get(k, 0.0) for k in range(self.scores.shape[1])]

    def shares_of(self, columns: Sequence[int]) -> list[float]:
        """Compute the probability of each of some configs to have the lowest true mean among them."""
        some = list(columns)
        gaps = None if self.gaps is None else self.gaps[:, some]
        blocks = [self.blocks[k] for k in some] if self.blocks else ()
        return replace(self, scores=self.scores[:, some], gaps=gaps, blocks=blocks).shares()

    def doubt(self, leader: int, configs: Sequence[int]) -> Array:
        """Compute the variances of some configs' means beyond those that their scores show, the leader included.

        With the leader's, each brings the variance of a pair to what `variance` says, and tied ones, where that is 0,
        to what N equal signs are worth: the one behind is the better one with probability 0.5^N (sign test).
        """
        found = {k: self.missing(leader, k) for k in configs if k != leader}
        shared = min(found.values(), default=0.0) / 2
        return np.array([shared if k == leader else found[k] - shared for k in configs])

    def missing(self, leader: int, other: int) -> float:
        """Return the variance of a pair's mean difference that its scores do not show."""
        variance = self.variance(leader, other)
        if variance > 0 or self.seeds < 2:
            return variance - self.seen(leader, other)
        return (self.behind(leader, other) / NormalDist().inv_cdf(1 - 0.5 ** min(self.seeds, MOST_SIGNS))) ** 2
