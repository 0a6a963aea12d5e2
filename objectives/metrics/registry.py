"""The metrics by name, a row each: those of sums over rows follow each training, others where a study asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from objectives.metrics import distances, ranks
from objectives.metrics.decisions import decided, decided_parts
from objectives.metrics.metric import Metric, RowFacts, SummedMetric, WholeMetric
from objectives.types import Array, Direction

__all__ = ["METRICS", "bounds_of", "goal_metrics", "metrics_of"]

QUANTILE_METRIC = "pinball"
CLASSES, NUMBERS = ("binary", "multiclass"), ("regression",)


def _hits(z: Array, y: Array, w: Array | None) -> Array:
    hit = (z > 0) == (y > 0.5) if z.shape[-2] == 1 else z.argmax(axis=-2, keepdims=True) == y
    if w is not None:
        return np.asarray(np.einsum("rkcb,rkcb->rkc", hit, np.broadcast_to(w[:, :, None], hit.shape), dtype=np.float64))
    hits: Array = np.count_nonzero(hit, axis=-1).astype(np.float64)
    return hits


def _share(hits: Array, rows: RowFacts) -> Array:
    share: Array = hits[..., 0] / rows.n
    if rows.weights is not None:
        share = np.minimum(share, 1.0)  # weights add up to n but for rounding
    return share


def _squares(z: Array, y: Array, w: Array | None) -> Array:
    difference = z - y
    other = difference if w is None else difference * w[:, :, None]
    squares: Array = np.einsum("rkcb,rkcb->rkc", difference, other, dtype=np.float64)
    return squares


def _r2(squares: Array, rows: RowFacts) -> Array:
    """Compute `1 - sum (z - y)^2 / sum (y - mean y)^2`, averaged over outputs."""
    r2: Array = (1 - squares / rows.sst).mean(axis=-1)
    return r2


def _rmse(squares: Array, rows: RowFacts) -> Array:
    """Compute the root of the mean squared error over rows and outputs, in the targets' units."""
    rmse: Array = np.sqrt((squares * rows.scale**2).mean(axis=-1) / rows.n)
    return rmse


def _decision(name: str, bounds: tuple[float, float], summary: str) -> Metric:
    return WholeMetric(name, Direction.MAXIMIZE, CLASSES, bounds, summary, decided(name), decided_parts(name))


UP, DOWN = Direction.MAXIMIZE, Direction.MINIMIZE
SHARE, ABOVE, BELOW_ONE = (0.0, 1.0), (0.0, np.inf), (-np.inf, 1.0)
_ROWS: tuple[Metric, ...] = (
    SummedMetric("accuracy", UP, CLASSES, SHARE, "share of rows whose class is right", _hits, _share),
    SummedMetric("r2", UP, NUMBERS, BELOW_ONE, "share of the target's variance that is explained", _squares, _r2),
    SummedMetric("rmse", DOWN, NUMBERS, ABOVE, "root of the mean squared error, in the target's unit", _squares, _rmse),
    WholeMetric(
        "auc", UP, CLASSES, SHARE, "area under the ROC curve; of several classes the mean, each against the rest",
        ranks.auc, ranks.auc_parts,
    ),
    WholeMetric(
        "average_precision", UP, CLASSES, SHARE,
        "average precision; of several classes the mean, each against the rest",
        ranks.average_precision, ranks.average_precision_parts,
    ),
    _decision("f1", SHARE, "F1 of the second class; of several classes the mean"),
    _decision("balanced_accuracy", SHARE, "share of rows whose class is right, the mean over classes"),
    _decision("mcc", (-1.0, 1.0), "Matthews' correlation coefficient"),
    WholeMetric(
        "mae", DOWN, NUMBERS, ABOVE, "mean absolute error, in the target's unit", distances.mae, distances.mae_parts
    ),
    WholeMetric(
        "mape", DOWN, NUMBERS, ABOVE, "mean absolute error as a share of the target", distances.mape,
        distances.mape_parts,
    ),
    WholeMetric(
        "poisson_deviance", DOWN, NUMBERS, ABOVE, "mean Poisson deviance of counts", distances.deviance,
        distances.deviance_parts,
    ),
    WholeMetric(
        "pinball", DOWN, NUMBERS, ABOVE, "mean pinball loss of the quantile that is predicted, in the target's unit",
        distances.pinball, distances.pinball_parts,
    ),
)  # fmt: skip
METRICS: dict[str, Metric] = {row.name: row for row in _ROWS}


def bounds_of(name: str) -> tuple[float, float]:
    """Return the interval of possible values of a score such as "valid_accuracy"; infinite bounds where unknown."""
    kind = name.partition("_")[2]
    if kind == "loss":
        return 0.0, np.inf
    return METRICS[kind].bounds if kind in METRICS else (-np.inf, np.inf)


def goal_metrics(goal: str, quantile: float | None = None) -> tuple[str, ...]:
    """Return the names of metrics that are followed only because a study's goal, such as "valid_auc", is one.

    That of a `quantile` has it behind its name, as in "pinball@0.9".
    """
    row = METRICS.get(goal.partition("_")[2])
    if row is None or row.recorded:
        return ()
    return (f"{row.name}@{quantile!r}" if row.name == QUANTILE_METRIC and quantile is not None else row.name,)


def metrics_of(task: str, asked: Sequence[str] = ()) -> tuple[Metric, ...]:
    """Return the metrics that are followed for a task: those that always are, and `asked` ones by name."""
    named = dict(name.partition("@")[::2] for name in asked)
    rows = [row for row in METRICS.values() if task in row.tasks and (row.recorded or row.name in named)]
    return tuple(_at(row, float(named[row.name])) if named.get(row.name) else row for row in rows)


def _at(row: Metric, level: float) -> Metric:
    """Return the metric of a quantile at its level."""
    score, parts = partial(distances.pinball, level=level), partial(distances.pinball_parts, level=level)
    return replace(row, score=score, parts=parts) if isinstance(row, WholeMetric) else row
