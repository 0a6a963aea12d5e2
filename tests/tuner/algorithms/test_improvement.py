"""The Gaussian process and its proposals: slopes are those of differences, optima are found, names and choices kept."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuner.algorithms.fitting import penalized, squares_between
from tuner.algorithms.gaussian import fitted
from tuner.algorithms.improvement import gaussian, improvement_at, log_improvement, standardized
from tuner.optuna_bridge.sampler_models import Observation
from tuner.records import Latent

RNG = np.random.default_rng(0)
X = RNG.random((20, 3))
Y = ((X - 0.4) ** 2).sum(axis=1)
Y = (Y - Y.mean()) / Y.std()
NUMBERS = np.ones(3, dtype=bool)
SPACE = (Latent("x", "float"), Latent("y", "float"), Latent("kind", "categorical", ("a", "b", "c")))


def difference(function, at, step=1e-6):  # type: ignore[no-untyped-def]
    """The gradient of a function by central differences."""
    steps = step * np.eye(len(at))
    return np.array([(function(at + e) - function(at - e)) / (2 * step) for e in steps])


def loss(point) -> float:  # type: ignore[no-untyped-def]
    return (point["x"] - 0.3) ** 2 + (point["y"] - 0.7) ** 2 + 0.3 * "bac".index(point["kind"])


def searched(trials: int, seed: int = 0, pending: int = 0) -> list[Observation]:
    """Random points, then proposals one by one, the last `pending` of them not known yet."""
    rng = np.random.default_rng(seed)
    points = [{"x": rng.random(), "y": rng.random(), "kind": str(rng.choice(["a", "b", "c"]))} for _ in range(8)]
    while len(points) < trials:
        known = points[: len(points) - pending] if len(points) > 8 + pending else points[:8]
        history = [Observation(point, loss(point)) for point in known]
        points += gaussian(SPACE, history, 1, len(points), points[len(known) :])
    return [Observation(point, loss(point)) for point in points]


@pytest.mark.parametrize("logs", RNG.normal(size=(3, 5)))
def test_the_likelihoods_slope_is_that_of_differences(logs: np.ndarray) -> None:
    flat = squares_between(X, X, NUMBERS).reshape(-1, 3)
    extra = np.linspace(0, 0.1, 20)
    by_difference = difference(lambda at: penalized(at, flat, Y, extra)[0], logs)
    assert penalized(logs, flat, Y, extra)[1] == pytest.approx(by_difference, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("point", RNG.random((3, 3)))
def test_the_improvements_slope_is_that_of_differences(point: np.ndarray) -> None:
    process = fitted(X, Y, NUMBERS)
    for best in (-1.5, float(Y.min())):
        slope = improvement_at(process, best, point)[1]
        by_difference = difference(lambda at, best=best: improvement_at(process, best, at)[0], point)
        assert slope == pytest.approx(by_difference, rel=1e-3, abs=1e-3)


def test_the_improvement_is_exact_near_and_finite_far_below() -> None:
    from scipy.stats import norm

    z = np.array([-3.0, -1.01, -0.99, 0.0, 2.0])
    assert log_improvement(-z, np.ones(5), 0.0) == pytest.approx(np.log(norm.pdf(z) + z * norm.cdf(z)))
    far = log_improvement(np.array([50.0, 500.0]), np.ones(2), 0.0)
    assert far == pytest.approx([-(50**2) / 2, -(500**2) / 2], rel=0.01)


def test_a_process_passes_through_what_was_seen_and_knows_less_elsewhere() -> None:
    process = fitted(X, Y, NUMBERS)
    mean, variance = process.predict(X)
    assert mean == pytest.approx(Y, abs=0.05)
    assert variance.max() < process.predict(np.array([[1.0, 1.0, 1.0]]))[1][0]
    more = process.expecting(np.array([1.0, 1.0, 1.0]))
    assert more.predict(X)[0] == pytest.approx(mean, abs=1e-6)  # what was expected changes no mean
    assert more.predict(np.ones((1, 3)))[1][0] < 0.1 * process.predict(np.ones((1, 3)))[1][0]


def test_what_is_noisy_is_followed_less() -> None:
    noise = np.zeros(20)
    noise[0] = 10.0
    off = Y.copy()
    off[0] += 3
    sure, unsure = fitted(X, off, NUMBERS), fitted(X, off, NUMBERS, noise)
    errors = [abs(float(process.predict(X[:1])[0][0]) - Y[0]) for process in (sure, unsure)]
    assert errors[1] < 0.2 * errors[0]


@pytest.mark.parametrize("pending", [0, 3])
def test_the_optimum_is_found_among_names_and_numbers(pending: int) -> None:
    history = searched(32, pending=pending)
    assert min(one.value for one in history) < 1e-3
    assert sum(one.latents["kind"] == "b" for one in history[-8:]) >= 5


def test_proposals_are_a_function_of_what_is_given() -> None:
    history = searched(12)
    ahead = [history[-1].latents]
    assert gaussian(SPACE, history, 3, 7, ahead) == gaussian(SPACE, history, 3, 7, ahead)
    (alone,), (beside,) = gaussian(SPACE, history, 1, 7), gaussian(SPACE, history, 1, 7, gaussian(SPACE, history, 1, 7))
    assert alone != beside  # a point that is under way is not proposed again


def test_a_few_very_bad_values_hide_nothing() -> None:
    values = np.array([0.1, 0.2, 0.3, 0.4, 1e9, math.inf])
    y, unit = standardized(values)
    assert (y.mean(), y.std()) == pytest.approx((0, 1))
    assert y[4] == y[5] == y.max()
    assert y[1] - y[0] > 0.01
    assert (y[1] - y[0]) * unit == pytest.approx(0.1)
    assert standardized(np.array([2.0, 2.0]))[0].tolist() == [0, 0]
