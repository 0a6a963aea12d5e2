"""`tuner init --from-command`: options and numbers of a program, and the study that is drafted from them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.support.command import Shell
from tuner.study import read_study
from tuner.trainables.programs.option_list import (
    ProgramOption,
    constants_to_tune,
    merged_options,
    options_of_help,
    options_of_source,
    range_of,
)
from tuner.trainables.programs.printed_numbers import epoch_among, goal_among, numbers_in

ARGPARSE = """usage: train.py [-h] [--lr LR]

options:
  -h, --help            show this help message and exit
  --lr LR               rate (default: 0.001)
  -b N, --batch-size N  rows of a batch (default: 64)
  --opt {sgd,adam}      (default: sgd)
  --weight-decay WD
                        decay of the weights (default: 1e-4)
  --amp                 mixed precision
"""
CLICK = """Usage: train.py [OPTIONS]

Options:
  --lr FLOAT           Rate.  [default: 0.1]
  --depth INTEGER      [default: 3; required]
  --model [a|b]        [default: a]
  --amp / --no-amp
  --help               Show this message and exit.
"""
SOURCE = """
p.add_argument("--lr", type=float, default=1)
p.add_argument("-d", "--drop", default=0.1)
p.add_argument("--fast", action="store_true")
p.add_argument("--opt", choices=["a", "b"], default="a")
"""


def test_options_of_help_are_read() -> None:
    assert options_of_help(ARGPARSE) == [
        ProgramOption("--lr", "float", 0.001),
        ProgramOption("--batch-size", "int", 64),
        ProgramOption("--opt", "text", "sgd", ("sgd", "adam")),
        ProgramOption("--weight-decay", "float", 1e-4),
        ProgramOption("--amp", "flag", False),
    ]
    assert options_of_help(CLICK) == [
        ProgramOption("--lr", "float", 0.1),
        ProgramOption("--depth", "int", 3),
        ProgramOption("--model", "text", "a", ("a", "b")),
        ProgramOption("--amp", "flag", False),
    ]
    boost = "  -l, --learning_rate arg      Set it (type: float,\n" + " " * 30 + "default: 0.5, choices {a, b})\n"
    assert options_of_help(boost) == [ProgramOption("--learning_rate", "float", 0.5)]
    assert options_of_help("Training for --lr 3 epochs") == []


def test_a_source_completes_what_help_leaves_out() -> None:
    declared = options_of_source(SOURCE)
    assert declared == [
        ProgramOption("--lr", "float", 1.0),
        ProgramOption("--drop", "float", 0.1),
        ProgramOption("--fast", "flag", False),
        ProgramOption("--opt", "text", "a", ("a", "b")),
    ]
    assert merged_options(options_of_help("  --lr LR\n  --new N\n"), declared) == [
        ProgramOption("--lr", "float", 1.0),
        ProgramOption("--new", ""),
    ]
    assert options_of_source("def broken(") == []


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (ProgramOption("--lr", "float", 0.01), ({"low": 0.001, "high": 0.1, "log": True}, True)),
        (ProgramOption("--weight_decay", "float", 0.0), None),
        (ProgramOption("--dropout", "float", 0.0), ({"low": 0.0, "high": 0.5}, True)),
        (ProgramOption("--momentum", "float", 0.9), ({"low": 0.0, "high": 0.99}, True)),
        (ProgramOption("--batch-size", "int", 64), ([32, 64, 128], True)),
        (ProgramOption("--hidden", "int", 64), ({"low": 32, "high": 128}, True)),
        (ProgramOption("--other", "float", 3.0), ({"low": 1.0, "high": 9.0, "log": True}, False)),
        (ProgramOption("--opt", "text", "a", ("a", "b")), (["a", "b"], False)),
        (ProgramOption("--amp", "flag", False), ([False, True], False)),
        (ProgramOption("--seed", "int", 5), None),
        (ProgramOption("--log-interval", "int", 5), None),
        (ProgramOption("--num_workers", "int", 5), None),
        (ProgramOption("--text", "text", "x"), None),
    ],
)
def test_a_range_lies_around_the_default(option: ProgramOption, values: object) -> None:
    assert range_of(option) == values


def test_constants_are_numbers_that_are_given_once() -> None:
    text = "LR = 0.1\nN = 3\nN = 4\nname = 'x'\nflag = True\nhalf = LR / 2\n"
    assert constants_to_tune(text) == [ProgramOption("LR", "float", 0.1)]


@pytest.mark.parametrize(
    ("lines", "epoch", "goals"),
    [
        (["step 0: train loss 2.0, val loss 2.5", "step 9: train loss 1.0, val loss 2"], "step", ["val loss"]),
        (["Epoch 1/9", "loss: 0.5 - val_accuracy: 0.5", "Epoch 2/9"], "Epoch", ["val_accuracy", "loss"]),
        (["{'epoch': 1, 'eval_loss': 0.3}"], "epoch", ["eval_loss"]),
        (["epoch=1 train_loss=.5 test_acc=93.5%"], "epoch", ["test_acc", "train_loss"]),
        (["\repoch 1:  50% loss=9\repoch 1: 100% loss=1.5e-3"], "epoch", ["loss"]),
        (["power_t = 0.5", "average loss = 0.3", "best constant's loss = 0.7"], None, ["average loss"]),
        (["took 3ms at 10MB", "nothing"], None, []),
    ],
)
def test_numbers_that_look_like_a_goal_are_found(lines: list[str], epoch: str | None, goals: list[str]) -> None:
    numbers = numbers_in(lines)
    counted = epoch_among(numbers)
    assert (counted.name if counted else None) == epoch
    assert [number.name for number, _ in goal_among(numbers)][: len(goals)] == goals


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


PROGRAM = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=6e-4)
p.add_argument("--opt", choices=["adamw", "sgd"], default="adamw")
a = p.parse_args()
for it in range(0, 2001, 250):
    print(f"step {it}: train loss {1 + a.lr}, val loss {2 / (1 + it)}")
"""


def test_a_study_is_drafted_that_reads(shell: Shell) -> None:
    Path("train.py").write_text(PROGRAM)
    ended = shell("init", "nano.toml", "--from-command", f"{sys.executable} train.py")
    assert ended.code == 0, ended.err
    assert "once, for 20 s at most" in ended.err
    assert "val loss: 2, 0.00796813, 0.00399202, ...  looks like a goal to minimize" in ended.err
    study = read_study("nano.toml")
    assert study.custom is not None
    assert study.custom.command == (sys.executable, "train.py", "--lr={lr}")
    assert (study.metric, list(study.custom.parameters)) == ("val_loss", ["lr"])
    text = Path("nano.toml").read_text()
    assert '# opt = ["adamw", "sgd"]  # default adamw; add "--opt={opt}" to the command' in text
    assert "# steps = 2000  # of a whole training\n# [search]\n# rungs = [250, 1000]" in text
    assert shell("check", "--repeat", "2", "nano.toml").code == 0


def test_a_script_of_constants_has_them_tuned(shell: Shell) -> None:
    Path("train.py").write_text("LR = 0.01\nfor e in (1, 2): print(f'epoch {e}: acc={LR * e}')\n")
    assert shell("init", "c.toml", "--from-command", f"{sys.executable} train.py").code == 0
    study = read_study("c.toml")
    assert (study.run.constants, str(study.direction), study.metric) == ("train.py", "maximize", "acc")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('size: 3')", "nothing that the program printed in .* looks like a goal; its numbers: size"),
        ("raise SystemExit('no data')", "the program exited with 1: no data; let it run first"),
    ],
)
def test_a_program_that_says_no_goal_is_told(shell: Shell, code: str, said: str) -> None:
    Path("train.py").write_text(code)
    ended = shell("init", "c.toml", "--from-command", f"{sys.executable} train.py")
    assert ended.code == 2
    assert re.search(said, ended.err), ended.err
    assert not Path("c.toml").exists()


def test_a_long_run_is_ended(shell: Shell) -> None:
    Path("train.py").write_text("import time\nLR = 0.1\nwhile True:\n    print('loss: 0.5')\n    time.sleep(0.05)\n")
    ended = shell("init", "c.toml", "--from-command", f"{sys.executable} train.py", "--seconds", "1")
    assert (ended.code, "it was ended after" in ended.err) == (0, True)
    assert "and was ended then" in Path("c.toml").read_text()


def test_what_does_not_go_together_is_said(shell: Shell) -> None:
    ended = shell("init", "c.toml", "--from-command", "x", "--from-optuna", "y:z")
    assert (ended.code, "--from-optuna and --from-command exclude each other" in ended.err) == (2, True)
    ended = shell("init", "c.toml", "--from-command", "no-such-program x")
    assert (ended.code, "there is no program 'no-such-program'" in ended.err) == (2, True)
