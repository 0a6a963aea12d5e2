"""Text for terminals and sheets in every format: nothing steers the terminal, nothing is lost in files."""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.cli.sheet import FORMATS, Sheet, as_table, fields, filtered, fitted, formatted, sheet_of
from tuner.cli.terminal import SPARKS, clean, coloured, exact, interval, short, sparkline, width

SHEET = Sheet(
    ("name", "lr", "same", "empty", "seconds"),
    (("a", 1 / 3, 7, None, 1.0), ("=b|\x1b[31m", 0.25, 7, math.nan, 2.0)),
    always=frozenset(("name",)),
    asides=frozenset(("seconds",)),
)


@given(st.text())
def test_clean_text_cannot_steer_a_terminal(text: str) -> None:
    for cleaned in (clean(text), clean(text, lines=True).replace("\n", "")):
        assert not any(unicodedata.category(c) == "Cc" or unicodedata.bidirectional(c) in BIDI for c in cleaned)
    assert clean(clean(text)) == clean(text)


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_clean_keeps_what_people_write() -> None:
    assert clean("Größe 学 ▁█ a\tb\nc") == "Größe 学 ▁█ a b c"
    assert clean("\x1b[2J\x07one\r\ntwo\x9b31m", lines=True) == "[2Jone \ntwo31m"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.3333"),
        (1e-8, "1e-08"),
        (123456, "123456"),
        (0.0, "0"),
        (math.nan, ""),
        (math.inf, "inf"),
        (None, ""),
        (True, "yes"),
        (False, "no"),
        ([64, 32], "64x32"),
        ("a\x1b[0m", "a[0m"),
    ],
)
def test_cells_of_tables_have_four_digits(value: object, text: str) -> None:
    assert short(value) == text


def test_json_holds_what_is_no_number() -> None:
    document = {"a": math.nan, "b": [math.inf, -math.inf], "c": {"d": 1 / 3}}
    assert exact(document) == {"a": None, "b": ["inf", "-inf"], "c": {"d": 1 / 3}}


def test_sparklines_span_low_to_high_and_mark_what_is_not_finite() -> None:
    assert sparkline([0.0, 0.5, 1.0, math.inf, math.nan]) == f"{SPARKS[0]}{SPARKS[4]}{SPARKS[-1]}!!"
    assert sparkline([2.0, 2.0]) == SPARKS[0] * 2
    assert sparkline([]) == ""
    long = sparkline([float(i) for i in range(1000)])
    assert (len(long), long[0], long[-1]) == (60, SPARKS[0], SPARKS[-1])


def test_intervals_are_told_only_where_they_are_known() -> None:
    assert interval(0.5, 0.25, 0.75) == "0.5 [0.25, 0.75]"
    assert interval(0.5, math.nan, math.nan) == "0.5"
    assert interval(None, None, None) == ""


@pytest.mark.parametrize(
    ("variables", "terminal", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colour_follows_the_variables(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], terminal: bool, colour: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    assert coloured(stream) is colour


def test_tables_hide_constant_and_empty_columns_and_asides() -> None:
    shown, hidden = filtered(SHEET)
    assert as_table(shown) == "NAME     LR\na        0.3333\n=b|[31m  0.25\n"
    assert hidden == ["same", "empty", "1 more"]
    assert filtered(SHEET, all_columns=True)[0].columns == SHEET.columns


def test_a_single_row_has_no_constant_columns() -> None:
    assert filtered(replace(SHEET, rows=SHEET.rows[:1]))[0].columns == ("name", "lr", "same")


def test_empty_cells_of_sparse_columns_do_not_count() -> None:
    sheet = Sheet(("a", "b"), ((1, None), (2, 5)))
    assert filtered(sheet)[0].columns == ("a", "b")
    assert filtered(replace(sheet, sparse=frozenset("b")))[0].columns == ("a",)


def test_views_and_order_are_for_tables_alone() -> None:
    sheet = Sheet(("a", "b"), ((1, 2), (3, 4)), views={"b": ["x", "y"], "c": [5, 6]}, order=("c", "b"))
    assert as_table(filtered(sheet)[0]) == "C  B  A\n5  x  1\n6  y  3\n"
    assert formatted(sheet, "csv") == "a,b\n1,2\n3,4\n"


def test_a_narrow_window_drops_the_last_columns() -> None:
    shown, dropped = fitted(Sheet(("a", "b", "c"), (("x" * 10, "y" * 10, 3),), always=frozenset("c")), 15)
    assert (shown.columns, dropped) == (("a", "c"), ["b"])
    everything, nothing = fitted(SHEET, 200)
    assert (everything.columns, nothing) == (SHEET.columns, [])


def test_wide_characters_take_two_columns() -> None:
    assert width("a学") == 3
    assert as_table(Sheet(("a", "b"), (("学", 1), ("xy", 2)))) == "A   B\n学  1\nxy  2\n"


def test_markdown_is_one_table_with_pipes_escaped() -> None:
    shown, _ = filtered(SHEET)
    assert formatted(shown, "md") == "| name | lr |\n| --- | --- |\n| a | 0.3333 |\n| =b\\|[31m | 0.25 |\n"


def test_csv_is_exact_and_harmless_in_a_spreadsheet() -> None:
    lines = list(csv.reader(io.StringIO(formatted(SHEET, "csv"))))
    assert lines == [[*SHEET.columns], ["a", repr(1 / 3), "7", "", "1.0"], ["'=b|[31m", "0.25", "7", "", "2.0"]]


@given(st.lists(st.tuples(st.floats(), st.text(), st.none() | st.integers()), max_size=5))
def test_every_format_takes_every_value(rows: list[tuple[float, str, int | None]]) -> None:
    sheet = Sheet(("x", "text", "n"), tuple(rows))
    for name in FORMATS:
        formatted(sheet, name)
    records = json.loads(formatted(sheet, "json"))
    assert [json.loads(line) for line in formatted(sheet, "jsonl").splitlines()] == records
    assert [record["x"] for record in records] == [exact(x) for x, _, _ in rows]
    assert [record["text"] for record in records] == [text for _, text, _ in rows]
    cells = list(csv.reader(io.StringIO(formatted(sheet, "csv"))))[1:]
    assert [float(row[0] or "nan") for row in cells] == pytest.approx(
        [x for x, _, _ in rows], abs=0, rel=0, nan_ok=True
    )
    assert not any(row[1].startswith(("=", "+", "-", "@")) for row in cells)


def test_frames_become_plain_values() -> None:
    frame = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "x": [0.5, math.nan], "t": ["a", None]})
    sheet = sheet_of(frame)
    assert sheet.rows == ((1, 0.5, "a"), (None, None, None))
    assert type(sheet.rows[0][0]) is int


def test_documents_become_dotted_keys() -> None:
    assert fields({"a": 1, "b": {"c": [1, 2]}, "d": [{"e": 3}]}).rows == (("a", 1), ("b.c", [1, 2]), ("d.0.e", 3))
