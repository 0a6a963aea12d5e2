"""Faults on one machine: a guilty trial fails alone, nothing is lost, nothing runs twice, nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy

import tuner
from tests.support import failing
from tests.tuner.api.test_run import outputs, small
from tuner.api.run import RunCallback
from tuner.errors import LedgerError, StudyError, TunerError
from tuner.records import AT_EPOCH, SPREAD, Trial
from tuner.store.ledger import Ledger
from tuner.trainables.builtin import retrain

ROOT = Path(__file__).parents[3]


def rows(home: Path, name: str = "small") -> dict[int, tuple[Any, ...]]:
    """What the ledger says of each trial, bit for bit, but for seconds."""
    trials = tuner.open(name, home=home).all_trials
    return {trial.number: told(trial) for trial in trials}


def told(trial: Trial) -> tuple[Any, ...]:
    curves = [(name, curve.tobytes()) for name, curve in trial.curves.items()]
    return (trial.state, trial.config, trial.value, trial.epoch, trial.metrics, curves)


def limited(seconds: float | None = None, gb: float | None = None, **study: Any) -> dict[str, Any]:
    """The small study with neither pruning nor a model, so that a failed trial changes no other one."""
    limits = {key: value for key, value in {"seconds_per_trial": seconds, "worker_gb": gb}.items() if value}
    search = {"generation_size": 8, "pruner": "none", "sampler": "random"}
    return small(**{"trials": 16, **study}) | {"search": search, "limits": limits}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Any, ...]]:
    home = tmp_path_factory.mktemp("undisturbed")
    tuner.run(limited(), jobs=1, home=home, confirm=False)
    return rows(home)


def check_others(home: Path, undisturbed: dict[int, tuple[Any, ...]], guilty: set[int]) -> dict[int, Trial]:
    """Nothing is lost, told twice or changed by the guilty, who failed; returns their trials."""
    found = rows(home)
    assert sorted(found) == sorted(undisturbed)
    assert {number for number, row in found.items() if row[0] == "failed"} == guilty
    assert {n: row for n, row in found.items() if n not in guilty} == {
        n: row for n, row in undisturbed.items() if n not in guilty
    }
    return {trial.number: trial for trial in tuner.open("small", home=home).all_trials if trial.number in guilty}


# Trials that never return, kill, devour, leak

LIMIT = 4.0  # seconds, of which an innocent trial takes 0.05


@pytest.mark.slow
@pytest.mark.parametrize("deed", ["sleep", "spin", "hold_the_gil", "swallow"])
def test_a_trial_that_never_returns_fails_alone(
    deed: str, undisturbed: dict[int, tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.plan(monkeypatch, tmp_path / "small", {5: deed})
    jobs = 1 if deed == "sleep" else 2
    if deed != "sleep":  # alone from the start: those of a pack are told apart by running again
        monkeypatch.setattr("tuner.trainables.builtin.packs.width", lambda configs, sources: 1)
    tuner.run(limited(seconds=LIMIT), jobs=jobs, home=tmp_path, confirm=False)
    (guilty,) = check_others(tmp_path, undisturbed, {5}).values()
    assert guilty.error.startswith("TimedOut: took longer than the limit of 4 s; it was at ")
    assert guilty.error.endswith(" in fullmatch" if deed == "hold_the_gil" else f" in {deed}")


@pytest.mark.slow
def test_poison_trials_fail_alone(
    undisturbed: dict[int, tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = {1, 6, 12}
    failing.plan(monkeypatch, tmp_path / "small", dict.fromkeys(poison, "die"))
    tuner.run(limited(), jobs=2, home=tmp_path, confirm=False)
    for trial in check_others(tmp_path, undisturbed, poison).values():
        assert trial.error.startswith("WorkerDied: its worker process died of SIGKILL 5 times")


def test_a_search_of_nothing_but_failures_gives_up_with_advice(
    undisturbed: dict[int, tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.plan(monkeypatch, tmp_path / "small", {"*": "fail"})
    study = limited(trials=64) | {"search": limited()["search"] | {"generation_size": 16}}
    with pytest.raises(TunerError, match="all of the first 10 trials failed alike, trial 0 with ValueError: broken on"):
        tuner.run(study, jobs=1, home=tmp_path, confirm=False)
    monkeypatch.undo()
    study["study"]["trials"] = 16
    tuner.run(study, jobs=1, home=tmp_path, confirm=False)
    assert "complete" in {row[0] for row in rows(tmp_path).values()}


@pytest.mark.slow
def test_a_generation_of_poison_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing.plan(monkeypatch, tmp_path / "small", {"*": "die"})
    with pytest.raises(TunerError, match="all of the first 8 trials failed alike, trial 0 with WorkerDied"):
        tuner.run(limited(trials=8), jobs=2, home=tmp_path, confirm=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on a worker's memory is Linux's")
def test_a_trial_that_devours_memory_fails_alone(
    undisturbed: dict[int, tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.plan(monkeypatch, tmp_path / "small", {3: "devour"})
    tuner.run(limited(gb=1.5), jobs=1, home=tmp_path, confirm=False)
    (guilty,) = check_others(tmp_path, undisturbed, {3}).values()
    assert guilty.error.startswith("MemoryError")


@pytest.mark.slow
def test_a_worker_that_leaks_is_replaced_and_loses_nothing(
    undisturbed: dict[int, tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.plan(monkeypatch, tmp_path / "small", {"*": "leak"})
    monkeypatch.setattr("tuner.trainables.builtin.packs.width", lambda configs, sources: 1)
    tuner.run(limited(), jobs=2, home=tmp_path, confirm=False)
    check_others(tmp_path, undisturbed, set())
    assert len(set((tmp_path / "small" / "cache" / "workers.txt").read_text().split())) > 2


def test_limits_are_no_part_of_the_question(tmp_path: Path) -> None:
    tuner.run(limited(trials=8), jobs=1, home=tmp_path, confirm=False)
    result = tuner.run(limited(seconds=60.0, gb=8), jobs=1, home=tmp_path, confirm=False)
    assert (result.study.limits.seconds_per_trial, result.study.limits.worker_gb) == (60.0, 8)
    assert tuner.run(limited(), jobs=1, home=tmp_path, confirm=False).study.limits.seconds_per_trial is None
    with pytest.raises(StudyError, match=r"limits\.seconds_per_trial: must be above 0.*\n.*limits\.worker_gb: must be"):
        tuner.read_study(small() | {"limits": {"seconds_per_trial": 0, "worker_gb": 0.1}})


@pytest.mark.parametrize("deed", [pytest.param("sleep", marks=pytest.mark.slow), "die", "fail"])
def test_a_confirmation_of_one_that_never_returns_or_dies_goes_on_without_it(
    deed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = limited(seconds=LIMIT, trials=8) | {"confirm": {"top": 2, "seeds": 2}}
    whole = tuner.run(study, jobs=2, home=tmp_path / "undisturbed")
    first, second = (standing.trial for standing in whole.standings)
    tuner.run(study, jobs=1, home=tmp_path, confirm=False)
    (tmp_path / "small" / "cache" / "plan.json").write_text(json.dumps({first: deed}), encoding="utf-8")
    planned = partial(failing.retrain_planned, str(tmp_path / "small" / "cache"))
    monkeypatch.setattr(retrain, "retrain", planned)
    if deed == "fail":  # by what nobody has foreseen: not held against the trial
        with pytest.raises(TunerError, match="confirmation could not be trained: ValueError: broken on purpose"):
            tuner.run(study, jobs=2, home=tmp_path)
        return
    notes = Notes()
    result = tuner.run(study, jobs=2, home=tmp_path, callback=notes)
    assert [(standing.trial, standing.lost) for standing in result.standings] == [(second, ""), (first, "failed")]
    (said,) = [note for note in notes.said if "trained again" in note]  # once, though it fails on each seed
    assert said.startswith(f"trial {first} failed when it was trained again (seed ")
    assert ("TimedOut: took longer" if deed == "sleep" else "WorkerDied: ") in said
    assert result.best().trial == second
    found = {(row.trial, row.replicate): row for row in result.confirmed}
    known = {(row.trial, row.replicate): row for row in whole.confirmed}
    for key in found.keys() & known.keys():
        shown = [
            [name for name in row[key].metrics if not name.startswith((SPREAD, AT_EPOCH))] for row in (found, known)
        ]
        assert shown[0] == shown[1]
        assert found[key].state == ("failed" if key[0] == first else known[key].state)
        assert key[0] == first or found[key].metrics == known[key].metrics


def test_a_best_that_cannot_be_trained_again_is_said_and_can_be_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("tuner.trainables.builtin.trainable.run_pack", lambda pack: failing.fail())
        with pytest.raises(TunerError, match=r"the best trial, \d+, could not be trained again .*ValueError"):
            tuner.run(limited(trials=8), jobs=1, home=tmp_path, confirm=False)
    assert not (tmp_path / "small" / "best.toml").exists()
    assert tuner.run(limited(trials=8), jobs=1, home=tmp_path, confirm=False).cost.trials == 0
    assert (tmp_path / "small" / "best.toml").exists()


# The disk, the database, the clock


class Notes(RunCallback):
    """Keeps what a run says, and mends the disk when it is told that it is full."""

    def __init__(self, mend: Any = None) -> None:
        self.said: list[str] = []
        self.mend = mend

    def note(self, sentence: str) -> None:
        self.said.append(sentence)
        if self.mend and "waiting" in sentence:
            self.mend()


def test_a_run_waits_out_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuner.run(limited(), jobs=1, home=tmp_path / "undisturbed", confirm=False)
    opened: list[Ledger] = []
    real = Ledger.wait_for

    def filled(self: Ledger, *arguments: Any) -> None:
        opened.append(self)
        pages(self, 0)
        real(self, *arguments)

    monkeypatch.setattr(Ledger, "wait_for", filled)
    notes = Notes(lambda: pages(opened[0], 100_000))
    tuner.run(limited(), jobs=1, home=tmp_path / "full", confirm=False, callback=notes)
    (said,) = [sentence for sentence in notes.said if "waiting" in sentence]
    assert said.startswith("waiting, nothing is lost: ")
    assert said.endswith("the disk is full; what was committed is safe: free some space and run this again")
    assert rows(tmp_path / "full") == rows(tmp_path / "undisturbed")


def pages(ledger: Ledger, more: int) -> None:
    """Let the ledger's file grow by so many pages and no more."""
    count = ledger._database.connection.exec_driver_sql("PRAGMA page_count").scalar()
    ledger._database.connection.exec_driver_sql(f"PRAGMA max_page_count = {int(count) + more}")
    ledger._database.connection.rollback()


def on_one_split(trials: int) -> dict[str, Any]:
    """The limited study with the data of one split, which fill less of a disk."""
    study = limited(trials=trials)
    return study | {"data": {**study["data"], "resampling": "holdout"}}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_disk_that_is_really_full_loses_nothing(tmp_path: Path) -> None:
    home = tmp_path / "disk"
    home.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=800k", "none", home], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"no disk can be mounted here: {mount.stderr.strip()}")
    try:
        filler = home / "filler"
        tuner.run(on_one_split(trials=8), jobs=1, home=home, confirm=False)
        room = shutil.disk_usage(home).free
        filler.write_bytes(b"x" * max(0, room - 8192))
        before = rows(home)
        with suppress(LedgerError, OSError):
            notes = Notes(lambda: filler.unlink(missing_ok=True))
            tuner.run(on_one_split(trials=64), jobs=1, home=home, confirm=False, callback=notes)
        filler.unlink(missing_ok=True)
        assert before.items() <= rows(home).items()
        tuner.run(on_one_split(trials=64), jobs=1, home=home, confirm=False)
        for trials in (8, 64):
            tuner.run(on_one_split(trials=trials), jobs=1, home=tmp_path / "roomy", confirm=False)
        assert rows(home) == rows(tmp_path / "roomy")
    finally:
        subprocess.run(["umount", "--lazy", home], check=True)  # data are memory-mapped still


class Robbed(RunCallback):
    """Removes the prepared data once some trials are done, and kills the workers that have them open."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def progress(self, progress: Any) -> None:
        if progress.done >= 8 and self.cache.is_dir():
            shutil.rmtree(self.cache)
            for worker in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if "process_worker" in " ".join(worker.cmdline()):
                        worker.kill()


@pytest.mark.slow
def test_prepared_data_that_were_removed_end_the_run_and_not_the_trials(tmp_path: Path) -> None:
    robbed = Robbed(tmp_path / "small" / "cache")
    with pytest.raises(TunerError, match=r"no prepared data, or damaged .* run this again to go on"):
        tuner.run(limited(trials=64), jobs=2, home=tmp_path, confirm=False, callback=robbed)
    tuner.run(limited(trials=64), jobs=2, home=tmp_path, confirm=False)
    tuner.run(limited(trials=64), jobs=1, home=tmp_path / "undisturbed", confirm=False)
    assert rows(tmp_path) == rows(tmp_path / "undisturbed")


@contextmanager
def failing_once(n: int) -> Iterator[list[str]]:
    """Let the n-th statement that any database is sent fail, and only that one."""
    sent: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)
        if len(sent) == n:
            raise sqlite3.OperationalError("disk I/O error")

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", count)
    try:
        yield sent
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", count)


@pytest.mark.slow
def test_every_statement_of_a_study_may_fail_once(tmp_path: Path) -> None:
    study = limited(trials=4) | {"confirm": {"top": 1, "seeds": 2}}
    study["search"]["generation_size"] = 2
    tuner.run(study, jobs=1, home=tmp_path / "undisturbed")
    expected, whole = rows(tmp_path / "undisturbed"), outputs(tmp_path / "undisturbed")
    n, kept = 1, 0
    while True:
        home = tmp_path / str(n)
        with failing_once(n) as sent:
            try:
                tuner.run(study, jobs=1, home=home)
            except LedgerError as error:
                assert "the disk reports an error" in str(error)  # noqa: PT017
        if len(sent) < n:
            break
        if (home / "small" / "ledger.db").exists():
            found = rows(home)
            assert found.items() <= expected.items()
            kept += bool(found)
        tuner.run(study, jobs=1, home=home)
        assert outputs(home) == whole
        shutil.rmtree(home)
        n += 1
    assert n > 30
    assert kept > 5


def test_no_clock_decides_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuner.run(small(), jobs=1, home=tmp_path / "undisturbed")
    real, jumps = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() + (3600 if next(jumps) % 2 else -3600))
    tuner.run(small(), jobs=1, home=tmp_path / "jumping")
    assert outputs(tmp_path / "jumping") == outputs(tmp_path / "undisturbed")


# The directory: copied while it is written, read where nothing can be


@pytest.mark.slow
def test_a_copy_taken_while_a_study_runs_opens(tmp_path: Path) -> None:
    study = tmp_path / "small.toml"
    study.write_text(tuner.read_study(limited(trials=100_000)).to_toml(), encoding="utf-8")
    command = [sys.executable, "-m", "tuner", "run", str(study), "-j", "1", "--home", str(tmp_path), "--no-confirm"]
    run = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    copies: list[dict[int, tuple[Any, ...]]] = []
    try:
        while len(copies) < 40 and run.poll() is None:
            if not (tmp_path / "small" / "ledger.db").exists():
                time.sleep(0.01)
                continue
            copy = tmp_path / f"copy{len(copies)}"
            shutil.copytree(tmp_path / "small", copy / "small", ignore=shutil.ignore_patterns("cache", ".*"))
            copies.append(rows(copy))
            time.sleep(0.02)
    finally:
        run.kill()
        run.wait()
    whole = rows(tmp_path)
    assert len(copies) > 10
    assert len(copies[-1]) > len(copies[0])
    assert all(copy.items() <= whole.items() for copy in copies)


LOOKS = ("show small", "top small", "list", "doctor small", "report small -o r.html", "run small -n 32")


def as_somebody() -> list[str]:
    """Words before a command that make permissions count, for root too; empty where they count already."""
    if os.geteuid() != 0:
        return []
    without = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.skipif(as_somebody() != [] and shutil.which("setpriv") is None, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_looked_at_and_not_run(tmp_path: Path) -> None:
    home = tmp_path / "runs"
    tuner.run(limited(), jobs=1, home=home, confirm=False)
    before = {path.name: path.read_bytes() for path in (home / "small").iterdir() if path.is_file()}
    for path in (home / "small", home):
        path.chmod(0o555)
    for path in (home / "small").iterdir():
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        ended = {
            words: subprocess.run(
                [*as_somebody(), sys.executable, "-m", "tuner", *words.split(), "--home", str(home)],
                cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
            )
            for words in LOOKS
        }  # fmt: skip
    finally:
        for path in (home, home / "small", *(home / "small").iterdir()):
            path.chmod(0o755)
    refused = ended.pop("run small -n 32")
    assert {words: one.returncode for words, one in ended.items()} == dict.fromkeys(ended, 0), ended
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "ermission denied" in refused.stderr or "cannot be written" in refused.stderr
    assert (tmp_path / "r.html").exists()
    assert {path.name: path.read_bytes() for path in (home / "small").iterdir() if path.is_file()} == before
