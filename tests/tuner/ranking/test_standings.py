"""Standings: who is best on fresh seeds, how sure that is, and that what is reported chose nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.support.trials import trial
from tuner.ranking.contenders import contenders, widened
from tuner.ranking.retrainings import REPORTING, report_seeds
from tuner.ranking.standings import standings
from tuner.ranking.statistics import best_shares
from tuner.records import Confirmed
from tuner.study import Confirm, Study, read_study


def study(seeds: int = 4, top: int = 3, **keys: Any) -> Study:
    tables = {
        "study": {"name": "s"} | keys,
        "data": {"source": "sklearn:iris"},
        "confirm": {"seeds": seeds, "top": top},
    }
    return read_study(tables | {"optimizers": {"momentum": {}}})


def retrained(number: int, values: list[float], first: int = 1) -> list[Confirmed]:
    return [
        Confirmed(number, r, 3, {"valid_loss": v, "test_loss": 2 * v}, 0.1, "complete")
        for r, v in enumerate(values, start=first)
    ]


def noisy(seed: int, shifts: list[float], seeds: int) -> np.ndarray[Any, Any]:
    """Scores `(N, K)` with noise that the columns share and noise of their own."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((seeds, 1)) + 0.3 * rng.standard_normal((seeds, len(shifts))) + np.array(shifts)


@given(seed=st.integers(0, 1000), shift=st.floats(-1, 1), seeds=st.integers(2, 30))
def test_of_two_the_share_is_the_one_sided_paired_t_test(seed: int, shift: float, seeds: int) -> None:
    scores = noisy(seed, [0.0, shift], seeds)
    p = stats.ttest_rel(scores[:, 0], scores[:, 1], alternative="greater").pvalue
    first, second = best_shares(scores)
    assert first + second == pytest.approx(1)
    assert first == pytest.approx(p, abs=0.02)


@given(seed=st.integers(0, 1000), columns=st.integers(1, 8), seeds=st.integers(2, 12))
def test_shares_add_up_and_do_not_depend_on_the_order(seed: int, columns: int, seeds: int) -> None:
    scores = noisy(seed, [0.1 * k for k in range(columns)], seeds)
    shares = best_shares(scores)
    assert sum(shares) == pytest.approx(1)
    order = np.random.default_rng(seed).permutation(columns)
    assert best_shares(scores[:, order]) == pytest.approx([shares[i] for i in order])


def test_configs_that_are_the_same_share_and_diverged_ones_have_none() -> None:
    one = np.array([0.1, 0.3, 0.2])
    assert best_shares(np.stack([one, one, one + 1], axis=1)) == [0.5, 0.5, 0.0]
    assert best_shares(np.stack([one, np.array([0.0, np.inf, 0.0])], axis=1)) == [1.0, 0.0]
    assert best_shares(np.full((3, 2), np.inf)) == [0.0, 0.0]


def test_pairing_tells_apart_what_intervals_cannot() -> None:
    trials = [trial(0, value=0.1), trial(1, value=0.2), trial(2, value=0.3)]
    hard = np.array([0.1, 0.9, 0.5, 0.3])  # seeds differ, the same for all
    near = [0.0, 0.02, -0.02, 0.01]
    far = [0.1, 0.11, 0.09, 0.1]
    rows = retrained(0, list(hard + far)) + retrained(1, list(hard)) + retrained(2, list(hard + near))
    best, second, third = standings(study(), trials, rows)
    assert [best.trial, second.trial, third.trial] == [1, 2, 0]
    assert third.goal.low < best.goal.mean < third.goal.high
    assert (best.tie, second.tie, third.tie) == (1, 1, 3)
    assert third.p_best == pytest.approx(0.0, abs=0.002)
    assert best.p_best + second.p_best + third.p_best == pytest.approx(1)
    assert [best.optimism, third.optimism] == pytest.approx([0.25, 0.45])


def test_optimism_is_turned_with_the_goal() -> None:
    rows = [
        Confirmed(0, r, 3, {"valid_accuracy": v, "test_accuracy": v}, 0.1, "complete")
        for r, v in enumerate([0.8, 0.9], start=1)
    ]
    (one,) = standings(study(seeds=2, maximize="valid_accuracy"), [trial(0, value=0.95)], rows)
    assert one.optimism == pytest.approx(0.1)


def test_the_best_is_reported_on_its_own_seeds_and_only_when_all_are_done() -> None:
    trials = [trial(0, value=0.1), trial(1, value=0.2)]
    rows = retrained(0, [0.3, 0.4, 0.3, 0.4]) + retrained(1, [0.1, 0.2, 0.1, 0.2])
    reported = retrained(1, [0.5, 0.6, 0.5, 0.6], first=REPORTING + 1)
    assert standings(study(), trials, rows + reported[:3])[0].report is None
    best, second = standings(study(), trials, rows + reported)
    assert best.report is not None
    assert best.report.goal.mean == pytest.approx(0.55)
    assert best.report.test["test_loss"].mean == pytest.approx(1.1)
    assert best.goal.mean == pytest.approx(0.15)
    assert second.report is None


def test_a_test_metric_that_one_seed_lacks_has_no_mean() -> None:
    """An objective of somebody's own tells them where it trains through, and a failed training tells none."""
    lost = Confirmed(1, 4, 3, {"valid_loss": float("nan")}, 0.0, "failed")
    first = Confirmed(1, 1, 3, {"valid_loss": 0.1}, 0.0, "failed")
    rows = [*retrained(0, [0.1] * 4), first, *retrained(1, [0.2] * 2, first=2), lost]
    best, other = standings(study(), [trial(n, value=0.1) for n in range(2)], rows)
    assert best.test["test_loss"].mean == pytest.approx(0.2)
    assert list(other.test) == ["test_loss"]
    assert np.isnan(other.test["test_loss"].mean)


def test_ranking_reporting_and_searching_seeds_never_meet() -> None:
    most = study(seeds=1000)
    used = [range(0, 1), range(1001, 1100), range(1, 1001), report_seeds(most)]
    assert len(set().union(*used)) == sum(map(len, used))


def test_a_wider_confirmation_keeps_whom_it_had() -> None:
    trials = [trial(n, value=0.1 * (n + 1), lr=0.1 * (n + 1)) for n in range(5)]
    known = retrained(0, [0.1] * 4) + retrained(4, [0.2] * 4) + retrained(3, [0.3] * 3)
    assert [t.number for t in contenders(study(top=2), study(top=2), trials, known)] == [0, 1, 4]
    assert [t.number for t in contenders(study(top=2), study(top=3, seeds=9), trials, known)] == [0, 1, 2, 4]
    wide = widened(Confirm(top=5, seeds=5), Confirm(top=3, seeds=20))
    assert (wide.top, wide.seeds) == (5, 20)
