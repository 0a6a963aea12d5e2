"""Reading studies where they are: in a place that cannot be written, while a run writes them, without a trial yet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Shell, made_up
from tests.support.trials import trial
from tuner.result import Result
from tuner.store.ledger import Ledger

ROOT = Path(__file__).parents[3]
READING = (
    ("top", "small"), ("best", "small"), ("show", "small"), ("list",), ("export", "small"),
    ("export", "small", "--what", "curves"), ("compare", "small", "--by", "optimizer"),
)  # fmt: skip


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    made_up(tmp_path)
    return Shell(capsys)


def nobody(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """A command line of a user who may write nothing below `home`; root may write everywhere."""
    line = [sys.executable, "-m", "tuner", *args]
    if os.geteuid() == 0:
        line = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *line]
    environment = {**os.environ, "TUNER_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, env=environment, cwd="/", capture_output=True, text=True)


def can_be_nobody() -> str:
    """Why no other user can be had here; "" where one can."""
    if os.geteuid() != 0:
        return ""
    if not shutil.which("setpriv"):
        return "root may write everywhere, and there is no setpriv to be somebody else"
    probe = nobody(Path("/"), "--version")
    return "" if probe.returncode == 0 else "another user cannot read this interpreter or this repository"


@pytest.fixture
def readable() -> Iterator[Path]:
    """A home that everybody may read, unlike what is below pytest's own directory."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        yield home
        for path in (home, *home.iterdir()):
            path.chmod(0o755)


@pytest.mark.slow
def test_a_read_only_place_is_read(readable: Path) -> None:
    if reason := can_be_nobody():
        pytest.skip(reason)
    directory = made_up(readable)
    directory.ledger.chmod(0o444)
    for path in (directory.path, readable):
        path.chmod(0o555)
    for args in READING:
        done = nobody(readable, *args)
        assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr
    refused = nobody(readable, "export", "small", "-o", str(directory.path / "all.csv"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"error: -o {directory.path / 'all.csv'}: Permission denied; nothing was written\n"


def test_a_running_study_is_read_as_far_as_it_is_committed(shell: Shell, tmp_path: Path) -> None:
    directory = made_up(tmp_path, "running")
    with directory.lock(), Ledger.open(directory.ledger) as ledger:
        before = Result(directory)
        ledger.commit_generation(1, [trial(6, generation=1, value=0.01, lr=0.5)])
        for args in READING:
            ended = shell(args[0], *("running" for _ in args[1:2]), *args[2:])
            assert (ended.code, ended.out != "") == (0, True), args
        assert len(shell("export", "running").out.splitlines()) == 1 + 7
        ranking = Result(directory).ranking().set_index("trial")
        assert (ranking.index[0], ranking["search_rank"][6]) == (0, 1)  # what was confirmed stays ahead
        # an older look keeps to what was there, its curves included
        assert before.curves()["trial"].max() == 5


def test_a_study_without_a_trial_ends_with_3_where_one_is_needed(shell: Shell, tmp_path: Path) -> None:
    directory = made_up(tmp_path, "empty")
    directory.ledger.unlink()
    with Ledger.create(directory.ledger, {"task": "multiclass", "data": "d", "canary": "c"}):
        pass
    for args in (("top",), ("best",), ("export", "--what", "config"), ("compare", "--by", "optimizer")):
        ended = shell(args[0], "empty", *args[1:])
        assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1), args
    assert shell("compare", "empty", "small").code == 3
    assert shell("export", "empty").code == 0
    assert shell("export", "empty", "--to", "optuna", tmp_path / "o.db").code == 0
