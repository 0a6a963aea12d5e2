"""Schedules: factors on the base rate, by hand and by their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.groups import groups_of
from objectives.schedules import SCHEDULES
from tests.objectives.problems import config


def test_cosine_by_hand():
    factors = SCHEDULES["cosine"](np.arange(5), 4)
    np.testing.assert_allclose(factors, [1, (1 + np.sqrt(0.5)) / 2, 0.5, (1 - np.sqrt(0.5)) / 2, 0], atol=1e-15)


def test_cosine_stays_at_zero_past_its_horizon():
    assert not SCHEDULES["cosine"](np.arange(10, 40), 10).any()


def test_constant_is_one():
    np.testing.assert_array_equal(SCHEDULES["constant"](np.arange(7), 3), np.ones(7))


@pytest.mark.parametrize("name", SCHEDULES)
@given(horizon=st.integers(1, 5000))
def test_a_factor_starts_at_one_never_rises_and_keeps_to_the_unit_interval(name, horizon):
    factors = SCHEDULES[name](np.arange(horizon + 3), horizon)
    assert factors.dtype == np.float64
    assert factors.shape == (horizon + 3,)
    assert factors[0] == 1
    assert (np.diff(factors) <= 0).all()
    assert (factors >= 0).all()


@pytest.mark.parametrize("name", SCHEDULES)
@given(horizon=st.integers(1, 300), cut=st.integers(0, 300))
def test_a_factor_depends_on_the_update_alone(name, horizon, cut):
    k = np.arange(horizon)
    cut = min(cut, horizon)
    pieces = [SCHEDULES[name](part, horizon) for part in (k[:cut], k[cut:])]
    assert np.concatenate(pieces).tobytes() == SCHEDULES[name](k, horizon).tobytes()


def test_trials_of_a_group_have_their_own_schedules_and_horizons():
    members = [
        config("sgd", lr=0.5, schedule="constant"),
        config("sgd", lr=0.2, schedule="cosine", epochs=2),
        config("sgd", lr=0.2, schedule="cosine", epochs=4),
    ]
    (group,) = groups_of(members, steps_per_epoch=3)
    rates = group.rates(np.arange(7))
    assert rates.shape == (7, 3)
    np.testing.assert_array_equal(rates[:, 0], 0.5)
    np.testing.assert_allclose(rates[3], [0.5, 0.1, 0.2 * (1 + np.cos(np.pi / 4)) / 2])
    np.testing.assert_allclose(rates[6], [0.5, 0.0, 0.1], atol=1e-16)
