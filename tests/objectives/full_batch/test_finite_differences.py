"""Differences have the digits their step allows; the check finds right gradients right and wrong ones wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from objectives import check_gradient
from objectives.errors import InvalidInput
from objectives.evaluation.training_loss import CHUNK, loss_and_gradient, losses
from objectives.full_batch.finite_differences import central_differences, directional_derivative, forward_differences
from objectives.models import ACTIVATIONS, Activation, Model
from objectives.problem import Problem
from objectives.surfaces import SURFACES
from tests.support.problems import Array, Sizes, problem, problems, same_bits

POINT = np.array([-1.2, 0.7])


def relative_error(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize(
    ("dtype", "central", "forward"), [(np.float64, 1e-9, 1e-6), (np.float32, 1e-3, 1e-2)], ids=["float64", "float32"]
)
def test_differences_have_the_digits_their_dtype_allows(dtype, central, forward):
    p = POINT.astype(dtype)
    for surface in SURFACES.values():
        expected = surface.gradient(POINT)
        assert relative_error(central_differences(surface.value, p), expected) < central
        assert relative_error(forward_differences(surface.value, p), expected) < forward


def test_directional_derivative_is_gradient_times_direction():
    direction = np.array([0.3, -2.0])
    for surface in SURFACES.values():
        expected = surface.gradient(POINT) @ direction
        assert directional_derivative(surface.value, POINT, direction) == pytest.approx(expected, rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(whole=problems())
def test_every_gradient_agrees(whole: Problem) -> None:
    check = check_gradient(whole, replicate=len(whole.replicates) - 1)
    assert check.agrees, str(check)


def test_a_wrong_gradient_is_found_and_its_layer_named(monkeypatch):
    def backward(d: Array, a: Array, mask: Array) -> None:
        ACTIVATIONS["relu"].backward(d, a, mask)
        d *= 1.001

    monkeypatch.setitem(ACTIVATIONS, "tanh", Activation(ACTIVATIONS["relu"].forward, backward))
    check = check_gradient(problem(Sizes(), Model((6,), "tanh")))
    assert not check.agrees
    assert check.error > 1e-5
    assert check.place.startswith("layer 1")
    assert "DISAGREES" in str(check)


def test_weights_of_another_shape_or_not_finite_are_refused():
    whole = problem(Sizes(), Model())
    with pytest.raises(InvalidInput, match=r"shape \(3,\), but the model wants \(15,\)"):
        check_gradient(whole, np.zeros(3))
    with pytest.raises(InvalidInput, match="not all finite"):
        check_gradient(whole, np.full(15, np.nan))


@pytest.mark.parametrize("hidden", [(), (7,)], ids=str)
@pytest.mark.parametrize(("task", "outputs"), [("binary", 1), ("multiclass", 3), ("regression", 2)])
def test_chunks_add_up_and_neighbours_do_not_matter(task, outputs, hidden):
    whole = problem(Sizes(task, outputs, train=2 * CHUNK + 5), Model(hidden))
    weights = np.random.default_rng(0).normal(size=(70, whole.model.size(4, outputs)))
    loss, gradient = loss_and_gradient(whole, weights)
    alone = loss_and_gradient(whole, weights[66:67])
    assert same_bits(loss[66:67], alone[0])
    assert same_bits(gradient[66:67], alone[1])
    np.testing.assert_allclose(losses(whole, weights), loss, rtol=1e-14)
    assert check_gradient(whole, weights[0]).agrees
