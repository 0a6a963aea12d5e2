"""What each row of a part adds to a loss or metric: the noise of a finite set of rows is in their spread.

Two models met the same rows, so the difference of their values, row by row, says how far apart they are and how sure
that is, without any training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.evaluation.predictions import in_units, targets_of
from objectives.losses import Scratch
from objectives.metrics import RowFacts, SummedMetric, WholeMetric
from objectives.metrics.metric import parts_of_mean
from objectives.models import ACTIVATIONS, Layers, Workspace, forward
from objectives.problem import Problem, rows_of
from objectives.types import Array

__all__ = ["row_values"]

CHUNK = 256  # rows at once
HELD = 256 * CHUNK  # rows of a large part that are in memory together


def row_values(problem: Problem, weights: Array, part: str, name: str = "loss") -> Array:
    """Compute the values `(R, K, n)` of a part's rows ("train", "valid", "test") under `weights (R, K, P)`, in float64.

    The mean of the values is the loss or metric `name`; its standard error follows from their spread. A metric that is
    no mean over rows, such as rmse, gives its jackknife pseudo-values `n m - (n - 1) m_without_row` (Tukey 1958),
    shifted so that their mean is m; for a mean these are the values themselves. One of ranks gives its influence
    values. Weights of rows are in the values. Raises InvalidInput for a metric of another task.
    """
    if name == "loss":
        losses = _over_rows(problem, weights, part, lambda z, y: _losses(problem, z, y))[..., 0]
        return parts_of_mean(losses, rows_of([replicate.data for replicate in problem.replicates], part))
    known = {metric.name: metric for metric in problem.metrics}
    if name not in known:
        raise InvalidInput(
            Complaint("metric", f"{name!r} is no metric of a {problem.data.task} task", nearest(name, known))
        )
    metric = known[name]
    if isinstance(metric, SummedMetric):
        return _pseudo_values(problem, metric, _over_rows(problem, weights, part, _alone(metric), True), part)
    if isinstance(metric, WholeMetric):
        return _parts(problem, metric, weights, part)
    raise TypeError(f"{name} is neither a sum over rows nor a metric of all of them")


def _alone(metric: SummedMetric) -> Callable[[Array, Array], Array]:
    return lambda z, y: metric.count(z, y, None)


def _parts(problem: Problem, metric: WholeMetric, weights: Array, part: str) -> Array:
    """Compute what a metric of all rows together says of each, `(R, K, n)`."""
    outputs = _over_rows(problem, weights, part, lambda z, y: z[..., 0], True)
    rows = rows_of([replicate.data for replicate in problem.replicates], part)
    return metric.parts(np.moveaxis(outputs, -1, -2), targets_of(problem, part), rows)


def _over_rows(
    problem: Problem, weights: Array, part: str, value: Callable[[Array, Array], Array], units: bool = False
) -> Array:
    """Apply `value(z, y)` to single rows, `(R, K, n, ...)`: every row becomes a replicate with one row.

    It has outputs and targets as the loss has them, or in `units` as metrics do.
    """
    parts = [getattr(replicate.data, part) for replicate in problem.replicates]
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    layers, dtype = Layers(weights, shapes), parts[0].x.dtype
    found = []
    for start in range(0, len(parts[0]), CHUNK):
        x = np.stack([one.x[start : start + CHUNK] for one in parts])[:, None]
        y = problem.loss.target(np.stack([one.y[start : start + CHUNK] for one in parts]))
        rows = x.shape[2]
        work = Workspace(shapes, len(parts), weights.shape[1], rows, dtype, back=False)
        z = forward(x, layers, work, ACTIVATIONS[problem.model.activation])
        if units:
            z, y = in_units(problem, z, np.moveaxis(y, 1, -1)[:, None])
            y = np.moveaxis(y[:, 0], -1, 1)
        z = np.moveaxis(z, -1, 1)
        alone = np.ascontiguousarray(z).reshape(-1, *z.shape[2:], 1)  # (R B, K, C, 1)
        values = value(alone, y.reshape(-1, 1, y.shape[-1], 1))
        found.append(values.reshape(len(parts), rows, *values.shape[1:]).swapaxes(1, 2))
        if start % HELD == 0:
            problem.release(part)
    return np.concatenate(found, axis=2).astype(np.float64)


def _losses(problem: Problem, z: Array, y: Array) -> Array:
    scratch = Scratch(len(z), z.shape[1], z.shape[2], 1, z.dtype)
    problem.loss.value(z, y, scratch)
    return scratch.total[..., 0]


def _pseudo_values(problem: Problem, metric: SummedMetric, counts: Array, part: str) -> Array:
    """Compute jackknife pseudo-values `(R, K, n)` of a metric from the counts of single rows `(R, K, n, C)`."""
    replicates, trials, n, width = counts.shape
    rows = rows_of([replicate.data for replicate in problem.replicates], part)
    counts = counts if rows.weights is None else counts * rows.weights[..., None]
    total = counts.sum(axis=2)
    whole: Array = metric.finish(total, rows)[..., None]
    if n == 1:
        return whole
    fewer = RowFacts(n - 1, rows.sst * (n - 1) / n, rows.scale, rows.mean)
    if rows.weights is not None:
        left_over = np.tile(n - rows.weights, (1, trials, 1)).reshape(replicates, -1)
        fewer = replace(fewer, n=left_over, sst=rows.sst * (left_over / n)[..., None])
    without = (total[:, :, None] - counts).reshape(replicates, trials * n, width)
    left: Array = metric.finish(without, fewer).reshape(replicates, trials, n)
    values: Array = whole + (n - 1) * (left.mean(axis=-1, keepdims=True) - left)
    return values
