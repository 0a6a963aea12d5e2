"""`tuner init` and `tuner check` on tables as people have them: what each kind is taken for, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.command import Shell

N = 200
A = np.random.default_rng(5).normal(size=N).round(3)
Y = (A > 0).astype(int)


@dataclass(frozen=True)
class Kind:
    """A column `q` or a target `y` as people have it; `column` is what `check` shows of it, `words` are said of it."""

    q: Callable[[int], Any] = lambda i: A[i] * 2
    y: Callable[[int], Any] = lambda i: Y[i]
    column: str = ""
    words: tuple[str, ...] = ()
    task: str = "binary"


CATEGORY, NUMBER, LEFT = r"q +category", r"q +number", r"q +- .* left out"
KINDS: dict[str, Kind] = {
    "dollars": Kind(
        lambda i: f'"${i * 7 % 50 + 1},{i % 9}25.25"',
        column=rf"{NUMBER} .* 1025\.25 ",
        words=("'$1,025.25' is 1025.25",),
    ),
    "per cent beside shares": Kind(
        lambda i: f"{i}%" if i % 2 else i / 100,
        column=NUMBER,
        words=("column 'q': some have a percent sign and others none, '1%' is 1 and '0.02' is 0.02; write all alike",),
    ),
    "two currencies": Kind(
        lambda i: f"{'$€'[i % 2]}{i * 7 % 50 + 1}", words=("column 'q': amounts of 2 currencies, ",)
    ),
    "postal codes": Kind(
        lambda i: f"0{i % 7}123",
        column=NUMBER,
        words=("'00123' begins with 0 and is read as the number 123", 'columns = { q = "category" } takes them so'),
    ),
    "months": Kind(lambda i: f"{i % 12 + 1:02d}", column=NUMBER),
    "German dates": Kind(
        lambda i: f"{i % 28 + 1:02d}.{i // 28 + 1:02d}.2020",
        column=r"q +date +0 +200 ",
        words=("dates, day first: '01.01.2020' is 2020-01-01", '[data] split = { order = "q" } tests on what follows'),
    ),
    "ids": Kind(lambda i: f"{i:x}f{i * 7919 % 1000:03d}", column=LEFT, words=("in 200 rows, as ids",)),
    "numbers of rows": Kind(
        lambda i: 1000 + i,
        column=LEFT,
        words=("only numbers the rows, as ids do", 'columns = { q = "number" } keeps it'),
    ),
    "the same for all": Kind(lambda i: "x", column=rf"{CATEGORY} .*one-hot, 1 input$", words=("constant on",)),
    "Namibia": Kind(lambda i: ["NA", "FR", "DE"][i % 3], column=rf"{CATEGORY} +0 +3 "),
    "other writings": Kind(
        lambda i: ["Male", "male ", "FEMALE", "female"][i % 4],
        column=rf"{CATEGORY} +0 +2 ",
        words=("writings of categories: ", "'male ' is "),
    ),
    "several lines": Kind(lambda i: f'"line one\nline ""{i % 3}"", 0"', column=rf"{CATEGORY} +0 +3 "),
    "flags": Kind(lambda i: i % 3 == 0, column=rf"{NUMBER} +0 +2 "),
    "question marks": Kind(
        lambda i: "?" if i % 6 == 0 else i * 7 % 50, column=rf"{NUMBER} +34 ", words=("'?' in 34 rows are gaps",)
    ),
    "a number for gaps": Kind(
        lambda i: -9999 if i % 6 == 0 else i * 7 % 50,
        column=NUMBER,
        words=('-9999 in 34 rows seems to stand for a gap; if so write [data] missing = ["-9999"]',),
    ),
    "many shops": Kind(lambda i: f"s{i * 7 % 50}", column=rf"{CATEGORY} +0 +50 .*one-hot, 50 inputs"),
    "yes and no": Kind(y=lambda i: ["No", "Yes"][Y[i]], words=("target: binary, 2 classes (No, Yes)",)),
    "a class called None": Kind(y=lambda i: ["Mild", "None"][Y[i]], words=("2 classes (Mild, None)",)),
    "a price": Kind(y=lambda i: f'"${i + 1},{i:03d}.50"', task="regression", words=("texts are numbers, '$1,000",)),
    "counts": Kind(y=lambda i: i * i % 97, task="regression", words=("target: regression, 49 different numbers",)),
    "a rare class": Kind(y=lambda i: int(i in (3, 50, 90)), words=("target: only 0.015 of the rows",)),
}
REFUSED: dict[str, tuple[Kind, str]] = {
    "a date that is none": (
        Kind(lambda i: "2020-02-30" if i == 17 else f"2020-01-{i % 28 + 1:02d}"),
        "column 'q': '2020-02-30' in row 18, where all others are dates; correct it, leave it empty if the value is "
        'missing, or write [data] missing = ["2020-02-30"]',
    ),
    "infinity": (Kind(lambda i: "inf" if i == 3 else i / 7), "column 'q': inf in row 4; correct it, or leave it empty"),
    "rows without a target": (
        Kind(y=lambda i: "" if i in (10, 19) else Y[i]),
        "column 'y': missing or not finite in rows 11, 20; fill in or remove these rows, or write [data] unlabelled",
    ),
    "one target": (Kind(y=lambda i: 1), "column 'y': is constant: every row is '1'; choose a target that varies"),
}


def written(folder: Path, kind: Kind) -> Path:
    file = folder / "t.csv"
    file.write_text(
        "\n".join(["a,q,y", *(f"{A[i]},{kind.q(i)},{kind.y(i)}" for i in range(N))]) + "\n", encoding="utf-8"
    )
    return file


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_table_is_taken_for_what_it_is(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind, shell = KINDS[name], Shell(capsys)
    begun = shell("init", tmp_path / "x.toml", "--data", written(tmp_path, kind))
    assert f"{N} rows, " in begun.err + begun.out
    assert f", {kind.task};" in begun.err + begun.out
    checked = shell("check", tmp_path / "x.toml")
    assert checked.code == 0
    lines = [line.rstrip() for line in (checked.err + checked.out).splitlines()]
    assert not kind.column or any(re.search(kind.column, line) for line in lines)
    for words in kind.words:
        assert words in "\n".join(lines)
    said = [line for line in lines if "'q': " in line]
    assert kind.words or not said, "nothing is to be said of it"


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_cannot_be_is_refused_alike(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kind, words), shell = REFUSED[name], Shell(capsys)
    begun = shell("init", tmp_path / "x.toml", "--data", written(tmp_path, kind))
    assert begun.code == 2
    assert words in begun.err
    assert not (tmp_path / "x.toml").exists()
    text = '[data]\nsource = "t.csv"\ntarget = "y"\n[optimizers.adam]\n'
    (tmp_path / "y.toml").write_text(text, encoding="utf-8")
    checked = shell("check", tmp_path / "y.toml")
    assert checked.code == 2
    assert words in checked.err
