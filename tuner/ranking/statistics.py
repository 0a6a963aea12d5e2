"""Means with honest intervals, and what paired scores say of who is best.

Student's t is our own: scipy.stats takes longer to import than a small study takes to run, and the intervals are what
this project promises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.streams import Stream, stream

__all__ = ["DRAWS", "Interval", "best_shares", "leader_groups", "mean_interval", "standard_error", "t_quantile"]

DRAWS = 10_000  # of the posterior: a share is then known to 0.005


@dataclass(frozen=True)
class Interval:
    """A mean with its `level` confidence interval; with fewer than two values the ends are nan."""

    mean: float
    low: float
    high: float
    n: int
    level: float = 0.95


def mean_interval(
    values: Sequence[float], level: float = 0.95, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Interval:
    """Mean and two-sided t interval `mean +- t s / sqrt(n)` of independent values, cut at `bounds`.

    nan where a value is not finite.
    """
    n = len(values)
    mean = math.fsum(values) / n if all(map(math.isfinite, values)) else math.nan
    if n < 2 or not math.isfinite(mean):
        return Interval(mean, math.nan, math.nan, n, level)
    # the t interval knows nothing of bounds; beyond them there is nothing to cover
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = t_quantile(0.5 + level / 2, n - 1) * math.sqrt(variance / n)
    return Interval(mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]), n, level)


def standard_error(values: Sequence[float], overlap: float = 0.0) -> float:
    """Return the standard error of a mean, `s sqrt(1 / n + overlap)`; nan for fewer than two values, or infinite ones.

    `overlap` is 0 for independent values; for those on several splits of the same rows it is validation rows over train
    rows. Source: Nadeau and Bengio 2003, "Inference for the Generalization Error".
    """
    n = len(values)
    if n < 2 or not all(map(math.isfinite, values)):
        return math.nan
    mean = math.fsum(values) / n
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return math.sqrt(variance / n) if not overlap else math.sqrt(variance * (1 / n + overlap))


def best_shares(scores: NDArray[Any]) -> list[float]:
    """Probability of each column of paired scores `(N, K)`, lower is better, to have the lowest true mean.

    The share of draws in which it is lowest, of the posterior of the means under a flat prior: a multivariate t of
    N - 1 degrees of freedom around the columns' means, with their paired covariance over N. For two columns that is
    the one-sided paired t test. Columns that are not finite have no share; equal ones divide theirs. The draws are the
    same for everybody.
    """
    rows, columns = scores.shape
    known = np.isfinite(scores).all(axis=0)
    shares = np.zeros(columns)
    if known.sum() == 1:
        shares[known] = 1.0
    elif rows > 1 and known.any():
        finite = scores[:, known]
        mean = finite.mean(axis=0)
        rng = stream(0, Stream.POSTERIOR)
        scale = np.sqrt(rng.chisquare(rows - 1, (DRAWS, 1)) * rows)
        drawn = mean + rng.standard_normal((DRAWS, rows)) @ (finite - mean) / scale
        lowest = drawn == drawn.min(axis=1, keepdims=True)
        shares[known] = (lowest / lowest.sum(axis=1, keepdims=True)).mean(axis=0)
    return [float(share) for share in shares]


def leader_groups(count: int, alike: Callable[[int, int], bool]) -> list[int]:
    """Greedy groups of 0 .. count - 1, best first: for each its leader, the first of those it is `alike`.

    `alike(leader, i)` says that i cannot be told from the leader; the first that can leads the next group.
    """
    leaders: list[int] = []
    for i in range(count):
        leaders.append(leaders[-1] if i and alike(leaders[-1], i) else i)
    return leaders


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: int) -> float:
    """Quantile of Student's t with `df` degrees of freedom, for p in (0, 1): bisection on its distribution."""
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
    """`P(T <= t)` for t >= 0 and whole df: the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    theta = math.atan2(t, math.sqrt(df))
    sine, cosine = math.sin(theta), math.cos(theta)
    term = cosine if df % 2 else 1.0
    total = term if df > 1 or df % 2 == 0 else 0.0
    for k in range(3 if df % 2 else 2, df - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    inside = 2 / math.pi * (theta + sine * total) if df % 2 else sine * total
    return 0.5 + inside / 2
