"""Intervals and quantiles, against scipy.stats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tuner.ranking.statistics import mean_interval, t_quantile


@given(p=st.floats(1e-4, 1 - 1e-4), df=st.integers(1, 500))
def test_t_quantile_is_scipys(p: float, df: int) -> None:
    assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-9, abs=1e-9)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), level=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_mean_interval_is_scipys(values: list[float], level: float) -> None:
    ours = mean_interval(values, level)
    scale = max(map(abs, values))
    spread = scale * float(np.std(np.array(values) / (scale or 1.0), ddof=1))  # squares of tiny ones are nothing
    half = stats.t.ppf(0.5 + level / 2, len(values) - 1) * spread / math.sqrt(len(values))
    assert ours.mean == pytest.approx(math.fsum(values) / len(values))
    assert ours.high - ours.mean == pytest.approx(half, rel=1e-6, abs=1e-9 * scale)
    assert ours.mean - ours.low == pytest.approx(half, rel=1e-6, abs=1e-9 * scale)
    assert ours.n == len(values)


def test_one_value_has_no_interval() -> None:
    one = mean_interval([3.0])
    assert one.mean == 3.0
    assert math.isnan(one.low)
    assert math.isnan(one.high)


def test_a_diverged_retraining_leaves_no_mean() -> None:
    assert math.isnan(mean_interval([1.0, math.inf, 2.0]).mean)
    assert math.isnan(mean_interval([1.0, math.nan, 2.0]).mean)


def test_an_interval_ends_where_the_values_do() -> None:
    cut = mean_interval([0.9, 1.0, 0.7], bounds=(0.0, 1.0))
    assert (cut.mean, cut.high) == (pytest.approx(2.6 / 3), 1.0)
    assert cut.low == mean_interval([0.9, 1.0, 0.7]).low


@pytest.mark.parametrize(("p", "df"), [(0.0, 3), (1.0, 3), (0.5, 0), (math.nan, 3)])
def test_quantile_refuses_what_has_none(p: float, df: int) -> None:
    with pytest.raises(ValueError, match=r"p must lie in \(0, 1\) and df be at least 1"):
        t_quantile(p, df)
