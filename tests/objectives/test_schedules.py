"""Schedules: factors on the base rate, by hand and by their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.errors import InvalidInput
from objectives.schedules import SCHEDULE_HYPERS, SCHEDULES, plan_of
from objectives.training.parameter_groups import groups_of
from tests.support.problems import Array, config, schedules

FALLING = [name for name in SCHEDULES if name != "one_cycle"]


def factors(name: str, k: Array, horizon: int, **values: float) -> Array:
    """Factors `(n,)` of a schedule at updates `k`."""
    return plan_of({"schedule": name, **values}, horizon)(k)


def test_cosine_by_hand():
    by_hand = [1, (1 + np.sqrt(0.5)) / 2, 0.5, (1 - np.sqrt(0.5)) / 2, 0]
    np.testing.assert_allclose(factors("cosine", np.arange(5), 4), by_hand, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "values", "by_hand"),
    [
        ("constant", {}, [1, 1, 1, 1, 1]),
        ("step", {"gamma": 0.5, "step_size": 0.5}, [1, 1, 0.5, 0.5, 0.25]),
        ("step", {"gamma": 0.5, "step_size": 0.01}, [1, 0.5, 0.25, 0.125, 0.0625]),
        ("exponential", {"gamma": 0.25, "step_size": 0.5}, [1, 0.5, 0.25, 0.125, 0.0625]),
        ("cosine", {"final": 0.1}, [1, 0.1 + 0.45 * (1 + np.sqrt(0.5)), 0.55, 0.1 + 0.45 * (1 - np.sqrt(0.5)), 0.1]),
        ("linear", {}, [1, 0.75, 0.5, 0.25, 0]),
        ("linear", {"final": 0.2}, [1, 0.8, 0.6, 0.4, 0.2]),
        ("polynomial", {}, [1, 9 / 16, 1 / 4, 1 / 16, 0]),
        ("polynomial", {"power": 1.0, "final": 0.2}, [1, 0.8, 0.6, 0.4, 0.2]),
        ("inverse_sqrt", {}, [1, 1 / np.sqrt(2), 1 / np.sqrt(3), 0.5, 1 / np.sqrt(5)]),
        ("inverse_sqrt", {"warmup": 0.5}, [0.5, 1, np.sqrt(2 / 3), np.sqrt(2 / 4), np.sqrt(2 / 5)]),
        ("constant", {"warmup": 0.5}, [0.5, 1, 1, 1, 1]),
        ("linear", {"warmup": 0.5}, [0.5, 1, 1, 0.5, 0]),
    ],
)
def test_a_schedule_of_four_updates_by_hand(name, values, by_hand):
    np.testing.assert_allclose(factors(name, np.arange(5), 4, **values), by_hand, atol=1e-15)


def test_one_cycle_rises_to_its_peak_and_falls_to_next_to_nothing():
    seen = factors("one_cycle", np.arange(60), 50)
    assert seen.argmax() == 14  # 0.3 * 50 - 1
    assert seen[14] == 1
    np.testing.assert_allclose(seen[[0, 49]], [1 / 25, 4e-6])
    assert (np.diff(seen[:15]) > 0).all()
    assert (np.diff(seen[14:50]) < 0).all()
    np.testing.assert_allclose(seen[49:], 4e-6)


@pytest.mark.parametrize("name", ["cosine", "linear", "polynomial"])
def test_what_fades_stays_at_its_end_past_the_horizon(name):
    assert not factors(name, np.arange(10, 40), 10).any()
    np.testing.assert_allclose(factors(name, np.arange(10, 40), 10, final=0.01), 0.01)


@pytest.mark.parametrize("name", FALLING)
@given(horizon=st.integers(1, 5000))
def test_a_factor_starts_at_one_never_rises_and_keeps_to_the_unit_interval(name, horizon):
    seen = factors(name, np.arange(horizon + 3), horizon)
    assert seen.dtype == np.float64
    assert seen.shape == (horizon + 3,)
    assert seen[0] == 1
    assert (np.diff(seen) <= 0).all()
    assert (seen >= 0).all()


@given(schedules(), st.integers(2, 300), st.integers(0, 300))
def test_a_factor_depends_on_the_update_alone(config, horizon, cut):
    k, plan = np.arange(horizon), plan_of(config, horizon)
    cut = min(cut, horizon)
    assert np.concatenate([plan(k[:cut]), plan(k[cut:])]).tobytes() == plan(k).tobytes()
    assert ((plan(k) >= 0) & (plan(k) <= 1 + 1e-15)).all()


@given(schedules(), st.integers(10, 300))
def test_a_schedule_starts_over_after_the_warmup(config, horizon):
    config = {**config, "warmup": 0.25}
    warm = round(0.25 * horizon)
    seen = plan_of(config, horizon)(np.arange(horizon))
    np.testing.assert_allclose(seen[:warm], (np.arange(warm) + 1) / warm)
    if config["schedule"] != "inverse_sqrt":
        rest = plan_of({**config, "warmup": 0.0}, horizon - warm)(np.arange(horizon - warm))
        np.testing.assert_array_equal(seen[warm:], rest)


def test_what_is_wrong_with_a_schedule_is_said():
    with pytest.raises(InvalidInput, match="schedule: 'cosin' is not known; did you mean 'cosine'"):
        plan_of({"schedule": "cosin"}, 10)
    with pytest.raises(InvalidInput, match=r"warmup: must lie in \[0, 1\), but got 1\.0\nfinal: must lie in"):
        plan_of({"schedule": "cosine", "warmup": 1.0, "final": -0.1}, 10)
    with pytest.raises(InvalidInput, match=r"warmup: 0\.99 of 10 updates leaves none after it"):
        plan_of({"warmup": 0.99}, 10)


@pytest.mark.parametrize("row", SCHEDULES.values(), ids=lambda row: row.name)
def test_a_row_is_complete(row):
    assert row is SCHEDULES[row.name]
    assert row.summary
    for hyper in row.hypers:
        assert SCHEDULE_HYPERS[hyper.name] is hyper
        assert all(value in hyper.valid for value in (hyper.low, hyper.high, hyper.default))


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
