"""Metrics of the order of scores: area under the ROC curve and average precision, ties as scikit-learn has them.

Of several classes each is set against the rest, by its probability, and the classes count alike; one that these rows
do not tell from the rest, since none or all are of it, is left out. Sums of ranks are of integers, so they are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from objectives.metrics.metric import RowFacts
from objectives.types import Array

__all__ = ["auc", "auc_parts", "average_precision", "average_precision_parts"]


@dataclass(frozen=True)
class _Ranked:
    """Rows in ascending order of their scores, `(R, K, n)`.

    `order` are their numbers, `hit` says which are of the class, `weight` is what each counts. `below` and `hits_below`
    are the weight of rows and of hits with lower scores, `upto` and `hits_upto` that of those with no higher ones;
    `last` is the place of the last row with the same score.
    """

    order: Array
    hit: Array
    weight: Array
    below: Array
    hits_below: Array
    upto: Array
    hits_upto: Array
    last: Array

    @property
    def hits(self) -> Array:
        """Return the weight of the rows of the class, `(R, K, 1)`."""
        return self.hits_upto[..., -1:]

    @property
    def all(self) -> Array:
        """Return the weight of all rows, `(R, K, 1)`."""
        return self.upto[..., -1:]

    @property
    def others(self) -> Array:
        """Return the weight of the rows that are not of the class, `(R, K, 1)`: 0 where there are none."""
        return np.asarray(np.where(self.hit, 0, self.weight).sum(axis=-1, keepdims=True))

    @property
    def hits_tied(self) -> Array:
        """Return the weight of rows of the class with the same score, `(R, K, n)`."""
        return self.hits_upto - self.hits_below

    def restored(self, values: Array) -> Array:
        """Put values `(R, K, n)` back in the order of the rows."""
        found = np.empty_like(values)
        np.put_along_axis(found, self.order, values, axis=-1)
        return found


def _ranked(scores: Array, hit: Array, weights: Array | None) -> _Ranked:
    """Sort scores `(R, K, n)` of rows with `weights (R, 1, n)`; `hit (R, 1, n)` says which are of the class."""
    n = scores.shape[-1]
    order = np.argsort(scores, axis=-1, kind="stable")
    ascending = np.take_along_axis(scores, order, axis=-1)
    own = _sorted(hit, order)
    starts = np.ones(scores.shape, bool)
    np.not_equal(ascending[..., 1:], ascending[..., :-1], out=starts[..., 1:])
    places = np.arange(n)
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    ends = np.ones(scores.shape, bool)
    ends[..., :-1] = starts[..., 1:]
    last = np.minimum.accumulate(np.where(ends, places, n)[..., ::-1], axis=-1)[..., ::-1]
    if weights is None:  # the weight of rows is their number, which their places tell
        each, below, upto = np.broadcast_to(np.intp(1), scores.shape), first, last + 1
    else:
        each = _sorted(weights, order)
        own &= each > 0
        total = np.cumsum(each, axis=-1)
        below, upto = np.take_along_axis(total - each, first, axis=-1), np.take_along_axis(total, last, axis=-1)
    hits = own if weights is None else each * own
    total = np.cumsum(hits, axis=-1)
    hits_below, hits_upto = np.take_along_axis(total - hits, first, axis=-1), np.take_along_axis(total, last, axis=-1)
    return _Ranked(order, own, each, below, hits_below, upto, hits_upto, last)


def _sorted(values: Array, order: Array) -> Array:
    """Return values `(R, 1, n)` in an order of the rows `(R, K, n)`."""
    return np.take_along_axis(np.broadcast_to(values, order.shape), order, axis=-1)


OfRanks = Callable[[_Ranked], Array]


def _over_classes(z: Array, y: Array, rows: RowFacts, found: OfRanks) -> Array:
    """Average what is `found` of each class over those for which it is a number; nan where it is for none."""
    if z.shape[-2] == 1:
        return found(_ranked(np.ascontiguousarray(z[..., 0, :], dtype=np.float64), y[..., 0, :] > 0.5, rows.weights))
    wide = np.moveaxis(z, -2, 0).astype(np.float64)
    shares = np.exp(wide - wide.max(axis=0))
    shares /= shares.sum(axis=0)
    total, classes = np.zeros(()), np.zeros(())
    for c, share in enumerate(shares):
        one = found(_ranked(np.ascontiguousarray(share), y[..., 0, :] == c, rows.weights))
        known = np.isfinite(one)
        total, classes = total + np.where(known, one, 0.0), classes + known
    return np.asarray(np.divide(total, classes, out=np.full(total.shape, np.nan), where=classes > 0))


def auc(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute the area under the ROC curve: the share of pairs whose row of the class has the higher score.

    Ties count a half.
    """
    return _over_classes(z, y, rows, lambda ranked: _auc(ranked)[..., 0])


def _auc(ranked: _Ranked) -> Array:
    others_below = 2 * (ranked.below - ranked.hits_below)
    tied = ranked.upto - ranked.below - ranked.hits_tied
    won = np.where(ranked.hit, ranked.weight * (others_below + tied), 0).sum(axis=-1, keepdims=True)
    return _quotient(won, 2 * ranked.hits * ranked.others)


def auc_parts(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute the metric plus each row's influence on it, whose spread is the variance of DeLong et al. 1988."""
    return _over_classes(z, y, rows, _auc_parts)


def _auc_parts(ranked: _Ranked) -> Array:
    n, hits, others, area = ranked.all, ranked.hits, ranked.others, _auc(ranked)
    others_tied = ranked.upto - ranked.below - ranked.hits_tied
    of_hit = _quotient(ranked.below - ranked.hits_below + others_tied / 2, others)
    of_other = _quotient(hits - ranked.hits_below - ranked.hits_tied / 2, hits)
    share = np.where(ranked.hit, of_hit, of_other) - area
    return ranked.restored(area + _quotient(n * ranked.weight * share, np.where(ranked.hit, hits, others)))


def average_precision(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute the mean, over rows of the class, of the precision among all rows that score at least as high."""
    return _over_classes(z, y, rows, lambda ranked: _average_precision(ranked)[..., 0])


def _precision(ranked: _Ranked) -> tuple[Array, Array]:
    """Return the precision at each row's score, and the weight of rows that score at least as high, `(R, K, n)`."""
    above = np.maximum(ranked.all - ranked.below, ranked.weight)
    return _quotient(ranked.hits - ranked.hits_below, above), above


def _average_precision(ranked: _Ranked) -> Array:
    precision, _ = _precision(ranked)
    return _quotient(np.where(ranked.hit, ranked.weight * precision, 0.0).sum(axis=-1, keepdims=True), ranked.hits)


def average_precision_parts(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute the metric plus each row's influence: its derivative by the row's weight, times the rows."""
    return _over_classes(z, y, rows, _average_precision_parts)


def _average_precision_parts(ranked: _Ranked) -> Array:
    n, mean = ranked.all, _average_precision(ranked)
    precision, above = _precision(ranked)
    each = _quotient(ranked.weight, above)
    shares = np.cumsum(np.where(ranked.hit, each, 0.0), axis=-1)
    weighted = np.cumsum(np.where(ranked.hit, _quotient(ranked.weight * precision, above), 0.0), axis=-1)
    shares, weighted = (np.take_along_axis(sums, ranked.last, axis=-1) for sums in (shares, weighted))
    slope = np.where(ranked.hit, precision + shares - mean, 0.0) - weighted
    return ranked.restored(mean + _quotient(n * ranked.weight * slope, ranked.hits))


def _quotient(above: Array, below: Array) -> Array:
    """Divide; nan where there is nothing to divide by."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), below)
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0))
