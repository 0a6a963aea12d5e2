"""Study files as bytes, and settings as text: whatever they hold, one clear line answers in under a second."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import StudyError
from tuner.study import read_study
from tuner.study.reading import parse_toml

GOOD = b'[data]\nsource = "sklearn:iris"\n[optimizers.sgd]\n'
DEEP = "[" * 3000 + "]" * 3000
BAD: list[tuple[bytes, str]] = [
    (b"a = ", 'line 1: is not TOML: invalid value; text needs quotes, like name = "digits"'),
    (b"\nname = digits", 'line 2: is not TOML: invalid value; text needs quotes, like name = "digits"'),
    (b"[a]\n[a]", "line 2: is not TOML: cannot declare ('a',) twice; write each table once"),
    (b"a = 1\na = 2", "line 2: is not TOML: cannot overwrite a value; write each key once"),
    (b'{"study": 1}', "line 1: is not TOML: invalid statement; write lines like [study] and trials = 64"),
    (
        b"study:\n  seed: 1",
        "line 1: is not TOML: expected '=' after a key in a key/value pair; write lines like [study] and trials = 64",
    ),
    (b'a = "x', "line 1: is not TOML: unterminated string"),
    (b"a = 1\0", "line 1: is not TOML: expected newline or end of document after a statement"),
    (b"a = 1\rb = 2", "line 1: is not TOML: expected newline or end of document after a statement"),
    (b'a = "\\ud800"', "line 1: is not TOML: escaped character is not a Unicode scalar value"),
    ("# ok\na = 'é'".encode("latin-1"), "line 2: is not UTF-8 text; save the file as UTF-8"),
    ("a = 1".encode("utf-16"), "line 1: is not UTF-8 text; save the file as UTF-8"),
    (f"a = {DEEP}".encode(), "line 1: has more than 64 brackets; split long lists over several lines"),
    (
        f"a = {DEEP.replace('[', '[' + chr(10))}".encode(),
        "line 65: has more than 64 brackets; split long lists over several lines",
    ),
    (b"a" + b".a" * 20_000 + b" = 1", "line 1: has a key of more than 16 dots; keys here have three at most"),
    (b"a = {x" + b" . x" * 10_000 + b" = 1}", "line 1: has a key of more than 16 dots; keys here have three at most"),
    (b"b = 1\na = " + b"1" * 5000, "line 2: has a number of too many digits; write a shorter one"),
    (b"#" * 70_000, "is larger than 64 KiB; is it a study file?"),
]


def error_of(source: Any, **options: Any) -> str:
    """What is said of a study."""
    start = time.process_time()
    with pytest.raises(StudyError, match=r".") as caught:
        read_study(source, **options)
    assert time.process_time() - start < 1
    return str(caught.value)


@pytest.mark.parametrize(("data", "line"), BAD, ids=[line[:50] for _, line in BAD])
def test_bytes_that_are_no_study(tmp_path: Path, data: bytes, line: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(data)
    separator = ": " if line.startswith(("line", "is larger")) else ""
    assert error_of(path) == f"{path}{separator}{line}"


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\n", b"\r\n")], ids=["byte order mark", "CRLF"]
)
def test_bytes_that_are_a_study(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "good.toml").write_bytes(data)
    assert read_study(tmp_path / "good.toml").name == "good"


@pytest.mark.parametrize(
    "text", ['"' * 60_000, '\\"' * 30_000, "'" * 60_001, "a" * 60_000, "a." * 30_000, '"""' * 20_000]
)
def test_reading_takes_no_time(text: str) -> None:
    start = time.process_time()
    with pytest.raises(StudyError, match="line 1: "):
        parse_toml(text)
    assert time.process_time() - start < 1


def test_an_empty_file_misses_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").touch()
    first, second = error_of(tmp_path / "empty.toml").splitlines()
    assert first.startswith(f"{tmp_path / 'empty.toml'}: optimizers: there is no optimizer; ")
    assert second.startswith(f"{tmp_path / 'empty.toml'}: data.source: is missing; ")


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    (tmp_path / "digits.toml").touch()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    assert (
        error_of(tmp_path / "digit.toml")
        == f"{tmp_path}/digit.toml: there is no such file; did you mean 'digits.toml'?"
    )
    assert error_of(tmp_path) == f"{tmp_path}: is a directory; name a .toml file"
    assert error_of(tmp_path / "pipe.toml") == f"{tmp_path}/pipe.toml: is not a regular file; name a .toml file"
    assert error_of(tmp_path / "gone.toml").startswith(f"{tmp_path}/gone.toml: there is no such file; ")
    assert error_of(tmp_path / "no" / "x.toml").endswith(f"{str(tmp_path / 'no')!r} is no directory either")
    assert error_of("/dev/zero") == "/dev/zero: is not a regular file; name a .toml file"
    assert error_of("a\0b").startswith("a\\x00b: cannot be read (")


def test_data_in_the_place_of_a_study_are_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert error_of(tmp_path / "x.csv").startswith(f"{tmp_path}/x.csv: is a table of data, not a study; `tuner init")


@given(st.binary(max_size=200) | st.text(alphabet="ab.=[]{}\"'\n #1\\", max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_one_line(data: bytes) -> None:
    try:
        parse_toml(data.decode("latin-1"), "x")
    except StudyError as error:
        assert re.fullmatch(r"x: line \d+: [^\n]+", str(error))  # noqa: PT017


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("train.epochs", "--set train.epochs: is not KEY=VALUE; write it like --set train.epochs=10"),
        ("=3", "--set =3: is not KEY=VALUE; write it like --set train.epochs=10"),
        ("epochs=3", "--set epochs=3: does not name a key of a table; write it like --set train.epochs=10"),
        ("train.epochs=", "--set train.epochs=: has no TOML value after =; write a number, true, text, or [a, list]"),
        (
            "train.epochs=[1",
            "--set train.epochs=[1: has no TOML value after =; write a number, true, text, or [a, list]",
        ),
        (
            "train.epochs=1\nx=2",
            "--set train.epochs=1\\nx=2: has no TOML value after =; write a number, true, text, or [a, list]",
        ),
        (
            "data.source.x=1",
            "--set data.source.x=1: data.source is not a table but 'sklearn:iris'; set data.source itself, "
            "like --set data.source='{ ... }'",
        ),
        ("train.epoch=5", "--set train.epoch=5: train.epoch: unknown key; did you mean 'epochs'?"),
        ("train.epochs=many", "--set train.epochs=many: train.epochs: must be a whole number, but got 'many'"),
        (
            "optimizers.sgd.lr.low=5",
            "--set optimizers.sgd.lr.low=5: optimizers.sgd.lr: is upside down: "
            "low = 5 is above high = 3; give both ends",
        ),
    ],
)
def test_settings_that_are_wrong(override: str, line: str) -> None:
    raw = {"data": {"source": "sklearn:iris"}, "optimizers": {"sgd": {}}}
    assert error_of(raw, overrides=[override]) == line


def test_settings_take_precedence(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(GOOD)
    overrides = [
        "optimizers.adam.lr.high=0.3",
        "model.activation=tanh",
        "train.batch_size=[8, 16]",
        'study.name="a b"',
        "data.split.test=0.3",
    ]
    study = read_study(
        tmp_path / "x.toml", overrides=overrides, settings={"study.trials": 12, "confirm.enabled": False}
    )
    assert study.to_table()["optimizers"]["adam"]["lr"] == {"low": 1e-5, "high": 0.3, "log": True}
    assert (study.model.activation, study.name, study.data.split.test) == ("tanh", "a b", 0.3)
    assert (study.trials, study.confirm.enabled) == (12, False)
    assert study.written["study"] == {"name": "a b", "trials": 12}


def test_a_typed_setting_is_named_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(GOOD)
    assert error_of(tmp_path / "x.toml", settings={"study.trials": 0}) == "study.trials: must be at least 1, but got 0"


@pytest.mark.parametrize(
    ("table", "written", "setting", "left"),
    [
        ("train", {"epochs": 27}, "train.steps=2000", {"steps": 2000}),
        ("train", {"steps": 2000, "batch_size": 16}, "train.epochs=5", {"batch_size": 16, "epochs": 5}),
        ("train", {"epochs": 27, "steps": 2000}, "train.examples=90", {"examples": 90}),
        ("train", {"epochs": 27}, "train.batch_size=16", {"epochs": 27, "batch_size": 16}),
        ("study", {"minimize": "valid_loss"}, "study.maximize=valid_accuracy", {"maximize": "valid_accuracy"}),
    ],
)
def test_a_setting_takes_the_place_of_what_it_excludes(
    table: str, written: dict[str, Any], setting: str, left: dict[str, Any]
) -> None:
    raw = {"data": {"source": "sklearn:iris"}, "optimizers": {"sgd": {}}, table: written}
    assert read_study(raw, overrides=[setting]).written[table] == left
    key, _, value = setting.partition("=")
    typed = int(value) if value.isdigit() else value
    assert read_study(raw, settings={key: typed}).written[table] == left


def test_two_budgets_are_one_too_many() -> None:
    raw = {"data": {"source": "sklearn:iris"}, "optimizers": {"sgd": {}}}
    assert error_of(raw | {"train": {"epochs": 27, "steps": 10, "examples": 90}}).splitlines() == [
        "train.steps: there is epochs too; keep one of them",
        "train.examples: there is epochs too; keep one of them",
    ]
    line = "--set train.examples=90: train.examples: there is steps too; keep one of them"
    assert error_of(raw, overrides=["train.steps=10", "train.examples=90"]) == line


FEWER = "search.generation_size: 32 is more than the 8 trials; ask for 8 at most, or for more trials"


def test_trials_fill_the_generation_that_a_file_asks_for(tmp_path: Path) -> None:
    raw = {"data": {"source": "sklearn:iris"}, "optimizers": {"sgd": {}}, "search": {"generation_size": 32}}
    assert error_of(raw | {"study": {"trials": 8}}) == FEWER
    assert error_of(raw, overrides=["study.trials=8", "search.generation_size=32"]).endswith(FEWER)
    assert error_of({**raw, "study": {"trials": 8}, "search": {}}, overrides=["search.generation_size=32"]) == (
        f"--set search.generation_size=32: {FEWER}"
    )
    # a default fits itself, and so does what is written where a short try is asked for
    assert read_study({**raw, "study": {"trials": 8}, "search": {}}).search.generation_size == 32
    short = read_study(raw, settings={"study.trials": 8})
    assert (short.trials, short.search.generation_size) == (8, 32)
    assert read_study(short) == short
