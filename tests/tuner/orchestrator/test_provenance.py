"""Where a run comes from: the command as it was typed, without its secrets, and the commit of its study file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import tuner
from tuner.orchestrator.provenance import command, commit

STUDY = {
    "study": {"name": "small", "trials": 6},
    "data": {"source": "sklearn:iris"},
    "train": {"epochs": 3},
    "optimizers": {"sgd": {}},
    "search": {"generation_size": 3},
    "confirm": {"enabled": False},
}


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (["/usr/bin/tuner", "run", "my study.toml", "-n", "8"], "tuner run 'my study.toml' -n 8"),
        (["/a/tuner/__main__.py", "run", "x.toml"], "tuner run x.toml"),
        (["tune.py", "--fast"], "python tune.py --fast"),
        (
            ["tuner", "run", "x", "--storage", "postgresql+psycopg://me:secret@host/db"],
            "tuner run x --storage 'postgresql+psycopg://me:***@host/db'",
        ),
        (
            ["tuner", "run", "x", "--storage=postgresql+psycopg://me:secret@host/db"],
            "tuner run x '--storage=postgresql+psycopg://me:***@host/db'",
        ),
        (["/site-packages/ipykernel_launcher.py", "-f", "/tmp/kernel.json"], ""),
        ([""], ""),
        ([], ""),
    ],
)
def test_a_command_is_told_as_it_was_typed(argv: list[str], wanted: str) -> None:
    assert command(argv) == wanted


@pytest.mark.skipif(shutil.which("git") is None, reason="git not found: apt-get install git")
def test_a_commit_is_that_of_the_directory(tmp_path: Path) -> None:
    assert commit(tmp_path) == ""
    own = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "file").write_text("1", encoding="utf-8")
    for order in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*own, *order], check=True)
    head = subprocess.run([*own, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert commit(tmp_path) == head
    (tmp_path / "file").write_text("2", encoding="utf-8")
    assert commit(tmp_path) == f"{head}-dirty"


@pytest.mark.skipif(shutil.which("git") is None, reason="git not found: apt-get install git")
def test_a_commit_is_read_without_running_what_the_folder_configures(tmp_path: Path) -> None:
    def repository(folder: Path) -> None:
        """A repository with a commit, that then configures all that git would run to look at its files."""
        folder.mkdir(exist_ok=True)
        own = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
        (folder / "file").write_text("1", encoding="utf-8")
        (folder / ".gitattributes").write_text("file filter=theirs\n", encoding="utf-8")
        for order in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
            subprocess.run([*own, *order], check=True)
        program = folder / ".git" / "hooks" / "post-index-change"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\ncat\n", encoding="utf-8")
        program.chmod(0o755)
        for key in ("core.fsmonitor", "filter.theirs.clean", "filter.theirs.process", "core.sshCommand"):
            subprocess.run([*own, "config", key, str(program)], check=True)

    outer = tmp_path / "outer"
    repository(outer)
    repository(outer / "inner")
    own = ["git", "-C", str(outer), "-c", "core.fsmonitor=false", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*own, "add", "inner"], check=True, capture_output=True)
    subprocess.run([*own, "commit", "-qm", "second"], check=True, capture_output=True)
    (tmp_path / "ran").unlink(missing_ok=True)
    for folder in (outer, outer / "inner"):
        (folder / "file").write_text("2", encoding="utf-8")
        head = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        assert commit(folder) == f"{head.stdout.strip()}-dirty"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_generations_say_who_ran_what_and_when(jobs: int, tmp_path: Path) -> None:
    result = tuner.run(STUDY, jobs=jobs, home=tmp_path)
    listed = [generation.facts for generation in result.generations]
    for facts, trials in zip(listed, ([0, 1, 2], [3, 4, 5]), strict=True):
        rungs: dict[int, list[int]] = {}
        for worker, began, ended, rung, own in facts["ran"]:
            assert 0 <= worker < jobs
            assert 0 <= began <= ended
            rungs.setdefault(rung, []).extend(own)
        assert sorted(rungs[0]) == trials
    assert ["origin" in facts for facts in listed] == [True, False]
    again = tuner.run(STUDY, jobs=jobs, home=tmp_path, trials=9)
    assert ["origin" in generation.facts for generation in again.generations] == [True, False, True]


def test_where_a_run_comes_from_is_no_part_of_its_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tuner.run(STUDY, jobs=1, home=tmp_path / "a")
    monkeypatch.setattr("sys.argv", ["tuner", "run", "elsewhere.toml"])
    other = tuner.run(STUDY, jobs=2, home=tmp_path / "b")
    assert other.generations[0].facts["origin"]["command"] == "tuner run elsewhere.toml"
    for name in ("ranking.csv", "best.toml", "best.npz", "study.toml"):
        assert (first.path / name).read_bytes() == (other.path / name).read_bytes(), name
