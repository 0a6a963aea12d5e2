"""Files and functions: what reads well, and what each broken one is told."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from objectives.data import SplitSpec, Table, load_table, prepare
from objectives.data.sources import read_source
from objectives.errors import DataError

ROWS = [f"{i * 0.5},{i % 7},{'abc'[i % 3]},{'yes' if i % 2 else 'no'}" for i in range(30)]
GOOD = "\n".join(["size,count,kind,label", *ROWS]) + "\n"
X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.arange(30) % 3


def _load(folder: Path, content: str | bytes, name: str = "t.csv", target: Any = "label", **options: Any) -> Table:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return load_table(name, target, base=folder, **options)


def _npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def _npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _header(text: str, tail: bytes = b"") -> bytes:
    padded = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode() + tail


def test_csv(tmp_path: Path) -> None:
    table = _load(tmp_path, GOOD)
    assert table.features == ("size", "count", "kind")
    assert (table.task, table.classes, len(table)) == ("binary", ("no", "yes"), 30)
    assert prepare(table, SplitSpec(), 0).features == ("size", "count", "kind=a", "kind=b", "kind=c")


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD + "\n\n",
        GOOD.replace(",", "\t"),
        "\n".join(f"{i - 1},{line}" if i else "," + line for i, line in enumerate(GOOD.splitlines())),
    ],
    ids=["CRLF", "BOM", "blank lines", "tabs", "row numbers"],
)
def test_csv_as_other_programs_write_it(tmp_path: Path, content: str) -> None:
    name = "t.tsv" if "\t" in content else "t.csv"
    split = SplitSpec()
    assert prepare(_load(tmp_path, content, name), split, 0).digest == prepare(_load(tmp_path, GOOD), split, 0).digest


def test_parquet_npz_npy_and_csv_hold_the_same_data(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"]).assign(y=Y)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    tables = [
        load_table("t.parquet", "y", base=tmp_path),
        load_table("t.csv", "y", base=tmp_path),
        _load(tmp_path, _npz(X=X, y=Y), "t.npz", None),
        _load(tmp_path, _npz(x=np.asfortranarray(X).astype(">f8"), label=Y), "t.npz", "label"),
        _load(tmp_path, _npy(np.column_stack([X, Y])), "t.npy", -1),
        _load(tmp_path, _npy(np.column_stack([X, Y])), "t.npy", "x3"),
    ]
    assert len({prepare(table, SplitSpec(), 0).digest for table in tables}) == 1


def test_text_labels_and_split_arrays_in_an_npz(tmp_path: Path) -> None:
    content = _npz(X=X, y=np.array(["u", "v", "w"])[Y], who=np.arange(30) // 3, junk=np.array([{}], dtype=object))
    table = _load(tmp_path, content, "t.npz", None, split=SplitSpec(group="who"))
    assert table.classes == ("u", "v", "w")
    assert table.rows.groups is not None


def test_split_columns_leave_the_features(tmp_path: Path) -> None:
    lines = GOOD.splitlines()
    parts = ["train", "Val", "test", "validation", "train"]
    content = "\n".join(
        [lines[0] + ",part,day"] + [f"{x},{parts[i % 5]},2024-01-{30 - i:02}" for i, x in enumerate(ROWS)]
    )
    by_part = _load(tmp_path, content, split=SplitSpec(column="part"))
    assert "part" not in by_part.features
    assert np.bincount(by_part.rows.parts if by_part.rows.parts is not None else []).tolist() == [12, 12, 6]
    split = SplitSpec(order="day")
    by_day = _load(tmp_path, content, split=split)
    assert "day" not in by_day.features
    assert "split: 18 train, 6 valid, 6 test rows, in order of 'day'" in prepare(by_day, split, 0).inferred


CSV: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "t.csv: is empty"),
    "spaces": ("\n \n", "t.csv: is empty; a csv starts with a line of column names"),
    "header only": ("size,label\n", "t.csv: has a header but no rows"),
    "long row": (GOOD + "1,2,a,yes,5\n", "the header has 4 columns, but line 32 has 5"),
    "short row": (GOOD + "1,2\n", "the header has 4 columns, but line 32 has 2"),
    "text in numbers": (GOOD + "oops,2,a,yes\n", "column 'size': 'oops' in row 31, where all others are numbers"),
    "1e999": (GOOD + "1e999,2,a,yes\n", "column 'size': inf in row 31"),
    "minus inf": (GOOD + "-inf,2,a,yes\n", "column 'size': -inf in row 31"),
    "twice": (GOOD.replace("count", "size"), "column 'size': occurs 2 times; rename or remove one"),
    "quote": (GOOD + '1,"2,a,yes\n', "line 32: unexpected end of data; look for a quote"),
    "long field": (GOOD + f"1,2,{'a' * 200_000},yes\n", "field larger than field limit"),
    "NUL": (GOOD + "1,2,\0,yes\n", "holds NUL bytes"),
    "no header": ("1.5,2,3\n4,5,6\n", "no column 'label' for the target; choose one of: x0, x1, x2"),
    "one column": ("label\n" + "a\nb\n" * 9, "there is no column left to learn from"),
    "no such target": (GOOD.replace("label", "labels"), "no column 'label' for the target; did you mean 'labels'?"),
    "constant": (GOOD.replace("yes", "no"), "column 'label': is constant: every row is 'no'"),
    "missing targets": (GOOD + "1,2,a,\n2,3,b,\n", "column 'label': missing or not finite in rows 31, 32"),
    "one row": ("size,label\n1,2\n", "is constant"),
    "a class of one": (
        GOOD + "1,2,a,maybe\n",
        "every class needs 3 rows or more (train, valid, test), but 'maybe' has 1",
    ),
    "names as target": ("size,label\n" + "".join(f"{i},n{i}\n" for i in range(30)), "30 different values in 30 rows"),
}


@pytest.mark.parametrize("case", CSV)
def test_bad_csv(tmp_path: Path, case: str) -> None:
    content, words = CSV[case]
    with pytest.raises(DataError, match=re.escape(words)):
        _load(tmp_path, content)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    content = GOOD + "inf,2,a,maybe\nx,2,a,yes\n"
    with pytest.raises(DataError, match="maybe") as caught:
        _load(tmp_path, content.replace("count", "n"), split=SplitSpec(valid=0.6, test=0.6, group="whom"))
    said = "\n".join(map(str, caught.value.complaints))
    for words in ("'maybe' has 1", "'x' in row 32", "no column 'whom' for the split.group"):
        assert words in said
    assert len(caught.value.complaints) == 3


UNREAL = _header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 4), }", b"\0" * 64)
NPY = {
    "objects": (
        _npy(np.array([[1, "a"]], dtype=object), allow_pickle=True),
        "Python objects, which are never unpickled",
    ),
    "pickle": (pickle.dumps(X), "is damaged or not in NumPy's format"),
    "text": (_npy(np.array([["a", "b"]])), "holds text (<U1), not numbers"),
    "complex": (_npy(X + 1j), "holds complex numbers"),
    "records": (_npy(np.zeros(3, dtype=[("a", "f8")])), "holds records"),
    "0-d": (_npy(np.array(3.0)), "holds an array with 0 dimensions"),
    "1-d": (_npy(np.arange(3.0)), "holds an array with 1 dimensions"),
    "3-d": (_npy(np.zeros((2, 2, 2))), "holds an array with 3 dimensions"),
    "cut": (_npy(X)[:-9], "is cut or damaged: the header says shape (30, 3), 720 bytes, but 711 follow"),
    "huge": (UNREAL, "is cut or damaged: the header says shape (1000000000000, 4)"),
    "negative": (_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 4), }"), "damaged"),
    "words": (_header("{'descr': '<f8', 'fortran_order': False, 'shape': ('a',), }"), "is damaged"),
    "csv": (GOOD.encode(), "is damaged or not in NumPy's format"),
    "no columns": (_npy(np.zeros((3, 0))), "X has 3 rows and 0 columns"),
    "no target": (_npy(X), "no target is named; the columns are x0, x1, x2"),
    "inf": (_npy(np.column_stack([[np.inf] * 30, Y]).astype(np.float16)), "inf in rows 1, 2, 3, 4, 5 and 25 more"),
}


@pytest.mark.parametrize("case", NPY)
def test_bad_npy(tmp_path: Path, case: str) -> None:
    content, words = NPY[case]
    with pytest.raises(DataError, match=re.escape(words)):
        _load(tmp_path, content, "t.npy", None if case == "no target" else -1)


def _zip(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


NPZ = {
    "no X": (_npz(y=Y), "no array 'X'; it holds y"),
    "no target": (_npz(X=X, lable=Y), "no array 'label' for the target; did you mean 'lable'?"),
    "lengths": (_npz(X=X, label=Y[:-2]), "X has 30 rows, but the target has 28"),
    "objects": (_npz(X=X, label=np.array([1, "a"], dtype=object)), "array 'label': holds Python objects"),
    "garbage": (_zip(X=b"hello", label=_npy(Y)), "array 'X': is damaged or not in NumPy's format"),
    "cut": (_npz(X=X, label=Y)[:-40], "is damaged or no .npz file"),
    "no zip": (b"hello", "is damaged or no .npz file"),
    "3-d": (_npz(X=np.zeros((30, 2, 2)), label=Y), "X has 3 dimensions"),
    "0-d": (_npz(X=np.array(1.0), label=Y), "X has 0 dimensions"),
    "nan targets": (_npz(X=X, label=np.where(Y > 1, np.nan, Y)), "target: missing or not finite in rows 3, 6"),
    "one-hot": (_npz(X=X, label=np.eye(3)[Y]), "target: is one-hot, not labels"),
}


@pytest.mark.parametrize("case", NPZ)
def test_bad_npz(tmp_path: Path, case: str) -> None:
    content, words = NPZ[case]
    with pytest.raises(DataError, match=re.escape(words)):
        _load(tmp_path, content, "t.npz")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("objectives.data.arrays.MOST_BYTES", 10_000)
    content = _npz(X=np.zeros((10_000, 3)), label=np.zeros(10_000))
    assert len(content) < 2_000
    with pytest.raises(DataError, match="unpacks to 320,"):
        _load(tmp_path, content, "t.npz")


def test_arrays_that_do_not_fit_together_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np.lib.format, "read_array", None)
    for arrays, said in (
        ({"X": np.zeros((500, 3)), "label": np.zeros(499)}, "X has 500 rows, but the target has 499; give one value"),
        ({"X": np.zeros((500, 3)), "label": np.float64(1)}, "X has 500 rows, but the target is a single value"),
        ({"X": np.zeros((50, 3, 2)), "label": np.zeros(50)}, "X has 3 dimensions, a table has 2"),
    ):
        with pytest.raises(DataError, match=said):
            _load(tmp_path, _npz(**arrays), "t.npz")


def test_zeros_packed_as_tightly_as_can_be_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("objectives.data.arrays.SMALL", 100_000)
    zeros = _npz(X=np.zeros((500_000, 3)), label=np.zeros(500_000))
    with monkeypatch.context() as context:
        context.setattr(np.lib.format, "read_array", None)
        with pytest.raises(DataError, match="array 'X': unpacks to 12,000,128 bytes from"):
            _load(tmp_path, zeros, "t.npz")
    rng = np.random.default_rng(0)
    # Of an array that nobody asked for, no more is read than its header where it is no column.
    data = {"X": rng.standard_normal((600, 3)), "label": np.arange(600) % 2, "more": np.zeros((500_000, 3))}
    assert _load(tmp_path, _npz(**data), "t.npz").x.shape[0] == 600


def test_bad_parquet(tmp_path: Path) -> None:
    nested = pd.DataFrame({"a": [[1], [2], [3]] * 4, "label": [0, 1, 1] * 4})
    nested.to_parquet(tmp_path / "nested.parquet")
    with pytest.raises(DataError, match="column 'a': holds values of type ndarray"):
        load_table("nested.parquet", "label", base=tmp_path)
    whole = (tmp_path / "nested.parquet").read_bytes()
    with pytest.raises(DataError, match="is damaged or no parquet file"):
        _load(tmp_path, whole[:-20], "cut.parquet")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(GOOD)
    (tmp_path / "table.xlsx").write_text(GOOD)
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.csv")
    cases = {
        "tabel.csv": "there is no such file; did you mean 'table.csv'?",
        "sub/table.csv": "is no directory",
        ".": "is a directory",
        "table.xlsx": "is damaged or no workbook",
        "gone.csv": "there is no such file",
        "pipe.csv": "is not a regular file",
        "a\0b.csv": "there is no such file|cannot be read",
        "n" * 300 + ".csv": "there is no such file|cannot be read",
    }
    for source, words in cases.items():
        with pytest.raises(DataError, match="|".join(map(re.escape, words.split("|")))):
            load_table(source, "label", base=tmp_path)


CODE = """
import sys
import numpy as np
def good(): return np.arange(60.0).reshape(30, 2) ** 2, np.arange(30) % 2
def single(): return np.arange(30)
def triple(): return 1, 2, 3
def broken(): raise RuntimeError("no luck\\nsecond line")
def leave(): sys.exit(3)
def needs(argument): return argument
constant = 5
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("single", "user_data:single: returned ndarray; return a pair: X, y"),
        ("triple", "returned a tuple of 3"),
        ("broken", "raised RuntimeError: no luck;"),
        ("leave", "raised SystemExit: 3"),
        ("needs", "raised TypeError"),
        ("constant", "constant is int, not a function"),
        ("goood", "module 'user_data' has no 'goood'; did you mean 'good'?"),
    ],
)
def test_bad_functions(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "user_data.py").write_text(CODE)
    with pytest.raises(DataError, match=re.escape(words)):
        load_table(f"user_data:{name}", base=tmp_path)


def test_functions(tmp_path: Path) -> None:
    (tmp_path / "user_data.py").write_text(CODE)
    table = load_table("user_data:good", base=tmp_path)
    assert (len(table), table.task, table.features) == (30, "binary", ("x0", "x1"))
    with pytest.raises(DataError, match="cannot be imported: ModuleNotFoundError"):
        load_table("no_such_module_here:good", base=tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.sampled_from(["t.csv", "t.npy", "t.npz"]), st.integers(0, 10**6), st.binary(max_size=3), st.booleans())
def test_flipped_bytes_are_read_or_refused(tmp_path: Path, name: str, at: int, junk: bytes, cut: bool) -> None:
    whole = {"t.csv": GOOD.encode(), "t.npy": _npy(np.column_stack([X, Y])), "t.npz": _npz(X=X, label=Y)}[name]
    at %= len(whole)
    content = whole[:at] + junk + (b"" if cut else whole[at + len(junk) :])
    with contextlib.suppress(DataError):
        table = _load(tmp_path, content, name, -1 if name == "t.npy" else "label")
        prepare(table, SplitSpec(), 0)


def test_a_csv_is_looked_at_a_block_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("objectives.data.files.encodings.BLOCK", 3)
    text = "\ufeffä,b\n" + "ü,1\n" * 30
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    raw = read_source("a.csv", None, tmp_path)
    assert raw.features == ("ä", "b")
    assert len(raw.x) == 30
    (tmp_path / "a.csv").write_bytes(text.encode() + b"\xff,1\n")
    with pytest.raises(DataError, match=r"a.csv, line 32: is not UTF-8 text"):
        read_source("a.csv", None, tmp_path)
    (tmp_path / "a.csv").write_bytes(text.encode() + "é".encode()[:1])
    with pytest.raises(DataError, match=r"a.csv, line 32: is not UTF-8 text"):
        read_source("a.csv", None, tmp_path)
