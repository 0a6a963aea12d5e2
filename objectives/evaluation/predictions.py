"""Loss and metrics of a pack on one part of the split, and predictions of single trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from objectives.data.transforms import predicted, truth
from objectives.losses import Scratch
from objectives.metrics import SummedMetric, WholeMetric, sklearn_score
from objectives.models import ACTIVATIONS, Layers, Workspace, forward
from objectives.problem import Problem, rows_of
from objectives.types import Array

__all__ = ["Evaluation", "by_trial", "evaluation_of", "in_units", "predict", "sklearn_metrics", "targets_of"]

CHUNK = 128  # rows at once, few enough for the cache: part of what makes a trial's bits, so not a setting
HELD = 512 * CHUNK  # rows of a large part that are in memory together: they are read once, in order


class Evaluation:
    """Buffers to evaluate a pack of `trials` on a part ("train", "valid", "test") again and again."""

    def __init__(self, problem: Problem, trials: int, part: str) -> None:
        self.problem, self.part = problem, part
        data = [replicate.data for replicate in problem.replicates]
        self.parts = [getattr(d, part) for d in data]
        self.n = len(self.parts[0])
        self.rows = rows_of(data, part)
        every = self.rows.weights
        self.weights = None if every is None else every.astype(self.parts[0].x.dtype)[:, :, None]
        self.summed = [metric for metric in problem.metrics if isinstance(metric, SummedMetric)]
        self.whole = [metric for metric in problem.metrics if isinstance(metric, WholeMetric)]
        self.activation = ACTIVATIONS[problem.model.activation]
        shapes = problem.model.shapes(problem.inputs, problem.outputs)
        dtype, first = self.parts[0].x.dtype, problem.loss.target(self.parts[0].y[:1])
        self._buffers = {
            size: (
                Workspace(shapes, len(data), trials, size, dtype, back=False),
                Scratch(len(data), trials, problem.outputs, size, dtype),
                np.empty((len(data), 1, size, problem.inputs + 1), dtype),
                np.empty((len(data), 1, first.shape[1], size), first.dtype),
            )
            for size in {min(CHUNK, self.n), self.n % CHUNK} - {0}
        }

    def __call__(self, layers: Layers) -> dict[str, Array]:
        """Compute `{"valid_loss": (R, K), "valid_accuracy": (R, K), ...}` in float64."""
        loss = np.zeros(layers.views[0].shape[:2])
        sums: list[Any] = [0.0] * len(self.summed)
        dtype = np.float64 if self.problem.data.transform else self.parts[0].x.dtype
        outputs = np.empty((*loss.shape, self.problem.outputs, self.n if self.whole else 0), dtype)
        for start in range(0, self.n, CHUNK):
            z, y, scratch = self._forward(start, layers)
            rows = slice(start, start + CHUNK)
            scratch.weigh(None if self.weights is None else self.weights[..., rows])
            self.problem.loss.value(z, y, scratch)
            loss += scratch.total[..., 0, 0]
            z, y = in_units(self.problem, z, y)
            if self.whole:
                outputs[..., rows] = z
            each = None if self.rows.weights is None else self.rows.weights[..., rows]
            sums = [total + metric.count(z, y, each) for total, metric in zip(sums, self.summed, strict=True)]
            if start % HELD == 0 or start + CHUNK >= self.n:
                self.problem.release(self.part)
        values = {f"{self.part}_loss": loss / self.n}
        for metric, total in zip(self.summed, sums, strict=True):
            values[f"{self.part}_{metric.name}"] = metric.finish(total, self.rows)
        for one in self.whole:
            values[f"{self.part}_{one.name}"] = one.score(outputs, self.targets, self.rows)
        return values

    @cached_property
    def targets(self) -> Array:
        """Return the targets `(R, 1, C or 1, n)` of all rows, as the loss has them."""
        return targets_of(self.problem, self.part)

    def _forward(self, start: int, layers: Layers) -> tuple[Array, Array, Scratch]:
        stop = min(start + CHUNK, self.n)
        work, scratch, x, y = self._buffers[stop - start]
        for r, part in enumerate(self.parts):
            x[r, 0] = part.x[start:stop]
            y[r, 0] = self.problem.loss.target(part.y[start:stop]).T
        return forward(x, layers, work, self.activation), y, scratch


def targets_of(problem: Problem, part: str) -> Array:
    """Return the targets `(R, 1, C or 1, n)` of a part's rows, as metrics have them."""
    every = [problem.loss.target(np.asarray(getattr(replicate.data, part).y)).T for replicate in problem.replicates]
    whole = np.ascontiguousarray(np.stack(every)[:, None])
    return in_units(problem, whole, whole)[1]


def in_units(problem: Problem, z: Array, y: Array) -> tuple[Array, Array]:
    """Return outputs `(R, K, C, B)` and targets `(R, 1, C, B)` as metrics have them.

    Where the target is learned in another form they are in its own units, else as they stand.
    """
    transform = problem.data.transform
    if not transform:
        return z, y
    data = [replicate.data for replicate in problem.replicates]
    scale, mean = (np.stack([getattr(one, key) for one in data])[:, None, :, None] for key in ("y_scale", "y_mean"))
    return predicted(transform, z.astype(np.float64), scale, mean), truth(transform, y.astype(np.float64), scale, mean)


def evaluation_of(problem: Problem, trials: int, part: str) -> Callable[[Array], dict[str, Array]]:
    """Build the function that maps a pack's weights `(R, K, P)` to loss and metrics `(R, K)` on a part, in float64."""
    if problem.surface:
        return partial(seen_on_surface, problem, part=part)
    evaluate = Evaluation(problem, trials, part)
    return lambda weights: evaluate(Layers(weights, problem.shapes))


def by_trial(function: Any, points: Array) -> Array:
    """Apply `function` to each point of `(R, K, P)` alone, so that its bits do not depend on the pack."""
    found = [[function(point) for point in row] for row in points]
    return np.array(found, dtype=points.dtype).reshape(*points.shape[:2], *np.shape(found[0][0]))


def seen_on_surface(problem: Problem, points: Array, part: str = "valid") -> dict[str, Array]:
    """Evaluate a surface: `{part}_loss (R, K)`, `distance` to the nearest minimum, and the point itself as `x1`,
    `x2`, ...
    """
    surface = problem.need_surface()
    away = np.linalg.norm(points[..., None, :] - surface.minima, axis=-1).min(axis=-1)
    values = {f"{part}_loss": by_trial(surface.value, points).astype(np.float64), "distance": away.astype(np.float64)}
    return values | {f"x{i + 1}": points[..., i].astype(np.float64) for i in range(points.shape[-1])}


def predict(problem: Problem, weights: Array, x: Array, replicate: int = 0) -> Array:
    """Predict for prepared inputs `x (n, D + 1)` with one trial's `weights (P,)`; `replicate` is a position, not a
    number.

    `(n, C)` probabilities (binary: of the second class), or values in the targets' units for regression.
    """
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    layers = Layers(weights[None, None], shapes)
    work = Workspace(shapes, 1, 1, len(x), x.dtype, back=False)
    z = forward(x[None, None], layers, work, ACTIVATIONS[problem.model.activation])
    data = problem.replicates[replicate].data
    if data.transform:
        return data.predicted(z[0, 0].T.astype(np.float64))
    values: Array = problem.loss.link(z)[0, 0].T * data.y_scale + data.y_mean
    return values


def sklearn_metrics(
    problem: Problem, weights: Array, names: Sequence[str], part: str, replicate: int
) -> dict[str, float]:
    """Compute scikit-learn's metrics `names` of one trial on a part of a replicate, as `{part}_{name}`."""
    if not names:
        return {}
    data = problem.replicates[replicate].data
    rows = getattr(data, part)
    found = predict(problem, weights, rows.x, replicate)
    own = None if rows.weights is None else rows.weights[:, 0]
    if data.task == "regression":
        values = data.truth(rows.y)
        return {f"{part}_{name}": sklearn_score(name, values, found, weights=own) for name in names}
    shares = np.hstack([1 - found, found]) if data.task == "binary" else found
    codes = rows.y[:, 0].astype(int) if data.task == "binary" else rows.y.argmax(axis=1)
    return {f"{part}_{name}": sklearn_score(name, codes, shares.argmax(axis=1), shares, own) for name in names}
