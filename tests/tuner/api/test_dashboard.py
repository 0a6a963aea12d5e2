"""The dashboard: the study as optuna-dashboard's own interface tells it, followed, to this machine alone."""

from __future__ import annotations

import importlib.util
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import optuna
import pytest

from tests.support.command import Shell
from tests.support.planted_studies import confirmations, sound, trained, written
from tuner.ranking.retrainings import report_seeds
from tuner.result import Result
from tuner.store.ledger import Ledger

if importlib.util.find_spec("optuna_dashboard") is None:
    pytest.skip("pip install 'tuner[dashboard]'", allow_module_level=True)

from tuner.api.dashboard import Dashboard


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return written(tmp_path, sound()[:16], confirmations(sound()[:16]))


@pytest.fixture
def served(result: Result) -> Iterator[Dashboard]:
    with Dashboard(result) as dashboard:
        yield dashboard


def test_it_tells_the_trials_and_follows_the_study(served: Dashboard, result: Result) -> None:
    (study,) = json.load(urlopen(f"{served.url}api/studies"))["study_summaries"]
    assert study["study_name"] == "sound"
    detail = f"{served.url}api/studies/{study['study_id']}?after=0"
    assert len(json.load(urlopen(detail))["trials"]) == 16
    with Ledger.open(result.directory.ledger) as ledger:
        ledger.commit_generation(1, [replace(trained(16, 0.2), generation=1)])
    assert served.look() == 17
    for _ in range(100):  # the dashboard looks again every few seconds
        trials = json.load(urlopen(detail))["trials"]
        if len(trials) > 16:
            break
        time.sleep(0.2)
    assert (len(trials), trials[-1]["values"]) == (17, [0.2])


def best_in_optuna(dashboard: Dashboard) -> int:
    """Return the trial that Optuna takes for the best one."""
    return optuna.load_study(study_name="sound", storage=dashboard._memory.storage).best_trial.number


def test_a_confirmation_made_while_it_serves_moves_the_best_trial(tmp_path: Path) -> None:
    trials = sound()[:16]
    result = written(tmp_path, trials, [])
    first, second = sorted(trials, key=lambda trial: trial.value or 0.0)[:2]
    with Dashboard(result) as dashboard:
        assert best_in_optuna(dashboard) == first.number
        ranked = confirmations(trials, {first.number: 0.9, second.number: 0.3})
        reported = confirmations(trials, {second.number: 0.3})
        fresh = [replace(row, replicate=seed) for row, seed in zip(reported, report_seeds(result.study), strict=True)]
        with Ledger.open(result.directory.ledger) as ledger:
            ledger.commit_confirmations([*ranked, *fresh])
        dashboard.look()
        assert best_in_optuna(dashboard) == second.number == Result(result.directory).best().trial


def test_it_goes_on_following_after_the_ledger_was_out_of_reach(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.api.dashboard.EVERY", 0.02)
    ledger, aside = result.directory.ledger, tmp_path / "aside"
    news: Queue[str] = Queue()
    with Dashboard(result, watch=news.put) as served:
        ledger.rename(aside)
        assert "there is no ledger" in news.get(timeout=60)
        aside.rename(ledger)
        assert news.get(timeout=60) == "following the study again"
        with Ledger.open(ledger) as opened:
            opened.commit_generation(1, [replace(trained(16, 0.2), generation=1)])
        (study,) = json.load(urlopen(f"{served.url}api/studies"))["study_summaries"]
        began = time.monotonic()
        while len(json.load(urlopen(f"{served.url}api/studies/{study['study_id']}?after=0"))["trials"]) < 17:
            assert time.monotonic() - began < 60
            time.sleep(0.05)


def test_it_writes_nothing(served: Dashboard, result: Result) -> None:
    before = sorted((path.name, path.stat().st_size) for path in result.path.iterdir())
    urlopen(f"{served.url}api/studies").read()
    assert sorted((path.name, path.stat().st_size) for path in result.path.iterdir()) == before


def test_it_serves_this_machine_alone(served: Dashboard) -> None:
    assert served.url.startswith("http://127.0.0.1:")
    with pytest.raises(HTTPError, match="403"):
        urlopen(Request(f"{served.url}api/studies", headers={"Host": "evil.example:80"}))


def test_a_port_that_is_taken_is_told(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = Shell(capsys)("dashboard", result.path, "--port", str(port))
    assert (ended.code, ended.out) == (2, "")
    assert f"--port {port}: " in ended.err
    assert "name another, or 0 for any" in ended.err
