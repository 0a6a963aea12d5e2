"""Tables as their owners have them: each is read as the plain one is, or refused with its cause and what mends it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from objectives.data import SplitSpec, Table, load_table, prepare
from objectives.data.blocks import read_blocks
from objectives.data.files.dialect import Dialect
from objectives.data.reading import Reading
from objectives.errors import DataError

N = 60
RNG = np.random.default_rng(5)
A, B = RNG.normal(size=N).round(3), RNG.normal(size=N).round(2)
G = np.array(["u", "v", "w"])[np.arange(N) % 3]
Y = (A + B > 0).astype(int)
FRAME = pd.DataFrame({"a": A, "b": B, "g": G, "y": Y})
PLAIN = FRAME.to_csv(index=False)
ROWS = PLAIN.splitlines()[1:]


def read(folder: Path, content: str | bytes, name: str = "t.csv", target: Any = "y", **options: Any) -> Table:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return load_table(name, target, base=folder, **options)


def digest(table: Table) -> str:
    return prepare(table, SplitSpec(), 0).digest


def written(separator: str = ",", **options: Any) -> str:
    return str(FRAME.to_csv(index=False, sep=separator, **options))


def with_decimal_comma(separator: str = ";") -> str:
    return str(FRAME.to_csv(index=False, sep=separator, decimal=","))


def excel(sheets: dict[str, list[list[Any]]]) -> bytes:
    """A workbook of the least parts that a reader asks for."""
    kinds = "http://schemas.openxmlformats.org"
    names = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>' for i, name in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="r{i}" Type="{kinds}/officeDocument/2006/relationships/worksheet" '
        f'Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as book:
        book.writestr("[Content_Types].xml", f'<Types xmlns="{kinds}/package/2006/content-types"/>')
        main = f'<Relationship Id="m" Type="{kinds}/officeDocument/2006/relationships/officeDocument" '
        of = f'<Relationships xmlns="{kinds}/package/2006/relationships">'
        book.writestr("_rels/.rels", f'{of}{main}Target="xl/workbook.xml"/></Relationships>')
        book.writestr("xl/_rels/workbook.xml.rels", f"{of}{links}</Relationships>")
        space = f'xmlns="{kinds}/spreadsheetml/2006/main" xmlns:r="{kinds}/officeDocument/2006/relationships"'
        book.writestr("xl/workbook.xml", f"<workbook {space}><sheets>{names}</sheets></workbook>")
        for i, rows in enumerate(sheets.values(), 1):
            cells = "".join("<row>" + "".join(map(cell, row)) + "</row>" for row in rows)
            book.writestr(
                f"xl/worksheets/sheet{i}.xml", f"<worksheet {space}><sheetData>{cells}</sheetData></worksheet>"
            )
    return stream.getvalue()


def cell(value: Any) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def zipped(**members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return stream.getvalue()


def arrow() -> bytes:
    import pyarrow as pa

    stream, table = io.BytesIO(), pa.Table.from_pandas(FRAME)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def by(write: Callable[[Any], Any]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


RECORDS = FRAME.to_dict(orient="records")
SHEET = [list(FRAME.columns), *FRAME.astype(object).to_numpy().tolist()]
SAME: dict[str, tuple[str | bytes, str]] = {
    "semicolons": (written(";"), "t.csv"),
    "bars": (written("|"), "t.csv"),
    "tabs in a csv": (written("\t"), "t.csv"),
    "blanks": (FRAME.to_string(index=False), "t.txt"),
    "blanks at the end, too": ("\n".join(f"{line}  " for line in FRAME.to_string(index=False).splitlines()), "t.dat"),
    "decimal commas": (with_decimal_comma(), "t.csv"),
    "decimal commas and tabs": (with_decimal_comma("\t"), "t.txt"),
    "a line that names the separator": ("sep=;\n" + written(";"), "t.csv"),
    "quotes everywhere": (written(";", quoting=2), "t.csv"),
    "blanks after commas": (re.sub(",", ", ", PLAIN), "t.csv"),
    "blanks before quotes": (re.sub(r",([uvw]),", r', "\1", ', PLAIN), "t.csv"),
    "UTF-16": (PLAIN.encode("utf-16"), "t.csv"),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), "t.csv"),
    "UTF-32": (PLAIN.encode("utf-32"), "t.csv"),
    "UTF-8 with a mark": (PLAIN.encode("utf-8-sig"), "t.csv"),
    "old Mac lines": (PLAIN.replace("\n", "\r"), "t.csv"),
    "comments above": ("# made by X\n# 2020\n" + PLAIN, "t.csv"),
    "comments within": ("% made by X\n" + PLAIN.replace("\n", "\n% pause\n", 5), "t.csv"),
    "names in a comment": ("# made by X\n#" + PLAIN, "t.csv"),
    "a title": ("Quarterly report,,,\n,,,\n" + PLAIN, "t.csv"),
    "a title of one cell": ("Quarterly report\n\n" + PLAIN, "t.csv"),
    "a total below": (PLAIN + "Total,1.5,,\n", "t.csv"),
    "a note below": (PLAIN + "\nSource: the office of numbers\n", "t.csv"),
    "a separator at each end": ("\n".join(f"{line}," for line in PLAIN.splitlines()), "t.csv"),
    "a separator at the end of rows": ("a,b,g,y\n" + "\n".join(f"{line}," for line in ROWS), "t.csv"),
    "row names, as R writes them": (
        "a b g y\n" + "\n".join(f'"{i}" {row.replace(",", " ")}' for i, row in enumerate(ROWS, 1)), "t.txt",
    ),
    "gzip": (gzip.compress(PLAIN.encode()), "t.csv.gz"),
    "gzip under another name": (gzip.compress(PLAIN.encode()), "t.csv"),
    "bzip2": (bz2.compress(PLAIN.encode()), "t.csv.bz2"),
    "xz": (lzma.compress(PLAIN.encode()), "t.csv.xz"),
    "zip": (zipped(zipped=PLAIN), "t.zip"),
    "zip with what a Mac adds": (zipped(**{"t.csv": PLAIN, "__MACOSX/._t.csv": "x"}), "t.zip"),
    "packed and semicolons": (gzip.compress(written(";").encode()), "t.gz"),
    "a list of records": (json.dumps(RECORDS), "t.json"),
    "an object of columns": (json.dumps(FRAME.to_dict(orient="list")), "t.json"),
    "records within an object": (json.dumps({"count": N, "data": RECORDS}), "t.json"),
    "a record a line": ("\n".join(map(json.dumps, RECORDS)) + "\n", "t.jsonl"),
    "a record a line, packed": (gzip.compress("\n".join(map(json.dumps, RECORDS)).encode()), "t.jsonl.gz"),
    "feather": (by(FRAME.to_feather), "t.feather"),
    "arrow": (arrow(), "t.arrows"),
    "parquet": (by(FRAME.to_parquet), "t.parquet"),
    "parquet called csv": (by(FRAME.to_parquet), "t.csv"),
    "a workbook": (excel({"Sheet1": SHEET}), "t.xlsx"),
    "a workbook with titles": (excel({"S": [["Report"], *SHEET, ["Source: us"]]}), "t.xlsx"),
    "a workbook whose first sheet is empty": (excel({"Cover": [["Report"]], "Data": SHEET}), "t.xlsx"),
    "no suffix": (PLAIN, "table"),
    "data": (PLAIN, "t.data"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_it_is_read_as_the_plain_table_is(tmp_path: Path, case: str) -> None:
    plain = read(tmp_path, PLAIN, "plain.csv")
    content, name = SAME[case]
    found = read(tmp_path, content, name)
    assert found.features == plain.features
    assert digest(found) == digest(plain)


def test_the_plain_table_has_nothing_said_of_its_file(tmp_path: Path) -> None:
    assert not [line for line in read(tmp_path, PLAIN).inferred if line.startswith("file:")]
    assert (
        "file: columns are separated by semicolons, decimals have a comma"
        in read(tmp_path, with_decimal_comma()).inferred
    )


def test_no_line_of_names_is_seen_and_said(tmp_path: Path) -> None:
    plain = read(tmp_path, PLAIN, "plain.csv")
    for content in ("\n".join(ROWS), "\n".join(row.replace(",", ";") for row in ROWS)):
        found = read(tmp_path, content, target=-1)
        assert found.features == ("x0", "x1", "x2")
        assert len(found) == len(plain)
        assert np.array_equal(found.y, plain.y)
        assert "no line of names" in " ".join(found.inferred)


@pytest.mark.parametrize("header", ["1990,1991,1992,y", "0,1,2,y", "a b,c d,e f,y"])
def test_years_and_numbers_that_count_are_names(tmp_path: Path, header: str) -> None:
    rows = "\n".join(f"{a},{b},{a * b},{y}" for a, b, y in zip(A, B, Y, strict=True))
    assert read(tmp_path, f"{header}\n{rows}\n").features == tuple(header.split(",")[:3])


def test_several_lines_of_names_are_joined(tmp_path: Path) -> None:
    rows = "\n".join(ROWS)
    assert read(tmp_path, f"a,b,g,y\n(cm),(kg),,-\n{rows}").features == ("a (cm)", "b (kg)", "g")
    assert read(tmp_path, f"size,,kind,y\nw,h,name,\n{rows}", target=-1).features == ("size w", "size h", "kind name")


def test_western_letters_without_utf8(tmp_path: Path) -> None:
    text = PLAIN.replace(",u,", ",Zürich,").replace(",v,", ",Köln,")
    plain, found = read(tmp_path, text, "plain.csv"), read(tmp_path, text.encode("cp1252"))
    assert digest(found) == digest(plain)
    assert "file: the text is cp1252, not UTF-8" in found.inferred
    asked = Reading(Dialect(encoding="cp1251"))
    assert digest(read(tmp_path, text.encode("cp1252"), reading=asked)) != digest(plain)


def test_what_is_said_goes_before_what_is_guessed(tmp_path: Path) -> None:
    plain = digest(read(tmp_path, PLAIN, "plain.csv"))
    odd = PLAIN.replace(",", "~")
    for content, dialect in (
        (odd, Dialect(separator="~")),
        ("one,two,three,four\n" + PLAIN, Dialect(header=(2,))),
        (PLAIN.replace("\n", "\n!\n", 3), Dialect(comment="!")),
        (with_decimal_comma(), Dialect(separator=";", decimal=",")),
    ):
        assert digest(read(tmp_path, content, reading=Reading(dialect))) == plain
    sheets = excel({"Old": [["a", "y"], [1, 2], [3, 4]], "New": SHEET})
    for sheet in ("New", 2):
        assert digest(read(tmp_path, sheets, "t.xlsx", reading=Reading(Dialect(sheet=sheet)))) == plain
    assert "others are 'New'" in " ".join(read(tmp_path, excel({"Old": SHEET, "New": SHEET}), "t.xlsx").inferred)


def put(row: int, old: str, new: str) -> str:
    lines = PLAIN.splitlines()
    lines[row] = lines[row].replace(old, new)
    return "\n".join(lines)


REFUSED: dict[str, tuple[str | bytes, str, str]] = {
    "names that occur twice": (PLAIN.replace("a,b", "a,a", 1), "t.csv", "column 'a': occurs 2 times; rename or remove"),
    "a row too long": (put(4, ",u,", ",u,u,"), "t.csv", "the header has 4 columns, but line 5 has 5"),
    "two files in an archive": (zipped(a="x", b="y"), "t.zip", "is an archive of 2 files: a, b; unpack it"),
    "a cut archive": (gzip.compress(PLAIN.encode())[:-20], "t.csv.gz", "begins like gzip, but cannot be unpacked"),
    "a cut workbook": (excel({"S": SHEET})[:-50], "t.xlsx", "is damaged"),
    "an empty workbook": (excel({"S": []}), "t.xlsx", "has no rows"),
    "broken JSON": ('[{"a": 1},\n{"a": }]', "t.json", "line 2: is no JSON"),
    "a broken line of JSON": ('{"a": 1, "y": 2}\n{"a": 1,\n', "t.jsonl", "line 2: is no JSON"),
    "columns of unlike lengths": ('{"a": [1, 2], "y": [1]}', "t.json", "has columns of unlike lengths: 'a' 2, 'y' 1"),
    "one object": ('{"a": 1}', "t.json", "is a single JSON object, not a table"),
    "damage in UTF-8": ("a,y\nü,1\nß,2\n".encode() + b"\xff,3\n", "t.csv", "line 4: is not UTF-8 text, as the rest"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0", "t.png", "is a picture (.png)"),
    "bytes": (bytes(range(256)) * 9, "t.bin", "holds NUL bytes, so it is not a text file"),
    "an open quote": (put(30, ",u,", ',"u,').replace(",v,", ',"v,', 1), "t.csv", "look for a quote"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_its_cause(tmp_path: Path, case: str) -> None:
    content, name, words = REFUSED[case]
    with pytest.raises(DataError, match=re.escape(words)):
        read(tmp_path, content, name)


def test_settings_that_do_not_fit_are_named(tmp_path: Path) -> None:
    for content, name, dialect, words in (
        (excel({"S": SHEET}), "t.xlsx", Dialect(sheet="T"), "there is no sheet 'T'"),
        (PLAIN, "t.csv", Dialect(encoding="utf-9"), "data.encoding: 'utf-9' is not known"),
        (json.dumps(RECORDS), "t.json", Dialect(separator=";"), "data.separator: does not go with a json file"),
    ):
        with pytest.raises(DataError, match=re.escape(words)):
            read(tmp_path, content, name, reading=Reading(dialect))


def test_standard_input_is_a_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from objectives.data.files import content

    plain = digest(read(tmp_path, PLAIN))
    for text in (PLAIN.encode(), gzip.compress(PLAIN.encode())):
        content._standard_bytes.cache_clear()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert digest(load_table("-", "y")) == plain
    content._standard_bytes.cache_clear()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DataError, match=r"standard input: is empty"):
        load_table("-", "y")
    content._standard_bytes.cache_clear()


def test_functions_in_files_and_functions_that_return_frames(tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text(
        f"import pandas as pd\ndef frame(): return pd.read_csv({str(tmp_path / 'plain.csv')!r})\n"
    )
    plain = digest(read(tmp_path, PLAIN, "plain.csv"))
    assert digest(load_table("load.py:frame", "y", base=tmp_path)) == plain
    with pytest.raises(DataError, match=r"there is no file gone.py"):
        load_table("gone.py:frame", "y", base=tmp_path)


NUMBERS = "".join(f"{a},{b},{g}\n" for a, b, g in zip(A, B, G, strict=True))
TEXTS = "".join(f"{g},{'pqr'[i % 3]},{'yn'[i % 2]}\n" for i, g in enumerate(G))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("350.5,351.0,y\n" + NUMBERS, ("350.5", "351.0")),
        ("u,q,y\n" + TEXTS, ("u", "q")),
        ("x,t,y\n" + "".join(f"a;b{i % 3},c;d;{i % 4},{i % 2}\n" for i in range(N)), ("x", "t")),
        ("#c,x,y\n" + "".join(f"#tag{i % 3},{a},{i % 2}\n" for i, a in enumerate(A)), ("#c", "x")),
        ("%fat,x,y\n" + "".join(f"{i % 3},{a},{i % 2}\n" for i, a in enumerate(A)), ("%fat", "x")),
    ],
)
def test_a_line_that_names_the_target_is_one_of_names_whatever_it_looks_like(
    tmp_path: Path, text: str, names: tuple[str, ...]
) -> None:
    found = read(tmp_path, text)
    assert found.features == names
    assert len(found) == N


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(",,,1\n", id="a target alone"),
        pytest.param("Total,1.5,u,1\n" * 12, id="a category that is called Total"),
        pytest.param("*,1.5,u,1\n", id="a star among categories"),
    ],
)
def test_last_rows_that_are_rows_stay(tmp_path: Path, last: str) -> None:
    rows = "".join(f"{'abc'[i % 3]},{line.split(',', 1)[1]}\n" for i, line in enumerate(ROWS))
    assert len(read(tmp_path, "c,b,g,y\n" + rows + last)) == N + last.count("\n")


def test_points_in_a_table_with_decimal_commas_stand_between_thousands(tmp_path: Path) -> None:
    rows = "".join(f"{'1.' if i % 2 else ''}{500 + i};0,{i % 7};{i % 3 % 2}\n" for i in range(N))
    found = read(tmp_path, "a;b;y\n" + rows).x.read(slice(None))
    assert found[:3, 0].tolist() == [500, 1501, 502]


@pytest.mark.parametrize("text", ["#a,b\n1,2\n3,4\n", "sep=;\na;b\n1;2\n3;4\n", "350.5,a\n1,2\n3,4\n"])
def test_rows_to_predict_are_read_by_the_names_of_training(tmp_path: Path, text: str) -> None:
    (tmp_path / "new.csv").write_text(text)
    names = ["350.5", "a"] if text.startswith("3") else ["a", "b"]
    (block,) = read_blocks("new.csv", set(), tmp_path, names)
    assert block.rows.to_dict("list") == dict(zip(names, ([1, 3], [2, 4]), strict=True))


def test_last_rows_without_any_value_are_none(tmp_path: Path) -> None:
    assert len(read(tmp_path, PLAIN + ",,,\n" * 12)) == N


def test_lists_of_unlike_lengths_are_refused_by_their_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"names 2 columns, but row 1 has 3"):
        read(tmp_path, '[["a", "y"], [1, 2, 3], [1, 2]]', "t.json")
