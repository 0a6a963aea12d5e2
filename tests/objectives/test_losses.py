"""Losses and their gradients against naive formulas in float64, near and far from zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.buffers import outputs as outputs_buffer
from objectives.losses import LOSSES, Scratch, huber, loss_of
from tests.support.problems import TASKS, Array

REPLICATES, TRIALS = 2, 3


def naive(name: str, z: Array, y: Array) -> tuple[float, Array]:
    """Mean loss of outputs `z (C, B)` for targets `y (C, B)`, and its derivative `(C, B)`, in float64."""
    z, y = z.astype(np.float64), y.astype(np.float64)
    outputs, rows = z.shape
    if name == "squared_error":
        return float(((z - y) ** 2).mean()), 2 * (z - y) / (rows * outputs)
    if name == "poisson":
        logs = np.log(y, out=np.zeros(y.shape), where=y > 0)
        return float((np.exp(z) - y * z + y * logs - y).mean()), (np.exp(z) - y) / (rows * outputs)
    if name == "quantile":
        return float(np.abs(y - z).mean() / 2), np.sign(z - y) / (2 * rows * outputs)
    if name == "absolute_error":
        return float(np.abs(z - y).mean()), np.sign(z - y) / (rows * outputs)
    if name == "huber":
        d = z - y
        far = np.abs(d) > 1
        return float(np.where(far, np.abs(d) - 0.5, d * d / 2).mean()), np.where(far, np.sign(d), d) / (rows * outputs)
    if name == "binary_cross_entropy":
        # log(1 + exp(-s)) with the sign of the right class
        values = np.logaddexp(0, -np.where(y == 1, z, -z))
        return float(values.mean()), (np.exp(-np.logaddexp(0, -z)) - y) / rows
    logs = z - np.logaddexp.reduce(z, axis=0)
    return float(-(y * logs).sum(axis=0).mean()), (np.exp(logs) - y) / rows


def computed(name: str, z: Array, y: Array) -> tuple[Array, Array, Array]:
    """Mean losses `(R, K)` by `value` and by `gradient`, and the gradients `(R, K, C, B)`; `value` must keep `z`."""
    scratch, before = Scratch(*z.shape, z.dtype), z
    z, y = as_outputs(z), told(name, y)
    LOSSES[name].value(z, y, scratch)
    np.testing.assert_array_equal(z, before)
    value = scratch.total[..., 0, 0] / z.shape[-1]
    LOSSES[name].gradient(z, y, scratch)
    return value, scratch.total[..., 0, 0] / z.shape[-1], z


def as_outputs(z: Array) -> Array:
    """A copy that lies in memory as outputs of a model do."""
    copy = outputs_buffer(*z.shape, z.dtype)
    copy[...] = z
    return copy


def told(name: str, y: Array) -> Array:
    """Targets `(R, 1, C, B)` as the loss is told them."""
    return np.moveaxis(LOSSES[name].target(np.moveaxis(y, -2, -1)), -1, -2)


def drawn(name: str, outputs: int, rows: int, scale: float, dtype: str, seed: int = 0) -> tuple[Array, Array]:
    """Outputs `(R, K, C, B)` and targets `(R, 1, C, B)`."""
    rng = np.random.default_rng(seed)
    z = scale * rng.normal(size=(REPLICATES, TRIALS, outputs, rows))
    if name == "poisson":
        z = np.clip(z, -6, 6)
        y = rng.integers(0, 5, (REPLICATES, 1, outputs, rows)).astype(float)
    elif name in ("squared_error", "huber", "absolute_error", "quantile"):
        y = rng.normal(size=(REPLICATES, 1, outputs, rows))
    elif name == "binary_cross_entropy":
        y = rng.integers(0, 2, (REPLICATES, 1, 1, rows))
    else:
        y = np.moveaxis(np.eye(outputs)[rng.integers(0, outputs, (REPLICATES, 1, rows))], -1, -2)
    return z.astype(dtype), np.ascontiguousarray(y).astype(dtype)


def assert_as_naive(name: str, z: Array, y: Array) -> None:
    single = z.dtype == np.float32
    expected = [[naive(name, z[r, k], y[r, 0]) for k in range(TRIALS)] for r in range(REPLICATES)]
    losses, slopes = (np.array([[pair[i] for pair in row] for row in expected]) for i in (0, 1))
    value, by_gradient, gradient = computed(name, z.copy(), y)
    for found in (value, by_gradient):
        np.testing.assert_allclose(found, losses, rtol=3e-6 if single else 1e-13, atol=1e-6 if single else 1e-15)
    tolerance = (1e-5, 1e-7) if single else (1e-12, 1e-15)
    np.testing.assert_allclose(gradient, slopes, rtol=tolerance[0], atol=tolerance[1])


SHAPES = [
    ("binary_cross_entropy", 1),
    ("softmax_cross_entropy", 2),
    ("softmax_cross_entropy", 10),
    ("squared_error", 1),
    ("squared_error", 3),
    ("huber", 1),
    ("huber", 3),
    ("absolute_error", 1),
    ("absolute_error", 3),
    ("poisson", 1),
    ("poisson", 2),
    ("quantile", 1),
    ("quantile", 2),
]


@pytest.mark.parametrize(("name", "outputs"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 7, 256])
@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 20.0])
def test_losses_are_their_naive_formulas(name, outputs, rows, dtype, scale):
    assert_as_naive(name, *drawn(name, outputs, rows, scale, dtype))


@pytest.mark.parametrize(("name", "outputs"), SHAPES[:3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [300.0, 1e4, 1e30])
def test_extreme_outputs_overflow_nowhere(name, outputs, dtype, scale):
    z, y = drawn(name, outputs, 16, scale, dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, by_gradient, gradient = computed(name, z.copy(), y)
    expected = [[naive(name, z[r, k], y[r, 0])[0] for k in range(TRIALS)] for r in range(REPLICATES)]
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(by_gradient, expected, rtol=1e-5)
    assert (np.abs(gradient) <= 1 / 16).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("margin", [3.0, 8.0, 12.0])
def test_rows_told_apart_with_confidence_keep_a_small_and_positive_loss(dtype, margin):
    """Large outputs of the right sign must not cancel: their sum over rows is a thousand times the loss."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, (REPLICATES, 1, 1, 256)).astype(dtype)
    z = ((2 * y - 1) * rng.uniform(margin, 2 * margin, (REPLICATES, TRIALS, 1, 256))).astype(dtype)
    expected = [[naive("binary_cross_entropy", z[r, k], y[r, 0])[0] for k in range(TRIALS)] for r in range(REPLICATES)]
    value, by_gradient, _ = computed("binary_cross_entropy", z, y)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(by_gradient, expected, rtol=1e-5)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.integers(1, 9),
    st.floats(0, 30),
    st.sampled_from(("float32", "float64")),
    st.integers(0, 999),
)
def test_losses_are_never_negative_and_gradients_of_a_row_sum_to_zero(shape, rows, scale, dtype, seed):
    name, outputs = shape
    value, by_gradient, gradient = computed(name, *drawn(name, outputs, rows, scale, dtype, seed))
    assert (value >= 0).all()
    np.testing.assert_array_equal(value, by_gradient)
    if name == "softmax_cross_entropy":
        np.testing.assert_allclose(gradient.sum(axis=-2), 0, atol=1e-6 if dtype == "float32" else 1e-15)


def test_a_loss_of_two_classes_is_the_binary_loss_of_their_difference():
    z, y = drawn("binary_cross_entropy", 1, 12, 3.0, "float64")
    value, _, gradient = computed("binary_cross_entropy", z.copy(), y)
    both, targets = np.concatenate([0 * z, z], axis=-2), np.concatenate([1 - y, y], axis=-2)
    value_of_both, _, gradient_of_both = computed("softmax_cross_entropy", both, targets)
    np.testing.assert_allclose(value_of_both, value, rtol=1e-13)
    np.testing.assert_allclose(gradient_of_both[..., 1:, :], gradient, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_loss_whose_link_predicts(task):
    loss = loss_of(task)
    assert LOSSES[loss.name] is loss
    z = np.array([[[[-1e4, -2.0, 0.0, 2.0, 1e4]]]])
    if task == "regression":
        np.testing.assert_array_equal(loss.link(z), z)
    elif task == "binary":
        np.testing.assert_allclose(
            loss.link(z)[0, 0, 0], [0, 1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-2), 1], rtol=1e-14
        )
    else:
        q = loss.link(z.reshape(1, 1, 5, 1))[0, 0, :, 0]
        np.testing.assert_array_equal(q, [0, 0, 0, 0, 1])


@pytest.mark.parametrize("delta", [0.1, 1.0, 30.0])
def test_huber_bends_at_its_delta_and_is_half_the_squared_error_before(delta):
    z, y = drawn("huber", 2, 50, 3.0, "float64")
    scratch = Scratch(*z.shape, z.dtype)
    huber(delta).value(z, y, scratch)
    d = np.abs(z - y)
    expected = np.where(d <= delta, d * d / 2, delta * (d - delta / 2)).mean(axis=(-2, -1))
    np.testing.assert_allclose(scratch.total[..., 0, 0] / 50, expected, rtol=1e-13)
    if delta == 30.0:
        LOSSES["squared_error"].value(z, y, scratch)
        np.testing.assert_allclose(scratch.total[..., 0, 0] / 100, expected, rtol=1e-13)


@pytest.mark.parametrize(("name", "outputs"), SHAPES)
def test_curvatures_are_the_slopes_of_gradients(name, outputs):
    z, y = drawn(name, outputs, 6, 1.0, "float64")
    loss, z, y = LOSSES[name], z[:1, :1], y[:1]
    scratch, h = Scratch(*z.shape, z.dtype), 1e-6

    def slope(at: Array) -> Array:
        there = as_outputs(at)
        loss.gradient(there, told(name, y), scratch)
        return 6 * there[0, 0]

    found = loss.curvature(loss.link(z)[0, 0].T, y[0, 0].T)
    for c in range(outputs):
        step = np.zeros_like(z)
        step[:, :, c] = h
        np.testing.assert_allclose(found[:, :, c].T, (slope(z + step) - slope(z - step)) / (2 * h), atol=1e-8)
