"""Gradients of every model, activation and loss agree with central differences of the loss, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from objectives.losses import Scratch
from objectives.models import ACTIVATIONS, Layers, Model, Workspace, backward, forward
from objectives.problem import Problem
from tests.support.problems import Array, Sizes, problem

REPLICATES, TRIALS, ROWS = 2, 3, 4
KINK = 1e-3  # a relu is as good as smooth when no input of it comes closer to zero than this
HIDDEN = [(), (1,), (6,), (5, 3), (4, 1, 2)]
OUTPUTS = [("binary", 1), ("multiclass", 2), ("multiclass", 5), ("regression", 1), ("regression", 3)]


def losses_at(problem: Problem, weights: Array, x: Array, y: Array) -> Array:
    """Mean losses `(R, K)` of rows `x (R, 1, B, D + 1)` at `weights (R, K, P)`."""
    work, scratch, layers, _ = parts(problem, weights)
    problem.loss.value(forward(x, layers, work, ACTIVATIONS[problem.model.activation]), y, scratch)
    return scratch.total[..., 0, 0] / x.shape[2]


def gradient_at(problem: Problem, weights: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Mean losses `(R, K)` and their gradient `(R, K, P)` as the training loop computes them."""
    work, scratch, layers, gradient = parts(problem, weights)
    activation = ACTIVATIONS[problem.model.activation]
    problem.loss.gradient(forward(x, layers, work, activation), y, scratch)
    backward(x, layers, Layers(gradient, problem.model.shapes(problem.inputs, problem.outputs)), work, activation)
    return scratch.total[..., 0, 0] / x.shape[2], gradient


def parts(problem: Problem, weights: Array) -> tuple[Workspace, Scratch, Layers, Array]:
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    work = Workspace(shapes, REPLICATES, TRIALS, ROWS, weights.dtype)
    scratch = Scratch(REPLICATES, TRIALS, problem.outputs, ROWS, weights.dtype)
    return work, scratch, Layers(weights, shapes), np.full_like(weights, np.nan)


def central_differences(function: Callable[[Array], Array], weights: Array) -> Array:
    """`(f(p + h) - f(p - h)) / 2h` for each coordinate, with h = cbrt(float epsilon) max(1, |p|)."""
    slopes = np.empty_like(weights)
    for i in range(weights.shape[-1]):
        ahead, behind = weights.copy(), weights.copy()
        h = np.cbrt(np.finfo(float).eps) * np.maximum(1, np.abs(weights[..., i]))
        ahead[..., i] += h
        behind[..., i] -= h
        slopes[..., i] = (function(ahead) - function(behind)) / (ahead[..., i] - behind[..., i])
    return slopes


def nearest_kink(problem: Problem, weights: Array, x: Array) -> float:
    """The smallest distance from zero of any input of a hidden unit."""
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    below, least = x, np.inf
    for view in Layers(weights, shapes).views[:-1]:
        before = below @ view
        least = min(least, float(np.abs(before).min()))
        below = np.concatenate([np.maximum(before, 0), np.ones((*before.shape[:-1], 1))], axis=-1)
    return least


def smooth_point(problem: Problem) -> tuple[Array, Array, Array]:
    """Seeded weights `(R, K, P)` and rows of each replicate, drawn again while a relu stands near its kink."""
    rng = np.random.default_rng(11)
    data = problem.replicates[0].data.train
    rows = [rng.permutation(len(data))[:ROWS] for _ in range(REPLICATES)]
    x, y = np.stack([data.x[r] for r in rows])[:, None], np.stack([data.y[r] for r in rows])[:, None]
    y = problem.criterion.target(y).swapaxes(-1, -2)
    while True:
        weights = rng.normal(size=(REPLICATES, TRIALS, problem.model.size(problem.inputs, problem.outputs)))
        if problem.model.activation != "relu" or nearest_kink(problem, weights, x) > KINK:
            return weights, x, y


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_gradients_agree_with_central_differences(task, outputs, hidden, activation):
    whole = problem(Sizes(task, outputs, features=3), Model(hidden, activation), REPLICATES)
    weights, x, y = smooth_point(whole)
    losses, gradient = gradient_at(whole, weights, x, y)
    expected = central_differences(lambda p: losses_at(whole, p, x, y), weights)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(losses, losses_at(whole, weights, x, y), rtol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_float32_gradients_agree_with_float64(task, outputs, activation):
    whole = problem(Sizes(task, outputs, features=3), Model((6, 4), activation), REPLICATES)
    weights, x, y = smooth_point(whole)
    _, double = gradient_at(whole, weights, x, y)
    _, single = gradient_at(whole, *(a.astype(np.float32) if a.dtype.kind == "f" else a for a in (weights, x, y)))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-5)
