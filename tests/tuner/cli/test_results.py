"""Commands on studies that are there, against made-up ones: whole outputs, formats, files, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import tuner
from tests.support.command import Shell, made_up
from tests.support.trials import trial
from tuner.best import load_best
from tuner.cli import output
from tuner.cli.commands import rm
from tuner.cli.show import ending_of
from tuner.errors import NoResult
from tuner.ranking.table import csv_text
from tuner.report.page import sent
from tuner.result import Result
from tuner.store.directory import StudyDirectory
from tuner.store.ledger import Ledger
from tuner.views.sheet import FrameRows, Sheet, formatted, sheet_of

TOP = """\
RANK  CHECK                    SEARCH  TRIAL  OPTIMIZER  LR      MOMENTUM  BATCH  EPOCH  ACCURACY
1     0.03125 [0, 0.08614]     0.25    0      momentum   0.01    0.9       32     3      0.875
2     0.2812 [0.2264, 0.3361]  0.125   1      momentum   0.3333  0.95      32     4      0.9688
1=                             0.25    2      adam       0.001             16     4      0.9
"""
STEPS = (
    "equal epochs give small batches more steps: 6 an epoch at 16, 3 an epoch at 32; "
    "with --set train.steps=N all make as many\n"
)
BRACKETS = "in brackets: 95 % intervals for the value on new rows\n"
NOTES = f"`1=` not separable from rank 1 at the noise measured.\n{STEPS}{BRACKETS}"
SHOW = """\
small
  question     minimize valid_loss of an mlp on sklearn:iris in 4 epochs, seed 0
  trials       6 of 6: 3 complete, 1 pruned, 1 diverged, 1 failed
  best         trial 0, momentum: final valid_loss 0.04688 [0, 0.1018], in the search 0.25
  directory    {path}
  first error  trial 5: ValueError: no

checked on 3 fresh seeds and splits
in brackets: 95 % intervals for the value on new rows; that of test_loss for the mean over
retrainings on these rows (not what others would give)
RANK  TRIAL  OPTIMIZER  CHECK                    TEST LOSS       TEST ACCURACY            SEARCH RANK  SEARCH
1     0      momentum   0.03125 [0, 0.08614]     0.5 [0.5, 0.5]  0.9375 [0.7909, 0.9835]  2            0.25
2     1      momentum   0.2812 [0.2264, 0.3361]  0.5 [0.5, 0.5]  0.9375 [0.7909, 0.9835]  1            0.125

optimizers
OPTIMIZER  TRIALS  EPOCHS  COMPLETE  PRUNED  DIVERGED  FAILED  SEARCH  BEST TRIAL
momentum   5       11      2         1       1         1       0.25    0
adam       1       4       1         0       0         0       0.25    2
{steps}
findings
  1. 33 % of the trials diverged or failed (2 of 6), most with momentum. Look at how one of them
     ended.
     tuner show small/5
     cost: no training; gain: the reason
  2. The search was optimistic: its first, trial 1, had 0.125 there and 0.2812 on 3 fresh seeds.
     Quote the final value.
     tuner best small
     cost: no training; gain: a value that can be quoted
  3. 6 trials are few for 3 searched parameters: the best is partly luck. 30 make 10 a parameter.
     tuner run small -n 30
     cost: about 0.24 s of training; gain: what chance finds; the second half of the trials brought
     nothing
"""
TRIAL = """\
trial 0 of small: complete, trained to the end
  valid_loss  0.25 at epoch 3 of 4
  generation  0
  trained     4 epochs, 40 steps, 360 examples, 4 evaluations in 0.01 s
  check       0.03125 [0, 0.08614], rank 1
  final       0.04688 [0, 0.1018]

config
  optimizer     momentum
  lr            0.01
  momentum      0.9
  batch_size    32
  epochs        4
  schedule      constant
  model         mlp
  hidden        64
  activation    relu
  init          torch
  framework     torch
  weight_decay  0

learning curves, epochs 1 to 4
CURVE           EPOCH 1  EPOCH 3  LAST EPOCH  SHAPE
valid_loss      0.9      0.25     0.3         █▄▁▁
valid_accuracy  0.875    0.875    0.875       ▁▁▁▁
"""
ARGS = (
    "--optimizer momentum --lr 0.01 --momentum 0.9 --batch-size 32 --epochs 3 --schedule constant --model mlp "
    "--hidden 64 --activation relu --init torch --framework torch --weight-decay 0.0\n"
)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyDirectory:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return made_up(tmp_path)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], small: StudyDirectory) -> Shell:
    del small
    return Shell(capsys)


def test_top_is_a_table_with_what_it_hides_told_below(shell: Shell) -> None:
    ended = shell("top", "small")
    hidden = "weight_decay, beta1, beta2, eps, schedule, model, hidden, activation, init, framework, 18 more"
    assert (ended.code, ended.out, ended.err) == (0, TOP, f"{NOTES}columns left out: {hidden} (--all-columns)\n")


def test_top_can_be_cut_and_kept_to_one_optimizer(shell: Shell) -> None:
    assert [line.split()[0] for line in shell("top", "small", "-n", "2").out.splitlines()] == ["RANK", "1", "2"]
    adam = shell("top", "small", "--optimizer", "adam", "-f", "csv").out.splitlines()
    assert [line.split(",")[2] for line in adam[1:]] == ["2"]
    wrong = shell("top", "small", "--optimizer", "adm")
    said = "error: --optimizer 'adm': study 'small' does not have it; did you mean 'adam'?\n"
    assert (wrong.code, wrong.err) == (2, said)


def test_all_columns_shows_them(shell: Shell) -> None:
    ended = shell("top", "small", "--all-columns")
    assert {"WEIGHT_DECAY", "SEED", "SECONDS", "STABLE", "TIE"} <= set(ended.out.splitlines()[0].split())
    assert ended.err == NOTES


def test_formats_hold_every_column_exactly(shell: Shell, small: StudyDirectory) -> None:
    frame = Result(small).ranking()
    assert shell("export", "small").out == csv_text(frame)
    rows = csv.DictReader(io.StringIO(shell("top", "small", "-f", "csv").out))
    assert [float(row["lr"]) for row in rows] == frame["lr"].tolist()[:3]
    records = json.loads(shell("top", "small", "-f", "json").out)
    assert [record["lr"] for record in records] == [0.01, 1 / 3, 0.001]
    assert list(records[0]) == list(frame.columns)
    lines = shell("top", "small", "-f", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == records
    assert shell("top", "small", "-n", "1", "-f", "md").out.splitlines()[1].startswith("| --- | --- |")


def test_files_take_their_format_from_the_suffix(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "top.csv"
    ended = shell("top", "small", "-o", file)
    assert (ended.code, ended.out, ended.err) == (0, "", f"wrote {file}\n")
    assert file.read_text(encoding="utf-8") == shell("top", "small", "-f", "csv").out
    shell("top", "small", "-o", tmp_path / "top.txt")
    assert (tmp_path / "top.txt").read_text(encoding="utf-8") == TOP
    shell("top", "small", "-o", tmp_path / "top.data", "-f", "json")
    assert len(json.loads((tmp_path / "top.data").read_text(encoding="utf-8"))) == 3
    missing = shell("top", "small", "-o", tmp_path / "no" / "top.csv")
    assert missing.code == 2
    assert missing.err.endswith("make it first\n")


@pytest.mark.parametrize("line", ["top small -f csv -o {}", "best small --to json -o {}", "report small -o {}"])
def test_what_a_link_leads_to_is_kept_without_force(line: str, shell: Shell, tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link"
    link.symlink_to(target)
    for old in (None, "", "old"):
        if old is not None:
            target.write_text(old, encoding="utf-8")
        ended = shell(*line.format(link).split())
        said = f"error: -o {link}: is a link to {target}; name that, or add --force to replace what it leads to\n"
        assert (ended.code, ended.err) == (2, said)
        assert (target.read_text(encoding="utf-8") if target.exists() else None) == old
    assert shell(*line.format(link).split(), "--force").code == 0
    assert link.is_symlink()
    assert len(target.read_text(encoding="utf-8")) > 100


@pytest.mark.slow
def test_a_report_and_its_figures_replace_nothing_of_others(
    shell: Shell, small: StudyDirectory, tmp_path: Path
) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "figures"
    page.write_text("mine", encoding="utf-8")
    ended = shell("report", "small", "-o", page)
    said = "is there already, and says something else; choose another name, or add --force to replace it"
    assert (ended.code, ended.err) == (2, f"error: -o {page}: {said}\n")
    assert page.read_text(encoding="utf-8") == "mine"
    folder.mkdir()
    (folder / "confirmation.svg").write_text("mine", encoding="utf-8")
    (tmp_path / "theirs").write_text("", encoding="utf-8")
    (folder / "optimizers.svg").symlink_to(tmp_path / "theirs")
    for name in ("confirmation", "optimizers"):
        ended = shell("report", "small", "--figures", folder, "--only", name)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"error: --figures {folder / name}.svg: is ")
    assert (folder / "confirmation.svg").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "theirs").read_text(encoding="utf-8") == ""
    assert shell("report", "small", "--figures", folder, "--only", "confirmation", "--force").code == 0
    assert shell("report", "small", "--figures", folder, "--only", "confirmation").code == 0  # it says the same
    assert "<svg" in (folder / "confirmation.svg").read_text(encoding="utf-8")
    assert shell("report", "small", "-o", page, "--force").code == 0
    assert shell("report", "small", "-o", page).code == 0
    assert shell("report", "small").code == shell("report", "small").code == 0  # the study's own


def test_a_study_file_is_not_written_through_a_link(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "link.toml").symlink_to(tmp_path / "elsewhere.toml")
    ended = shell("init", tmp_path / "link.toml")
    assert ended.code == 2
    assert "is there already" in ended.err
    assert not (tmp_path / "elsewhere.toml").exists()


@pytest.mark.parametrize("suffix", ["db", "log"])
def test_a_storage_of_optuna_is_not_made_through_a_link(suffix: str, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / f"link.{suffix}").symlink_to(tmp_path / "elsewhere")
    ended = shell("export", "small", "--to", "optuna", "--storage", tmp_path / f"link.{suffix}")
    assert ended.code == 2
    assert f"is a link to {tmp_path / 'elsewhere'}, which is not there" in ended.err
    assert not (tmp_path / "elsewhere").exists()


def test_pipes_are_written_to_and_never_replaced(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert shell("best", "small", "--to", "args", "-o", tmp_path / "pipe").code == 0
        assert os.read(reader, 4096).decode() == ARGS
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_show_a_study(shell: Shell, small: StudyDirectory) -> None:
    ended, steps = shell("show", "small"), STEPS.replace("--set ", "--set\n")
    assert (ended.code, ended.out, ended.err) == (0, SHOW.format(path=small.path, steps=steps), "")
    document = json.loads(shell("show", "small", "-f", "json").out)
    assert document["states"] == {"complete": 3, "pruned": 1, "diverged": 1, "failed": 1}
    assert document["best"]["trial"] == 0
    assert [row["trial"] for row in document["confirmation"]] == [0, 1]
    assert [row["report"] for row in document["confirmation"]] == [0.046875, None]
    keys = [row[0] for row in csv.reader(io.StringIO(shell("show", "small", "-f", "csv").out))]
    assert {"settings.train.epochs", "confirmation.0.mean", "optimizers.1.trials"} <= set(keys)


def test_show_a_trial(shell: Shell, small: StudyDirectory) -> None:
    for name in ("small/0", f"{small.path}/0"):
        ended = shell("show", name)
        assert (ended.code, ended.out, ended.err) == (0, TRIAL, "")
    assert "  error       ValueError: no\n" in shell("show", "small/5").out
    curves = shell("show", "small/0", "-f", "csv").out
    assert curves == "epoch,valid_loss,valid_accuracy\n1,0.9,0.875\n2,0.5,0.875\n3,0.25,0.875\n4,0.3,0.875\n"
    assert json.loads(shell("show", "small/0", "-f", "json").out)["curves"]["valid_loss"] == [0.9, 0.5, 0.25, 0.3]
    missing = shell("show", "small/99")
    assert (missing.code, missing.out) == (2, "")
    assert missing.err == "error: study 'small' has no trial 99; it has trials 0 to 5\n"
    named = shell("show", "small/first")
    assert (named.code, named.out) == (2, "")
    assert named.err == "error: tuner show small/first: a trial is a number, like small/0, but got 'first'\n"
    nowhere = shell("show", "nowhere/first")
    assert (nowhere.code, nowhere.err.startswith("error: no study 'nowhere/first' in ")) == (2, True)


def test_a_rank_says_which_trial_it_is_and_by_what(shell: Shell) -> None:
    assert shell("best", "small").err == ""
    second = shell("best", "small", "--rank", "2")
    assert "trial = 1\n" in second.out
    assert second.err == "rank 2 by the checks: trial 1, number 1 of the search\n"
    third = shell("best", "small", "--rank", "3").err
    assert third == "rank 3: trial 2, by its value in the search; confirmed ones, if there are any, go before it\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("smal", "did you mean 'small'?"), ("samll", "did you mean 'small'?"), ("smalgrid", "choose one of: small")],
)
def test_a_name_far_from_all_others_is_not_guessed(shell: Shell, name: str, hint: str) -> None:
    ended = shell("show", name)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.rstrip().endswith(f"; {hint}")


def test_a_trial_that_stopped_early_says_so() -> None:
    early = trial(0, curve=[0.5, 0.6, 0.6], epochs=3, patience=2)
    assert ending_of(replace(early, config={**early.config, "epochs": 9})) == (
        "stopped after 2 epochs without a better validation loss"
    )
    assert ending_of(early) == ending_of(trial(1)) == "trained to the end"


def test_best_is_the_confirmed_best_in_three_forms(shell: Shell, tmp_path: Path) -> None:
    assert shell("best", "small", "--to", "args").out == ARGS
    toml = shell("best", "small")
    assert (toml.code, toml.err) == (0, "")
    document = tomllib.loads(toml.out)
    assert (document["trial"], document["config"]["lr"]) == (0, 0.01)
    assert json.loads(shell("best", "small", "--to", "json").out) == document
    assert tomllib.loads(shell("best", "small", "--rank", "2").out)["trial"] == 1
    assert tomllib.loads(shell("best", "small", "--optimizer", "adam").out)["trial"] == 2
    shell("best", "small", "-o", tmp_path / "best.toml")
    assert load_best(tmp_path / "best.toml")["momentum"] == 0.9


def test_a_rank_that_is_not_there_ends_with_3(shell: Shell) -> None:
    ended = shell("best", "small", "--rank", "4")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("error: study 'small' has 3 complete trials, so there is no rank 4; ")


def test_an_optimizer_that_is_not_there_is_named_in_python_too(small: StudyDirectory) -> None:
    with pytest.raises(NoResult, match=r"study 'small' does not have optimizer 'adamx'; did you mean 'adam'\?"):
        tuner.open("small", home=small.path.parent).best(optimizer="adamx")


def test_a_study_without_complete_trials_ends_with_3(shell: Shell, small: StudyDirectory) -> None:
    small.ledger.unlink()
    with Ledger.create(small.ledger, {"task": "multiclass"}):
        pass
    for args in (("best", "small"), ("top", "small"), ("export", "small", "--what", "config")):
        ended = shell(*args)
        assert (ended.code, ended.out) == (3, ""), args
        assert ended.err.count("\n") == 1
    assert "  best       no complete trial yet\n" in shell("show", "small").out
    assert shell("export", "small").code == 0


def test_exports(shell: Shell) -> None:
    curves = shell("export", "small", "--what", "curves").out.splitlines()
    assert curves[:2] == ["trial,replicate,epoch,metric,value,optimizer", "0,0,1,valid_loss,0.9,momentum"]
    assert len(curves) == 1 + 3 * 8 + 3
    runs = shell("export", "small", "--what", "confirmations").out.splitlines()
    assert runs[:2] == [
        "trial,replicate,state,epoch,valid_loss,test_loss,test_accuracy,seconds",
        "0,1,complete,3,0.015625,0.5,0.9375,0.01",
    ]
    config = dict(csv.reader(io.StringIO(shell("export", "small", "--what", "config").out)))
    assert (config["config.optimizer"], config["config.lr"]) == ("momentum", "0.01")


def test_list_says_the_same_from_the_files_as_from_the_ledger(shell: Shell, small: StudyDirectory) -> None:
    slow = shell("list", "-f", "json")
    small.ranking.write_text(csv_text(Result(small).ranking()), encoding="utf-8")
    small.best.write_text(shell("best", "small").out, encoding="utf-8")
    fast = shell("list", "-f", "json")
    (before,), (after,) = (json.loads(ended.out) for ended in (slow, fast))
    assert before.pop("age") >= 0
    assert after.pop("age") >= 0
    assert before == after
    assert (
        after | {"name": "small", "trials": 6, "planned": 6, "complete": 3, "best": 0.25, "confirmed": 0.046875}
        == after
    )


def test_list_is_a_table_and_goes_on_past_a_damaged_study(shell: Shell, small: StudyDirectory) -> None:
    os.utime(small.ledger, (0, 0))
    broken = small.path.with_name("broken")
    broken.mkdir()
    (broken / "ledger.db").write_text("no", encoding="utf-8")
    ended = shell("list")
    assert ended.code == 0
    head, row = ended.out.splitlines()
    assert head.split() == [
        "NAME",
        "TRIALS",
        "SEARCH",
        "FINAL",
        "AGE",
        "COMPLETE",
        "PRUNED",
        "DIVERGED",
        "FAILED",
        "METRIC",
    ]
    assert row.split()[:4] == ["small", "6", "0.25", "0.04688"]
    assert row.split()[-6:] == ["d", "3", "1", "1", "1", "valid_loss"]
    assert ended.err.startswith("warning: broken: cannot be read: ")


def test_list_of_nothing(shell: Shell, tmp_path: Path) -> None:
    ended = shell("list", "--home", tmp_path / "none")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.endswith("; `tuner run FILE` makes one, `tuner init` writes a FILE\n")
    assert shell("list", "--home", tmp_path / "none", "-f", "json").out == "[]\n"


@pytest.mark.parametrize("command", ["show", "top", "best", "export", "rm"])
def test_an_unknown_study_ends_with_2_and_the_nearest_name(shell: Shell, command: str, tmp_path: Path) -> None:
    ended = shell(command, "smal")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"error: no study 'smal' in {tmp_path}; did you mean 'small'?\n"


def test_rm_asks_and_does_not_remove_where_nobody_can_be_asked(
    shell: Shell, small: StudyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = shell("rm", "small")
    assert ended.code == 2
    assert "add --yes to remove" in ended.err
    monkeypatch.setattr(rm.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(rm.click, "confirm", lambda *_, **__: False)
    kept = shell("rm", "small")
    assert (kept.code, kept.err) == (0, "nothing was removed\n")
    assert small.exists
    assert shell("rm", "small", "--yes").code == 0
    assert not small.path.exists()


def test_rm_removes_a_study_that_is_kept_elsewhere(shell: Shell, small: StudyDirectory, tmp_path: Path) -> None:
    elsewhere = small.path.rename(tmp_path / "elsewhere")
    small.path.symlink_to(elsewhere, target_is_directory=True)
    assert shell("rm", "small", "--yes").code == 0
    assert list(tmp_path.iterdir()) == []


def test_rm_leaves_a_study_that_is_running(shell: Shell, small: StudyDirectory) -> None:
    with small.lock():
        ended = shell("rm", "small", "--yes")
    assert ended.code == 1
    assert f"process {os.getpid()}" in ended.err
    assert small.exists


def test_text_from_a_study_cannot_steer_the_terminal(shell: Shell, tmp_path: Path) -> None:
    made_up(tmp_path, "evil", error="\x1b[2J\x1b]0;owned\x07\u202egone")
    for args in (("show", "evil"), ("show", "evil/5"), ("show", "evil", "-f", "json"), ("export", "evil", "-f", "csv")):
        ended = shell(*args)
        assert ended.code == 0
        assert not {"\x1b", "\x07", "\u202e"} & set(ended.out + ended.err), args


def test_a_terminal_gets_a_bold_head_and_only_columns_that_fit(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert shell("top", "small").out.startswith("\x1b[1mRANK")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    ended = shell("top", "small")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "too wide for this window: epoch, valid_accuracy (--all-columns)\n" in ended.err


@pytest.mark.parametrize("args", [("list",), ("compare", "small", "--by", "optimizer"), ("compare", "small", "small")])
def test_lists_and_comparisons_fit_80_columns(
    shell: Shell, small: StudyDirectory, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    assert small.path.exists()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    ended = shell(*args)
    assert ended.code == 0
    head, *rows = ended.out.splitlines()
    assert "SEARCH" in head
    assert rows
    assert max(map(len, (ended.out + ended.err).splitlines())) <= 80


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_window_gets_the_confirmed_means_first_and_words_to_its_edge(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    whole = shell("show", "small")
    assert whole.err == ""
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    ended = shell("show", "small")
    lines = ended.out.splitlines()
    head = next(line for line in lines if line.startswith("RANK"))
    assert "CHECK" in head or columns < 50
    first = next(i for i, line in enumerate(lines) if line.startswith("  1. "))
    told = [line for line in lines[first:] if not line.strip().startswith("tuner ")]
    assert max(map(len, told)) <= columns
    assert " ".join(ended.out[ended.out.index("  1. ") :].split()) == " ".join(
        whole.out[whole.out.index("  1. ") :].split()
    )
    left = ended.err.removeprefix("too wide for this window: ").removesuffix(" (--all-columns)\n").split(", ")
    every = ["check", "test loss", "test accuracy", "search rank", "search"]
    hidden = [name for name in every if name.upper() not in re.split(r"  +", head)]
    assert hidden
    assert left[: len(hidden)] == hidden
    assert shell("show", "small", "--all-columns").err == ""


def test_best_is_code_for_four_frameworks(shell: Shell, tmp_path: Path) -> None:
    said = {"torch": "torch.optim.SGD", "keras": "keras.optimizers.SGD", "optax": "optax.trace", "sklearn": "MLPClass"}
    for framework, call in said.items():
        ended = shell("best", "small", "--to", framework)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith("# Trial 0 of study 'small': valid_loss 0.25 in the search, confirmed 0.0")
        assert call in ended.out
        compile(ended.out, framework, "exec")
    file = tmp_path / "train.py"
    assert shell("best", "small", "--to", "torch", "-o", file).err == f"wrote {file}\n"
    assert file.read_text(encoding="utf-8") == shell("best", "small", "--to", "torch").out
    which = shell("best", "small", "-o", tmp_path / "other.py")
    assert (which.code, which.out) == (2, "")
    assert which.err.endswith("which framework's code? add --to torch, keras, optax, sklearn\n")
    file.write_text("mine", encoding="utf-8")
    taken = shell("best", "small", "--to", "torch", "-o", file)
    assert (taken.code, file.read_text(encoding="utf-8")) == (2, "mine")
    assert "add --force to replace it" in taken.err
    assert shell("best", "small", "--to", "torch", "-o", file, "--force").code == 0


def test_what_a_framework_cannot_do_is_said_and_the_nearest_had(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.best.differences.TOLERANCE", 0.0)
    refused = shell("best", "small", "--optimizer", "adam", "--to", "keras")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(
        "error: Keras cannot make the steps of this adam, tuned as PyTorch's: the divisor is "
    )
    assert refused.err.endswith("--nearest), or tune with its rules: --set train.framework=keras --name NEW\n")
    near = shell("best", "small", "--optimizer", "adam", "--to", "keras", "--nearest")
    assert near.code == 0
    assert near.err.startswith("warning: Keras cannot make the steps of this adam")
    assert "# NOT the tuned steps, but the nearest: " in near.out


def test_rows_of_a_large_frame_are_made_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.views.sheet.BLOCK", 3)
    frame = pd.DataFrame({"a": range(8), "b": [None, *"bcdefgh"], "c": [float("nan"), *map(float, range(7))]})
    lazy, whole = FrameRows(frame), sheet_of(frame).rows
    assert list(lazy) == list(lazy) == list(whole)
    assert (len(lazy), lazy[0], lazy[-1], lazy[2:5]) == (8, (0, None, None), (7, "h", 6.0), tuple(whole[2:5]))
    sheet = Sheet(("a", "b", "c"), lazy)
    assert formatted(sheet, "csv") == formatted(replace(sheet, rows=tuple(lazy)), "csv")


@pytest.mark.parametrize(
    ("rows", "columns", "wanted"), [(10, 5, 10), (9000, 5, 4000), (9000, 200, 1000), (400, 999, 400)]
)
def test_a_page_holds_no_more_than_it_can_show(rows: int, columns: int, wanted: int) -> None:
    frame = pd.DataFrame({"rank": range(rows), **{f"c{i}": 0 for i in range(columns - 1)}})
    kept = sent(frame)
    assert len(kept) == wanted
    assert kept["rank"].is_monotonic_increasing
    assert list(kept["rank"][: wanted // 2]) == list(range(wanted // 2))
    assert kept["rank"].iloc[-1] == rows - 1
