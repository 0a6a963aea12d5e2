"""Means with their intervals, and the probability to be best from paired scores.

Student's t is implemented here: importing scipy.stats takes longer than a small study takes to run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.rng import Stream, stream

__all__ = [
    "DRAWS",
    "HUGE",
    "Interval",
    "RowNoise",
    "best_shares",
    "bounded_interval",
    "leader_groups",
    "mean_interval",
    "share_interval",
    "standard_error",
    "t_quantile",
]

DRAWS = 10_000  # of the posterior: a share is then known to 0.005
HUGE = 1e150  # from there on a square overflows: a value like that is as good as infinite
MOST_DEGREES = 1000  # of freedom: t is then the normal to 0.002


@dataclass(frozen=True)
class Interval:
    """A mean with its `level` confidence interval; with fewer than two values the ends are nan.

    `of` says what it is an interval of: one of the sentences of `tuner.ranking.intervals`.
    """

    mean: float
    low: float
    high: float
    n: int
    level: float = 0.95
    of: str = ""


@dataclass(frozen=True)
class RowNoise:
    """What the choice of rows adds to the variance of a mean over trainings that met the same ones."""

    variance: float = 0.0
    degrees: int = MOST_DEGREES  # of freedom of that variance: rows less one

    def reach(self, level: float) -> float:
        """Return the squared half width of an interval from this noise alone."""
        degrees = max(min(self.degrees, MOST_DEGREES), 1)
        return t_quantile(0.5 + level / 2, degrees) ** 2 * self.variance if self.variance > 0 else 0.0


EXACT = RowNoise()


def mean_interval(
    values: Sequence[float],
    level: float = 0.95,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    overlap: float = 0.0,
    rows: RowNoise = EXACT,
) -> Interval:
    """Compute the mean and two-sided t interval `mean +- t s sqrt(1/n + overlap)`, clipped to `bounds`.

    Independent values have no `overlap`. For scores on fresh divisions of the same rows it is `n_valid / n_train`
    (Nadeau and Bengio, Inference for the Generalization Error, 2003): such scores share most rows, so that the mean of
    many is less sure than `s / sqrt(n)` says. `rows` is there where the values share the very rows that they are scores
    of: the half width is then the root of the sum of both parts' squared (Zou and Donner 2008), each with its own t.
    nan where a value is not finite.
    """
    n, mean = len(values), _mean(values)
    if n < 2 or not math.isfinite(mean):
        return Interval(mean, math.nan, math.nan, n, level)
    # the t interval knows nothing of bounds; beyond them there is nothing to cover
    reach = t_quantile(0.5 + level / 2, n - 1) * _deviation(values) * math.sqrt(1 / n + overlap)
    half = math.hypot(reach, math.sqrt(rows.reach(level)))
    return Interval(mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]), n, level)


def bounded_interval(values: Sequence[float], level: float, bounds: tuple[float, float], rows: float) -> Interval:
    """Compute the mean and interval of metrics between two bounds, such as areas under a curve, on shared rows.

    `rows` is the variance of the mean over these rows. The mean, as a share of the way between its bounds, is worth as
    many rows as make the variance of a share equal to that, and has Wilson's interval of so many. It stays within the
    bounds and leans away from the nearer one, as the t interval does not. nan where the rows do not differ.
    """
    least, most = bounds
    shares = [(value - least) / (most - least) for value in values]
    mean, variance = _mean(shares), rows / (most - least) ** 2
    if not (0 < mean < 1 and 0 < variance < math.inf):
        return Interval(_mean(values), math.nan, math.nan, len(values), level)
    found = share_interval(shares, level, 0.0, max(2.0, mean * (1 - mean) / variance), shared=True)
    low, high = (least + end * (most - least) for end in (found.low, found.high))
    return Interval(_mean(values), low, high, len(values), level)


def share_interval(
    shares: Sequence[float], level: float, overlap: float, rows: float, shared: bool = False
) -> Interval:
    """Compute the mean and interval of shares such as accuracies: Wilson's score interval (1927).

    With `v` the variance of the mean as in `mean_interval`, the mean is worth as many independent rows as make
    `p (1 - p) / rows` equal to it. Where the trainings have `shared` their rows, those add `p (1 - p) / rows`, each
    part with its own t; otherwise `rows` are the different ones that they have met, and no mean is surer than of so
    many. So the interval has a width even where every answer was right; it has no ends there where `rows` are not known
    (inf).
    """
    n, mean = len(shares), _mean(shares)
    if n < 2 or not 0 <= mean <= 1 or (rows == math.inf and _variance(shares) == 0):
        return Interval(mean, math.nan, math.nan, n, level)
    spread, least = _variance(shares) * (1 / n + overlap), mean * (1 - mean) / rows
    few = t_quantile(0.5 + level / 2, n - 1) ** 2
    many = RowNoise(1.0, int(min(rows, MOST_DEGREES)) - 1).reach(level)
    if not shared:
        spread, least = (spread, 0.0) if few * spread > many * least else (0.0, least)
    total = spread + least
    q2, worth = ((few * spread + many * least) / total, mean * (1 - mean) / total) if total > 0 else (many, rows)
    middle = (mean + q2 / (2 * worth)) / (1 + q2 / worth)
    half = math.sqrt(q2 * (mean * (1 - mean) / worth + q2 / (4 * worth**2))) / (1 + q2 / worth)
    return Interval(mean, max(min(middle - half, mean), 0.0), min(max(middle + half, mean), 1.0), n, level)


def standard_error(values: Sequence[float], overlap: float = 0.0) -> float:
    """Return the standard error of a mean, `s sqrt(1 / n + overlap)`; nan for fewer than two values, or infinite ones.

    `overlap` is 0 for independent values; for those on several splits of the same rows it is validation rows over train
    rows. Source: Nadeau and Bengio 2003, "Inference for the Generalization Error".
    """
    n = len(values)
    if n < 2 or not math.isfinite(_mean(values)):
        return math.nan
    return _deviation(values) * math.sqrt(1 / n + overlap)


def _deviation(values: Sequence[float]) -> float:
    """Compute the standard deviation with n - 1; scaled, since squares of tiny numbers underflow."""
    mean = _mean(values)
    scale = max(abs(value - mean) for value in values)
    if scale == 0:
        return 0.0
    return scale * math.sqrt(math.fsum(((value - mean) / scale) ** 2 for value in values) / (len(values) - 1))


def _variance(values: Sequence[float]) -> float:
    """Compute the variance of two values or more with n - 1."""
    return _deviation(values) ** 2


def _mean(values: Sequence[float]) -> float:
    """Compute the mean; nan where one of the values is not finite, or so large that its square is not."""
    return math.fsum(values) / len(values) if values and all(abs(value) < HUGE for value in values) else math.nan


def best_shares(scores: NDArray[Any], overlap: float = 0.0, doubt: NDArray[Any] | None = None) -> list[float]:
    """Compute the probability of each column of paired scores `(N, K)`, lower is better, to have the lowest true mean.

    The share of draws in which it is lowest, of the posterior of the means under a flat prior: a multivariate t of
    N - 1 degrees of freedom around the columns' means, with their paired covariance times `1/N + overlap` (that of
    Nadeau and Bengio, as in `mean_interval`). For two columns without overlap that is the one-sided paired t test.
    `doubt (K,)` are variances of the means that the scores do not show. Columns that are not finite have no share;
    equal ones divide theirs. The draws are the same for everybody.
    """
    rows, columns = scores.shape
    known = (np.abs(scores) < HUGE).all(axis=0)
    shares = np.zeros(columns)
    if known.sum() == 1:
        shares[known] = 1.0
    elif rows > 1 and known.any():
        finite = scores[:, known]
        mean = finite.mean(axis=0)
        rng = stream(0, Stream.POSTERIOR)
        scale = np.sqrt((1 / rows + overlap) / rng.chisquare(rows - 1, (DRAWS, 1)))
        drawn = mean + scale * (rng.standard_normal((DRAWS, rows)) @ (finite - mean))
        if doubt is not None and doubt.any():
            drawn += np.sqrt(doubt[known]) * rng.standard_normal((DRAWS, len(mean)))
        lowest = drawn == drawn.min(axis=1, keepdims=True)
        shares[known] = _even(finite, (lowest / lowest.sum(axis=1, keepdims=True)).mean(axis=0))
    return [float(share) for share in shares]


def _even(scores: NDArray[Any], shares: NDArray[Any]) -> NDArray[Any]:
    """Divide the shares of columns with equal scores evenly."""
    _, group = np.unique(scores, axis=1, return_inverse=True)
    group = group.ravel()
    even: NDArray[Any] = (np.bincount(group, shares) / np.bincount(group))[group]
    return even


def leader_groups(count: int, alike: Callable[[int, int], bool]) -> list[int]:
    """Group 0 .. count - 1 greedily, best first: return for each its leader, the first of those it is `alike`.

    `alike(leader, i)` says that i is statistically tied with the leader; the first that is not leads the next group.
    """
    leaders: list[int] = []
    for i in range(count):
        leaders.append(leaders[-1] if i and alike(leaders[-1], i) else i)
    return leaders


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: int) -> float:
    """Compute the quantile of Student's t with `df` degrees of freedom, for p in (0, 1), by bisection."""
    if not 0 < p < 1 or df < 1:
        raise ValueError(f"p must lie in (0, 1) and df be at least 1, but got {p=}, {df=}.")
    if p < 0.5:
        return -t_quantile(1 - p, df)
    low, high = 0.0, 1.0
    while _t_cdf(high, df) < p:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _t_cdf(middle, df) < p else (low, middle)
    return high


def _t_cdf(t: float, df: int) -> float:
    """Compute `P(T <= t)` for t >= 0 and whole df: the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    theta = math.atan2(t, math.sqrt(df))
    sine, cosine = math.sin(theta), math.cos(theta)
    term = cosine if df % 2 else 1.0
    total = term if df > 1 or df % 2 == 0 else 0.0
    for k in range(3 if df % 2 else 2, df - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    inside = 2 / math.pi * (theta + sine * total) if df % 2 else sine * total
    return 0.5 + inside / 2
