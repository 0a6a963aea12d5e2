"""Cuts: who goes on from a rung, and the paired test by which two configs are told apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tests.benchmarks.unseen.rungs import Rung
from tests.benchmarks.unseen.views import DEFAULTS
from tuner.ranking.statistics import t_quantile

__all__ = ["Cut", "behind", "going", "quantile"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cut:
    """One of `reduction` goes on at each rung, and by paired tests at a level fewer or more.

    `drop`: those that are worse than the leader do not go on. `extend`: those that are not worse than the last that
    goes on do, up to half of all. `defaults`: how many defaults go on at each rung whatever their place, best first.
    """

    reduction: tuple[int, ...] = (4, 4)
    drop: float = 0.0
    extend: float = 0.0
    defaults: tuple[int, ...] = (0, 0)


@lru_cache(maxsize=1024)
def quantile(level: float, splits: int) -> float:
    """Student's t for means of paired differences over so many splits."""
    return float(t_quantile(level, splits - 1))


def behind(worse: Array, better: Array, ratio: float) -> Array:
    """The t `(...)` of differences `worse - better` `(..., splits)`.

    Splits share rows, so the variance of a mean is not `s^2 / J` but `s^2 (1 / J + valid rows / train rows)`.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = worse - better
        count = difference.shape[-1]
        error = difference.std(axis=-1, ddof=1) * math.sqrt(1 / count + ratio) if count > 1 else np.inf
        t = difference.mean(axis=-1) / error
    return np.where(np.isfinite(difference).all(axis=-1), np.nan_to_num(t), np.inf)


def going(rung: Rung, group: Array, cut: Cut, step: int, ratio: float) -> Array:
    """Which of a group go on from a rung, best first."""
    ranked = group[np.argsort(rung.values[group], kind="stable")]
    keep = math.ceil(len(group) / cut.reduction[step])
    first, more = ranked[:keep], ranked[keep : math.ceil(len(group) / 2)]
    splits = rung.scores.shape[1]
    if cut.drop and splits > 1:
        first = first[behind(rung.scores[first], rung.scores[first[0]], ratio) <= quantile(cut.drop, splits)]
    if cut.extend and splits > 1:
        close = behind(rung.scores[more], rung.scores[first[-1]], ratio) <= quantile(cut.extend, splits)
        first = np.r_[first, more[close]]
    own = ranked[ranked < DEFAULTS][: cut.defaults[step]]
    return np.r_[first, own[~np.isin(own, first)]]
