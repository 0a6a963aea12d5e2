"""Texts that are numbers, dates, flags, categories, ids or prose are read as such, in training and afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.data import SplitSpec, Table, load_table, preparation_of, prepare, table_from
from objectives.data.columns.dates import days_of
from objectives.data.columns.numbers import NumberStyle, number_style, style_of
from objectives.data.files.dialect import Dialect
from objectives.data.incoming import incoming
from objectives.data.reading import FIRST_RULES, Reading
from objectives.data.splits import divide
from objectives.errors import DataError

N = 240
RNG = np.random.default_rng(1)
Y = np.arange(N) % 2
NUMBERS = np.round(RNG.lognormal(7, 1, N), 2)
DAYS = pd.date_range("2020-01-01", periods=N, freq="2D")


def table(column: Any, reading: Reading | None = None, name: str = "c", y: Any = Y) -> Table:
    frame = pd.DataFrame({"a": RNG.normal(size=N), name: column})
    return table_from(frame, y, reading=reading or Reading())


def values(found: Table) -> Any:
    return found.x["c"].to_numpy() if isinstance(found.x, pd.DataFrame) else found.x.read(slice(None))[:, 1]


NUMBER: dict[str, Any] = {
    "thousands": [f"{v:,.2f}" for v in NUMBERS],
    "dollars": [f"${v:,.2f}" for v in NUMBERS],
    "euros behind": [f"{v:.2f} €" for v in NUMBERS],
    "codes": [f"EUR {v:.2f}" for v in NUMBERS],
    "percent": [f"{v:.2f}%" for v in NUMBERS],
    "points and a comma": [f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in NUMBERS],
    "blanks and a comma": [f"{v:,.2f}".translate(str.maketrans(",.", " ,")) for v in NUMBERS],
    "no-break blanks": [f"{v:,.2f}".replace(",", "\u00a0") for v in NUMBERS],
    "apostrophes": [f"{v:,.2f}".replace(",", "'") for v in NUMBERS],
    "decimal comma": [f"{v:.2f}".replace(".", ",") for v in NUMBERS],
    "unit": [f"{v:.2f} kg" for v in NUMBERS],
    "blanks around": [f"  {v:.2f} " for v in NUMBERS],
    "signs": [f"+{v:.2f}" for v in NUMBERS],
}


@pytest.mark.parametrize("case", NUMBER)
def test_numbers_as_people_write_them(case: str) -> None:
    assert np.array_equal(values(table(NUMBER[case])), NUMBERS)


def test_negative_numbers_in_brackets_and_behind() -> None:
    assert np.array_equal(values(table([f"({v:,.2f})" for v in NUMBERS])), -NUMBERS)
    assert np.array_equal(values(table([f"{v:.2f}-" for v in NUMBERS])), -NUMBERS)
    assert np.array_equal(values(table([f"\u2212{v:.2f}" for v in NUMBERS])), -NUMBERS)


@pytest.mark.parametrize("mark", ["?", "NA", "-", "n/a", "null", "--", "#N/A", "None", "."])
def test_gaps_among_numbers_by_any_name(mark: str) -> None:
    gaps = np.arange(N) % 4 == 0
    found = table(np.where(gaps, mark, NUMBERS.astype(str)))
    assert np.array_equal(np.isnan(values(found)), gaps)
    assert f"'{mark}' in 60 rows are gaps among numbers" in " ".join(found.inferred)


@given(
    st.floats(-1e9, 1e9, allow_nan=False), st.sampled_from([("", "."), (",", "."), (".", ","), (" ", ","), ("'", ".")])
)
def test_a_style_reads_what_it_writes(value: float, marks: tuple[str, str]) -> None:
    style = NumberStyle(*marks)
    text = f"{value:,.3f}".replace(",", "T").replace(".", marks[1]).replace("T", marks[0])
    assert style.read(text) == float(f"{value:.3f}")
    assert number_style(style.key) == style
    assert style_of([text, f"1234567{marks[1]}5"]) is not None


def test_slips_are_named_with_the_line_that_mends_them() -> None:
    column = NUMBERS.astype(str).astype(object)
    column[6] = "twelve"
    with pytest.raises(DataError, match=re.escape("'twelve' in row 7, where all others are numbers; correct it")):
        table(column)
    column = DAYS.strftime("%d/%m/%Y").to_numpy(dtype=object)
    column[3] = "32/01/2020"
    with pytest.raises(DataError, match=r"'32/01/2020' in row 4, where all others are dates"):
        table(column)


FORMS = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%b-%y",
    "%A, %d %B %Y",
]


@pytest.mark.parametrize("form", [*FORMS, "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p"])
def test_dates_in_any_common_form(form: str) -> None:
    found = table(DAYS.strftime(form).to_list())
    assert np.array_equal(found.x["c"], (DAYS - pd.Timestamp(0)) / pd.Timedelta("1D"))
    assert found.features == ("a", "c", "c weekday", "c month")


def test_dates_that_nothing_decides_are_refused_with_both_readings() -> None:
    column = [f"0{1 + i % 9}/0{1 + i // 9 % 9}/2020" for i in range(N)]
    with pytest.raises(DataError, match=r"2020-01-02 with the day first, 2020-02-01 otherwise.*c = .day first."):
        table(column)
    first, second = (table(column, Reading(columns={"c": f"{kind}: trend"})) for kind in ("day first", "month first"))
    assert values(first)[1] == days_of("2020-01-02", "iso")
    assert values(second)[1] == days_of("2020-02-01", "iso")


def test_parts_of_dates_are_as_asked() -> None:
    texts = DAYS.strftime("%Y-%m-%d").to_list()
    assert table(texts, Reading(columns={"c": "date: trend"})).features == ("a", "c")
    assert table(texts, Reading(columns={"c": "date: month"})).features == ("a", "c month")


def test_writings_of_one_category_are_one_and_said() -> None:
    found = table(np.resize(["Male", "female", "male ", "Female", "male"], N))
    assert set(found.x["c"]) == {"Male", "Female"}
    assert "other writings of categories" in " ".join(found.inferred)
    assert set(table(np.resize(["yes", "N", "TRUE", "no", "Y"], N)).x["c"]) == {"yes", "no"}


def test_classes_are_what_they_are_called() -> None:
    for name in ("None", "NA", "null", "?"):
        assert table(NUMBERS, y=np.where(Y, name, "mild").astype(object)).classes == tuple(sorted([name, "mild"]))
    assert table(NUMBERS, y=np.resize(["Yes", "no", "yes ", "No"], N)).classes in {
        ("Yes", "no"),
        ("No", "Yes"),
        ("no", "yes "),
    }


def test_a_target_of_money_is_numbers() -> None:
    found = table(NUMBERS, y=[f"${v:,.2f}" for v in NUMBERS])
    assert found.task == "regression"
    assert np.array_equal(found.y[:, 0], NUMBERS)


def test_ids_and_prose_are_left_out_and_said_with_the_line_that_keeps_them() -> None:
    for column, name in (
        (np.arange(1000, 1000 + N), "c"),
        (RNG.permutation(N), "customer_id"),
        (RNG.permutation(N), "userId"),
    ):
        found = table(column, name=name)
        assert found.features == ("a",)
        assert f'columns = {{ {name} = "number" }} keeps it' in " ".join(found.inferred)
        assert table(column, Reading(columns={name: "number"}), name).features == ("a", name)
    for name, column in (("year", np.arange(1700, 1700 + N)), ("t", np.arange(N)), ("size", RNG.permutation(N))):
        assert table(column, name=name).features == ("a", name)
    found = table([f"a note of several words, number {i}" for i in range(N)])
    assert "column 'c' is free text (240 different ones in 240 rows): left out" in found.inferred
    assert "as ids have" in " ".join(table([f"x{i}" for i in range(N)]).inferred)


def test_many_categories_are_kept() -> None:
    found = table(np.resize([f"shop {i}" for i in range(110)], N))
    assert prepare(found).train.x.shape[1] == 112


def test_numbers_can_be_categories_and_columns_left_out() -> None:
    codes = np.resize([10, 20, 30], N)
    assert set(table(codes, Reading(columns={"c": "category"})).x["c"]) == {"10", "20", "30"}
    assert table(codes, Reading(columns={"c": "leave out"})).features == ("a",)
    with pytest.raises(DataError, match=r"data.columns: there is no column 'd'"):
        table(codes, Reading(columns={"d": "number"}))


def test_the_first_rules_take_texts_as_they_stand() -> None:
    old = Reading(rules=FIRST_RULES)
    assert set(table(np.resize(["Male", "male "], N), old).x["c"]) == {"Male", "male "}
    assert table(np.arange(N), old, "customer_id").features == ("a", "customer_id")


def test_rows_without_a_target_are_dropped_where_that_is_asked_for() -> None:
    y = np.where(np.arange(N) % 5 == 0, np.nan, Y)
    with pytest.raises(DataError, match=r"missing or not finite in rows 1, 6"):
        table(NUMBERS, y=y)
    found = table(NUMBERS, Reading(unlabelled="drop"), y=y)
    assert len(found) == N - 48
    assert "48 of 240 rows have no target: left out, as data.unlabelled says" in found.inferred


def test_rows_that_come_later_are_read_as_those_of_training() -> None:
    frame = pd.DataFrame(
        {
            "price": NUMBER["dollars"],
            "share": np.where(np.arange(N) % 7 == 0, "?", NUMBER["percent"]),
            "day": DAYS.strftime("%d/%m/%Y"),
            "sex": np.resize(["Male", "female", "male ", "Female", "male"], N),
            "place": np.resize([" x", "y", None], N),
        }
    )
    found = table_from(frame, Y)
    division = divide(found.rows, SplitSpec(), 0)
    fitted = preparation_of(found, division)
    later = incoming(frame.iloc[division.test].reset_index(drop=True), fitted)
    assert np.array_equal(fitted.transform(later.values), prepare(found).test.x)
    assert fitted.sources == tuple(frame.columns)
    assert type(fitted).of(fitted.document()) == fitted


@pytest.mark.parametrize("texts", [["AA", "Aa", "aa"], ["a", "A", "n", "N"], ["1_2", "3_4", "12_3"]])
def test_short_codes_are_categories_as_they_stand(texts: list[str]) -> None:
    assert set(table(np.resize(texts, N)).x["c"]) == {*texts}


def test_what_the_study_calls_missing_is_missing_in_rows_to_come() -> None:
    x = pd.DataFrame({"c": np.resize([-999.0, 1.5, 2.5], N), "g": np.resize(["gone", "u", "v"], N)})
    found = table_from(x, Y, reading=Reading(Dialect(missing=("-999", "gone"))))
    assert np.isnan(found.x["c"]).sum() == N // 3
    assert set(found.x["g"]) == {"(missing)", "u", "v"}
    preparation = preparation_of(found, divide(found.rows, SplitSpec(), 0))
    texts = incoming({"c": ["-999", "1.5"], "g": ["gone", "u"]}, preparation).values
    numbers = incoming({"c": [-999.0, 1.5], "g": ["gone", "u"]}, preparation).values
    for c, g in (texts, numbers):
        assert np.isnan(c).tolist() == [True, False]
        assert g.tolist() == ["(missing)", "u"]


def test_numbers_of_a_file_with_decimal_commas_are_read_so_when_rows_come(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b;y\n" + "".join(f"{i % 7},5;{i % 5},{i % 9};{i % 2}\n" for i in range(N)))
    found = load_table("t.csv", "y", base=tmp_path)
    preparation = preparation_of(found, divide(found.rows, SplitSpec(), 0))
    assert incoming({"a": ["1,234"], "b": ["1.5"]}, preparation).values == (1.234, 1.5)
