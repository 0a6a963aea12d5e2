"""The ledger: what is committed comes back bit for bit, a generation whole or not at all, and damage is no truth."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.trials import trial
from tuner.enums import TrialState
from tuner.records import ConfirmationRun, Trial
from tuner.store.ledger import Ledger, LedgerError, rows, sqlite
from tuner.store.ledger.rescue import rescue

ROOT = Path(__file__).parents[3]
FACTS = {"study": 'name = "digits"\n', "data": "ab12", "note": "naïve"}

Committed = list[list[Trial]]


def generation(number: int, size: int = 3) -> list[Trial]:
    return [trial(number * size + i, generation=number, value=0.1 * i, lr=0.1 * number) for i in range(size)]


def made(path: Path, generations: int = 2) -> Ledger:
    ledger = Ledger.create(path, FACTS)
    for number in range(generations):
        ledger.commit_generation(number, generation(number))
    return ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def plain(value: Any) -> Any:
    """A form in which equal means equal bit for bit: nan as well, and 1 is not 1.0."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, Mapping):
        return [(key, plain(item)) for key, item in value.items()]
    return [plain(item) for item in value] if isinstance(value, list) else repr(value)


def content(trials: list[Trial]) -> Any:
    return [[plain(getattr(t, field.name)) for field in fields(t)] for t in trials]


numbers = st.floats() | st.integers() | st.booleans() | st.text(max_size=5) | st.none()
names = st.text(max_size=8)
curves = st.dictionaries(names, hnp.arrays("f8", hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)), max_size=3)
odd_trials = st.builds(
    Trial,
    number=st.just(0),
    generation=st.just(0),
    state=st.sampled_from(list(TrialState)),
    config=st.dictionaries(names, numbers | st.lists(st.integers(), max_size=3), max_size=4),
    latents=st.dictionaries(names, st.floats() | st.text(max_size=5), max_size=4),
    rung=st.integers(-1, 20),
    epochs=st.integers(0, 2**40),
    steps=st.integers(0, 2**62),
    value=st.floats() | st.none(),
    epoch=st.integers(1, 2**40) | st.none(),
    stable=st.booleans(),
    metrics=st.dictionaries(names, st.floats(), max_size=4),
    curves=curves,
    seconds=st.floats(),
    error=st.text(st.characters(), max_size=20),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=odd_trials)
def test_trials_come_back_bit_for_bit(record: Trial, path: Path) -> None:
    path.unlink(missing_ok=True)
    with Ledger.create(path, FACTS) as ledger:
        ledger.commit_generation(0, [record])
        ledger.commit_generation(0, [replace(record, seconds=1.5, error="at another address")])
    with Ledger.open(path, read_only=True) as ledger:
        assert content(ledger.trials()) == content([record])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    record=st.builds(
        ConfirmationRun,
        trial=st.integers(0, 2**40),
        replicate=st.integers(0, 2**40),
        epoch=st.integers(0, 2**40),
        metrics=st.dictionaries(names, st.floats(), max_size=4),
        seconds=st.floats(),
        state=st.sampled_from(["complete", "diverged"]),
    )
)
def test_confirmations_come_back_bit_for_bit(record: ConfirmationRun, path: Path) -> None:
    path.unlink(missing_ok=True)
    with Ledger.create(path, FACTS) as ledger:
        ledger.commit_confirmations([record])
        ledger.commit_confirmations([replace(record, seconds=2.0)])
        (found,) = ledger.confirmations()
    assert [plain(getattr(found, f.name)) for f in fields(found)] == [
        plain(getattr(record, f.name)) for f in fields(record)
    ]


def test_numbers_of_numpy_are_taken(path: Path) -> None:
    record = replace(
        trial(np.int64(0), epochs=np.int64(2)),  # type: ignore[arg-type]
        config={"lr": np.float32(0.5), "hidden": [np.int32(8)]},
        stable=np.bool_(True),
        value=np.float64(0.25),
        curves={"valid_loss": np.array([[1, 2]], np.float32)},
    )
    with Ledger.create(path, FACTS) as ledger:
        ledger.commit_generation(0, [record])
        (found,) = ledger.trials()
    assert found.config == {"lr": 0.5, "hidden": [8]}
    assert (found.number, found.stable, found.value) == (0, True, 0.25)
    assert found.curves["valid_loss"].tolist() == [[1.0, 2.0]]
    assert found.curves["valid_loss"].dtype == np.float64


def test_what_is_no_value_is_refused_and_changes_nothing(path: Path) -> None:
    with made(path, 1) as ledger:
        for bad, complaint in (
            (replace(trial(3, generation=1), config={"f": print}), "the ledger keeps numbers, text"),
            (replace(trial(3, generation=1), curves={"x": np.zeros(3)}), r"curve 'x' must be \(R, E\), but has shape"),
        ):
            with pytest.raises((TypeError, ValueError), match=complaint):
                ledger.commit_generation(1, [bad])
        assert len(ledger.generations()) == 1


def test_only_failed_trials_give_way_to_others_of_their_config(path: Path) -> None:
    """And what is read then is as whole as it was, on every kind of ledger."""
    failed = [replace(one, state=TrialState.FAILED, value=None, error="no", curves={}) for one in generation(0)]
    mended = replace(generation(0)[1], curves={"x": np.ones((1, 2))})
    with Ledger.create(path, FACTS) as ledger:
        ledger.commit_generation(0, [failed[0], failed[1], generation(0)[2]])
        ledger.commit_generation(1, generation(1))
        for wrong in (replace(failed[2], state=TrialState.COMPLETE), replace(mended, config={"lr": 2.0}), trial(9)):
            with pytest.raises(LedgerError, match=rf"trial {wrong.number} did not fail, or has another config"):
                ledger.replace_failed([mended, wrong])
        before = ledger.generations()
        ledger.replace_failed([mended])
    with Ledger.open(path) as ledger:
        assert content(ledger.trials()) == content([failed[0], mended, generation(0)[2], *generation(1)])
        assert [old.digest == new.digest for old, new in zip(before, ledger.generations(), strict=True)] == [
            False,
            True,
        ]


def test_generations_and_facts_come_back(path: Path) -> None:
    with Ledger.create(path, FACTS) as ledger:
        assert ledger.generations() == []
        assert ledger.trials() == []
        assert ledger.confirmations() == []
        ledger.commit_generation(0, generation(0), {"ask": 0.25})
    with Ledger.open(path) as ledger:
        ledger.commit_generation(1, generation(1, 3))
        first, second = ledger.generations()
        assert (first.number, first.trials, first.facts) == (0, 3, {"ask": 0.25})
        assert (second.number, second.trials, second.facts) == (1, 3, {})
        assert first.digest != second.digest
        assert {name: ledger.facts[name] for name in FACTS} == FACTS
        assert ledger.facts["created"].startswith("20")
        assert len(ledger.facts) == len(FACTS) + 1


def test_a_generation_is_committed_once(path: Path) -> None:
    with made(path) as ledger:
        ledger.commit_generation(1, generation(1))
        other = [replace(record, value=7.0) for record in generation(1)]
        with pytest.raises(LedgerError, match="generation 1 is committed already, with other content"):
            ledger.commit_generation(1, other)
        curve = generation(1)[0].curves["valid_loss"].copy()
        curve[0, 0] = np.nextafter(curve[0, 0], 9)
        other = [replace(generation(1)[0], curves={"valid_loss": curve}), *generation(1)[1:]]
        with pytest.raises(LedgerError, match="generation 1 is committed already"):
            ledger.commit_generation(1, other)
        assert content(ledger.trials()) == content(generation(0) + generation(1))


@pytest.mark.parametrize(
    ("number", "trials", "complaint"),
    [
        (3, generation(3), "the next generation is 2, but got 3"),
        (2, [], r"must go on from 6, but got \[\]"),
        (2, generation(2)[1:], r"must go on from 6, but got \[7, 8\]"),
        (2, generation(2)[::-1], r"must go on from 6, but got \[8, 7, 6\]"),
        (2, [trial(6, generation=1)], "says that it is of another one"),
    ],
)
def test_generations_follow_each_other(number: int, trials: list[Trial], complaint: str, path: Path) -> None:
    with made(path) as ledger:
        with pytest.raises(ValueError, match=complaint):
            ledger.commit_generation(number, trials)
        assert len(ledger.trials()) == 6


def test_a_confirmation_is_committed_once(path: Path) -> None:
    first, second = (ConfirmationRun(3, r, 9, {"valid_loss": 0.5}, 0.1, "complete") for r in (2, 1))
    with made(path) as ledger:
        ledger.commit_confirmations([first])
        ledger.commit_confirmations([first, second])
        ledger.commit_confirmations([])
        with pytest.raises(LedgerError, match="trial 3, replicate 2 is confirmed already, with other content"):
            ledger.commit_confirmations([replace(first, epoch=8)])
        assert ledger.confirmations() == [second, first]


# Files that are not what they should be


def test_there_is_one_ledger_and_it_is_private(path: Path) -> None:
    made(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(LedgerError, match=f"{path}: there is a ledger already"):
        Ledger.create(path, FACTS)


def test_creating_where_nothing_can_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"none/ledger.db: No such file or directory"):
        Ledger.create(tmp_path / "none" / "ledger.db", FACTS)


def edit(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        (
            "update facts set value = '4' where name = 'ledger_schema'",
            "has schema 4, this version of tuner reads schema 3; update tuner",
        ),
        (
            "update facts set value = '1' where name = 'ledger_schema'",
            "has schema 1, this version of tuner reads schema 3; begin anew with --fresh",
        ),
        ("delete from facts where name = 'ledger_schema'", "is no ledger, or damaged"),
        ("update facts set value = 'x' where name = 'data'", "facts of the study cannot be trusted"),
        ("drop table facts", "is a database, but no ledger"),
    ],
)
def test_a_ledger_of_another_kind_is_not_opened(statement: str, complaint: str, path: Path) -> None:
    made(path).close()
    edit(path, statement)
    for read_only in (False, True):
        with pytest.raises(LedgerError, match=f"{path}: {complaint}"):
            Ledger.open(path, read_only)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("update trials set value = '0.3' where number = 4", "generation 1 cannot be trusted"),
        ("update trials set config = '{' where number = 4", "generation 1 cannot be trusted"),
        ("update trials set config = x'00' where number = 4", "generation 1 cannot be trusted"),
        ("update trials set state = x'00' where number = 4", "generation 1 cannot be trusted"),
        ("update trials set generation = 9 where number = 4", "generation 1 cannot be trusted"),
        ("delete from trials where number = 4", "generation 1 cannot be trusted"),
        ("delete from generations where number = 1", "generation 1 cannot be trusted"),
        ("update trials set seconds = '' where number = 4", "generation 1 cannot be trusted"),
        ("update trials set seconds = '7.0' where number = 4", "generation 1 cannot be trusted"),
        ("update generations set facts = replace(facts, 'seal', 'weal') where number = 1", "generation 1 cannot be"),
        ("update trials set error = '\"other\"' where number = 4", "generation 1 cannot be trusted"),
        ('update curves set "values" = zeroblob(32) where trial = 4', "curves of trial 4 cannot be trusted"),
        ("update curves set \"values\" = 'x' where trial = 4", "curves of trial 4 cannot be trusted"),
        ("delete from curves where trial = 4", "curves of trial 4 cannot be trusted"),
    ],
)
def test_a_changed_row_is_found_and_its_generation_named(statement: str, complaint: str, path: Path) -> None:
    made(path).close()
    edit(path, statement)
    with Ledger.open(path) as ledger, pytest.raises(LedgerError, match=f"{path}: {complaint}.*begin anew"):
        content(ledger.trials())


def test_a_changed_confirmation_is_found(path: Path) -> None:
    with made(path) as ledger:
        ledger.commit_confirmations([ConfirmationRun(3, 1, 9, {"valid_loss": 0.5}, 0.1, "complete")])
    edit(path, "update confirmations set epoch = 8")
    with Ledger.open(path) as ledger, pytest.raises(LedgerError, match="the confirmations cannot be trusted"):
        ledger.confirmations()


@pytest.mark.parametrize("bytes_", [b"", b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_what_is_no_database_is_said_to_be_none(bytes_: bytes, path: Path) -> None:
    path.write_bytes(bytes_)
    with pytest.raises(LedgerError, match=f"{path}: is "):
        Ledger.open(path)
    assert path.read_bytes() == bytes_


def test_what_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "ledger.db", tmp_path):
        with pytest.raises(LedgerError, match=f"{path}: there is no ledger; `tuner run` makes one"):
            Ledger.open(path)
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    directory = tmp_path / "100% {odd}?mode=memory#ü"
    directory.mkdir()
    with made(directory / "ledger.db") as ledger:
        assert len(ledger.trials()) == 6
    assert [file.name for file in directory.iterdir()] == ["ledger.db"]


def read(path: Path) -> tuple[list[Trial], str]:
    """The trials of a ledger, or what is wrong with it."""
    try:
        with Ledger.open(path, read_only=True) as ledger:
            return [replace(trial, curves=dict(trial.curves)) for trial in ledger.trials()], ""
    except LedgerError as error:
        return [], str(error)


def test_torn_and_scribbled_files_are_refused_or_right(path: Path) -> None:
    made(path, 3).close()
    whole, truth = path.read_bytes(), content([t for number in range(3) for t in generation(number)])
    rng = np.random.default_rng(1)
    copies = [whole[: int(size)] for size in rng.integers(len(whole), size=20)]
    for _ in range(150):
        copy = bytearray(whole)
        for at in rng.integers(len(whole), size=rng.integers(1, 30)):
            copy[at] = int(rng.integers(256))
        copies.append(bytes(copy))
    refused = 0
    for copy in copies:
        path.write_bytes(copy)
        found, complaint = read(path)
        if complaint:
            assert complaint.startswith(f"{path}: ")
            assert "\n" not in complaint
            refused += 1
        else:
            assert content([replace(t, seconds=0.01, error="") for t in found]) == truth
        assert path.read_bytes() == copy
    assert 20 <= refused <= len(copies)


# Crashes and faults


@contextmanager
def failing_at(n: int) -> Iterator[None]:
    """Let the n-th statement that any database is sent fail, as a disk or a killed process would."""
    left = n

    def count(*arguments: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise sqlite3.OperationalError("disk I/O error")

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", count)


def test_a_fault_at_any_statement_leaves_all_or_nothing(path: Path) -> None:
    with made(path, 1) as ledger:
        complaints = set()
        faults = 0
        while not complaints or len(ledger.generations()) < 2:
            with failing_at(faults):
                try:
                    ledger.commit_generation(1, generation(1))
                except LedgerError as error:
                    complaints.add(str(error))
                    faults += 1
        assert complaints == {f"{path}: the disk reports an error; check the disk, then run this again"}
        assert faults >= 4
        assert content(ledger.trials()) == content(generation(0) + generation(1))


def test_a_fault_while_creating_leaves_nothing(path: Path) -> None:
    faults = 0
    for n in range(40):
        with failing_at(n):
            with suppress(LedgerError):
                Ledger.create(path, FACTS).close()
                break
            faults += 1
        if path.exists():
            break
        assert list(path.parent.iterdir()) == []
    assert faults >= 6
    with Ledger.open(path) as ledger:
        assert ledger.trials() == []


def test_a_full_disk_loses_nothing_and_the_same_ledger_goes_on(path: Path) -> None:
    with made(path, 1) as ledger:
        pages = ledger._database.connection.exec_driver_sql("PRAGMA page_count").scalar()
        ledger._database.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        ledger._database.connection.rollback()
        with pytest.raises(LedgerError, match="the disk is full; what was committed is safe"):
            ledger.commit_generation(1, generation(1, 3) + [trial(6 + i, generation=1) for i in range(100)])
        assert len(ledger.trials()) == 3
        ledger._database.connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        ledger._database.connection.rollback()
        ledger.commit_generation(1, generation(1))
        assert len(ledger.trials()) == 6


WRITER = """
import sys
from pathlib import Path
from tests.tuner.store.test_ledger import generation
from tuner.store.ledger import Ledger

with Ledger.open(sys.argv[1]) as ledger:
    for number in range(len(ledger.generations()), 10_000):
        ledger.commit_generation(number, generation(number))
        print(number, flush=True)
"""


def test_kill_loses_nothing_that_was_committed(path: Path) -> None:
    made(path, 0).close()
    acknowledged = -1
    rng = np.random.default_rng(2)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        time.sleep(rng.uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        said = writer.communicate()[0].split()
        acknowledged = int(said[-1]) if said else acknowledged
        with Ledger.open(path, read_only=True) as ledger:
            numbers = [g.number for g in ledger.generations()]
            assert numbers == list(range(len(numbers)))
            assert len(numbers) in (acknowledged + 1, acknowledged + 2)
            assert content(ledger.trials()) == content([t for number in numbers for t in generation(number)])


def test_a_reader_rolls_back_what_a_killed_writer_left(path: Path, tmp_path: Path) -> None:
    made(path, 1).close()
    journal = path.with_name("ledger.db-journal")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE trials SET state = 'torn', error = ?", ("x" * 100_000,))
    torn = tmp_path / "torn.db"
    torn.write_bytes(path.read_bytes())
    torn.with_name("torn.db-journal").write_bytes(journal.read_bytes())
    connection.rollback()
    connection.close()
    assert torn.read_bytes() != path.read_bytes()
    with Ledger.open(torn, read_only=True) as ledger:
        assert content(ledger.trials()) == content(generation(0))


@pytest.mark.parametrize("kept", [("-wal", "-shm"), ("-wal",)], ids=["all", "no index"])
def test_the_log_of_a_killed_writer_is_read_where_nothing_can_be_written(
    kept: tuple[str, ...], path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir()
    with made(path):
        assert path.stat().st_size < path.with_name(f"{path.name}-wal").stat().st_size
        for kind in ("", *kept):
            shutil.copyfile(path.with_name(path.name + kind), copy.with_name(copy.name + kind))
    before = {file.name: file.read_bytes() for file in copy.parent.iterdir()}
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with Ledger.open(copy, read_only=True) as ledger:
        assert content(ledger.trials()) == content([*generation(0), *generation(1)])
    assert {file.name: file.read_bytes() for file in copy.parent.iterdir()} == before


def test_the_log_of_a_ledger_that_was_removed_is_not_taken_for_the_next_ones(path: Path) -> None:
    with made(path):
        log = path.with_name(f"{path.name}-wal").read_bytes()
    path.unlink()
    path.with_name(f"{path.name}-wal").write_bytes(log)
    with made(path, 1) as ledger:
        assert len(ledger.trials()) == 3


def test_a_reader_cannot_write(path: Path) -> None:
    made(path).close()
    with Ledger.open(path, read_only=True) as ledger:
        with pytest.raises(LedgerError, match=f"{path}: cannot be written"):
            ledger.commit_generation(2, generation(2))
        assert len(ledger.trials()) == 6


def test_a_file_that_cannot_be_written_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path).close()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with Ledger.open(path, read_only=True) as ledger:
        assert len(ledger.trials()) == 6
    with Ledger.open(path) as ledger, pytest.raises(LedgerError, match=f"{path}: cannot be written"):
        ledger.commit_generation(2, generation(2))


def test_readers_and_a_writer_wait_for_each_other(path: Path) -> None:
    with made(path) as ledger:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.2, other.rollback)
        release.start()
        ledger.commit_generation(2, generation(2))
        release.join()
        other.close()
        assert len(ledger.generations()) == 3


def test_a_locked_ledger_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path).close()
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    with Ledger.open(path) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match=f"{path}: another program has kept it locked"):
            ledger.trials()
        other.close()
        assert len(ledger.trials()) == 6


@pytest.mark.parametrize("gone", [True, False], ids=["removed", "replaced"])
def test_a_file_that_is_swapped_while_in_use_is_noticed(gone: bool, path: Path) -> None:
    with made(path) as ledger:
        aside = Path(shutil.copytree(path.parent, path.with_name("aside"), copy_function=os.rename))
        if not gone:
            made(path, 1).close()
        complaint = "No such file" if gone else "was removed or replaced while in use"
        with pytest.raises(LedgerError, match=f"{path}: {complaint}"):
            ledger.commit_generation(2, generation(2))
        shutil.copytree(aside, path.parent, copy_function=os.replace, dirs_exist_ok=True)
        ledger.commit_generation(2, generation(2))
        assert len(ledger.trials()) == 9


def test_importing_the_ledger_imports_no_sqlalchemy() -> None:
    code = "import sys, tuner.store.ledger; assert 'sqlalchemy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)


def test_curves_are_read_when_they_are_looked_at(path: Path) -> None:
    made(path).close()
    asked: list[str] = []
    listen = ("before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    sqlalchemy.event.listen(sqlalchemy.Engine, *listen)
    try:
        with Ledger.open(path, read_only=True) as ledger:
            found = ledger.trials()
        assert not any("curves.trial" in statement for statement in asked)
        assert [trial.curves["valid_loss"].shape for trial in found] == [(1, 4)] * 6
        assert sum("curves.trial" in statement for statement in asked) == 1
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, *listen)


LOGGED = """
import os, signal, sys
from tests.tuner.store.test_ledger import generation
from tuner.store.ledger import Ledger

ledger = Ledger.open(sys.argv[1])
for number in range(int(sys.argv[2])):
    ledger.commit_generation(number, generation(number))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("commits", [0, 1, 2])
@pytest.mark.parametrize("look", [True, False])
def test_commits_that_went_with_their_log_are_missed(commits: int, look: bool, path: Path) -> None:
    made(path, 0).close()
    changed = path.stat().st_mtime_ns
    subprocess.run([sys.executable, "-c", LOGGED, path, str(commits)], cwd=ROOT, check=False)
    log = path.with_name("ledger.db-wal")
    assert log.exists()
    assert path.stat().st_mtime_ns == changed
    if look:  # a reader takes the log in: then nothing is missing
        with Ledger.open(path, read_only=True) as ledger:
            assert (ledger.count(), ledger.lost) == (3 * commits, "")
    if gone := log.exists():
        log.unlink()
    with Ledger.open(path, read_only=True) as ledger:
        assert ("ledger.db-wal is missing: what the last run committed" in ledger.lost) == gone
    assert [problem.partition(":")[0] for problem in rescue(path).problems] == ["ledger.db-wal is missing"] * gone
    with Ledger.open(path) as ledger:
        assert bool(ledger.lost) == gone
        ledger.commit_generation(ledger.count() // 3, generation(ledger.count() // 3))
    with Ledger.open(path, read_only=True) as ledger:
        assert ledger.lost == ""


def test_a_look_that_commits_nothing_leaves_no_trace(path: Path) -> None:
    made(path).close()
    before, changed = path.read_bytes(), path.stat().st_mtime_ns
    with Ledger.open(path) as ledger:
        assert ledger.count() == 6
        with Ledger.open(path, read_only=True) as reader:
            assert (reader.count(), reader.lost) == (6, "")
    assert path.stat().st_mtime_ns == changed
    with Ledger.open(path, read_only=True) as ledger:
        assert (ledger.count(), ledger.lost) == (6, "")
    assert len(path.read_bytes()) == len(before)


@pytest.mark.parametrize(
    "statement",
    [
        "create trigger t after insert on trials begin update trials set value = '0.0'; end",
        "create view v as select * from trials",
        "create index i on trials (value)",
        "create virtual table w using fts5(a)",
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_what_no_ledger_has_is_not_obeyed(statement: str, read_only: bool, path: Path) -> None:
    made(path).close()
    edit(path, statement)
    with pytest.raises(LedgerError, match=r"ledger.db: holds what no ledger does \((trigger|view|index|table) '\w'\)"):
        Ledger.open(path, read_only)
    assert [problem for problem in rescue(path).problems if "holds what no ledger does" in problem]


def test_the_schema_of_a_foreign_ledger_is_not_trusted(path: Path) -> None:
    with made(path) as ledger:
        database: Any = ledger._database
        assert database.connection.exec_driver_sql("PRAGMA trusted_schema").scalar() == 0


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(path: Path) -> None:
    with made(path) as ledger:
        database: Any = ledger._database
        assert database.connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert database.connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.parametrize(
    ("column", "value"),
    [("blocks", "x'0000803f0000803f'"), ("metrics", "'{}'"), ("state", "'lost'"), ("seconds", "'9'")],
)
def test_every_part_of_a_confirmation_is_under_its_digest(column: str, value: str, path: Path) -> None:
    with made(path) as ledger:
        blocks = np.array([1.0, 2.0], dtype=np.float32)
        ledger.commit_confirmations([ConfirmationRun(0, 1, 2, {"valid_loss": 0.5}, 0.1, "complete", blocks)])
    edit(path, f"update confirmations set {column} = {value}")
    with (
        Ledger.open(path, read_only=True) as ledger,
        pytest.raises(LedgerError, match="confirmations cannot be trusted"),
    ):
        ledger.confirmations()


def test_a_confirmation_with_other_blocks_is_another_one(path: Path) -> None:
    def record(*values: float) -> ConfirmationRun:
        return ConfirmationRun(0, 1, 2, {"valid_loss": 0.5}, 0.1, "complete", np.array(values, dtype=np.float32))

    with made(path) as ledger:
        ledger.commit_confirmations([record(1.0, 2.0)])
        ledger.commit_confirmations([replace(record(1.0, 2.0), seconds=9.0)])  # how long it took decides nothing
        with pytest.raises(LedgerError, match="trial 0, replicate 1 is confirmed already, with other content"):
            ledger.commit_confirmations([record(2.0, 1.0)])


def test_texts_that_are_parted_elsewhere_have_other_digests() -> None:
    def cells(*texts: object) -> list[object]:
        return [*texts, *[""] * (len(rows.TRIAL) - len(texts))]

    digests = {
        rows.cells_digest(1, [cells("ab", "c")]),
        rows.cells_digest(1, [cells("a", "bc")]),
        rows.cells_digest(1, [cells("a"), cells("bc")]),
        rows.cells_digest(1, [cells("a"), cells("b"), cells("c")]),
        rows.cells_digest(11, [cells("ab", "c")]),
        rows.cells_digest(1, [cells(1, "ab", "c")]),
    }
    assert len(digests) == 6


def test_curves_that_are_parted_elsewhere_have_other_digests() -> None:
    def curve(name: str, replicates: int, epochs: int, size: int) -> dict[str, Any]:
        return {"name": name, "replicates": replicates, "epochs": epochs, "values": bytes(range(size))}

    listed = [
        [curve("a", 1, 12, 8)],
        [curve("a", 11, 2, 8)],
        [curve("a1", 1, 2, 8)],
        [curve("a", 1, 12, 4), curve("a", 1, 12, 4)],
        [curve("a", 1, 12, 16)],
    ]
    assert len({rows.curves_digest(own) for own in listed}) == len(listed)
