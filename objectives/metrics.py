"""Metrics of stacked outputs, their direction and the tasks they fit; one row of `METRICS` each.

A metric adds up counts over chunks of rows and finishes once, so that a large part of a split needs no large buffer.
Any scikit-learn scorer can be had by name at the end of a study, from predictions (`sklearn_score`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput, nearest

__all__ = ["METRICS", "Metric", "Rows", "bounds_of", "metrics_of", "sklearn_score"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """What metrics need to know of the rows: how many, the targets' spread `sst` and unit `scale`, both `(R, 1, C)`."""

    n: int
    sst: Array
    scale: Array


@dataclass(frozen=True)
class Metric:
    """`count(z, y)` takes outputs `(R, K, C, B)` and targets, as the task's loss has them, to sums `(R, K, 1 or C)`.

    `finish(sums, rows)` takes those to the metric, `(R, K)`.
    """

    name: str
    direction: str
    tasks: tuple[str, ...]
    count: Callable[[Array, Array], Array]
    finish: Callable[[Array, Rows], Array]
    bounds: tuple[float, float]


def _hits(z: Array, y: Array) -> Array:
    hit = (z > 0) == (y > 0.5) if z.shape[-2] == 1 else z.argmax(axis=-2, keepdims=True) == y
    hits: Array = np.count_nonzero(hit, axis=-1).astype(np.float64)
    return hits


def _share(hits: Array, rows: Rows) -> Array:
    share: Array = hits[..., 0] / rows.n
    return share


def _squares(z: Array, y: Array) -> Array:
    difference = z - y
    squares: Array = np.einsum("rkcb,rkcb->rkc", difference, difference, dtype=np.float64)
    return squares


def _r2(squares: Array, rows: Rows) -> Array:
    """Compute `1 - sum (z - y)^2 / sum (y - mean y)^2`, averaged over outputs."""
    r2: Array = (1 - squares / rows.sst).mean(axis=-1)
    return r2


def _rmse(squares: Array, rows: Rows) -> Array:
    """Compute the root of the mean squared error over rows and outputs, in the targets' units."""
    rmse: Array = np.sqrt((squares * rows.scale**2).mean(axis=-1) / rows.n)
    return rmse


METRICS: dict[str, Metric] = {
    "accuracy": Metric("accuracy", "maximize", ("binary", "multiclass"), _hits, _share, (0.0, 1.0)),
    "r2": Metric("r2", "maximize", ("regression",), _squares, _r2, (-np.inf, 1.0)),
    "rmse": Metric("rmse", "minimize", ("regression",), _squares, _rmse, (0.0, np.inf)),
}


def bounds_of(name: str) -> tuple[float, float]:
    """Return the interval of possible values of a score such as "valid_accuracy"; infinite bounds where unknown."""
    kind = name.partition("_")[2]
    if kind == "loss":
        return 0.0, np.inf
    return METRICS[kind].bounds if kind in METRICS else (-np.inf, np.inf)


def metrics_of(task: str) -> tuple[Metric, ...]:
    """Return the metrics that are recorded every epoch for a task."""
    return tuple(metric for metric in METRICS.values() if task in metric.tasks)


def sklearn_score(name: str, y_true: Array, y_pred: Array, y_proba: Array | None = None) -> float:
    """Compute a scikit-learn metric by its scorer's name ("f1_macro", "roc_auc"), with scikit-learn's sign.

    `y_true`, `y_pred` are labels or values `(n,)`; `y_proba (n, classes)` belongs to classifiers and tells them apart.
    nan where it is not defined for these rows (a class is missing). Raises InvalidInput for a name that scikit-learn
    does not know.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.metrics import get_scorer, get_scorer_names

    if name not in get_scorer_names():
        raise InvalidInput(Complaint("metric", f"{name!r} is not known", nearest(name, get_scorer_names())))

    class Answered(RegressorMixin if y_proba is None else ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """An estimator whose answers are known already: the scorer asks, it reads them out."""

        classes_ = None if y_proba is None else np.arange(y_proba.shape[1])

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, x: Array) -> Array:
            return y_pred

        def predict_proba(self, x: Array) -> Array | None:
            return y_proba

    try:
        with warnings.catch_warnings(action="ignore"):
            return float(get_scorer(name)(Answered(), np.zeros((len(y_true), 1)), y_true))
    except ValueError:
        return float("nan")
