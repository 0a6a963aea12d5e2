"""A ledger in PostgreSQL: what holds of one in a file, and a server that goes away, a password, a team."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import tuner
from tests.support.command import Shell
from tests.support.postgres_server import PASSWORD, Server, Wire, server
from tests.tuner.api.test_run import outputs, small
from tests.tuner.engines.test_faults import limited
from tests.tuner.store.test_ledger import (
    FACTS,
    content,
    generation,
    made,
    odd_trials,
    test_a_confirmation_is_committed_once,
    test_a_generation_is_committed_once,
    test_generations_and_facts_come_back,
    test_generations_follow_each_other,
    test_numbers_of_numpy_are_taken,
    test_only_failed_trials_give_way_to_others_of_their_config,
    test_what_is_no_value_is_refused_and_changes_nothing,
)
from tuner.errors import ChangedStudy, LedgerError, StudyBusy, StudyError, UnknownStudy
from tuner.masking import hidden, masked
from tuner.orchestrator.callbacks import RunCallback
from tuner.records import Trial
from tuner.store.ledger import Ledger
from tuner.urls import Remote, check_storage

__all__ = [
    "server",
    "test_a_confirmation_is_committed_once",
    "test_a_generation_is_committed_once",
    "test_generations_and_facts_come_back",
    "test_generations_follow_each_other",
    "test_numbers_of_numpy_are_taken",
    "test_only_failed_trials_give_way_to_others_of_their_config",
    "test_what_is_no_value_is_refused_and_changes_nothing",
]

NAMES = count()
SECRET = "sesame"
NEEDED = "a ledger in PostgreSQL needs psycopg: pip install 'tuner[postgres]'"


@pytest.fixture
def path(server: Server) -> Remote:
    """The place of a ledger, for the tests that hold of every place."""
    return Remote(server.url, f"study {next(NAMES)}")


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """The URL of a server in which there is no study."""
    yield server.url
    from tuner.store.ledger import postgres

    until = time.monotonic() + 30
    while names := postgres.known(server.url):
        try:
            postgres.forget(Remote(server.url, names[0]))
        except LedgerError:  # the server has not seen yet that a session has ended
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=odd_trials.filter(lambda trial: "\0" not in "".join(trial.curves)))
def test_trials_come_back_bit_for_bit(record: Trial, server: Server) -> None:
    place = Remote(server.url, f"odd {next(NAMES)}")
    with Ledger.create(place, FACTS) as ledger:  # type: ignore[arg-type]
        ledger.commit_generation(0, [record])
        ledger.commit_generation(0, [replace(record, seconds=1.5, error="at another address")])
        assert content(ledger.trials()) == content([record])


def test_there_is_one_ledger_and_one_writer(path: Any) -> None:
    with made(path), pytest.raises(LedgerError, match="there is a ledger already"):
        Ledger.create(path, FACTS)
    with Ledger.open(path), Ledger.open(path, read_only=True) as reader:
        with pytest.raises(LedgerError, match="the server still keeps the connection"):
            Ledger.open(path)
        assert len(reader.trials()) == 6
        with pytest.raises(LedgerError, match="read-only transaction"):
            reader.commit_generation(2, generation(2))
    with pytest.raises(LedgerError, match=r"study 'none': there is no ledger; `tuner run` makes one"):
        Ledger.open(Remote(path.url, "none"))


@pytest.mark.slow
def test_the_table_is_that_of_a_file_for_any_workers_and_in_parts(url: str, tmp_path: Path) -> None:
    tuner.run(small(trials=8), jobs=1, home=tmp_path / "file", confirm=False)
    tuner.run(small(), jobs=1, home=tmp_path / "file")
    tuner.run(small(trials=8), jobs=1, home=tmp_path / "one", storage=url, confirm=False)
    changed = small()
    changed["train"]["epochs"] = 12
    with pytest.raises(ChangedStudy, match=r"train\.epochs: was 9, now 12"):
        tuner.run(changed, jobs=1, home=tmp_path / "two", storage=url)
    # from another machine, with the files of none
    tuner.run(small(), jobs=2, baselines=False, home=tmp_path / "two", storage=url)
    assert outputs(tmp_path / "two") == outputs(tmp_path / "file")
    assert not (tmp_path / "two" / "small" / "ledger.db").exists()
    again = tuner.run(small(), jobs=1, home=tmp_path / "two", storage=url)
    assert again.cost is not None
    assert (again.cost.trials, again.cost.retrained) == (0, 0)
    fresh = tuner.run(small(trials=8), jobs=1, home=tmp_path / "two", storage=url, fresh=True, confirm=False)
    assert len(fresh.ranking()) == 8
    assert len(tuner.open("small.1", storage=url).ranking()) == 24


def test_a_second_orchestrator_is_refused_and_told_who_is_first(url: str, tmp_path: Path) -> None:
    tuner.run(small(trials=8), jobs=1, home=tmp_path, storage=url, confirm=False)
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    from tuner.store.ledger import postgres

    place = Remote(url, "small")
    other = create_engine(url, poolclass=NullPool, connect_args={"application_name": "tuner 4242@elsewhere"}).connect()
    postgres.take_lock(other, place, postgres.place_of(other, place))
    with pytest.raises(StudyBusy, match=r"study 'small' is run by process 4242@elsewhere since 20.*; wait until"):
        tuner.run(small(), jobs=1, home=tmp_path / "mine", storage=url)
    other.execute(text("SELECT 1"))
    other.close()
    tuner.run(small(), jobs=1, home=tmp_path / "mine", storage=url, confirm=False)


class Restart(RunCallback):
    """Restarts the server in the middle of a search."""

    def __init__(self, server: Server) -> None:
        self.server, self.said, self.done = server, [""], False

    def note(self, sentence: str) -> None:
        self.said.append(sentence)

    def progress(self, progress: Any) -> None:
        if progress.done >= 8 and not self.done:
            self.done = True
            self.server.stop("immediate")
            # away for a second, while trials go on
            threading.Timer(1.0, self.server.start).start()


@pytest.mark.slow
def test_a_search_outlives_a_restart_of_the_server(server: Server, url: str, tmp_path: Path) -> None:
    tuner.run(limited(trials=64), jobs=1, home=tmp_path / "file", confirm=False)
    callback = Restart(server)
    tuner.run(limited(trials=64), jobs=1, home=tmp_path / "base", storage=url, confirm=False, callback=callback)
    assert any("waiting, nothing is lost: postgresql+psycopg://ann:***@" in sentence for sentence in callback.said)
    found = {trial.number: trial for trial in tuner.open("small", storage=url).all_trials}
    assert len(found) == 64
    assert (tmp_path / "base" / "small" / "ranking.csv").read_bytes() == (
        tmp_path / "file" / "small" / "ranking.csv"
    ).read_bytes()


class Frozen(RunCallback):
    """Freezes the wire to the server in the middle of a search, and lets it through again when that is said."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.said, self.done = wire, [""], False

    def note(self, sentence: str) -> None:
        self.said.append(sentence)
        if "has not answered" in sentence:
            self.wire.thaw()

    def progress(self, progress: Any) -> None:
        if progress.done >= 8 and not self.done:
            self.done = True
            self.wire.freeze()


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    between = Wire(server.port)
    yield between
    between.close()


@pytest.mark.slow
def test_a_search_outlives_a_connection_on_which_nothing_moves(
    server: Server, url: str, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited for ever, and said nothing."""
    monkeypatch.setattr("tuner.store.ledger.postgres_session.SLOW", 0.5)
    monkeypatch.setattr("tuner.store.ledger.postgres_session.GIVEN_UP", 2.0)
    tuner.run(limited(trials=64), jobs=1, home=tmp_path / "file", confirm=False)
    callback = Frozen(wire)
    there = url.replace(str(server.port), str(wire.port))
    tuner.run(limited(trials=64), jobs=1, home=tmp_path / "base", storage=there, confirm=False, callback=callback)
    said = [sentence for sentence in callback.said if "the server has not answered for 0.5 s" in sentence]
    assert said
    assert PASSWORD not in said[0]
    assert outputs(tmp_path / "base") == outputs(tmp_path / "file")


def test_the_lock_of_a_machine_that_is_gone_is_free_after_its_lease(
    server: Server, url: str, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For two hours the study was run by a process that was not there."""
    tuner.run(small(trials=8), jobs=1, home=tmp_path, storage=url, confirm=False)
    monkeypatch.setattr("tuner.store.ledger.postgres_session.TOKEN", "elsewhere")
    monkeypatch.setattr("tuner.store.ledger.postgres_session.LEASE", 1.0)
    monkeypatch.setattr("tuner.store.ledger.postgres_session.BEAT", 0.2)
    gone = Ledger.open(Remote(url.replace(str(server.port), str(wire.port)), "small"))
    monkeypatch.undo()
    time.sleep(2.0)  # twice the lease: its signs of life keep it
    with pytest.raises(StudyBusy, match="is run by process"):
        Ledger.open(Remote(url, "small"))
    wire.freeze()
    until = time.monotonic() + 30
    while True:
        try:
            Ledger.open(Remote(url, "small")).close()
            break
        except StudyBusy:
            assert time.monotonic() < until
            time.sleep(0.1)
    wire.close()  # as a machine without power does, which does not wait for an answer either
    gone.close()


def test_a_team_lists_shows_and_removes_from_anywhere(
    url: str, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuner.run(small(), jobs=1, home=tmp_path / "here", storage=url)
    tuner.run(limited(trials=8) | {"study": {"name": "other", "trials": 8}}, jobs=1, home=tmp_path, storage=url)
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    listed = shell("list", "--storage", url, "-f", "csv")
    assert [line.split(",")[:3] for line in listed.out.splitlines()[1:]] == [["other", "8", "8"], ["small", "24", "24"]]
    monkeypatch.setenv("TUNER_STORAGE", url)
    shown = [shell(*words) for words in (("show", "small"), ("show", "small/3"), ("top", "small"), ("best", "small"))]
    assert [ended.code for ended in shown] == [0] * 4
    assert f"trial = {tuner.open('small').best().trial}" in shown[3].out
    assert tuner.verify("small", 2).ok
    assert list(there.iterdir()) == []
    missing = shell("top", "smal")
    assert missing.err.startswith("error: no study 'smal' in postgresql+psycopg://ann:***@127.0.0.1:")
    assert shell("rm", "other", "--yes").code == 0
    with pytest.raises(UnknownStudy, match="no study 'other'"):
        tuner.open("other")
    assert all(SECRET not in ended.out + ended.err for ended in (listed, missing, *shown))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("open%20sesame", "wrong%20sesame"), "password authentication failed for user"),
        (("/postgres", "/nowhere"), 'database "nowhere" does not exist'),
        (("ann:", "bob:"), "password authentication failed"),
    ],
)
def test_no_password_is_shown_whatever_is_wrong(
    change: tuple[str, str], said: str, url: str, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(tuner.read_study(small()).to_toml())
    for words in (("list",), ("run", "s.toml", "--no-confirm"), ("run", "s.toml", "--debug")):
        ended = shell(*words, "--storage", url.replace(*change))
        assert ended.code == 1
        assert said in ended.err
        assert SECRET not in ended.err + ended.out


def test_a_server_that_is_not_there_is_said(shell: Shell) -> None:
    from tests.support.postgres_server import free_port

    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'tuner[postgres]'")
    ended = shell("list", "--storage", f"postgresql+psycopg://ann:{PASSWORD}@127.0.0.1:{free_port()}/x")
    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "check that it runs and can be reached" in ended.err
    assert SECRET not in ended.err


@pytest.mark.parametrize(
    ("given_url", "said"),
    [
        ("sqlite:///", "SQLite is where ledgers are without it; leave it out, and say --home"),
        ("postgresql://ann:secret@h/d", r"the driver is not named; begin it with postgresql\+psycopg://"),
        ("oracle://ann:secret@h/d", r"'oracle://ann:\*\*\*@h/d' is no database for ledgers; write postgresql"),
        ("postgresql+psycopg://ann:se@cr/et@h/d", r"ann:\*\*\*@h/d'.* has a password that .* like %40 for @"),
        ("", "'' is no database for ledgers"),
    ],
)
def test_urls_that_are_none(given_url: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        check_storage(given_url)


@pytest.mark.parametrize(
    ("given_url", "shown"),
    [
        ("postgresql+psycopg://ann:se@cr/et@host/db", "postgresql+psycopg://ann:***@host/db"),
        ("postgresql+psycopg://ann@host/db?password=secret&x=1", "postgresql+psycopg://ann@host/db?password=***&x=1"),
        ("postgresql+psycopg://ann@host/db", "postgresql+psycopg://ann@host/db"),
        ("postgresql+psycopg://ann:{secret}@host/db", "postgresql+psycopg://ann:***@host/db"),
    ],
)
def test_passwords_are_masked(given_url: str, shown: str) -> None:
    assert masked(given_url) == str(Remote(given_url, "s")).rpartition(", ")[0] == shown
    assert "secret" not in repr(Remote(given_url, "s"))
    said = hidden("se@cr/et {secret} secret", given_url)
    assert ("***" in said) == ("se" in given_url.partition("ann")[2])


def test_without_psycopg_the_line_that_installs_it_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    ended = shell("list", "--storage", "postgresql+psycopg://ann@host/db")
    assert (ended.code, ended.err) == (1, f"error: {NEEDED}\n")
