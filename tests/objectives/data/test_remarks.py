"""What is said of data on which no learning rate helps: one class, numbers far out, digits used up by their size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from objectives.data import Prepared, SplitSpec, prepare, table_from
from objectives.data.fit import steady
from objectives.data.remarks import far_out
from objectives.errors import DataError

N = 120
X = np.random.default_rng(1).normal(size=(N, 3))
ORDER = SplitSpec(order="when")


def ready(x: Any, y: Any, split: SplitSpec | None = None, **options: Any) -> Prepared:
    split = split or SplitSpec()
    return prepare(table_from(x, y, split=split, **options), split, dtype="float32")


def timed(y: Any) -> Prepared:
    """Data divided in the order of a column."""
    return ready(pd.DataFrame(X, columns=list("pqr")).assign(when=np.arange(N)), y, ORDER)


def spoilt(values: Any, row: int, value: float) -> Any:
    changed = np.array(values, dtype=np.float64)
    changed[row - 1] = value
    return changed


def test_train_rows_of_one_class_are_said_to_teach_nothing() -> None:
    said = timed(np.where(np.arange(N) < 80, "no", "yes")).inferred
    assert "all 72 train rows have one class, 'no': there is nothing to learn from them; divide" in " ".join(said)
    assert not [line for line in timed(np.resize(["no", "yes"], N)).inferred if "nothing to learn" in line]


def test_train_rows_of_one_target_are_said_to_teach_nothing() -> None:
    said = timed(np.where(np.arange(N) < 80, 2.5, np.linspace(0.1, 0.9, N))).inferred
    assert "all 72 train rows have one target, 2.5: there is nothing to learn from them; divide" in " ".join(said)


@pytest.mark.parametrize("task", [None, "regression"])
def test_a_slip_in_a_target_is_named_with_its_row_whatever_part_it_is_in(task: str | None) -> None:
    for row in (1, 7, 64, N):
        said = " ".join(ready(X, spoilt(X[:, 0], row, 3.2e7), task=task).inferred)
        assert f"target: 3.2e+07 in row {row}, where half of the rows lie between -0." in said
        assert "nothing else counts beside it; correct it, or cap it" in said


def test_a_slip_in_one_of_several_targets_is_named_with_its_column() -> None:
    said = ready(X, np.c_[X[:, 0], spoilt(X[:, 1], 9, -1e9)]).inferred
    assert "target, column 1: -1e+09 in row 9, where" in " ".join(said)


@pytest.mark.parametrize("row", [1, 7, 64, N])
@pytest.mark.parametrize("extra", [{}, {"colour": "red"}, {"gap": np.r_[np.nan, np.arange(N - 1)]}], ids=str)
def test_a_slip_in_a_column_is_named_whatever_part_it_is_in(row: int, extra: Any) -> None:
    frame = pd.DataFrame({**extra, "p": X[:, 0], "q": spoilt(X[:, 1], row, 1e9)})
    said = ready(frame, X[:, 2]).inferred
    assert [line.partition(",")[0] for line in said if "correct it" in line] == [f"column 'q': 1e+09 in row {row}"]


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).lognormal(0, 2, 5000),
        np.random.default_rng(0).standard_t(2, 5000),
        np.r_[np.zeros(4000), np.random.default_rng(0).lognormal(0, 2, 1000)],
        np.r_[np.zeros(400), 1e6],
        np.r_[np.zeros(400), np.full(30, 1e6)],
        np.full(50, 3.0),
        np.r_[np.full(400, np.nan), np.arange(30.0)],
    ],
    ids=["lognormal", "t", "mostly zero", "one other", "a flag", "constant", "gaps"],
)
def test_what_has_a_heavy_tail_or_two_values_is_no_slip(values: Any) -> None:
    assert far_out(values, "target") == []


def test_several_far_out_are_counted_and_the_largest_numbers_make_no_warning() -> None:
    values = np.r_[X[:, 0], 1e300, -1.7e308, 1.7e308]
    assert far_out(values, "column 'a'")[0].startswith("column 'a': rows 121, 122, 123, up to ")
    assert far_out(np.array([1.7e308, -1.7e308, 0.0]), "target") == []


def large(kind: str) -> Any:
    """A column of numbers near 2^60, by how they differ."""
    steps = {"whole numbers": np.arange(N), "steps of 256": 256 * np.arange(N), "one number": np.zeros(N, np.int64)}
    return 2**60 + steps[kind].astype(np.int64)


@pytest.mark.parametrize("kind", ["whole numbers", "steps of 256"])
@pytest.mark.parametrize("mixed", [False, True])
def test_columns_that_vary_too_little_for_their_size_are_named_and_come_in_as_nothing(kind: str, mixed: bool) -> None:
    frame = pd.DataFrame({"p": X[:, 0], "big": large(kind)})
    found = ready(frame.assign(colour=np.resize(["a", "b"], N)) if mixed else frame, X[:, 2])
    for part in (found.train, found.valid, found.test):
        assert not part.x[:, 1].any()
        assert 0.1 < np.abs(part.x[:, 0]).max() < 5
    what = f"they vary too little beside the size of their numbers, 1 of {4 if mixed else 2} columns: big; subtract an"
    assert what in " ".join(found.inferred)
    assert "constant on the train rows" not in " ".join(found.inferred)


def test_a_table_of_nothing_but_such_columns_is_refused_with_what_to_do() -> None:
    with pytest.raises(DataError, match=r"every column is constant on the train rows.*subtract an offset from"):
        ready(large("steps of 256")[:, None], X[:, 2])


def test_a_small_offset_is_taken_as_it_was_and_zeros_stay_constant() -> None:
    column = 1e9 + X[:, 1]
    found = ready(np.c_[column, np.zeros(N)], X[:, 2])
    assert 0.8 < found.train.x[:, 0].std() < 1.2
    assert "constant on the train rows, 1 of 2 columns: x1" in found.inferred


def test_a_target_that_varies_little_beside_its_size_is_standardised_all_the_same() -> None:
    y = 2.0**60 + 256 * np.arange(N)
    assert steady(y.mean(), y.var(), N)
    found = ready(X, y)
    assert abs(found.train.y.std() - 1) < 1e-5
    back = found.test.y.astype(np.float64) * found.y_scale + found.y_mean
    assert np.abs(back - back.round(-2)).max() < 1e3
    assert np.isin(np.round((back - 2.0**60) / 256), np.arange(N)).all()
