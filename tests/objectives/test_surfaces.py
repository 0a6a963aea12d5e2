"""Surfaces: derivatives against central differences, minima, stacking, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.errors import InvalidInput
from objectives.surfaces import SURFACES, Surface, quadratic, surface_of

ROWS = [*SURFACES.values(), quadratic(1e4, 5)]
NAMES = [f"{surface.name}-{surface.size}" for surface in ROWS]
STEP = float(np.finfo(float).eps) ** (1 / 3)
seeds = st.integers(0, 2**32 - 1)
surfaces = pytest.mark.parametrize("surface", ROWS, ids=NAMES)


def points(surface: Surface, seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(surface.low, surface.high, (*shape, surface.size))


def slope(function, p: np.ndarray) -> np.ndarray:
    """Central differences of a stacked function, the new axis last."""
    steps = STEP * np.eye(p.shape[-1])
    return np.stack([(function(p + h) - function(p - h)) / (2 * STEP) for h in steps], axis=-1)


@surfaces
@given(seed=seeds)
def test_gradient_is_the_slope_of_the_value(surface: Surface, seed: int) -> None:
    p = points(surface, seed, 4)
    scale = 1 + np.abs(surface.value(p)).max() + np.abs(surface.gradient(p)).max()
    np.testing.assert_allclose(surface.gradient(p), slope(surface.value, p), atol=1e-8 * scale, rtol=0)


@surfaces
@given(seed=seeds)
def test_hessian_is_the_slope_of_the_gradient_and_symmetric(surface: Surface, seed: int) -> None:
    p = points(surface, seed, 4)
    hessian = surface.hessian(p)
    scale = 1 + np.abs(surface.gradient(p)).max() + np.abs(hessian).max()
    np.testing.assert_allclose(hessian, slope(surface.gradient, p), atol=1e-8 * scale, rtol=0)
    np.testing.assert_array_equal(hessian, hessian.swapaxes(-1, -2))


@surfaces
def test_minima_are_minima(surface: Surface) -> None:
    np.testing.assert_allclose(surface.value(surface.minima), 0, atol=1e-12)
    np.testing.assert_allclose(surface.gradient(surface.minima), 0, atol=1e-12)
    assert np.linalg.eigvalsh(surface.hessian(surface.minima)).min() > 0


@surfaces
@given(seed=seeds)
def test_nothing_lies_below_the_minima(surface: Surface, seed: int) -> None:
    assert surface.value(points(surface, seed, 100)).min() >= 0


@surfaces
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stacks_keep_shape_dtype_and_bits(surface: Surface, dtype: type) -> None:
    p = points(surface, 0, 3, 4).astype(dtype)
    for function, tail in ((surface.value, 0), (surface.gradient, 1), (surface.hessian, 2)):
        stacked = function(p)
        assert stacked.shape == (3, 4) + (surface.size,) * tail
        assert stacked.dtype == dtype
        np.testing.assert_array_equal(stacked[1, 2], function(p[1, 2]))


@given(condition=st.floats(1, 1e8), size=st.integers(2, 6))
def test_quadratic_has_the_condition_number_asked_for(condition: float, size: int) -> None:
    surface = quadratic(condition, size)
    assert np.linalg.cond(surface.hessian(surface.start)) == pytest.approx(condition, rel=1e-9)


def test_what_is_no_surface_is_refused_with_a_reason() -> None:
    with pytest.raises(InvalidInput, match=r"rosenbrok.*rosenbrock"):
        surface_of("rosenbrok")
    with pytest.raises(InvalidInput, match=r"at least 1, but is 0\.5"):
        quadratic(0.5)
    with pytest.raises(InvalidInput, match=r"size.*at least 2, but is 1"):
        quadratic(10, 1)
