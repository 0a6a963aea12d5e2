"""Rows of a csv file, a block at a time: which cells there are is what Python's own reader says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.data import csv_blocks
from objectives.data.blocks import read_blocks
from objectives.data.columns.factorized import Factorized, factorized
from objectives.data.files.content import Content
from objectives.data.files.dialect import Dialect
from objectives.data.files.encodings import EncodedText
from objectives.data.files.layout import Layout
from objectives.data.files.text_form import TextTable
from objectives.errors import DataError

CELLS = st.sampled_from(["1", "2.5", "", " ", '"a, b"', '"a\nb"', '"say ""no"""', '5" pipe', "NA", 'x"y"', '""'])


@given(rows=st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=8), end=st.sampled_from(["\n", "\r\n"]))
def test_the_first_row_of_another_length_is_that_of_a_parser(rows: list[list[str]], end: str) -> None:
    text = "".join(",".join(row) + end for row in rows)
    reader = csv.reader(io.StringIO(text, newline=""))
    read = [(reader.line_num - 1, len(row)) for row in reader if len(row) > 1 or any(map(str.strip, row))]
    wrong = next((row for row in read if row[1] != 3), None)
    assert csv_blocks._unlike(text.encode(), 3, ",") == wrong


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=6))
def test_no_row_of_another_length_is_parsed(rows: list[list[str]]) -> None:
    text = "".join(",".join(row) + "\n" for row in rows).encode()
    content = Content("rows.csv", data=text)
    layout = Layout(0, 1, 0, ("a", "b", "c"), 3)
    table = TextTable(
        EncodedText(content, "utf-8", 0, True, False), Dialect(separator=","), layout, 0, 1, spaced=False, said=()
    )
    form = csv_blocks.CsvForm(table, "rows.csv", layout.names, dict.fromkeys("abc", object))
    read = [row for row in csv.reader(io.StringIO(text.decode(), newline="")) if len(row) > 1 or any(row)]
    if all(len(row) == 3 for row in read):
        assert form.frame(csv_blocks.TextRows(text, 0)).fillna("").to_numpy().tolist() == read
    else:
        with pytest.raises(DataError, match="the header has 3 columns, but line"):
            form.frame(csv_blocks.TextRows(text, 0))


def test_a_row_of_many_more_cells_is_found() -> None:
    rows = [b"1,2,3\n", b",".join([b"1"] * (256 + 3)) + b"\n"]
    assert csv_blocks._unlike(b"".join(rows), 3, ",") == (1, 259)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_blocks_of_any_size_hold_the_rows_of_the_file(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BYTES", size)
    frame = pd.DataFrame(
        {"city": ["Ulm", None, 'the "Hague", NL', "Bad\nAibling", "Ulm"] * 4, "size": [1.5, None] * 10}
    )
    frame.to_csv(tmp_path / "rows.csv", index=False)
    found = list(read_blocks("rows.csv", {"city"}, tmp_path, ["city", "size"]))
    assert [block.first for block in found] == np.cumsum([0, *(len(block.rows) for block in found)])[:-1].tolist()
    whole = pd.concat([block.rows.astype({"city": object}) for block in found], ignore_index=True)
    pd.testing.assert_frame_equal(whole, frame.astype({"city": object}))


def test_lines_in_messages_are_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BYTES", 10)
    (tmp_path / "rows.csv").write_text("a,b\n" + 50 * '1,"x\ny"\n' + "1,2,3\n")
    with pytest.raises(DataError, match="the header has 2 columns, but line 102 has 3"):
        list(read_blocks("rows.csv", {"b"}, tmp_path, ["a", "b"]))


@pytest.mark.parametrize("rows", ["1,2,3,4\n1,2\n", "1,2\n1,2,3,4\n", "1,2,3\n1,2,3,4\n1,2\n", "1,2,3\n1,2\r,3\n"])
def test_short_and_long_rows_do_not_make_up_for_each_other(rows: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,c\n1,2,3\n" + rows, newline="")
    line = 2 + next(i for i, row in enumerate(rows.splitlines(), 1) if row.count(",") != 2)
    with pytest.raises(DataError, match=f"the header has 3 columns, but line {line} has"):
        list(read_blocks("rows.csv", (), tmp_path, ["a", "b", "c"]))


@pytest.mark.parametrize(("rows", "wrong"), [('1,5" pipe,"a\nb",1\n"a, b",1,1\n', "3 has 4"), ("1,2\r,3\n", "2 has 2")])
def test_a_long_or_torn_first_row_is_not_cut(rows: str, wrong: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,c\n" + rows, newline="")
    with pytest.raises(DataError, match=f"the header has 3 columns, but line {wrong}"):
        list(read_blocks("rows.csv", {"b"}, tmp_path, ["a", "b", "c"]))


def test_rows_of_gaps_between_tabs_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BYTES", 4)
    (tmp_path / "rows.tsv").write_text("a\tb\n1\t2\n\t\n\t\n3\t4\n")
    assert [block.first for block in read_blocks("rows.tsv", (), tmp_path, ["a", "b"])] == [0, 1, 3]


def test_texts_are_kept_once_and_other_values_are_not() -> None:
    column = np.array(["b", None, "a", "b", "nan", None], dtype=object)
    found = factorized(column)
    assert found is not None
    assert (found.values.tolist(), found.codes.tolist()) == (["b", None, "a", "nan"], [0, 1, 2, 0, 3, 1])
    assert found.rows.tolist() == column.tolist()
    assert Factorized.of_categorical(pd.Series(column, dtype="category")).rows.tolist() == column.tolist()
    assert factorized(np.array(["1", 1, True], dtype=object)) is None
    assert factorized(np.array([1.0, 2.0])) is None


@pytest.mark.parametrize("cells", [["007", "7"], ["True", "true"], ["1e5", "inf"], ["3", ""]])
def test_categories_that_look_like_numbers_or_flags_stay_texts(cells: list[str], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{cell},2\n" for cell in cells))
    (block,) = read_blocks("rows.csv", {"a"}, tmp_path, ["a", "b"])
    assert block.rows["a"].astype(object).fillna("").tolist() == cells


def test_rows_may_end_in_carriage_returns_alone(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\r1,2\r3,4\r", newline="")
    (block,) = read_blocks("rows.csv", (), tmp_path, ["a", "b"])
    assert block.rows.to_numpy().tolist() == [[1, 2], [3, 4]]
