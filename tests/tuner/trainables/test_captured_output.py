"""What trials of one's own code print: kept for each of them, of any length, and without any weight."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support.command import Shell
from tests.support.custom_objectives import write
from tests.tuner.trainables.test_objectives import command, study
from tuner.trainables.custom.captured_output import MOST


def given(train: Any, home: Path, **tables: Any) -> Any:
    """The result of a study of two trials, of a function."""
    asked = study("value", trials=2, **{"epochs": None, **tables})
    del asked["study"]["objective"]
    asked["parameters"] = {"n": [1, 2]}
    asked["search"]["sampler"] = "grid"
    return tuner.run(asked, objective=train, jobs=1, home=home)


def printed(home: Path, name: str) -> str:
    """What a trial has printed."""
    return (home / "own" / "output" / name).read_text(encoding="utf-8")


def talking(config: dict[str, Any]) -> float:
    """Speaks in every way."""
    print("to stdout", config["n"])
    print("to stderr", file=sys.stderr)
    os.write(1, b"past Python\n")
    warnings.warn("careful", stacklevel=1)
    if config["n"] == 2:
        raise ValueError("two is too many")
    return 0.5


def test_each_trial_keeps_what_it_prints_and_its_traceback(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = given(talking, tmp_path)
    assert [trial.state for trial in result.all_trials] == ["complete", "failed"]
    for number in (0, 1):
        text = printed(tmp_path, f"trial-{number}.txt")
        assert f"to stdout {number + 1}\nto stderr\npast Python\n" in text
        assert "UserWarning: careful" in text
        assert ("Traceback" in text) == (number == 1)
    # from their own code on, without the tuner's
    assert text.count("File ") == 1
    assert text.endswith("ValueError: two is too many\n")
    assert capfd.readouterr() == ("", "")


def test_of_a_long_output_the_end_is_kept(tmp_path: Path) -> None:
    def train(config: dict[str, Any]) -> float:
        print("x" * 1_000_000)
        print("the end")
        return 0.5

    given(train, tmp_path)
    text = printed(tmp_path, "trial-0.txt")
    assert text.startswith("... 934,473 bytes before this were left out\nxxx")
    assert text.endswith("x\nthe end\n")
    assert len(text) < MOST + 100


def test_one_that_prints_nothing_leaves_no_file(tmp_path: Path) -> None:
    given(lambda config: 0.5, tmp_path)
    assert list((tmp_path / "own" / "output").iterdir()) == []


def test_what_was_said_before_a_crash_is_kept(tmp_path: Path) -> None:
    def train(config: dict[str, Any]) -> float:
        print("going down")
        os.abort()

    with pytest.raises(tuner.errors.TunerError, match="died of SIGABRT"):
        given(train, tmp_path)
    assert "going down\nFatal Python error: Aborted" in printed(tmp_path, "trial-0.txt")


def epochs_of(start: int, stop: int) -> str:
    return "".join(f"epoch {epoch}\n" for epoch in range(start + 1, stop + 1))


def test_one_that_goes_on_prints_on_and_one_that_starts_over_anew(tmp_path: Path) -> None:
    def goes_on(config: dict[str, Any], run: Any) -> None:
        print(end=epochs_of(run.start, run.stop))
        run.report(run.stop, valid_loss=config["n"])

    def starts_over(config: dict[str, Any]) -> Iterator[float]:
        for epoch in range(27):
            print(end=epochs_of(epoch, epoch + 1))
            yield config["n"]

    for name, train in {"on": goes_on, "over": starts_over}.items():
        given(train, tmp_path / name, epochs=27)
        assert printed(tmp_path / name, "trial-0.txt") == epochs_of(0, 27)


def test_a_batch_has_one_output_and_a_confirmation_one_of_its_own(tmp_path: Path) -> None:
    def train(configs: list[dict[str, Any]]) -> list[float]:
        print(f"seed {configs[0]['seed']}")
        return [0.5] * len(configs)

    given(train, tmp_path, study={"batched": 2}, confirm={"top": 1, "seeds": 2})
    folder = tmp_path / "own" / "output"
    seeds = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert seeds["trial-0.txt"] == seeds["trial-1.txt"] == "seed 0"
    others = {name: said for name, said in seeds.items() if "-seed-" in name}
    assert len(others) == 4
    assert all(name == f"trial-0-{said.replace(' ', '-')}.txt" for name, said in others.items())


def test_a_command_keeps_all_but_its_metrics(tmp_path: Path) -> None:
    code = "print('warned', file=sys.stderr); print('begun'); print('{\"valid_loss\": 1}')"
    asked = command(tmp_path, "{lr}", code=code, study={"trials": 1}, search={"generation_size": 1})
    tuner.run(asked, jobs=1, home=tmp_path)
    assert sorted(printed(tmp_path, "trial-0.txt").split()) == ["begun", "warned"]


TALKING = """
def train(config):
    print("starting", end="\\r")
    print("one of", config["x"])
    if config["x"] > 1:
        raise RuntimeError(f"no memory for {config['x']}")
    return config["x"]
"""
STUDY = """
[study]
name = "own"
objective = "talking.py:train"
trials = 4

[parameters]
x = [1, 2, 3, 4]

[search]
sampler = "grid"
"""


def test_a_run_ends_with_what_failed_and_show_has_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(capsys)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "talking.py", TALKING)
    write(tmp_path, "own.toml", STUDY)
    ended = shell("run", "own.toml", "-j", "1")
    assert ended.code == 0
    failed = "3 of 4 trials failed: all of them alike, trial 0 with RuntimeError: no memory for 3 (talking.py:6)"
    assert f"{failed}; all of it: tuner show own/0; once mended: tuner run own --retry-failed\n" in ended.err
    page = shell("show", "own/0").out
    where = page.index("printed, the end of runs/own/output/trial-0.txt\n  one of 3\n  Traceback ")
    assert page[where:].endswith("\n  RuntimeError: no memory for 3\n")
    checked = shell("check", "--repeat", "2", "own.toml")
    assert "what it printed:\n  one of 2\n  Traceback " in checked.err
    assert "error: each run failed with RuntimeError: no memory for 2 (talking.py:6)\n" in checked.err
