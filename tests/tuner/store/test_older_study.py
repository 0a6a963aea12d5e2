"""A study that an older version wrote, before modules had their present names: it opens, and it goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest

import tuner
from tests.support.command import Shell
from tuner.ranking.table import csv_text
from tuner.store.ledger.rows import sealed
from tuner.store.machine import canary_hash

KEPT = Path(__file__).parents[2] / "support" / "older_study"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    copytree(KEPT, tmp_path / "older_study")
    return tmp_path


def test_its_ledger_still_says_what_it_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = tuner.open("older_study", home=home)
    ranking = csv_text(result.ranking().drop(columns="seconds"))
    assert ranking == (KEPT / "ranking.csv").read_text(encoding="utf-8")
    shown = Shell(capsys)("top", "older_study", "--home", home)
    assert (shown.code, "0.2187 [0.06266, 0.3747]" in shown.out) == (0, True)


def test_its_best_config_is_read_and_written_as_it_was(home: Path) -> None:
    best = tuner.load_best(home / "older_study")
    assert best == tuner.open("older_study", home=home).best()
    assert (best.study, best.trial, best["optimizer"], best["lr"]) == ("older_study", 4, "momentum", 1.28301407625)


def test_it_goes_on(home: Path) -> None:
    with closing(sqlite3.connect(home / "older_study" / "ledger.db")) as ledger, ledger:  # as if it began here
        facts = dict(ledger.execute("SELECT name, value FROM facts WHERE name NOT LIKE 'ledger_%'").fetchall())
        facts["canary"] = canary_hash()
        new = {"canary": facts["canary"], "ledger_seal": sealed(facts)}
        ledger.executemany("UPDATE facts SET value = ? WHERE name = ?", [(new[name], name) for name in new])
    before = tuner.open("older_study", home=home).all_trials
    after = tuner.run(home / "older_study" / "study.toml", home=home, jobs=1, trials=12).all_trials
    assert [(trial.config, trial.value) for trial in after[:8]] == [(trial.config, trial.value) for trial in before]
    assert len(after) == 12


def test_its_trials_are_run_again(home: Path) -> None:
    found = tuner.verify("older_study", 8, home=home)
    assert [verdict.trial for verdict in found.verdicts] == list(range(8))
    assert found.ok or not found.same_machine
