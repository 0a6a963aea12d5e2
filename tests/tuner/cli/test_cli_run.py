"""`tuner run`: what it ends with, going on, settings, signals, progress."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from tests.support.command import Shell
from tests.support.trials import trial
from tuner.cli import output
from tuner.cli.commands import run
from tuner.cli.progress import LiveProgress, PlainProgress, bar, duration, in_one_line, progress_display
from tuner.records import Progress, Spent
from tuner.study import Study, read_study

ROOT = Path(__file__).parents[3]
TEXT = """\
[study]
trials = 6
[data]
source = "sklearn:iris"
[model]
hidden = [4]
[train]
epochs = 4
batch_size = [16, 32]
[confirm]
top = 2
seeds = 2
[optimizers.momentum]
[optimizers.adam]
"""


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("TUNER_HOME", "TUNER_TRIALS", "TUNER_SEED", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUNER_JOBS", "1")
    Path("tiny.toml").write_text(TEXT, encoding="utf-8")
    return Shell(capsys)


def numbers_out(text: str) -> str:
    """The text with every number as #, and columns one space apart."""
    return re.sub(r" +", " ", re.sub(r"-?\d[\d.]*(e-\d+)?", "#", text))


def test_run_ends_with_what_won_and_goes_on_by_file_and_name(shell: Shell) -> None:
    first = shell("run", "tiny.toml")
    assert first.code == 0
    head, conclusion, table, following = first.out.split("\n\n")
    assert head.startswith("tiny: 6 trials, ")
    assert re.match(r"won     (momentum|adam), lr \S+, .*batch_size \d+ \(trial \d, \d epochs\)\n", conclusion)
    assert re.search(r"\nfinal   valid_loss \S+ \[\S+, \S+\]; the search believed \S+\n", conclusion)
    assert re.search(r"\n        test_loss \S+ \[\S+, \S+\], test_accuracy \S+ \[\S+, \S+\]\n", conclusion)
    assert re.search(r"\ngain    .* the defaults of (momentum|adam)", conclusion)
    assert "\nsure    " in conclusion
    assert table.startswith("RANK  CHECK")
    assert re.search(r"^1 .* \d won", table, flags=re.MULTILINE)
    labels = [line[:7].strip() for line in following.splitlines()]
    assert [label for label in labels if label] == ["next:", "use:", "see:"]
    assert re.search(r"search: \d splits, check: those and \d fresh ones, final: 2 that chose nothing", first.err)
    assert max(map(len, first.out.splitlines())) <= 100
    stages = [
        line
        for line in first.err.partition("search: ")[0].splitlines()
        if line.endswith(("data", "searching", "seeds", "nothing", "results", "rows"))
    ]
    assert stages == [
        "reading the data",
        "searching",
        "confirming the best on fresh seeds",
        "training the best of them on more seeds, which chose nothing",
        "writing the results",
        "training the best on all rows",
    ]

    again = shell("run", "tiny")
    assert again.code == 0
    assert again.out.split("\n\n")[0].startswith("tiny was complete already: 6 trials, ")
    assert again.out.split("\n\n")[1:] == [conclusion, table, following]

    more = shell("run", "tiny", "-n", "7", "--no-confirm")
    assert more.out.startswith("tiny: 7 trials, ")

    changed = shell("run", "tiny.toml", "--seed", "3", "--set", "train.epochs=5")
    assert (changed.code, changed.out) == (2, "")
    lines = changed.err.splitlines()
    at = lines.index("error: study 'tiny' exists and asks another question:")
    assert "  study.seed: was 0, now 3" in lines[at:]
    assert "  train.epochs: was 4, now 5" in lines[at:]
    assert "--name" in lines[-1]

    other = shell("run", "tiny.toml", "--seed", "3", "--name", "other", "--no-confirm", "-n", "2")
    assert other.code == 0
    assert "\nsearch  valid_loss " in other.out
    assert "\nsure    not checked on fresh seeds" in other.out
    assert re.search(r"other +2 ", shell("list").out)
    anew = shell("run", "tiny.toml", "--fresh", "-n", "2")
    assert (anew.code, "the study that was there is moved to tiny.1\n" in anew.err) == (0, True)
    assert Path("runs/tiny.1/ledger.db").exists()


def test_verbose_adds_every_setting_the_model_the_cost_and_the_files(shell: Shell) -> None:
    first = shell("run", "tiny.toml", "-v")
    best, model, cost, files = first.out.split("\n\n")[4:]
    assert re.match(
        r"best config: trial \d, chosen on \d+ splits of the search and \d+ fresh ones, reported on 2 more\n"
        r"  optimizer +(mom|adam)",
        best,
    )
    assert re.search(r"  valid_loss +\S+ \[\S+, \S+\]   \(search: \S+\)\n  test_loss +\S+ \[\S+, \S+\]", best)
    shipped = r"model: 5 networks on 120 rows, all but the test rows\n  test_loss +\S+ \[\S+, \S+\]   \(a single one: "
    assert re.match(shipped, model)
    assert numbers_out(cost) == (
        "cost: # s\n start-up # s\n data # s\n search # s\n training # s, all workers together\n"
        " tuner's own # s, # ms a trial\n confirmation # s\n results # s\n refit # s"
    )
    names = "".join(f"  runs/tiny/{name}\n" for name in ("ranking.csv", "best.toml", "best.npz", "model"))
    assert files == f"files\n{names}"
    assert "columns left out: " in first.err
    assert "  search        nothing was left to do\n" in shell("run", "tiny", "--verbose").out


def test_the_end_of_a_run_fits_a_terminal_of_24_lines_and_80_columns(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    ended = shell("run", "tiny.toml")
    legend = ended.err[re.search(r"^search: \d splits, check", ended.err, flags=re.MULTILINE).start() :]
    printed = [*ended.out.splitlines(), *legend.splitlines()]
    assert len(printed) <= 24
    assert max(len(line) for line in printed if not line.startswith("next:")) <= 80
    assert "\x1b" not in ended.out


def test_a_terminal_shows_the_winner_in_colour(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = [line for line in shell("run", "tiny.toml").out.splitlines() if "\x1b[1;32m" in line]
    assert [re.sub(r"\x1b\[[\d;]*m", "", line).split()[0] for line in coloured] == ["won", "1"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("run", "nope.toml"), "nope.toml: there is no such file; choose one of: tiny.toml"),
        (("run", "nope"), "no study 'nope' in "),
        (("run", "tiny"), "did you mean `tuner run tiny.toml`?"),
        (("run", "tiny.toml", "-n", "0"), "study.trials: must be at least 1, but got 0"),
        (("run", "tiny.toml", "--name", "../x"), "study.name: '../x' cannot be the name of a directory"),
        (("run", "tiny.toml", "--set", "optimizers.adam.learning_rate=1"), "did you mean 'lr'?"),
        (("run", "tiny.toml", "--set", "train.batch_size=4000"), "4000 is above the 90 train rows"),
        (("run", "tiny.toml", "--set", "data.source=no.csv"), "'no.csv': there is no such file"),
        (("run", "tiny.toml", "--set", "study.minimize=val_loss"), "did you mean 'valid_loss'?"),
    ],
)
def test_bad_input_ends_with_2_and_writes_nothing(shell: Shell, args: tuple[str, ...], said: str) -> None:
    ended = shell(*args)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert [path.name for path in Path().iterdir()] == ["tiny.toml"]


def test_flags_go_before_variables_and_those_before_the_file(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_TRIALS", "9")

    def trials(*args: str) -> int:
        out = shell("run", "tiny.toml", "--dry-run", *args).out
        return int(re.findall(r"^trials = (\d+)$", out, re.MULTILINE)[0])

    assert trials() == 9
    assert trials("-n", "11") == 11
    assert trials("--set", "study.trials=12") == 12
    monkeypatch.delenv("TUNER_TRIALS")
    assert trials() == 6


def test_no_complete_trial_ends_with_3(shell: Shell) -> None:
    # a learning rate at which the loss overflows in the first epochs
    settings = [f"optimizers.{name}.lr=1e30" for name in ("momentum", "adam")]
    ended = shell("run", "tiny.toml", *(word for one in settings for word in ("--set", one)))
    assert ended.code == 3
    assert "error: all 6 trials of study 'tiny' diverged" in ended.err
    assert "\n  6 diverged: try smaller learning rates\n" in ended.err


def all_lost(shell: Shell, place: tuple[int, int], value: float) -> str:
    """What a study of 100 rows in their order ends with, of which one number is `value`; rows 60 to 79 validate."""
    numbers = np.random.default_rng(0).normal(size=(100, 3))
    numbers[place] = value
    frame = pd.DataFrame(numbers, columns=["a", "b", "y"]).assign(when=np.arange(100))
    frame.to_csv("far.csv", index=False)
    settings = ["data.source=far.csv", "data.target=y", 'data.split={order="when"}', "study.trials=24"]
    ended = shell("run", "tiny.toml", "--fresh", *(word for one in settings for word in ("--set", one)))
    assert ended.code == 3
    return ended.err


def test_trials_that_diverge_for_the_data_are_not_blamed_on_learning_rates(shell: Shell) -> None:
    target = all_lost(shell, (70, 2), 1e30)
    assert "target: 1e+30 in row 71, where half of the rows lie between " in target
    assert "24 diverged, as anything would: a constant prediction has a loss of " in target
    column = all_lost(shell, (70, 1), 1e30)
    assert "column 'b': 1e+30 in row 71, where half of the rows lie between " in column
    assert re.search(r"24 diverged, at learning rates down to \S+: look for numbers that lie far out", column)
    for said in (target, column):
        assert "try smaller" not in said


def test_a_slip_in_a_validation_target_stops_no_study(shell: Shell) -> None:
    numbers = np.random.default_rng(0).normal(size=(100, 3))
    numbers[70, 2] = 3.2e7
    pd.DataFrame(numbers, columns=["a", "b", "y"]).assign(when=np.arange(100)).to_csv("far.csv", index=False)
    settings = ["data.source=far.csv", "data.target=y", 'data.split={order="when"}']
    ended = shell("run", "tiny.toml", *(word for one in settings for word in ("--set", one)))
    assert ended.code == 0
    assert "target: 3.2e+07 in row 71, where half of the rows lie between " in ended.err


def test_what_has_no_learning_rate_is_not_told_to_lower_it(shell: Shell) -> None:
    Path("own.py").write_text("def train(config):\n    return float('nan')\n", encoding="utf-8")
    Path("own.toml").write_text(
        '[study]\ntrials = 3\nminimize = "loss"\nobjective = "own:train"\n[parameters]\nwidth = [1, 2, 3]\n'
    )
    ended = shell("run", "own.toml")
    assert ended.code == 3
    assert "3 diverged: their losses are no finite numbers; look at one of them: tuner show own/0" in ended.err


def test_the_command_that_goes_on_keeps_the_settings() -> None:
    given = {
        "trials": 5,
        "seed": None,
        "set": ("a.b=1", "c.d=x y"),
        "no-confirm": True,
        "home": Path("h"),
        "fresh": False,
    }
    said = run.command("my study.toml", given)
    assert said == "tuner run 'my study.toml' --trials 5 --set a.b=1 --set 'c.d=x y' --no-confirm --home h"


@pytest.mark.parametrize(
    ("number", "code", "word", "jobs"),
    [(signal.SIGINT, 130, "interrupted", "2"), (signal.SIGTERM, 143, "stopped", "1")],
)
def test_a_signal_stops_a_run_and_is_told_how_to_go_on(
    tmp_path: Path, number: int, code: int, word: str, jobs: str
) -> None:
    (tmp_path / "tiny.toml").write_text(TEXT, encoding="utf-8")
    command = [sys.executable, "-m", "tuner", "run", "tiny.toml", "-n", "100000", "-j", jobs, "--no-confirm"]
    # not a child of a shell that ignores interrupts
    start = f"import signal, os; signal.signal({int(signal.SIGINT)}, signal.default_int_handler); os.execv"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{start}({sys.executable!r}, {command!r})"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if re.match(r"\d+/100000 trials", line):
                break
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=60)  # a moment, as a rule; 100,000 trials take ten minutes
        finally:
            process.kill()
    assert (process.returncode, out) == (code, "")
    again = f"tuner run tiny.toml --trials 100000 --jobs {jobs} --no-confirm"
    assert f"{word}; what was finished is kept, this goes on: {again}" in err.splitlines()
    assert "Traceback" not in err


def small_study() -> Study:
    return read_study(
        {
            "study": {"name": "p"},
            "data": {"source": "sklearn:iris"},
            "optimizers": {"momentum": {"momentum": 0.9}, "adam": {}},
        }
    )


def standing(done: int, best: int | None = None, value: float = 0.25) -> Progress:
    """A search of 64 trials, `done` of them committed."""
    known = None if best is None else trial(best, value=value, optimizer="momentum", lr=1 / 3, batch_size=16)
    return Progress(done, 64, 8, {"complete": done // 4, "pruned": done - done // 4}, known, Spent(10.0, 9.0, 8.0))


def test_a_log_gets_new_bests_at_once_and_the_rest_every_30_s(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    callback = PlainProgress(small_study(), clock=lambda: now[0])
    callback.stage("search")
    for second, progress in enumerate([standing(0), standing(8, 3), standing(8, 3), standing(16, 9, 0.125)]):
        now[0] = float(second)
        callback.progress(progress)
    now[0] = 32.0
    callback.progress(standing(16, 9, 0.125))
    callback.progress(standing(16, 9, 0.125))
    now[0] = 62.5
    callback.progress(standing(32, 9, 0.125))
    best = "best valid_loss 0.125 (trial 9: momentum lr 0.3333 batch_size 16)"
    first = "best valid_loss 0.25 (trial 3: momentum lr 0.3333 batch_size 16)"
    assert capsys.readouterr().err.splitlines() == [
        "searching",
        f"8/64 trials (2 complete, 6 pruned), 8 a second, {first}",
        f"16/64 trials (4 complete, 12 pruned), 5.33 a second, {best}",
        f"32/64 trials (8 complete, 24 pruned), 0.512 a second, {best}",
    ]


def test_the_first_that_is_known_has_no_rate_yet(capsys: pytest.CaptureFixture[str]) -> None:
    PlainProgress(small_study(), clock=lambda: 0.0).progress(standing(8, 3))
    assert "8/64 trials (2 complete, 6 pruned), best valid_loss 0.25" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_live_block_fits_the_window_and_leaves_nothing(columns: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=columns, height=24, highlight=False)
    callback = LiveProgress(small_study(), console)
    callback.stage("search")
    callback.progress(standing(0))
    callback.progress(standing(16, 9))
    block = callback.block().plain.splitlines()
    callback.close()
    assert max(map(len, block)) <= columns
    assert block[0] == "p: searching"
    assert "16/64" in block[1]
    assert block[2][:40] == "running 8  complete 4  pruned 12  diverged 0  failed 0"[:40]
    assert block[3].startswith("best valid_loss 0.25  trial 9, 0 s ago")
    assert block[4].startswith("     momentum lr 0.3333 batch_size 16"[:columns])
    assert block[5] == "tuner's own time 10%, 62.5 ms a trial"
    # the cursor is shown again, and as many lines are erased as the last block had
    last = stream.getvalue().rpartition("\x1b[?25h")[2]
    assert last == "\r" + "\x1b[1A\x1b[2K" * len(block)


def test_a_pipe_or_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    with progress_display(small_study()) as callback:
        assert isinstance(callback, PlainProgress)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    with progress_display(small_study()) as callback:
        assert isinstance(callback, PlainProgress)
    monkeypatch.setenv("TERM", "xterm")
    with progress_display(small_study()) as callback:
        assert isinstance(callback, LiveProgress)


def test_only_searched_settings_are_told() -> None:
    one = trial(1, optimizer="momentum", lr=0.5, momentum=0.9, weight_decay=0.0, batch_size=64, hidden=[64])
    asked = {"study": {"name": "q"}, "data": {"source": "sklearn:iris"}, "model": {"hidden": [[64], [32, 8]]}}
    study = read_study({**asked, "optimizers": {"momentum": {"momentum": 0.9}}, "train": {"batch_size": [32, 64]}})
    assert in_one_line(study, one) == "momentum lr 0.5 batch_size 64 hidden 64"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "--"), (0.4, "0 s"), (59.4, "59 s"), (61.0, "1 min 1 s"), (7260.0, "2 h 1 min")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_bars_fill_up() -> None:
    assert [bar(share, 4, blocks=False) for share in (0.0, 0.5, 1.0, 2.0)] == ["----", "##--", "####", "####"]


@pytest.mark.skipif(os.name != "posix", reason="a shell becomes its last command on POSIX")
def test_start_up_does_not_count_the_shell_that_became_the_process() -> None:
    program = "from tuner.cli.summary import startup_seconds; print(startup_seconds())"
    words = ["sh", "-c", 'sleep 5; exec "$@"', "sh", sys.executable, "-c", program]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 0 < float(ended.stdout) < 5
