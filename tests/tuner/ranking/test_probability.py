"""Certainty: few or tied scores give none, shared rows and worst seeds count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.support.trials import trial
from tuner.ranking.probability import Paired
from tuner.ranking.standings import standings
from tuner.ranking.statistics import best_shares
from tuner.records import ConfirmationRun
from tuner.study import Study, read_study

Array = np.ndarray[Any, Any]


def study(seeds: int, metric: str = "minimize valid_loss") -> Study:
    direction, name = metric.split()
    tables = {"study": {"name": "s", direction: name}, "data": {"source": "sklearn:iris"}}
    return read_study(tables | {"confirm": {"seeds": seeds}, "optimizers": {"momentum": {}}})


def retrained(number: int, values: list[float], metric: str = "valid_loss") -> list[ConfirmationRun]:
    return [ConfirmationRun(number, r, 3, {metric: v}, 0.1, "complete") for r, v in enumerate(values, start=1)]


def blocks(rng: np.random.Generator, configs: int, seeds: int, rows: int) -> list[list[Array]]:
    return [[rng.standard_normal(rows).astype(np.float32) for _ in range(seeds)] for _ in range(configs)]


@given(seed=st.integers(0, 999), shift=st.floats(0.2, 2), seeds=st.integers(2, 20), overlap=st.floats(0.01, 1))
def test_splits_that_share_rows_are_less_certain(seed: int, shift: float, seeds: int, overlap: float) -> None:
    scores = np.random.default_rng(seed).standard_normal((seeds, 2)) + np.array([0, shift])
    alone, shared = Paired(scores), Paired(scores, overlap)
    assert shared.variance(0, 1) == pytest.approx(alone.variance(0, 1) * (1 + overlap * seeds))
    leader = int(scores.mean(axis=0).argmin())
    assert shared.shares()[leader] <= alone.shares()[leader]
    assert alone.apart(leader, 1 - leader) >= shared.apart(leader, 1 - leader)


@given(seed=st.integers(0, 999), shift=st.floats(-1, 1), seeds=st.integers(2, 30), overlap=st.floats(0, 1))
def test_of_two_the_share_is_the_corrected_t_test(seed: int, shift: float, seeds: int, overlap: float) -> None:
    scores = np.random.default_rng(seed).standard_normal((seeds, 2)) + np.array([0, shift])
    behind = scores[:, 1] - scores[:, 0]
    t = behind.mean() / (behind.std(ddof=1) * math.sqrt(1 / seeds + overlap))
    assert Paired(scores, overlap).shares()[0] == pytest.approx(float(stats.t.cdf(t, seeds - 1)), abs=0.02)


@pytest.mark.parametrize("seeds", [2, 3, 4, 5, 10])
def test_tied_differences_are_worth_their_signs(seeds: int) -> None:
    scores = np.array([[0.1, 0.2], [0.3, 0.4]] * 5)[:seeds]  # 0.1 on each seed, but for rounding
    paired = Paired(scores)
    assert paired.shares()[0] == pytest.approx(1 - 0.5**seeds, abs=0.02)
    assert paired.apart(0, 1) == (seeds >= 5)
    assert not Paired(np.full((seeds, 2), 0.25)).apart(0, 1)


@given(seeds=st.integers(2, 6), configs=st.integers(1, 5), rows=st.integers(2, 9), fresh=st.booleans())
def test_the_same_scores_have_equal_shares(seeds: int, configs: int, rows: int, fresh: bool) -> None:
    rng = np.random.default_rng(seeds)
    scores = np.repeat(rng.random((seeds, 1)), configs, axis=1)
    found = Paired(scores, 0.25, fresh, blocks(rng, configs, seeds, rows)).shares()
    assert found == pytest.approx([1 / configs] * configs)


def test_a_spread_is_no_smaller_than_the_rows_make_it() -> None:
    rng = np.random.default_rng(0)
    scores, own = np.array([[0.9, 0.91], [0.8, 0.81]]), blocks(rng, 2, 2, 50)
    known = np.mean([(a - b).var(ddof=1) / 50 for a, b in zip(*own, strict=True)])
    fresh, same = Paired(scores, 0.25, True, own), Paired(scores, 0.0, False, own)
    assert fresh.variance(0, 1) == pytest.approx(known * 0.75, rel=1e-5)
    assert same.variance(0, 1) == pytest.approx(known, rel=1e-5)
    assert not fresh.apart(0, 1)
    assert fresh.shares()[0] == pytest.approx(0.5, abs=0.05)
    wide = Paired(np.array([[0.0, 9.0], [0.0, -9.0]]), 0.25, True, own)
    assert wide.variance(0, 1) == pytest.approx(162 * 0.75)  # and no larger where the seeds say more


def test_two_seeds_of_a_discrete_metric_are_not_certain() -> None:
    rows = retrained(0, [0.96, 0.98], "valid_accuracy") + retrained(1, [0.95, 0.97], "valid_accuracy")
    first, second = standings(study(2, "maximize valid_accuracy"), [trial(n, value=0.9) for n in range(2)], rows)
    assert (first.trial, second.tie) == (0, 1)
    assert first.p_best == pytest.approx(0.75, abs=0.02)


def test_a_config_that_went_to_pieces_on_a_seed_is_no_equal() -> None:
    near, far = [0.11, 0.12, 0.10, 0.13, 0.12], [0.10, 0.11, 0.09, 0.12, 1.4]
    trials = [trial(n, value=0.1) for n in range(3)]
    rows = retrained(0, [0.1, 0.12, 0.11, 0.1, 0.13]) + retrained(1, near) + retrained(2, far)
    first, second, third = standings(study(5), trials, rows)
    assert [first.trial, second.trial, third.trial] == [0, 1, 2]
    assert (second.tie, third.tie) == (1, 3)
    assert third.p_best == 0.0
    assert first.p_best + second.p_best == pytest.approx(1)


def test_worse_than_a_constant_on_a_seed_is_no_equal_of_what_never_was() -> None:
    rows = retrained(0, [0.60, 0.55, 0.62, 0.58]) + retrained(1, [0.55, 0.57, 0.80, 0.56])
    trials = [trial(n, value=0.1) for n in range(2)]
    assert [s.tie for s in standings(study(4), trials, rows)] == [1, 1]
    assert [s.tie for s in standings(study(4), trials, rows, {"constant_loss": "0.69"})] == [1, 2]
    assert [s.tie for s in standings(study(4), trials, rows, {"constant_loss": "0.61"})] == [1, 1]  # both were


def test_an_accuracy_has_no_tail() -> None:
    rows = retrained(0, [1.0] * 3, "valid_accuracy") + retrained(1, [1.0, 0.99, 1.0], "valid_accuracy")
    found = standings(study(3, "maximize valid_accuracy"), [trial(n, value=0.9) for n in range(2)], rows)
    assert [s.tie for s in found] == [1, 1]


@pytest.mark.parametrize("lost", [math.inf, math.nan, 1e200, -1e200])
def test_what_is_not_finite_is_behind_without_a_warning(lost: float) -> None:
    rows = retrained(0, [0.2, 0.3]) + retrained(1, [0.2, lost]) + retrained(2, [lost, lost])
    found = standings(study(2), [trial(n, value=0.1) for n in range(3)], rows)
    assert [(s.trial, s.tie, s.p_best) for s in found] == [(0, 1, 1.0), (1, 2, 0.0), (2, 3, 0.0)]
    assert math.isnan(found[1].goal.mean)
    assert best_shares(np.full((2, 2), lost)) == [0.0, 0.0]


def test_equal_configs_on_overlapping_splits_are_seldom_told_apart() -> None:
    """Two predictors that each add noise of their own to the mean: whoever leads, leads by chance."""
    rng, train, valid, splits, studies, apart = np.random.default_rng(0), 75, 25, 10, 300, np.zeros(2)
    for _ in range(studies):
        rows = rng.standard_normal((2, train + valid))  # what each config sees of the same rows
        drawn = np.array([rows[:, rng.permutation(train + valid)] for _ in range(splits)])
        scores = (drawn[..., train:] - drawn[..., :train].mean(axis=-1, keepdims=True)) ** 2
        means = scores.mean(axis=-1)
        leader = int(means.mean(axis=0).argmin())
        apart += [Paired(means, overlap).apart(leader, 1 - leader) for overlap in (0.0, valid / train)]
    plain, corrected = apart / studies
    assert plain > 0.15
    assert corrected < 0.06
