"""Metrics of decided classes: F1, balanced accuracy and Matthews' correlation, as scikit-learn has them.

All follow from three counts of each class, or weights where rows do not count alike: rows that are of it and were said
to be (`right`), rows that were said to be (`said`), rows that are (`true`), each `(..., classes)`. Two classes with one
output have two counts as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from objectives.metrics.metric import RowFacts
from objectives.types import Array

__all__ = ["DECISIONS", "balanced_accuracy", "best_threshold", "decided", "decided_parts", "f1", "mcc"]


LEAST = 1e-6  # of a threshold, and of what is left to one
ROUNDING = 1e-12  # of a sum over rows: what the difference of two may leave of nothing


class Decision(Protocol):
    """A metric of three counts; `binary` is True where only the second class is looked for."""

    def __call__(self, right: Array, said: Array, true: Array, binary: bool = False) -> Array:
        """Compute the metric `(...)` of counts `(..., classes)`."""


def f1(right: Array, said: Array, true: Array, binary: bool = False) -> Array:
    """Compute `2 right / (said + true)`: of the second class, or the mean over classes that are there or were said."""
    total = said + true
    each = np.divide(2.0 * right, total, out=np.zeros(total.shape), where=total > 0)
    if binary:
        return np.asarray(each[..., 1])
    return np.asarray(each.sum(axis=-1) / np.maximum(np.count_nonzero(total, axis=-1), 1))


def balanced_accuracy(right: Array, said: Array, true: Array, binary: bool = False) -> Array:
    """Compute the mean over the classes that are there of the share of their rows that is right."""
    del said, binary
    each = np.divide(right, true, out=np.zeros(true.shape), where=true > 0)
    return np.asarray(each.sum(axis=-1) / np.maximum(np.count_nonzero(true, axis=-1), 1))


def mcc(right: Array, said: Array, true: Array, binary: bool = False) -> Array:
    """Compute Matthews' correlation of what was said with what is; 0 where one of both is the same for all rows."""
    del binary
    right, said, true = (np.asarray(one, dtype=np.float64) for one in (right, said, true))
    n = true.sum(axis=-1)
    shared = right.sum(axis=-1) * n - (said * true).sum(axis=-1)
    every = [n**2 - (one**2).sum(axis=-1) for one in (said, true)]
    spreads = np.where(np.minimum(*every) > ROUNDING * n**2, every[0] * every[1], 0.0)
    return np.asarray(np.divide(shared, np.sqrt(spreads), out=np.zeros(shared.shape), where=spreads > 0))


DECISIONS: dict[str, Decision] = {"f1": f1, "balanced_accuracy": balanced_accuracy, "mcc": mcc}


def _codes(z: Array, y: Array) -> tuple[Array, Array, int]:
    """Return the class that is said of each row `(R, K, n)`, its own `(R, 1, n)`, and the number of classes."""
    binary = z.shape[-2] == 1
    said = z[..., 0, :] > 0 if binary else z.argmax(axis=-2)
    return said.astype(np.intp), (y[..., 0, :] + (0.5 if binary else 0)).astype(np.intp), max(2, z.shape[-2])


def _tables(said: Array, true: Array, classes: int, weights: Array | None = None) -> Array:
    """Count rows by class and what was said, `(R, K, classes, classes)`, or add up their `weights (R, 1, n)`."""
    pairs = true * classes + said
    apart = pairs.reshape(-1, pairs.shape[-1]) + classes**2 * np.arange(pairs.shape[0] * pairs.shape[1])[:, None]
    each = None if weights is None else np.broadcast_to(weights, pairs.shape).ravel()
    counts = np.bincount(apart.ravel(), each, minlength=classes**2 * len(apart))
    return np.asarray(counts.reshape(*pairs.shape[:2], classes, classes))


def _counts(tables: Array) -> tuple[Array, Array, Array]:
    return np.diagonal(tables, axis1=-2, axis2=-1), tables.sum(axis=-2), tables.sum(axis=-1)


def decided(name: str) -> Callable[[Array, Array, RowFacts], Array]:
    """Build the metric of outputs `(R, K, C, n)` and targets, by its name in `DECISIONS`."""

    def score(z: Array, y: Array, rows: RowFacts) -> Array:
        said, true, classes = _codes(z, y)
        return DECISIONS[name](*_counts(_tables(said, true, classes, rows.weights)), binary=z.shape[-2] == 1)

    return score


def decided_parts(name: str) -> Callable[[Array, Array, RowFacts], Array]:
    """Build the metric's jackknife pseudo-values `(R, K, n)`, shifted so that their mean is the metric.

    Rows of the same class for which the same was said have the same.
    """

    def parts(z: Array, y: Array, rows: RowFacts) -> Array:
        said, true, classes = _codes(z, y)
        value = partial(DECISIONS[name], binary=z.shape[-2] == 1)
        found = np.empty(said.shape)
        for r, k in np.ndindex(said.shape[:2]):
            own = None if rows.weights is None else rows.weights[r, 0]
            found[r, k] = _pseudo_values(said[r, k], true[r, 0], classes, value, own)
        return found

    return parts


def best_threshold(name: str, shares: Array, true: Array, weights: Array | None = None) -> float:
    """Return the probability above which the second class is said, where a metric of two classes is best.

    `shares (n,)` are probabilities of rows, `true (n,)` their classes, 0 or 1, and `weights (n,)` what they count.
    Candidates stand halfway between
    neighbouring probabilities and beyond all; of several equally good ones, and at no gain over 0.5, the nearest to 0.5
    is taken.
    """
    if weights is not None:
        shares, true, weights = shares[weights > 0], true[weights > 0], weights[weights > 0]
    order = np.argsort(shares, kind="stable")
    ascending, own = np.asarray(shares, dtype=np.float64)[order], true[order].astype(np.int64)
    each = np.ones(len(own), np.int64) if weights is None else np.asarray(weights, dtype=np.float64)[order]
    places = np.flatnonzero(np.diff(ascending) > 0) + 1
    between = (ascending[places - 1] + ascending[places]) / 2
    ends = [ascending[0] / 2, (1 + ascending[-1]) / 2]  # all rows of one class, or of the other
    cuts = np.clip([*between, *ends, 0.5], LEAST, 1 - LEAST)
    place = np.searchsorted(ascending, cuts, side="right")  # rows before it: said to be of the first class
    below, hits_below = (np.concatenate([[0], np.cumsum(one)])[place] for one in (each, each * own))
    n, hits = each.sum(), (each * own).sum()
    right = np.stack([below - hits_below, hits - hits_below], axis=-1)
    said = np.stack([below, n - below], axis=-1)
    values = DECISIONS[name](right, said, np.broadcast_to([n - hits, hits], said.shape), binary=True)
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return float(cuts[best[np.abs(cuts[best] - 0.5).argmin()]])


def _pseudo_values(said: Array, true: Array, classes: int, value: Decision, weights: Array | None) -> Array:
    """Compute the pseudo-values `(n,)` of one trial from the classes that were said and are, and the rows' weights."""
    n, each = len(said), None if weights is None else weights[None, None]
    tables = _tables(said[None, None], true[None, None], classes, each)
    right, all_said, all_true = (one[0, 0] for one in _counts(tables))
    whole = float(value(right, all_said, all_true))
    if n == 1:
        return np.array([whole])
    eye = np.eye(classes, dtype=np.intp)
    if weights is None:
        kinds, of_row = np.unique(true * classes + said, return_inverse=True)
        own, was_said = eye[kinds // classes], eye[kinds % classes]
        left = value(right - own * was_said, all_said - was_said, all_true - own)[of_row]
    else:  # rows of a kind differ in weight
        own, was_said, less = eye[true], eye[said], weights[:, None]
        parts = right - less * own * was_said, all_said - less * was_said, all_true - less * own
        right, all_said, all_true = (np.where(part > n * ROUNDING, part, 0.0) for part in parts)
        left = value(right, all_said, all_true)
    return np.asarray(whole + (n - 1) * (left.mean() - left))
