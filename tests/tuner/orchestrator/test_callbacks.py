"""What a run in Python tells while it goes: a line on a terminal and in a notebook, nothing elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tuner.cli.commands.run import kept
from tuner.cli.progress import PlainProgress
from tuner.orchestrator.callbacks import RunCallback, TerminalCallback, default_callback
from tuner.orchestrator.live import LiveGeneration, LiveTrial
from tuner.records import Progress, Spent, Stage
from tuner.study import read_study

ROOT = Path(__file__).parents[3]
SCRIPT = """
import sys, tuner
asked = {"study": {"name": "t", "trials": 4}, "parameters": {"x": [1, 2, 3, 4]}}
result = tuner.run(asked, objective=lambda config: config["x"], jobs=1, home=sys.argv[1])
print(len(result.all_trials), "trials")
"""


def test_a_script_in_a_pipe_has_its_output_for_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert type(default_callback()) is RunCallback
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert type(default_callback()) is RunCallback
    monkeypatch.setenv("TERM", "xterm")
    callback = default_callback()
    assert isinstance(callback, TerminalCallback)
    callback.stage("search")
    callback.note("a \x1b[2Jwarning")
    callback.progress(Progress(8, 8, 0, {}, None, Spent(), begun=3))
    callback.stage("retry")
    callback.retrained(2, 2)
    callback.ended()
    said = capsys.readouterr().err
    assert "a  [2Jwarning\n" in said
    assert "8 of 8 trials, 3 more at a rung, 0 running" in said
    assert "training failed trials again: 2 of 2 trainings" in said
    assert said.endswith("\r\x1b[2K\r")


def test_a_script_on_a_terminal_shows_where_it_stands_and_leaves_nothing(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=follower, check=True, timeout=120
    )
    said = os.read(leader, 1 << 16).decode()
    for end in (leader, follower):
        os.close(end)
    assert ended.stdout == b"4 trials\n"
    assert "every trial runs to its end" in said
    assert "search" in said
    assert said.endswith("\r\x1b[2K\r")


def test_a_generation_in_flight_amounts_to_what_its_trials_have_trained() -> None:
    study = read_study({"study": {"name": "s", "objective": "a.b:c"}, "parameters": {"x": [1, 2]}}, needs_data=False)
    live = LiveGeneration(0, [LiveTrial(i, {}, {}) for i in range(16)], (Stage(1), Stage(4), Stage(16)))
    assert live.share(study) == 0.0
    shares = []
    for rung, going in enumerate((16, 4, 1)):
        for trial in live.trials[:going]:
            trial.rung = rung
            shares.append(live.share(study))
    assert shares == sorted(shares)
    assert shares[15] == pytest.approx(16 / 40)
    assert shares[-1] == 1.0
    assert len(live.begun) == 16


def test_one_that_is_interrupted_says_what_is_kept_of_the_generation_in_flight() -> None:
    own = read_study({"study": {"name": "s", "objective": "a.b:c"}, "parameters": {"x": [1, 2]}}, needs_data=False)
    callback = PlainProgress(own)
    assert kept(own, None) == kept(own, callback) == "what was finished is kept"
    callback.position.take(Progress(0, 64, 2, {}, None, Spent(), begun=7))
    assert kept(own, callback) == "what was finished is kept, 7 trials that have come to a rung"
    callback.position.take(Progress(32, 64, 2, {}, None, Spent(), begun=11))
    assert kept(own, callback) == "what was finished is kept, 32 trials and 11 more that have come to a rung"
