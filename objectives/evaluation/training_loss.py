"""The training loss over all train rows and its gradient, as pure functions of the weights.

Rows are read in chunks, as views of the data, and in the dtype of the weights: float64 weights see float32 data in
double precision, a chunk at a time. What one row of weights gives does not depend on the rows beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from objectives.losses import Scratch
from objectives.models import ACTIVATIONS, Layers, Workspace, backward, forward
from objectives.problem import Problem
from objectives.types import Array

__all__ = ["chunks", "curved", "loss_and_gradient", "losses"]

CHUNK = 512  # rows at once: part of what makes the bits of a loss, so not a setting
TOGETHER = 64  # weights at once: bounds the buffers, and is not seen in the bits


def losses(problem: Problem, weights: Array, replicate: int = 0) -> Array:
    """Compute the mean losses `(K,)` of `weights (K, P)` over a replicate's train rows, in float64."""
    if problem.surface:
        return np.array([problem.surface.value(point) for point in weights], dtype=np.float64)
    found = [_losses(problem, weights[i : i + TOGETHER], replicate) for i in range(0, len(weights), TOGETHER)]
    return np.concatenate([np.empty(0), *found])


def _losses(problem: Problem, weights: Array, replicate: int) -> Array:
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    layers = Layers(weights[None], shapes)
    total, loss = np.zeros(len(weights)), problem.minimised(replicate)
    for x, y, work, scratch in _passes(problem, weights, replicate):
        loss.value(forward(x, layers, work, ACTIVATIONS[problem.model.activation]), y, scratch)
        total += scratch.total[0, :, 0, 0]
    return total / len(problem.data.train)


def loss_and_gradient(problem: Problem, weights: Array, replicate: int = 0) -> tuple[Array, Array]:
    """Compute mean losses `(K,)` in float64 and gradients `(K, P)` of `weights (K, P)` over a replicate's train
    rows.
    """
    if problem.surface:
        gradients = np.stack([problem.surface.gradient(point) for point in weights])
        return losses(problem, weights, replicate), gradients
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    part, gradient = np.empty_like(weights), np.zeros_like(weights)
    layers, parts = Layers(weights[None], shapes), Layers(part[None], shapes)
    activation, n = ACTIVATIONS[problem.model.activation], len(problem.data.train)
    total, loss = np.zeros(len(weights)), problem.minimised(replicate)
    for x, y, work, scratch in _passes(problem, weights, replicate):
        z = forward(x, layers, work, activation)
        loss.gradient(z, y, scratch)
        scratch.scale(z)
        total += scratch.total[0, :, 0, 0]
        backward(x, layers, parts, work, activation)
        part *= x.shape[2] / n
        gradient += part
    return total / n, gradient


def curved(problem: Problem, point: Array, curvature: Callable[[Array, Array], Array], replicate: int = 0) -> Array:
    """Compute the mean `(P, P)` over train rows of `x x^T` times `curvature(q, y)`: a linear model's second
    derivatives.

    `curvature` maps predictions and targets `(B, C)` at `point (P,)` to one matrix for each row, `(B, C, C)`.
    """
    classes, n = problem.outputs, len(problem.data.train)
    weights = point.reshape(-1, classes)
    total = np.zeros((len(weights), classes, len(weights), classes))
    for x, y, own in weighed_chunks(problem, point.dtype, replicate):
        found = curvature(problem.criterion.link((x @ weights).T).T, y)
        found = found if own is None else found * own[:, :, None]
        for c in range(classes):
            for k in range(c + 1):
                block = (x * found[:, c, k, None]).T @ x
                total[:, c, :, k] += block
                if k < c:
                    total[:, k, :, c] += block
    return total.reshape(len(point), len(point)) / n


def chunks(problem: Problem, dtype: Any, replicate: int = 0) -> Iterator[tuple[Array, Array]]:
    """Yield all train rows that count in order as `x (B, D + 1)`, `y (B, C)`; copy only where the dtype differs."""
    for x, y, weights in weighed_chunks(problem, dtype, replicate):
        yield (x, y) if weights is None else (x[weights[:, 0] > 0], y[weights[:, 0] > 0])


def weighed_chunks(problem: Problem, dtype: Any, replicate: int) -> Iterator[tuple[Array, Array, Array | None]]:
    """Yield all train rows in order as `x (B, D + 1)`, `y (B, C)` and weights `(B, 1)`, None where there are none.

    Copy only where the dtype differs.
    """
    train = problem.replicates[replicate].data.train
    for start in range(0, len(train), CHUNK):
        rows = slice(start, start + CHUNK)
        weights = None if train.weights is None else np.asarray(train.weights[rows], dtype=dtype)
        yield np.asarray(train.x[rows], dtype=dtype), np.asarray(train.y[rows], dtype=dtype), weights


def _passes(problem: Problem, weights: Array, replicate: int) -> Iterator[tuple[Array, Array, Workspace, Scratch]]:
    """Yield chunks `x (1, 1, B, D + 1)`, `y (1, 1, C or 1, B)` with buffers of matching size."""
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    buffers: dict[int, tuple[Workspace, Scratch]] = {}
    for x, y, own in weighed_chunks(problem, weights.dtype, replicate):
        rows = len(x)
        if rows not in buffers:
            buffers[rows] = (
                Workspace(shapes, 1, len(weights), rows, weights.dtype),
                Scratch(1, len(weights), problem.outputs, rows, weights.dtype),
            )
        buffers[rows][1].weigh(None if own is None else own.reshape(1, 1, 1, -1))
        yield x[None, None], np.ascontiguousarray(problem.criterion.target(y).T)[None, None], *buffers[rows]
