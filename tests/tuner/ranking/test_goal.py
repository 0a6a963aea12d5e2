"""The value of a trial, its stability, and the order of trials."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trials import trial
from tuner.ranking.goal import goal_at, is_stable, ranked


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.sampled_from(["minimize", "maximize"]), st.data())
def test_goal_is_the_best_of_the_first_epochs(curve: list[float], direction: str, data: st.DataObject) -> None:
    epochs = data.draw(st.integers(1, len(curve)))
    value, epoch = goal_at([curve], direction, epochs)
    best = min(curve[:epochs]) if direction == "minimize" else -max(curve[:epochs])
    assert value == best
    assert curve[epoch - 1] == abs(best) * math.copysign(1, best if direction == "minimize" else -best)


def test_goal_is_the_mean_over_replicates() -> None:
    assert goal_at([[1.0, 5.0], [3.0, 1.0]], "minimize", 2) == (2.0, 1)


def test_what_is_not_a_number_is_never_best() -> None:
    assert goal_at([[math.nan, 2.0, math.inf]], "minimize", 3) == (2.0, 2)
    assert goal_at([[math.nan, 2.0, math.inf]], "maximize", 3) == (-2.0, 2)
    assert goal_at([[math.nan]], "minimize", 1)[0] == math.inf


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([1.0, 0.5, 0.6], True),  # a little worse at the end
        ([1.0, 0.1, 0.9], True),  # nine times its best, but no worse than a constant prediction
        ([1.0, 0.5, 5e9], False),  # a spike on the way to exploding
        ([3.0, 2.9, 2.8], True),  # never good, never blown up
    ],
)
def test_stability(curve: list[float], expected: bool) -> None:
    assert is_stable([curve], constant=1.0) is expected


def test_order_is_stable_first_then_value_then_number() -> None:
    trials = [
        trial(0, value=0.3),
        trial(1, value=0.1, stable=False),
        trial(2, value=0.2),
        trial(3, value=0.2),
        trial(4, state="pruned", value=0.0),
        trial(5, state="diverged", value=None),
    ]
    assert [t.number for t in ranked(trials, "minimize")] == [2, 3, 0, 1]
    assert [t.number for t in ranked(trials, "maximize")] == [0, 2, 3, 1]


@pytest.mark.parametrize(("last", "expected"), [(1.99, True), (2.0, True), (2.01, False)])
def test_a_run_that_ends_at_more_than_twice_its_best_is_unstable(last: float, expected: bool) -> None:
    assert is_stable([[3.0, 1.0, last]], constant=0.5) is expected


@pytest.mark.parametrize(("split", "expected"), [(1.99, True), (2.01, False)])
def test_a_run_is_unstable_where_a_split_is_more_than_twice_their_median(split: float, expected: bool) -> None:
    assert is_stable([[1.0], [1.0], [split]], constant=0.5) is expected


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("window", [1, 3])
def test_of_equal_epochs_the_first_is_the_best(direction: str, window: int) -> None:
    assert goal_at([[5.0 if direction == "minimize" else 1.0, 2.0, 2.0, 2.0, 2.0]], direction, 5, 1)[1] == 2
    assert goal_at([[2.0] * 6], direction, 6, window)[1] == 1
