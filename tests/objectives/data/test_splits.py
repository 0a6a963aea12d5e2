"""Divisions: every row once, fixed test rows, equal sizes in all replicates, and the four ways to divide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.data.groups import draw_groups
from objectives.data.splits import Division, Rows, SplitSpec, divide, split_complaints, windows

seeds = st.integers(0, 2**63 - 1)
replicates = st.integers(0, 50)
fractions = st.floats(0.05, 0.45)
class_sizes = st.lists(st.integers(3, 40), min_size=2, max_size=6)
group_sizes = st.lists(st.integers(1, 30), min_size=3, max_size=25)


def _parts(division: Division) -> list[np.ndarray[Any, Any]]:
    return [division.train, division.valid, division.test]


def _sizes(division: Division) -> list[int]:
    return [len(part) for part in _parts(division)]


def _every_row_once(division: Division, count: int) -> bool:
    return sorted(np.concatenate(_parts(division)).tolist()) == list(range(count))


@given(class_sizes, fractions, fractions, seeds, replicates)
def test_stratified(sizes: list[int], valid: float, test: float, seed: int, replicate: int) -> None:
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows, split = Rows(len(strata), strata), SplitSpec(valid, test)
    first, other = divide(rows, split, seed), divide(rows, split, seed, replicate)
    assert _every_row_once(other, len(strata))
    assert _sizes(first) == _sizes(other)
    assert first.test.tolist() == other.test.tolist()
    for part in _parts(other):
        assert set(strata[part]) == set(range(len(sizes)))
    for part, fraction in ((other.valid, valid), (other.test, test)):
        # a class gives its share to within a row, unless it is too small to (one row stays everywhere)
        given_rows, fair = np.bincount(strata[part]), np.array(sizes) * fraction
        assert (np.abs(given_rows - fair) < 2).all()


@given(st.integers(3, 300), fractions, fractions, seeds, replicates)
def test_unstratified(count: int, valid: float, test: float, seed: int, replicate: int) -> None:
    rows, split = Rows(count), SplitSpec(valid, test)
    if split_complaints(rows, split, "data"):
        return
    division = divide(rows, split, seed, replicate)
    assert _every_row_once(division, count)
    assert _sizes(division) == _sizes(divide(rows, split, seed))
    assert len(division.test) == max(1, round(count * test))
    assert min(_sizes(division)) >= 1


def test_replicates_and_seeds_differ_and_repeat() -> None:
    rows = Rows(200, np.arange(200) % 4)
    divisions = {key: divide(rows, SplitSpec(), *key) for key in [(0, 0), (0, 1), (0, 2), (1, 0)]}
    assert len({tuple(d.valid) for d in divisions.values()}) == 4
    assert len({tuple(d.test) for d in divisions.values()}) == 2
    assert divide(rows, SplitSpec(), 0, 1).valid.tolist() == divisions[0, 1].valid.tolist()


@given(group_sizes, fractions, fractions, seeds, replicates)
def test_groups_stay_together(sizes: list[int], valid: float, test: float, seed: int, replicate: int) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows, split = Rows(len(groups), groups=groups), SplitSpec(valid, test, group="patient")
    first, other = divide(rows, split, seed), divide(rows, split, seed, replicate)
    assert _every_row_once(other, len(groups))
    assert _sizes(first) == _sizes(other)
    assert min(_sizes(other)) >= 1
    assert first.test.tolist() == other.test.tolist()
    held = [set(groups[part]) for part in _parts(other)]
    assert sum(map(len, held)) == len(sizes)


@given(group_sizes, st.integers(1, 400), seeds)
def test_drawn_groups_reach_the_nearest_total(sizes: list[int], wanted: int, seed: int) -> None:
    array = np.array(sizes)
    total = array[draw_groups(array, wanted, np.random.default_rng(seed))].sum()
    sums = {0}
    for size in sizes:
        sums |= {s + size for s in sums}
    most = array.sum() - array.max() - 1
    reachable = sorted(s for s in sums if 0 < s <= most)
    assert total in reachable
    assert abs(total - min(wanted, most)) == min(abs(s - min(wanted, most)) for s in reachable)


def test_every_group_has_its_chance() -> None:
    sizes = np.array([5, 7, 11, 4, 6, 9, 8, 10, 3, 12])
    often = sum(draw_groups(sizes, 20, np.random.default_rng(i)).astype(int) for i in range(300))
    assert np.min(often) > 15


def test_time_order_is_earliest_train_latest_test() -> None:
    times = np.random.default_rng(0).permutation(50)
    division = divide(Rows(50, times=times), SplitSpec(order="when"), 3, 4)
    assert times[division.train].max() < times[division.valid].min()
    assert times[division.valid].max() < times[division.test].min()
    assert _sizes(division) == [30, 10, 10]


@given(st.integers(3, 300), fractions, fractions, seeds, replicates)
def test_windows_have_one_size_and_end_before_the_test_rows(
    count: int, valid: float, test: float, seed: int, replicate: int
) -> None:
    split = SplitSpec(valid, test, order="when", rolling=True)
    times = np.random.default_rng(seed).permutation(count)
    if split_complaints(Rows(count, times=times), split, "data"):
        return
    newest, other = (divide(Rows(count, times=times), split, 0, number) for number in (0, replicate))
    assert _sizes(newest) == _sizes(other)
    assert min(_sizes(other)) >= 1
    assert newest.test.tolist() == other.test.tolist()
    late = [np.sort(times[part]) for part in _parts(other)]
    assert late[0][-1] + 1 == late[1][0]  # what validates comes right after what trained
    assert late[1][-1] < late[2][0]
    assert np.sort(times[newest.valid])[-1] + 1 == late[2][0]
    assert all((np.diff(part) == 1).all() for part in late)


def test_the_first_windows_are_spread_over_all_places() -> None:
    split = SplitSpec(order="when", rolling=True)
    found = windows(1000, split)
    assert (found.train, found.valid, found.room) == (400, 200, 200)
    for most in (2, 4, 8, 16):
        starts = sorted(found.start(number) for number in range(most))
        assert np.diff([0, *starts, 200]).max() <= 2 * 200 / most
        assert found.different(most) == most
    assert windows(10, split).different(4) == 2  # of six rows that would train, two are given up


def test_without_windows_all_rows_before_the_validation_rows_train() -> None:
    times = np.arange(50)
    rolling = divide(Rows(50, times=times), SplitSpec(order="when", rolling=True), 3, 0)
    assert _sizes(rolling) == [20, 10, 10]
    assert rolling.valid.tolist() == divide(Rows(50, times=times), SplitSpec(order="when"), 3, 0).valid.tolist()


@given(group_sizes, st.integers(2, 6), seeds, st.integers(0, 3))
def test_folds_of_groups_validate_in_turn(sizes: list[int], folds: int, seed: int, repetition: int) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows, split = Rows(len(groups), groups=groups), SplitSpec(group="patient", folds=folds)
    if split_complaints(rows, split, "data", seed):
        return
    found = [divide(rows, split, seed, repetition * folds + fold) for fold in range(folds)]
    assert len({tuple(_sizes(division)) for division in [*found, divide(rows, split, seed)]}) == 1
    assert len({tuple(division.test) for division in found}) == 1
    validating = [set(groups[division.valid]) for division in found]
    assert sum(map(len, validating)) == len(set().union(*validating))  # no group validates twice
    for division in found:
        held = [set(groups[part]) for part in _parts(division)]
        assert sum(map(len, held)) == len(set().union(*held))
        assert min(_sizes(division)) >= 1


def test_folds_of_groups_of_one_size_leave_no_row_out_and_are_drawn_anew() -> None:
    groups = np.arange(120) % 12
    rows, split = Rows(120, groups=groups), SplitSpec(group="patient", folds=5)
    found = [divide(rows, split, 3, number) for number in range(10)]
    assert all(_every_row_once(division, 120) for division in found)
    assert {len(division.valid) for division in found} == {20}
    first, second = ({tuple(sorted(set(groups[d.valid]))) for d in some} for some in (found[:5], found[5:]))
    assert first != second


def test_a_given_column_is_the_division() -> None:
    division = divide(Rows(5, parts=np.array([2, 0, 1, 0, 1])), SplitSpec(column="part"), 0, 9)
    assert [part.tolist() for part in _parts(division)] == [[1, 3], [2, 4], [0]]


@pytest.mark.parametrize(
    ("rows", "split", "words"),
    [
        (Rows(100), SplitSpec(valid=0.0), "split.valid is 0.0"),
        (Rows(100), SplitSpec(test=float("nan")), "split.test is nan"),
        (Rows(100), SplitSpec(valid=0.5, test=0.5), "leave none of 100 rows for train"),
        (Rows(100), SplitSpec(valid=0.9, test=0.9), "leave none of 100 rows for train"),
        (Rows(20), SplitSpec(test=0.01), "split.test = 0.01 of 20 rows is less than a row; raise it to 0.05"),
        (Rows(1), SplitSpec(), "less than a row"),
        (Rows(9), SplitSpec(group="g", order="t"), "split has group and order; choose one"),
        (Rows(9, groups=np.arange(9) % 2), SplitSpec(group="g"), "column 'g': has 2 groups; three parts need three"),
        (Rows(3, parts=np.array([0, 1, 0])), SplitSpec(column="c"), "column 'c': leaves test empty"),
        (
            Rows(20, groups=np.arange(20) % 4),
            SplitSpec(group="g", folds=5),
            "column 'g': has 3 groups beside the test rows, fewer than 5 folds; use data.splits = 3",
        ),
        (
            Rows(100, groups=np.minimum(np.arange(100) // 5, 9)),
            SplitSpec(group="g", folds=4),
            "has groups so unequal that of 4 folds one may have 5 rows, another 55",
        ),
    ],
)
def test_what_cannot_be_divided(rows: Rows, split: SplitSpec, words: str) -> None:
    assert words in "\n".join(map(str, split_complaints(rows, split, "data", 0)))


def test_a_table_loaded_without_the_column_is_told_so() -> None:
    with pytest.raises(ValueError, match=r"loaded without split\.order"):
        divide(Rows(9), SplitSpec(order="t"), 0)
