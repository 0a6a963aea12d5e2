"""What every command does with -f and -o: formats, and files that are there, full, special or nowhere."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.support.command import Shell, made_up
from tuner.cli import sheet as sheets
from tuner.result import Result
from tuner.store import directory
from tuner.store.directory import StudyDirectory

COMMANDS = [("top", "small"), ("best", "small"), ("export", "small"), ("list",), ("show", "small")]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyDirectory:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return made_up(tmp_path)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], small: StudyDirectory) -> Shell:
    del small
    return Shell(capsys)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_file_that_says_something_else_is_kept_without_force(
    shell: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    file = tmp_path / "notes.json"
    file.write_text("mine\n", encoding="utf-8")
    form = ("--to", "json") if command[0] == "best" else ("-f", "json")
    refused = shell(*command, *form, "-o", file)
    assert (refused.code, refused.out, file.read_text(encoding="utf-8")) == (2, "", "mine\n")
    way = "choose another name, or add --force to replace it"
    assert refused.err == f"error: -o {file}: is there already, and says something else; {way}\n"
    assert shell(*command, *form, "-o", file, "--force").code == 0
    assert file.read_text(encoding="utf-8") != "mine\n"


def test_nothing_is_lost_by_writing_the_same_or_into_an_empty_file(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "top.csv"
    file.touch()
    for _ in range(2):
        assert shell("top", "small", "-o", file).code == 0
    assert file.read_text(encoding="utf-8") == shell("top", "small", "-f", "csv").out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_places_where_no_file_can_be_are_named_before_any_work(
    shell: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    words = (command[0], *("no study of that name" for _ in command[1:]))
    folder = tmp_path / "folder.json"
    folder.mkdir()
    ended = shell(*words, "-o", folder)
    assert (ended.code, ended.err) == (2, f"error: -o {folder}: is a directory; name a file in it\n")
    missing = tmp_path / "no" / "all.json"
    ended = shell(*words, "-o", missing)
    said = f"error: -o {missing}: there is no directory {str(missing.parent)!r}; make it first\n"
    assert (ended.code, ended.err) == (2, said)


def test_a_full_disk_leaves_the_old_file(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("old", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(directory.os, "fsync", full)
    ended = shell("top", "small", "-o", old, "--force")
    said = f"error: -o {old}: No space left on device; what was there is as it was\n"
    assert (ended.code, ended.err) == (1, said)
    ended = shell("top", "small", "-o", new)
    assert (ended.code, ended.err) == (1, f"error: -o {new}: No space left on device; nothing was written\n")
    assert old.read_text(encoding="utf-8") == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_special_files_are_written_to(shell: Shell, small: StudyDirectory) -> None:
    line = [sys.executable, "-m", "tuner", "top", str(small.path), "-f", "csv", "-o", "/dev/stdout"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stdout == shell("top", "small", "-f", "csv").out
    ended = shell("top", "small", "-f", "csv", "-o", "/dev/full")
    assert (ended.code, ended.err) == (1, "error: -o /dev/full: No space left on device\n")


@pytest.mark.parametrize("what", ["trials", "curves", "confirmations"])
def test_parquet_keeps_the_types_of_the_frame(shell: Shell, small: StudyDirectory, tmp_path: Path, what: str) -> None:
    file = tmp_path / f"{what}.parquet"
    assert shell("export", "small", "--what", what, "-o", file).code == 0
    back = pd.read_parquet(file)
    if what == "trials":
        pd.testing.assert_frame_equal(back, Result(small).ranking())
    if what == "curves":
        pd.testing.assert_frame_equal(back, Result(small).curves())
    assert len(back) == len(shell("export", "small", "--what", what).out.splitlines()) - 1


def test_parquet_of_rows_without_a_frame(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "config.parquet"
    assert shell("export", "small", "--what", "config", "-o", file).code == 0
    config = dict(zip(*(pd.read_parquet(file)[name] for name in ("key", "value")), strict=True))
    assert (config["config.optimizer"], config["config.lr"]) == ("momentum", "0.01")


def test_parquet_without_pyarrow_says_what_to_install(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_has_pyarrow", lambda: False)
    ended = shell("export", "small", "-f", "parquet")
    assert (ended.code, ended.err) == (1, "error: Parquet needs pyarrow: pip install 'tuner[parquet]'\n")


def test_latex_is_escaped(shell: Shell) -> None:
    lines = shell("export", "small", "--what", "confirmations", "-f", "latex").out.splitlines()
    assert lines[:4] == [
        r"\begin{tabular}{rrr}",
        r"\hline",
        r"trial & replicate & valid\_loss \\",
        r"\hline",
    ]
    assert lines[4] == r"0 & 1 & 0.01562 \\"
    assert lines[-1] == r"\end{tabular}"
    cells = sheets.formatted(sheets.Sheet(("a_b",), (("50% & \\ {x} ~^#$",),)), "latex")
    assert r"50\% \& \textbackslash{} \{x\} \textasciitilde{}\^{}\#\$ \\" in cells
