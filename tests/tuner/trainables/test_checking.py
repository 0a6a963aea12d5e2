"""Studies of one's own code before they run: checked and rehearsed without a call, repeated with two."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

import tuner
from tests.support.command import Shell

STUDY = """
[study]
name = "own"
objective = "{name}.py:train"
trials = 4
minimize = "loss"

[parameters]
x = {{ low = 0.1, high = 1.0 }}

[train]
epochs = 9
"""


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line, in this process."""
    return Shell(capsys)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place for a study and its code, in which commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(place: Path, name: str, body: str) -> None:
    (place / f"{name}.py").write_text(textwrap.dedent(body), encoding="utf-8")
    (place / "own.toml").write_text(STUDY.format(name=name), encoding="utf-8")


STEADY = """
def train(config, run):
    for epoch in range(run.start + 1, run.stop + 1):
        run.report(epoch, loss=config["x"] + run.seed / epoch)
"""
RANDOM = """
import random

def train(config, run):
    for epoch in range(run.start + 1, run.stop + 1):
        run.report(epoch, loss=random.SystemRandom().random())
"""


def test_a_check_imports_no_code(written: Path, shell: Shell) -> None:
    write(written, "imported", "raise SystemExit('imported')")
    ended = shell("check", "own.toml")
    assert ended.code == 0
    assert 'objective = "imported.py:train"' in ended.out
    assert "it was not looked at" in ended.err


def test_a_rehearsal_says_what_the_search_takes(written: Path, shell: Shell) -> None:
    write(written, "steady", STEADY)
    ended = shell("run", "own.toml", "--dry-run")
    assert ended.code == 0
    assert "# 4 trials: about " in ended.out
    assert [f"# trial {n}: x = " in ended.out for n in range(4)] == [True, True, True, False]
    assert ended.out.count("# trial 0: ") == 1
    assert not (written / "runs").exists()


def test_what_follows_from_config_and_seed_repeats(written: Path, shell: Shell) -> None:
    write(written, "steady", STEADY)
    ended = shell("check", "--repeat", "3", "own.toml")
    assert (ended.code, "3 runs are the same, bit for bit: loss" in ended.out) == (0, True)


def test_what_does_not_is_told_with_the_epoch(written: Path, shell: Shell) -> None:
    write(written, "unsteady", RANDOM)
    ended = shell("check", "--repeat", "2", "own.toml")
    assert ended.code == 1
    assert "run 2 differs from run 1: loss at epoch 1 is " in ended.err


def test_what_is_kept_from_call_to_call_is_found_by_two_configs_in_one_worker(written: Path, shell: Shell) -> None:
    body = "COUNT = [0]\n\n\ndef train(config):\n    COUNT[0] += 1\n    return {'loss': config['x'] + COUNT[0]}\n"
    write(written, "counting", body)
    ended = shell("check", "--repeat", "2", "own.toml")
    assert ended.code == 1
    assert "a config differs by what its worker ran before: loss at epoch " in ended.err


@pytest.mark.parametrize("high", ["100000000000000000000", "9223372036854775808"])
def test_bounds_beyond_64_bits_are_refused(written: Path, shell: Shell, high: str) -> None:
    write(written, "steady", STEADY)
    text = (written / "own.toml").read_text(encoding="utf-8")
    (written / "own.toml").write_text(text.replace("low = 0.1, high = 1.0", f"low = 1, high = {high}"))
    ended = shell("check", "own.toml")
    assert (ended.code, f"parameters.x: {high} does not fit into 64 bits" in ended.err) == (2, True)


def test_an_import_that_hangs_is_ended_and_says_where(
    written: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.trainables.custom.introduction.LOADING", 1.5)
    write(written, "hanging", "import time\n\ntime.sleep(600)\n")
    ended = shell("run", "own.toml", "-j", "1")
    assert ended.code == 2
    assert "could not be imported: TimedOut: took longer than the limit of 1.5 s; it was at hanging.py:3" in ended.err


def test_a_word_of_a_command_may_be_longer_than_any_file_name(written: Path, shell: Shell) -> None:
    code = "print('{\"loss\": ' + str(float({x})) + '}')" + " # a long word" * 60
    text = STUDY.format(name="none").replace(
        'objective = "none.py:train"', f"command = ['{{python}}', '-c', '''{code}''']"
    )
    (written / "own.toml").write_text(text.replace("[train]\nepochs = 9\n", ""), encoding="utf-8")
    ended = shell("run", "own.toml", "-j", "1", "--no-confirm")
    assert (ended.code, "4 trials, 4 complete" in ended.out) == (0, True), ended.err


def test_a_confirmation_says_what_it_has_seen_where_there_are_no_test_metrics(written: Path, shell: Shell) -> None:
    write(written, "steady", STEADY)
    asked = [word for key in ("top=1", "seeds=2", "enabled=true") for word in ("--set", f"confirm.{key}")]
    ended = shell("run", "own.toml", "-j", "1", "-v", *asked)
    note = "the objective tells no test_* metrics: these are validation values, on the data of the search"
    assert f"chosen on 2 fresh seeds, reported on 2 more ({note})\n" in ended.out, ended.err
    assert "\n  objective " in ended.out
    assert "\n  data " not in ended.out


def test_what_python_gave_is_asked_for_in_one_sentence(written: Path, shell: Shell) -> None:
    asked = {"study": {"name": "own", "trials": 2}, "parameters": {"x": [1, 2]}}
    tuner.run(asked, objective=lambda config: config["x"], jobs=1)
    rows = np.arange(40.0)
    table = {"study": {"name": "rows", "trials": 2}, "optimizers": {"sgd": {}}, "train": {"epochs": 1}}
    tuner.run(table, data=(rows[:, None], rows), jobs=1, confirm=False)
    for name, given in {
        "own": "function given in Python; give it again",
        "rows": "data given in Python; give them",
    }.items():
        for words in ([name, "-n", "4"], [f"runs/{name}/study.toml", "--dry-run"]):
            ended = shell("run", *words)
            assert ended.code == 2
            assert given in ended.err
            assert f"tuner.run(tuner.open('{name}').study, " in ended.err
            assert ended.err.count("\n") == 1
    opened = tuner.open("rows").study
    assert len(tuner.run(opened, data=(rows[:, None], rows), trials=4, jobs=1, confirm=False).all_trials) == 4
