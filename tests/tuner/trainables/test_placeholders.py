"""Commands as people write them: formats, flags, lists, literal braces; lines that are counted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support.command import Shell
from tests.support.custom_objectives import write
from tuner.errors import GivenUp, StudyError
from tuner.placeholders import words_of
from tuner.study import read_study

KNOWN = {"lr": 0.12345, "nest": True, "hidden": [8, 16], "text": "", "a.b": 2}


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("--lr={lr:.3f}", ["--lr=0.123"]),
        ("{lr:.1e}", ["1.2e-01"]),
        ("--note={{lr}}", ["--note={lr}"]),
        ('{{"lr": 1}}', ['{"lr": 1}']),
        ('{"a": {"lr": {lr}}}', ['{"a": {"lr": 0.12345}}']),
        ("--nest={nest}", ["--nest=true"]),
        ("{nest:--nesterov}", ["--nesterov"]),
        ("{nest:--nesterov/--no-nesterov}", ["--nesterov"]),
        ("--hidden={hidden}", ["--hidden=[8,16]"]),
        ("--hidden={hidden:*}", ["--hidden", "8", "16"]),
        ("{hidden:*}", ["8", "16"]),
        ("--hidden={hidden:,}", ["--hidden=8,16"]),
        ("{text}", []),
        ("--text={text}", ["--text="]),
        ("{other}", []),
        ("x.{a.b}={a.b}", ["x.2=2"]),
        ("awk '{print $1}'", ["awk '{print $1}'"]),
    ],
)
def test_a_word_is_filled(word: str, words: list[str]) -> None:
    assert words_of(word, KNOWN) == words


def test_a_flag_that_is_off_is_left_out() -> None:
    known = {"nest": False}
    assert words_of("{nest:--nesterov}", known) == []
    assert words_of("{nest:--nesterov/--no-nesterov}", known) == ["--no-nesterov"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{lr}", "{n}", "{kinds:.2f}"], r"\{kinds:\.2f\} cannot be written of 'a': Unknown format code"),
        (["{lr}", "{kinds}", "{n:--flag}"], r"\{n:--flag\} is a flag, and n is not true or false"),
        (["{lr}", "{kinds}", "x{n:*}"], r"\{n:\*\} has to be a word of its own, or the value of --n="),
        (["{lr}", "{kinds}", "{m}"], r"\{m\} is neither a parameter .* \(for the text itself: \{\{m\}\}\)"),
    ],
)
def test_what_a_command_cannot_do_is_said_before_it_runs(words: list[str], said: str) -> None:
    space = {"lr": {"low": 0.1, "high": 1.0}, "n": [1, 2], "kinds": ["a", "b"]}
    with pytest.raises(StudyError, match=said):
        read_study({"study": {"command": [sys.executable, "-c", "pass", *words]}, "parameters": space})


def test_a_parameter_that_the_command_never_uses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    space = {"lr": {"low": 0.1, "high": 1.0}, "n": [1, 2], "fixed": 3, "kind": ["a", "b"]}
    space["depth"] = {"low": 1, "high": 9, "when": {"kind": ["a"]}}
    study = {"command": [sys.executable, "-c", "pass", "{lr}", "{depth}"]}
    text = read_study({"study": study, "parameters": space}).to_toml()
    Path("unused.toml").write_text(text, encoding="utf-8")
    ended = Shell(capsys)("check", "unused.toml")
    assert (ended.code, "# the command never uses n, which the study searches: add --n={n}, " in ended.err) == (0, True)


def asked(tmp_path: Path, code: str, *words: str, **tables: Any) -> dict[str, Any]:
    script = write(tmp_path, "script.py", f"import sys, time\n{code}")
    study = {"name": "command", "trials": 6, "command": [sys.executable, str(script), *words]}
    space = {"lr": {"low": 0.1, "high": 1.0}}
    return {"study": study, "parameters": space, "search": {"generation_size": 6}, **tables}


LINES = "for _ in range(9):\n    print('{\"valid_loss\": ' + sys.argv[1] + '}')\n    time.sleep(0.01)\n"


def test_lines_without_an_epoch_are_counted(tmp_path: Path) -> None:
    result = tuner.run(asked(tmp_path, LINES, "{lr}", train={"epochs": 9}), jobs=1, home=tmp_path / "runs")
    assert {(trial.state, trial.epochs) for trial in result.all_trials} == {("complete", 9), ("pruned", 3)}
    one = "print('{\"valid_loss\": ' + sys.argv[1] + '}')"
    study = asked(tmp_path, one, "{lr}", "{epochs}", train={"epochs": 9}) | {}
    study["study"]["name"] = "alone"
    alone = tuner.run(study, jobs=1, home=tmp_path / "runs")
    assert {(trial.state, trial.epochs) for trial in alone.all_trials} == {("complete", 9), ("pruned", 3)}


@pytest.mark.slow
def test_what_is_not_flushed_is_seen_in_time(tmp_path: Path) -> None:
    """The program would go on for minutes after the rung, and is ended there."""
    code = 'for e in range(1, 10):\n    print(\'{"epoch": %d, "valid_loss": %s}\' % (e, sys.argv[1]))\n'
    code += "    time.sleep(0 if e <= 3 else 200)\n"
    study = asked(tmp_path, code, "{lr}", train={"epochs": 9}, search={"generation_size": 6, "rungs": [3]})
    study |= {"limits": {"seconds_per_trial": 20}, "stop": {"epochs": 1}}
    result = tuner.run(study, jobs=2, home=tmp_path / "runs")
    assert [trial.state for trial in result.all_trials].count("pruned") == 4


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        ("print('no metric')", ["{lr}"], "the command printed no line with valid_loss"),
        (
            "import argparse\np = argparse.ArgumentParser()\np.parse_args()",
            ["--lr={lr}"],
            "unrecognized arguments: --lr=",
        ),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', action='store_true')\n"
            "p.parse_args()",
            ["--lr={lr}"],
            "ignored explicit argument .*; a flag without a value is written as a word {name:--name}",
        ),
    ],
)
def test_what_no_config_mends_ends_after_the_first_trial(
    tmp_path: Path, code: str, words: list[str], said: str
) -> None:
    study = asked(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'a').write('x')\n{code}", *words)
    study["study"]["trials"] = 40
    with pytest.raises(GivenUp, match=rf"trial 0 failed with .*{said}.*no other config would mend that") as caught:
        tuner.run(study, jobs=1, home=tmp_path / "runs")
    assert "\n" not in str(caught.value)
    assert len((tmp_path / "ran").read_text()) <= 3


def test_the_best_is_the_commands_own_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "print('{\"valid_loss\": ' + sys.argv[1].partition('=')[2] + '}')"
    study = asked(tmp_path, code, "--lr={lr:.2f}", "--trial={trial}", "--seed={seed}")
    result = tuner.run(study, jobs=1, home=tmp_path / "runs")
    ended = Shell(capsys)("best", "command", "--to", "args", "--home", str(tmp_path / "runs"))
    best = result.best()
    assert ended.out.split()[2:] == [f"--lr={best['lr']:.2f}", f"--trial={best.trial}", "--seed=0"]
