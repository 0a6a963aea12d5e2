"""Commands that are printed to be copied carry the places that the command which printed them was given."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
import pytest

from tests.support.command import FACTS, STUDY, Shell, complete
from tuner.cli.copyable import again, placed, remember
from tuner.cli.options import home_option
from tuner.store.directory import study_directory
from tuner.store.ledger import Ledger
from tuner.study import read_study


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.delenv("TUNER_HOME", raising=False)
    return Shell(capsys)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "my studies"
    directory = study_directory("small", place)
    directory.path.mkdir(parents=True)
    directory.study.write_text(read_study(STUDY).to_toml(), encoding="utf-8")
    config = {"lr": 0.1, "momentum": 0.9, "batch_size": 16, "schedule": "constant", "model": "mlp", "hidden": [64]}
    with Ledger.create(directory.ledger, FACTS) as ledger:
        ledger.commit_generation(0, [complete(i, [1.0, 0.5 + i / 8], 0.9, **config) for i in range(4)])
    return place


def test_what_a_command_hints_at_is_found_from_where_it_was_typed(shell: Shell, home: Path) -> None:
    where = f"--home {shlex.quote(str(home))}"
    assert f": tuner confirm small {where} measures it\n" in shell("top", "small", "--home", home).err
    ended = shell("best", "small", "--rank", "9", "--home", home)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.endswith(f"run it with more: tuner run small -n 64 {where}\n")
    commands = [line.strip() for line in shell("show", "small", "--home", home).out.splitlines() if " tuner " in line]
    assert commands
    assert all(line.endswith(where) for line in commands)


def test_the_commands_of_a_document_and_of_a_page_are_plain(shell: Shell, home: Path) -> None:
    found = json.loads(shell("show", "small", "--home", home, "-f", "json").out)["findings"]
    assert found
    shell("report", "small", "--home", home)
    page = (home / "small" / "report.html").read_text(encoding="utf-8")
    assert "tuner run small" in page
    assert not any("--home" in text for text in (page, *(finding["command"] for finding in found)))


def test_a_variable_is_not_repeated(shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_HOME", str(home))
    assert ": tuner confirm small measures it\n" in shell("top", "small").err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--home", "a b"], "tuner top x --home 'a b'"),
        (
            ["--storage", "postgresql+psycopg://me:secret@host/base"],
            "tuner top x --storage 'postgresql+psycopg://me:***@host/base'",
        ),
        ([], "tuner top x"),
    ],
)
def test_places_are_quoted_and_passwords_hidden(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command
    @home_option
    def asked(home: object) -> None:
        del home
        click.echo(again("tuner top x"))
        click.echo(placed("first tuner top x and then", "tuner top x"))
        click.echo(again("tuner.confirm('x')"))

    asked.main(given, standalone_mode=False)
    assert capsys.readouterr().out.splitlines() == [said, f"first {said} and then", "tuner.confirm('x')"]


def test_outside_of_a_command_nothing_is_added() -> None:
    assert again("tuner top x") == "tuner top x"
    assert placed("tuner top x", "") == "tuner top x"
    with pytest.raises(RuntimeError, match="no active click context"):
        remember()
