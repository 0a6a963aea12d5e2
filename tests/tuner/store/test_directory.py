"""Where studies live, how they are found and held, and files that are never half written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

import tuner
from tests.support.command import made_up
from tuner.errors import StudyBusy, UnknownStudy
from tuner.store.directory import StudyDirectory, find, home_directory, studies, study_directory, write_atomic
from tuner.store.ledger import Ledger
from tuner.store.lock import hold

ROOT = Path(__file__).parents[3]
KILLED = """
import os, signal, sys
from tuner.store.ledger import Ledger
from tuner.records import ConfirmationRun

ledger = Ledger.open(sys.argv[1])
ledger.commit_confirmations([ConfirmationRun(0, 77, 1, {"valid_loss": 0.1}, 0.1, "complete")])
os.kill(os.getpid(), signal.SIGKILL)
"""


def made(home: Path, *names: str) -> None:
    for name in names:
        directory = study_directory(name, home)
        directory.path.mkdir(parents=True)
        directory.ledger.write_bytes(b"ledger")
        directory.study.write_text(f"name = {name!r}")


def test_home_is_what_was_asked_then_the_variable_then_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNER_HOME", raising=False)
    assert home_directory() == tmp_path / "runs"
    monkeypatch.setenv("TUNER_HOME", "elsewhere")
    assert home_directory() == tmp_path / "elsewhere"
    assert home_directory("here") == tmp_path / "here"
    monkeypatch.setenv("TUNER_HOME", "")
    assert home_directory() == tmp_path / "runs"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert home_directory("~/studies") == tmp_path / "me" / "studies"


def test_looking_makes_nothing(tmp_path: Path) -> None:
    directory = study_directory("digits", tmp_path / "runs")
    assert directory.name == "digits"
    assert not directory.exists
    assert studies(tmp_path / "runs") == []
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/etc", "a\0b"])
def test_names_that_leave_home_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a study's name is one part of a path"):
        study_directory(name, tmp_path)
    with pytest.raises(UnknownStudy, match="no study"):
        find(name, tmp_path)


def test_studies_are_listed_by_name_and_found_by_name_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "wine", "digits", "my study 1.5")
    (tmp_path / "notes").mkdir()
    (tmp_path / "digits.toml").write_text("")
    assert [directory.name for directory in studies(tmp_path)] == ["digits", "my study 1.5", "wine"]
    assert find("my study 1.5", tmp_path) == StudyDirectory(tmp_path / "my study 1.5")
    monkeypatch.chdir(tmp_path)
    for path in ("digits", "./digits", "wine/../digits/", tmp_path / "digits", str(tmp_path / "digits")):
        assert find(path, tmp_path / "elsewhere") == StudyDirectory(tmp_path / "digits")
    monkeypatch.chdir(tmp_path / "digits")
    assert find(".", tmp_path).name == "digits"


@pytest.mark.parametrize("name", ["digit", "notes", "~nobody-of-that-name", "digits/ledger.db"])
def test_unknown_studies_get_the_nearest_name(name: str, tmp_path: Path) -> None:
    made(tmp_path, "digits")
    with pytest.raises(UnknownStudy, match=f"no study '{name}' in {tmp_path}; .*digits"):
        find(name, tmp_path)


@pytest.mark.parametrize("content", ["naïve\nüber\r\n", b"\0\xff", ""])
def test_a_file_is_replaced_as_it_is(content: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "ranking.csv"
    path.write_text("old and longer than the new one")
    write_atomic(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_gets_the_rights_that_new_files_have(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_atomic(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    path = tmp_path / "best.toml"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_study_is_held_once_and_the_second_is_told_by_whom(tmp_path: Path) -> None:
    directory = study_directory("digits", tmp_path)
    with directory.lock():
        with pytest.raises(StudyBusy, match=f"study 'digits' is run by process {os.getpid()} on .* since 20.* UTC; "):
            directory.lock().__enter__()
        (directory.path / "lock.json").write_text("not json")
        with pytest.raises(StudyBusy, match="study 'digits' is run by another process; wait"):
            directory.lock().__enter__()
    with directory.lock():
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tuner.store.lock import hold

with hold(Path(sys.argv[1]), "x"):
    print("held", flush=True)
    input()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "lock"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StudyBusy, match=f"process {holder.pid} on"):
        hold(tmp_path / "lock", "x").__enter__()
    holder.kill()
    holder.communicate()
    with hold(tmp_path / "lock", "x"):
        pass


def test_setting_aside_keeps_everything_and_the_lock(tmp_path: Path) -> None:
    made(tmp_path, "digits")
    directory = study_directory("digits", tmp_path)
    directory.cache.mkdir()
    directory.ranking.write_text("rank")
    with directory.lock():
        aside = directory.set_aside()
        assert not directory.exists
        with pytest.raises(StudyBusy, match="is run by process"):
            directory.lock().__enter__()
    assert aside.name == "digits.1"
    assert sorted(path.name for path in aside.path.iterdir()) == ["cache", "ledger.db", "ranking.csv", "study.toml"]
    assert [path.name for path in directory.path.iterdir()] == ["lock"]
    directory.ledger.write_bytes(b"")
    assert directory.set_aside().name == "digits.2"


@pytest.mark.parametrize("steps", range(4))
def test_setting_aside_cut_short_leaves_one_whole_study(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "digits")
    directory = study_directory("digits", tmp_path)
    directory.ranking.write_text("rank")
    left = iter(range(steps))
    replace = Path.replace

    def cut(self: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    try:
        directory.set_aside()
    except KeyboardInterrupt:
        assert steps < 3
    whole = [found for found in studies(tmp_path) if found.exists and found.study.exists()]
    assert len(whole) == len(studies(tmp_path)) == 1


def test_setting_aside_cut_short_keeps_what_a_killed_writer_had_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = made_up(tmp_path)
    subprocess.run([sys.executable, "-c", KILLED, str(directory.ledger)], cwd=ROOT, check=False)
    assert directory.ledger.with_name("ledger.db-wal").exists()
    replace, moved = Path.replace, iter([True])

    def cut(self: Path, target: Path) -> Path:
        if next(moved, None) is None:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        directory.set_aside()
    with Ledger.open(tmp_path / "small.1" / "ledger.db", read_only=True) as ledger:
        assert 77 in {row.replicate for row in ledger.confirmations()}


def test_what_a_killed_process_left_half_made_is_cleared(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from tuner.drafts import draft_of
from tuner.store.directory import study_directory
from tuner.store.backend import write_private

directory = study_directory("x", sys.argv[1])
with directory.room() as room:
    (room / "data").write_bytes(bytes(1000))
    with directory.lock():
        directory.cache.mkdir()
        (directory.cache / ".0123-abcd").mkdir()
        draft_of(directory.ledger).write_bytes(b"")
        os.fsync = lambda number: os.kill(os.getpid(), signal.SIGKILL)
        write_private(directory.study, "half")
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert ran.returncode == -9
    directory = study_directory("x", tmp_path)
    left = [path for path in tmp_path.rglob(".*") if path.name != ".0123-abcd"]
    assert len(left) == 3
    with study_directory("y", tmp_path).room():
        pass
    assert len(list(tmp_path.glob(".x.*.tmp"))) == 1  # another study's is none of its business
    with directory.room(), directory.room() as room, directory.lock():
        assert room.is_dir()  # what is held by somebody alive stays
        assert len(list(tmp_path.rglob(".*"))) == 2
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_study_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        result = tuner.run(
            {
                "study": {"name": "x", "trials": 2},
                "data": {"source": "sklearn:iris"},
                "train": {"epochs": 1},
                "optimizers": {"sgd": {}},
                "search": {"generation_size": 2},
                "confirm": {"enabled": False},
            },
            home=tmp_path / "runs",
            jobs=1,
        )
        result.report()
        result.report(tmp_path / "page.html")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in result.path.iterdir() if path.is_file()}
    assert set(modes) >= {"study.toml", "ledger.db", "ranking.csv", "best.toml", "best.npz", "report.html"}
    assert {mode for name, mode in modes.items() if name != "lock"} == {0o600}
    assert result.path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o666  # what was asked for elsewhere has everybody's
    (result.path / "report.html").chmod(0o644)
    result.report()
    assert (result.path / "report.html").stat().st_mode & 0o777 == 0o644  # who shares it goes on sharing it
