"""Arrays and frames handed over: what is inferred from them, and what is refused."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from objectives.data import SplitSpec, prepare, table_from
from objectives.errors import DataError

X = np.random.default_rng(0).normal(size=(60, 2))
CLASSES = np.arange(60) % 3


@pytest.mark.parametrize(
    ("y", "task", "classes"),
    [
        (CLASSES, "multiclass", ("0", "1", "2")),
        (CLASSES.astype(float), "multiclass", ("0", "1", "2")),
        (CLASSES > 1, "binary", ("False", "True")),
        (np.where(CLASSES > 1, -1, 1), "binary", ("-1", "1")),
        (CLASSES[:, None], "multiclass", ("0", "1", "2")),
        (np.array(["b", "a", "c"])[CLASSES], "multiclass", ("a", "b", "c")),
        (np.array(["b", "a", "c"], dtype=object)[CLASSES], "multiclass", ("a", "b", "c")),
        (pd.Series(CLASSES).map({0: "x", 1: "y", 2: "z"}).astype("category"), "multiclass", ("x", "y", "z")),
        (pd.Series(CLASSES, dtype="Int64"), "multiclass", ("0", "1", "2")),
        (list(CLASSES), "multiclass", ("0", "1", "2")),
        (X[:, 0], "regression", ()),
        (np.arange(60), "regression", ()),
        (CLASSES + 0.5, "regression", ()),
        (X, "regression", ()),
    ],
)
def test_the_task_is_inferred(y: Any, task: str, classes: tuple[str, ...]) -> None:
    table = table_from(X, y)
    assert (table.task, table.classes) == (task, classes)
    assert table.inferred[0].startswith(f"target: {task}")


def test_the_task_can_be_given() -> None:
    assert table_from(X, CLASSES, task="regression").y.shape == (60, 1)
    assert table_from(X, CLASSES + 0.5, task="multiclass").classes == ("0.5", "1.5", "2.5")
    assert table_from(X, CLASSES > 0, task="multiclass").task == "multiclass"
    assert table_from(X, CLASSES, task="multiclass").inferred == ()


@pytest.mark.parametrize(
    ("x", "y", "options", "words"),
    [
        (X, CLASSES[:-1], {}, "data: X has 60 rows, but the target has 59"),
        (X, CLASSES, {"task": "classify"}, "unknown task 'classify'; choose one of: binary, multiclass, regression"),
        (X, CLASSES, {"task": "binary"}, "task is binary, but there are 3 classes"),
        (X, np.array(["b", "a"])[CLASSES % 2], {"task": "regression"}, "is text ('a'), regression needs numbers"),
        (X, [["a", 1.0][c % 2] for c in CLASSES], {}, "holds values of type float, str; a target holds"),
        (X, np.array(["a", 1.0] * 30, dtype=object), {}, "holds values of type float, str"),
        (X, np.array([1, None] * 30), {}, "missing or not finite in rows 2, 4, 6, 8, 10 and 25 more"),
        (X, np.where(CLASSES > 1, np.inf, 0.3), {}, "missing or not finite in rows 3, 6"),
        (X, np.eye(3)[CLASSES], {}, "is one-hot, not labels; use y.argmax(axis=1)"),
        (X, np.zeros((60, 2)), {"task": "binary"}, "has 2 columns, classes have one"),
        (
            X,
            np.where(np.arange(60) == 3, 0.5, CLASSES),
            {"task": "multiclass"},
            "target: label 0.5 in row 4 is no whole number, as others are; correct it, use task = 'regression'",
        ),
        (X, np.where(CLASSES > 0, CLASSES / 2, 3), {"task": "multiclass"}, "label 0.5 in rows 2, 5, 8, 11, 14 and 15"),
        (X, np.where(CLASSES > 1, np.nan, CLASSES), {"task": "binary"}, "missing or not finite in rows 3, 6, 9, 12"),
        (np.where(X > 2, -np.inf, X), CLASSES, {}, "column 'x1': -inf in row 40; correct it"),
        (X, np.column_stack([X, np.ones(60)]), {}, "column 2 is constant"),
        (X, np.zeros((60, 2, 2)), {}, "has 3 dimensions; give one value a row"),
        (X, 3, {}, "has 0 dimensions"),
        (X, [], {}, "has no rows"),
        (np.zeros((2, 2, 2)), [0, 1], {}, "X has 3 dimensions"),
        (np.zeros((0, 2)), [], {}, "X has 0 rows and 2 columns"),
        ([[1, 2], [3]], [0, 1], {}, "the rows of X differ in length"),
        (np.array([["a", "b"]] * 60), CLASSES, {}, "X holds <U1 values, not numbers; hand over a pandas frame"),
        (X + 1j, CLASSES, {}, "X holds complex128 values"),
        (X, None, {}, "no target is named; the columns are x0, x1"),
        (X, None, {"target": 7}, "target is column 7, but there are 2; columns count from 0 to 1; -1 is the last"),
        (X, CLASSES, {"features": ("a",)}, "1 feature names for 2 columns"),
        (X, CLASSES, {"split": SplitSpec(valid=0.001)}, "less than a row"),
        (X, CLASSES, {"split": SplitSpec(column="fold")}, "no column 'fold' for the split.column"),
        (X, CLASSES, {"split": SplitSpec(column="x1")}, "column 'x1': unknown value"),
        (X, X[:, 0], {"split": SplitSpec(group="x1", valid=2.0)}, "split.valid is 2.0"),
    ],
)
def test_bad_arrays(x: Any, y: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        table_from(x, y, **options)


def _frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": X[:, 0], **columns})


def test_negative_labels_are_classes_and_said_to_be_where_they_may_mark_missing_ones() -> None:
    table = table_from(X, CLASSES - 1, task="multiclass")
    assert table.classes == ("-1", "0", "1")
    (said,) = table.inferred
    assert said == "target: -1 is a class of its own; remove its rows if it marks missing labels"
    assert table_from(X, CLASSES - 1).inferred[1] == said
    assert table_from(X, np.where(CLASSES > 1, -1, 1), task="binary").inferred == ()


def test_frames_of_all_kinds_of_columns() -> None:
    table = table_from(
        _frame(
            flag=CLASSES > 1,
            sometimes=[True, None, False] * 20,
            whole=pd.array([1, None, 3] * 20, dtype="Int64"),
            kind=pd.Categorical(["u", "v", "u"] * 20),
            code=[1, 2.5, None] * 20,
            nothing=[None] * 60,
            name=[f"id {i}" for i in range(60)],
        ),
        CLASSES,
    )
    assert table.features == ("a", "flag", "sometimes", "whole", "kind", "code")
    ready = prepare(table, SplitSpec(), 0)
    assert ready.features == ("a", "flag", "sometimes", "whole", "code", "kind=u", "kind=v")
    assert table.inferred[1:5] == (
        "column 'nothing' is empty: left out",
        "column 'name' has 60 different texts in 60 rows, as ids have: left out",
        "texts, one-hot by category: kind (2)",
        "3 of 6 columns have missing numbers: the median of the train rows",
    )


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.timedelta_range("1 day", periods=60), "column 'b': holds durations"),
        ([{}] * 60, "holds values of type dict"),
        (["a", 1] * 30, "holds values of type int, str; use one type"),
        ([1.0] * 59 + [np.inf], "column 'b': inf in row 60"),
        (["1"] * 57 + ["?", "x", "1"], "'x' in row 59, where all others are numbers"),
    ],
)
def test_bad_columns(column: Any, words: str) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        table_from(_frame(b=column), CLASSES)


@pytest.mark.parametrize(
    "dates",
    [
        pd.date_range("2024-01-01", periods=60).to_series().where(lambda day: day.dt.day != 7),
        [None if i % 30 == 6 else f"2024-{1 + i // 30:02}-{1 + i % 30 - i // 59 * 2:02}" for i in range(58)]
        + ["2024-02-28 12:00", "2024-02-29T00:00:00"],
        [None if i == 6 else date(2024, 1, 1) + timedelta(days=i) for i in range(60)],
        pd.date_range("2024-01-01", periods=60, tz="UTC").to_series().where(lambda day: day.dt.day != 7),
    ],
    ids=["dates", "texts", "python's", "of a zone"],
)
def test_dates_are_days(dates: Any) -> None:
    table = table_from(_frame(b=list(dates)), CLASSES)
    days = np.asarray(table.x["b"])
    assert days[0] == (date(2024, 1, 1) - date(1970, 1, 1)).days
    assert np.isnan(days[6])
    assert table.features == ("a", "b")
    assert "dates, as days: b" in table.inferred
    assert prepare(table, SplitSpec(), 0).features == ("a", "b")


@pytest.mark.parametrize("text", ["2024-13-01", "20240101", "2024-01-01 at noon"])
def test_texts_that_are_no_dates_are_categories(text: str) -> None:
    table = table_from(_frame(b=["2024-01-01", text] * 30), CLASSES)
    assert "texts, one-hot by category: b (2)" in table.inferred


def test_columns_are_dropped_by_name() -> None:
    table = table_from(_frame(b=[1.0] * 60, c=["x", "y"] * 30), CLASSES, drop=("b", "c"))
    assert table.features == ("a",)
    with pytest.raises(DataError, match=r"no column 'bb' for the drop; did you mean 'b'\?"):
        table_from(_frame(b=[1.0] * 60), CLASSES, drop=("bb",))


def test_a_frame_with_its_target_inside() -> None:
    assert table_from(_frame(y=CLASSES), target="y").features == ("a",)
    assert table_from(_frame(y=CLASSES), target=-1).features == ("a",)
    with pytest.raises(DataError, match=r"no column 'yy' for the target; did you mean 'y'\?"):
        table_from(_frame(y=CLASSES), target="yy")
    twice = pd.concat([_frame(), _frame()], axis=1)
    with pytest.raises(DataError, match="column 'a': occurs 2 times"):
        table_from(twice, CLASSES)


def test_the_index_of_a_frame_plays_no_part() -> None:
    frame, y = _frame(b=["u", "v", None] * 20), pd.Series(CLASSES)
    shuffled = frame.set_axis(np.arange(60)[::-1] + 7)
    digests = {prepare(table_from(f, y), SplitSpec(), 0).digest for f in (frame, shuffled)}
    assert len(digests) == 1


def test_missing_numbers_in_an_array() -> None:
    x = X.copy()
    x[::7, 1] = np.nan
    table = table_from(x, CLASSES)
    assert np.isfinite(prepare(table, SplitSpec(), 0).train.x).all()
    assert table.features == ("x0", "x1")


def test_group_and_order_of_many_types() -> None:
    for group in ([f"p{i // 4}" for i in range(60)], np.arange(60) // 4, pd.Categorical(np.arange(60) // 4)):
        split = SplitSpec(group="g")
        ready = prepare(table_from(_frame(g=group), CLASSES, split=split), split, 0)
        assert [len(p) for p in (ready.train, ready.valid, ready.test)] == [36, 12, 12]
    for order in (np.arange(60), pd.date_range("2024-01-01", periods=60), [f"2024-01-01T10:{i:02}" for i in range(60)]):
        split = SplitSpec(order="t")
        ready = prepare(table_from(_frame(t=order), X[:, 1], split=split), split, 0, 3)
        assert len(ready.test) == 12
    with pytest.raises(DataError, match="column 't': holds texts that are no dates of the form 2024-05-31"):
        table_from(_frame(t=["monday"] * 60), CLASSES, split=SplitSpec(order="t"))
    with pytest.raises(DataError, match="column 't': missing in row 60"):
        table_from(_frame(t=["2024-01-01"] * 59 + [None]), CLASSES, split=SplitSpec(order="t"))


def test_a_class_without_train_rows_is_said() -> None:
    split = SplitSpec(order="t")
    y = np.repeat(["old", "new"], [48, 12])
    ready = prepare(table_from(_frame(t=np.arange(60)), y, split=split), split, 0)
    assert "class 'new' has no train rows" in ready.inferred
