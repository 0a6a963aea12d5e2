"""The doctor: says what can be read of a study, changes nothing, recovers into a new one that goes on as the old."""

from __future__ import annotations

import shutil
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tuner
from tests.support.command import Shell
from tests.tuner.api.test_run import small
from tests.tuner.engines.test_faults import rows
from tests.tuner.store.test_ledger import edit
from tuner.api.doctor import examine, recover
from tuner.orchestrator.callbacks import Watcher
from tuner.store.directory import study_directory
from tuner.store.ledger.rescue import rescue
from tuner.store.lock import hold


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    tuner.run(small(), jobs=1, home=home)
    return home


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def snapshot(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


class Notes(Watcher):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def test_a_healthy_study_is_said_to_be_one(home: Path, shell: Shell) -> None:
    before = snapshot(home)
    ended = shell("doctor", "small", "--home", home)
    assert ended.code == 0
    lines = [line.split(maxsplit=2) for line in ended.out.splitlines()]
    assert lines[1:] == [
        ["study", "ok", "24 trials planned, minimize valid_loss"],
        ["ledger", "ok", lines[2][2]],
        ["machine", "ok", "its arithmetic is that of the study: it can go on here"],
        ["lock", "ok", "nobody runs it"],
    ]
    assert lines[2][2].startswith("3 generations, 24 trials, ")
    assert {name: content for name, content in snapshot(home).items() if "lock" not in name} == {
        name: content for name, content in before.items() if "lock" not in name
    }
    with hold(home / "small" / "lock", "small"):
        assert "note   study 'small' is run by process" in shell("doctor", "small", "--home", home).out


def cut(path: Path, keep: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])


DAMAGE: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "a value": (lambda p: edit(p, "update trials set value = '0.3' where number = 17"), 16, "generation 2 was changed"),
    "a curve": (lambda p: edit(p, "delete from curves where trial = 9"), 8, "generation 1 was changed or damaged"),
    "a text": (lambda p: edit(p, "update trials set config = x'00ff' where number = 8"), 8, "generation 1"),
    "a row": (lambda p: edit(p, "delete from generations where number = 1"), 8, "generations 1 to 2 cannot be used"),
    "a confirmation": (lambda p: edit(p, "update confirmations set epoch = 99"), 24, "a confirmation"),
    "a fact": (lambda p: edit(p, "update facts set value = 'x' where name = 'python'"), 24, "the facts of the study"),
    "a table": (lambda p: edit(p, "drop table confirmations"), 24, "the confirmations: is a database, but no ledger"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_whole_is_recovered_and_goes_on(what: str, home: Path, whole: Path, shell: Shell) -> None:
    damage, kept, said = DAMAGE[what]
    damage(home / "small" / "ledger.db")
    damaged = (home / "small" / "ledger.db").read_bytes()
    ended = shell("doctor", "small", "--recover", "--home", home)
    assert ended.code == 1
    assert said in ended.out
    assert f"recovered {kept} trials into " in ended.err
    assert ended.err.rstrip().endswith(f"go on with: tuner run small-recovered --home {home}")
    assert (home / "small" / "ledger.db").read_bytes() == damaged
    assert len(rows(home, "small-recovered")) == kept
    before, after = (
        tuner.open(name, home=place).generations for name, place in (("small", whole), ("small-recovered", home))
    )
    assert [g.facts for g in before[: len(after)]] == [g.facts for g in after]  # its timeline, and where it was run
    again = shell("doctor", "small", "--recover", "--home", home)
    assert "small-recovered-2" in again.err
    tuner.run(home / "small-recovered" / "study.toml", jobs=1, home=home)
    assert rows(home, "small-recovered") == rows(whole)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.6, 0.95])
def test_a_truncated_ledger_is_said_to_be_one_and_never_overwritten(keep: float, home: Path, shell: Shell) -> None:
    ledger = home / "small" / "ledger.db"
    cut(ledger, keep)
    before = ledger.read_bytes()
    ended = shell("doctor", "small", "--home", home)
    assert (ended.code, "damaged" in ended.out, "Traceback" in ended.err) == (1, True, False)
    refused = shell("run", home / "small" / "study.toml", "--home", home)
    assert (refused.code, refused.err.splitlines()[-1].startswith("error: ")) == (1, True)
    for words in (("top", "small"), ("show", "small")):
        told = shell(*words, "--home", home)  # what they need may lie before the end
        assert told.code in (0, 1)
        assert told.code == 0 or told.err.splitlines()[-1].startswith("error: ")
    assert ledger.read_bytes() == before


def test_scribbled_ledgers_are_read_as_far_as_they_are_right(home: Path, whole: Path) -> None:
    ledger = home / "small" / "ledger.db"
    intact, truth, rng = ledger.read_bytes(), rows(whole), np.random.default_rng(0)
    recovered = 0
    for _ in range(40):
        copy = bytearray(intact)
        for at in rng.integers(4096, len(intact), size=3):
            copy[at] ^= int(rng.integers(1, 256))
        ledger.write_bytes(bytes(copy))
        found = rescue(ledger)
        trials = [trial for trials in found.generations for trial in trials]
        recovered += len(trials)
        from tests.tuner.engines.test_faults import told

        assert {trial.number: told(trial) for trial in trials}.items() <= truth.items()
        assert ledger.read_bytes() == bytes(copy)
        assert len(trials) == 24 or found.problems
    assert recovered > 100


def test_a_newer_ledger_is_left_alone(home: Path, shell: Shell) -> None:
    edit(home / "small" / "ledger.db", "update facts set value = '99' where name = 'ledger_schema'")
    before = (home / "small" / "ledger.db").read_bytes()
    ended = shell("doctor", "small", "--recover", "--home", home)
    assert ended.code == 1
    assert "schema 99, this version of tuner reads " in ended.err + ended.out
    assert "nothing can be recovered" in ended.err
    assert "update tuner" in shell("run", home / "small" / "study.toml", "--home", home).err
    assert (home / "small" / "ledger.db").read_bytes() == before
    assert not (home / "small-recovered").exists()


def test_a_damaged_study_file_and_best_are_named(home: Path, shell: Shell) -> None:
    whole = (home / "small" / "study.toml").read_text(encoding="utf-8")
    (home / "small" / "study.toml").write_text("[study")
    (home / "small" / "best.toml").write_text("= 3")
    ended = shell("doctor", "small", "--recover", "--home", home)
    assert ended.code == 1
    assert "study.toml: line 1: is not TOML" in ended.out
    assert "the next run writes it anew" in ended.out
    again = (home / "small-recovered" / "study.toml").read_text(encoding="utf-8")  # the ledger keeps it too
    assert again == whole.replace('name = "small"', 'name = "small-recovered"')


def test_a_study_file_that_was_damaged_has_to_be_mended_where_the_ledger_does_not_keep_it(
    home: Path, shell: Shell
) -> None:
    edit(home / "small" / "ledger.db", "delete from facts where name = 'ledger_study'")
    assert shell("best", "small", "--home", home).code == 0
    (home / "small" / "study.toml").write_text("[study")
    ended = shell("doctor", "small", "--recover", "--home", home)
    assert ended.code == 1
    assert "has to be mended first" in ended.err


def test_a_study_file_that_was_changed_changes_no_answer(home: Path, shell: Shell) -> None:
    file = home / "small" / "study.toml"
    text = file.read_text(encoding="utf-8")
    wanted = [shell(*line, "small", "--home", home).out for line in (["best"], ["top"], ["show"])]
    for changed in ("".join(text.splitlines(keepends=True)[:12]), text.replace("minimize", "maximize"), "", None):
        if changed is None:
            file.unlink()
        else:
            file.write_text(changed, encoding="utf-8")
        assert [shell(*line, "small", "--home", home).out for line in (["best"], ["top"], ["show"])] == wanted
    file.write_text(text.replace("trials = 24", "trials = 25"), encoding="utf-8")
    assert "study.toml was changed by hand" in shell("doctor", "small", "--home", home).out
    told = Notes()
    tuner.run(tomllib.loads(text), home=home, jobs=1, confirm=False, watcher=told)
    assert [note for note in told.notes if "was changed since it was stored" in note]
    assert file.read_text(encoding="utf-8") == text


def test_a_resolved_study_that_was_changed_in_the_ledger_is_refused(home: Path, shell: Shell) -> None:
    edit(home / "small" / "ledger.db", "update facts set value = value || ' ' where name = 'ledger_study'")
    ended = shell("best", "small", "--home", home)
    assert (ended.code, ended.out) == (1, "")
    assert "resolved study cannot be trusted" in ended.err


def test_a_journal_left_by_a_killed_writer_is_rolled_back_in_the_copy_alone(home: Path, whole: Path) -> None:
    ledger = home / "small" / "ledger.db"
    connection = sqlite3.connect(ledger, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE trials SET state = 'torn', error = ?", ("x" * 100_000,))
    copied = study_directory("copied", home)
    shutil.copytree(home / "small", copied.path)
    connection.rollback()
    connection.close()
    before = copied.ledger.read_bytes()
    assert before != ledger.read_bytes()
    assert [finding.state for finding in examine(copied)].count("damaged") == 0
    new, found = recover(copied)
    assert found.problems == []
    assert copied.ledger.read_bytes() == before
    assert rows(home, new.name) == rows(whole)
