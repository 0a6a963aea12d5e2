"""A config that fails on a fresh seed: what is written can be read, and is called what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import tuner
from tests.support.command import Shell
from tuner.ranking.retrainings import report_seeds

CODE = """
def train(config, run):
    for epoch in range(run.start + 1, run.stop + 1):
        if run.seed == {lost}:
            raise ValueError("unlucky")
        more = {{"test_loss": 1.0}} if run.phase == "confirm" else {{}}
        run.report(epoch, valid_loss=config["x"] + run.seed / 1e6, **more)
"""
STUDY = """
[study]
name = "lost"
objective = "train.py:train"
trials = 3
[train]
epochs = 2
[parameters]
x = { low = 0.1, high = 1.0 }
[confirm]
top = 2
seeds = 2
"""


def test_the_best_failing_on_a_seed_that_reports_it_is_told_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    study, shell = Path("study.toml"), Shell(capsys)
    study.write_text(STUDY, encoding="utf-8")
    lost = report_seeds(tuner.read_study(study, needs_data=False))[1]
    Path("train.py").write_text(CODE.format(lost=lost), encoding="utf-8")
    ended = shell("run", study, "-j", "1")
    assert ended.code == 0
    assert "final   valid_loss none: it diverged or failed on a fresh seed" in ended.out
    best = tuner.load_best("runs/lost")
    assert best.confirmed
    assert str(best.interval) == "(nan, nan)"
    for command in ("list", "show lost", "top lost", "best lost", "export lost --what confirmations", "doctor lost"):
        ended = shell(*command.split())
        assert (ended.code, "cannot be read" in ended.err, "damaged" in ended.out) == (0, False, False)
