"""A fitted preparation on raw rows: the very inputs that the study had, and what is said of rows that do not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from objectives.data import Prepared, SplitSpec, Table, load_table, prepare, table_from
from objectives.data.incoming import incoming
from objectives.data.preparation import Preparation, Seen, counted
from objectives.data.prepare import preparation_of, prepare_whole
from objectives.data.splits import divide
from objectives.errors import DataError

ROWS = 60


def frame() -> pd.DataFrame:
    """Numbers, a gap, whole numbers, flags, texts, dates with and without a zone, a constant, an id and a target."""
    rng = np.random.default_rng(0)
    cities = np.array(["Aalen", "Bremen", None, "Celle"], dtype=object)[rng.integers(0, 4, ROWS)]
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 4000, ROWS), unit="h")
    return pd.DataFrame(
        {
            "id": [f"person {i}" for i in range(ROWS)],
            "age": rng.integers(18, 80, ROWS),
            "height": np.where(rng.random(ROWS) < 0.2, np.nan, rng.normal(1.7, 0.1, ROWS)),
            "member": rng.random(ROWS) < 0.5,
            "city": pd.Series(cities, dtype=object),
            "since": days.tz_localize("Europe/Berlin"),
            "seen": [day.isoformat() for day in days],
            "still": 7.0,
            "outcome": np.arange(ROWS) % 3,
        }
    )


def table(**changes: Any) -> Table:
    return table_from(frame().assign(**changes), target="outcome")


def all_inputs(prepared: Prepared, one: Table, replicate: int = 0) -> np.ndarray[Any, Any]:
    """The inputs of every row, in the order of the table."""
    division = divide(one.rows, SplitSpec(), 0, replicate)
    found = np.empty((len(one), prepared.train.x.shape[1]), prepared.train.x.dtype)
    for part in ("train", "valid", "test"):
        found[getattr(division, part)] = getattr(prepared, part).x
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("source", ["frame", "sklearn:digits", "sklearn:diabetes"])
def test_raw_rows_get_the_inputs_of_the_study(source: str, dtype: str) -> None:
    one = table() if source == "frame" else load_table(source)
    rows = frame() if source == "frame" else one.x.read(slice(None))  # type: ignore[union-attr]
    preparation = preparation_of(one, divide(one.rows, SplitSpec(), 0, 3), dtype)
    again = Preparation.of(json.loads(json.dumps(preparation.document())))
    made = again.transform(incoming(rows, again).values)
    assert again == preparation
    assert np.array_equal(made, all_inputs(prepare(one, SplitSpec(), 0, 3, dtype), one, 3))


def test_the_order_of_columns_does_not_matter_nor_what_was_set_aside() -> None:
    preparation = preparation_of(table(), divide(table().rows, SplitSpec(), 0))
    rows = frame()
    made = preparation.transform(incoming(rows, preparation).values)
    others = incoming(rows[list(reversed(rows.columns))].drop(columns=["id", "outcome"]), preparation)
    assert np.array_equal(made, preparation.transform(others.values))
    assert incoming(rows, preparation).extra == ()
    assert incoming(rows.assign(more=1), preparation).extra == ("more",)


def test_rows_come_in_several_forms() -> None:
    preparation = preparation_of(table(), divide(table().rows, SplitSpec(), 0))
    rows = frame().head(3)
    made = preparation.transform(incoming(rows, preparation).values)
    plain = {name: rows[name].tolist() for name in rows}
    listed = [{name: rows[name].iloc[i] for name in rows} for i in range(3)]
    for form in (plain, listed):
        assert np.array_equal(made, preparation.transform(incoming(form, preparation).values))
    assert np.array_equal(made[:1], preparation.transform(incoming(listed[0], preparation).values))


def test_dates_are_days_in_whatever_form() -> None:
    when = datetime(2024, 5, 31, 12, tzinfo=UTC)
    data = frame()
    preparation = preparation_of(table(), divide(table().rows, SplitSpec(), 0))
    row = data.head(1).drop(columns=["since", "seen"]).to_dict("records")[0]
    same = [when, when.isoformat(), "2024-05-31T14:00+02:00", "2024-05-31 12:00", np.datetime64("2024-05-31T12")]
    found = [incoming([row | {"since": day, "seen": when}], preparation).values[4] for day in same[:4]]
    found.append(incoming({k: [v] for k, v in row.items()} | {"since": same[4:], "seen": [date(2024, 5, 31)]},
                          preparation).values[4])  # fmt: skip
    assert np.ravel(found).tolist() == [19874.5] * 5


def test_gaps_and_unknown_categories_are_treated_as_in_training() -> None:
    one = table()
    preparation = preparation_of(one, divide(one.rows, SplitSpec(), 0))
    rows = frame().head(4).assign(age=[None, 20, 30, 40], city=["Ulm", "Ulm", None, "Celle"], still=[7, 7, 9, 7])
    values = incoming(rows.assign(height=[1.7, 2.4, 1.7, 0.2]), preparation).values
    x = preparation.transform(values)
    age = preparation.columns[0]
    assert x[0, 0] == np.float32((age.median - age.mean) / age.scale)
    cities = x[:, -5:-1]
    assert cities.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert preparation.columns[3].categories == ("(missing)", "Aalen", "Bremen", "Celle")
    assert preparation.seen(values) == [
        Seen("age", "gaps", 1),
        Seen("height", "outside", 2, "0.2"),
        Seen("city", "unknown", 2, "Ulm"),
        Seen("still", "outside", 1, "9"),
    ]  # fmt: skip
    assert counted([Seen("a", "gaps", 1, "x"), Seen("a", "gaps", 2, "y")]) == [Seen("a", "gaps", 3, "x")]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"drop": ["age"]}, r"rows: no column 'age'; the model needs 7 columns: age, height, .*still$"),
        ({"rename": {"height": "heights"}}, r"rows: no column 'height'; if 'heights' is the same, rename it$"),
        ({"assign": {"age": "old"}}, r"rows, column 'age': 'old' is no number; the model was trained on numbers; .*"),
        ({"assign": {"age": ["1", "2", "x", "4"]}}, r"rows, column 'age': 'x' is no number in row 13; .*"),
        ({"assign": {"height": [1, 2, np.inf, 4]}}, r"rows, column 'height': inf in row 13; .*"),
        ({"assign": {"city": 3}}, r"rows, column 'city': holds numbers or dates, not texts; .*"),
        ({"assign": {"since": 3}}, r"rows, column 'since': holds numbers, not dates; .*"),
        ({"assign": {"seen": "May"}}, r"rows, column 'seen': 'May' is no date like 2024-05-31; .*"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_one_line(changed: dict[str, Any], complaint: str) -> None:
    preparation = preparation_of(table(), divide(table().rows, SplitSpec(), 0))
    rows = frame().head(4)
    for method, argument in changed.items():
        rows = rows.drop(columns=argument) if method == "drop" else rows
        rows = rows.rename(columns=argument) if method == "rename" else rows
        rows = rows.assign(**argument) if method == "assign" else rows
    with pytest.raises(DataError, match=f"^{complaint}$") as wrong:
        incoming(rows, preparation, first=10)
    assert len(wrong.value.complaints) == 1


def test_arrays_must_have_the_columns_of_training() -> None:
    one = load_table("sklearn:iris")
    preparation = preparation_of(one, divide(one.rows, SplitSpec(), 0))
    with pytest.raises(DataError, match="has 3 columns, but the model was trained on 4; in this order: sepal length"):
        incoming(np.zeros((2, 3)), preparation)
    with pytest.raises(DataError, match=r"has 1 dimensions, .*; a single row is x.reshape\(1, -1\)"):
        incoming(np.zeros(4), preparation)
    with pytest.raises(DataError, match="too large for float32"):
        preparation.transform(incoming(np.full((2, 4), 1e300), preparation).values)


def test_all_rows_but_the_test_rows_are_prepared_together() -> None:
    rare = frame()["city"].astype(object)
    test = divide(table().rows, SplitSpec(), 0).test
    rare.iloc[test[0]] = "Nowhere"
    one = table(city=rare)
    whole, preparation = prepare_whole(one, SplitSpec(), 0, "float32")
    assert (len(whole.train), len(whole.test)) == (ROWS - len(test), len(test))
    assert "Nowhere" not in preparation.columns[3].categories
    x = preparation.transform(incoming(frame().assign(city=rare), preparation).values)
    assert np.array_equal(x[np.setdiff1d(np.arange(ROWS), test)], whole.train.x)
    assert np.array_equal(x[test], whole.test.x)
    everything, wider = prepare_whole(one, SplitSpec(), 0, "float32", test_too=True)
    assert len(everything.train) == ROWS
    assert "Nowhere" in wider.columns[3].categories


def test_labels_are_what_the_source_has() -> None:
    assert table().labels == (0, 1, 2)
    assert table(outcome=np.arange(ROWS) % 2 == 0).labels == (False, True)
    assert table(outcome=np.where(np.arange(ROWS) % 2 == 0, "no", "yes")).labels == ("no", "yes")
    assert load_table("sklearn:iris").labels == ("setosa", "versicolor", "virginica")
    assert (table().target, table().aside) == ("outcome", ("id", "outcome"))


def test_documents_that_were_edited_are_refused() -> None:
    preparation = preparation_of(table(), divide(table().rows, SplitSpec(), 0))
    wrong = replace(preparation.columns[0], scale=0.0)
    with pytest.raises(ValueError, match="a scale of 0"):
        Preparation.of(replace(preparation, columns=(wrong,)).document())
    with pytest.raises(ValueError, match="task 'other'"):
        Preparation.of(replace(preparation, task="other").document())


def test_a_csv_gives_the_same_kinds(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    frame().to_csv(path, index=False)
    one = load_table(str(path), "outcome")
    kinds = [column.kind for column in preparation_of(one, divide(one.rows, SplitSpec(), 0)).columns]
    assert kinds == ["number", "number", "number", "text", "date", "date", "number"]
