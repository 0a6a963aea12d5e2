"""The program around the commands: help, start-up, guessed words, exit codes, completion."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from objectives.errors import Complaint, DataError
from tests.support.command import Shell, made_up
from tuner.cli import error_lines, program, terminal
from tuner.cli.synonyms import command_hint, option_hint
from tuner.errors import ChangedStudy, NoResult, StudyBusy, StudyError, UnknownStudy

ROOT = Path(__file__).parents[3]
SECTIONS = {
    "Run": ("init", "example", "check", "run", "confirm", "refit"),
    "Look": ("list", "show", "top", "compare", "report", "dashboard", "serve"),
    "Use": ("best", "predict", "export"),
    "Keep": ("note", "verify", "doctor", "import", "rm"),
    "Learn": ("explain", "docs", "completion"),
}
COMMANDS = tuple(name for names in SECTIONS.values() for name in names)
HEAVY = ("numpy", "pandas", "optuna", "sqlalchemy", "joblib", "pydantic", "sklearn", "scipy", "rich", "filelock")


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def python(code: str, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A new interpreter that runs `code` with the package on its path."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    command = [sys.executable, "-W", "error", "-c", code, *args]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def imported_by(*args: str, **variables: str) -> set[str]:
    """Heavy packages that a command line imports."""
    code = "import sys; from tuner.cli import main; main(sys.argv[1:]); print(*sys.modules, sep=' ', file=sys.stderr)"
    return set(HEAVY) & set(python(code, *args, **variables).stderr.split())


def test_help_lists_the_commands_by_what_they_are_for(shell: Shell) -> None:
    ended = shell("--help")
    assert (ended.code, ended.err) == (0, "")
    for title, names in SECTIONS.items():
        lines = ended.out.partition(f"{title}:\n")[2].partition("\n\n")[0].splitlines()
        assert tuple(line.split()[0] for line in lines) == names
        assert "..." not in "".join(lines)
    assert shell().out == ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_debug(shell: Shell, name: str) -> None:
    ended = shell(name, "-h")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: tuner {name}")
    assert "--debug" in ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_examples_that_the_command_takes(shell: Shell, name: str) -> None:
    lines = shell(name, "--help").out.rpartition("\n  Example")[2].splitlines()[1:]
    assert lines
    for line in lines:
        tuner, command, *args = shlex.split(line)
        assert (tuner, command) == ("tuner", name)
        program.program.commands[name].make_context(name, args, obj=program.ProgramSettings())
        assert len(line) <= 80


def test_help_imports_nothing_heavy() -> None:
    assert imported_by("--help") == set()
    assert imported_by("run", "--help") == set()


def test_listing_imports_nothing_heavy(tmp_path: Path) -> None:
    directory = made_up(tmp_path)
    directory.ranking.write_text("rank,state\n1,complete\n,pruned\n", encoding="utf-8")
    assert imported_by("list", TUNER_HOME=str(tmp_path)) <= {"filelock"}


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("resume", "tuner run STUDY"),
        ("status", "tuner list"),
        ("plot", "tuner export STUDY --what curves"),
        ("optimize", "tuner run STUDY"),
        ("Delete", "tuner rm STUDY"),
        ("best_trial", "tuner best STUDY"),
        ("lst", "did you mean `tuner list`?"),
        ("digits.toml", "did you mean `tuner run digits.toml`?"),
        ("qqqq", "the commands are: init, example, check, run"),
    ],
)
def test_guessed_commands_are_answered(shell: Shell, word: str, answer: str) -> None:
    ended = shell(word)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: no command '{word}'; ")
    assert answer in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "answer"),
    [
        (("run", "x", "--n-trials", "3"), "tuner run: no option --n-trials; use --trials"),
        (("run", "x", "--n_jobs", "3"), "tuner run: no option --n_jobs; use --jobs"),
        (("run", "x", "--learning_rate", "1"), "no option --learning_rate; use --set optimizers.NAME.lr=0.01"),
        (("run", "x", "--resume"), "no option --resume; not needed: run it again, and it goes on where it stopped"),
        (("run", "x", "--sead", "1"), "did you mean --seed?"),
        (
            ("export", "x", "--to", "flax"),
            "--to flax is not known; use one of optuna, mlflow, torch, keras, sklearn, onnx, or for training code: ",
        ),
        (("best", "x", "--json"), "use --to json"),
        (("top", "x", "--json"), "use -f json"),
        (("best", "x", "--to", "pytorch"), "'pytorch' is not one of 'toml', 'json', 'args'"),
        (("top",), "tuner top: missing argument 'STUDY'; see tuner top --help"),
        (("run", "x", "-j", "0"), "0 is not in the range"),
        (("list", "-o", "x.xls"), "no format has the suffix '.xls'; use one of .csv, .json"),
        (("completion", "tcsh"), "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_wrong_usage_is_one_line_with_the_next_thing_to_try(shell: Shell, args: tuple[str, ...], answer: str) -> None:
    ended = shell(*args)
    assert (ended.code, ended.out) == (2, "")
    assert answer in ended.err
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1


def test_a_value_is_blamed_on_the_variable_only_where_that_gave_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "0 is not in the range 1<=x<=1024\n"
    assert shell("run", "x.toml", "-j", "0").err == f"error: tuner run: Invalid value for '-j' / '--jobs': {wrong}"
    monkeypatch.setenv("TUNER_JOBS", "0")
    said = f"error: tuner run: Invalid value for '-j' / '--jobs' (env var: 'TUNER_JOBS'): {wrong}"
    assert shell("run", "x.toml").err == said


def test_no_guess_is_a_command_or_option_of_ours() -> None:
    from tuner.cli.synonyms import COMMANDS as GUESSED

    assert not set(GUESSED) & set(COMMANDS)
    assert all(f"tuner {answer.split()[1]}" for answer in GUESSED.values())
    assert {answer.split()[1].rstrip(",") for answer in GUESSED.values()} <= set(COMMANDS)
    assert command_hint("xyzzy", ["run"]) == "the commands are: run"
    assert option_hint("--xyzzy", ["-n", "--trials"]) == "the options are: --trials"


@pytest.mark.parametrize(
    ("error", "lines", "code"),
    [
        (StudyError(Complaint("a.toml", "no"), Complaint("b", "c", "d")), ["a.toml: no", "b: c; d"], 2),
        (DataError(Complaint("a.csv", "empty")), ["a.csv: empty"], 2),
        (UnknownStudy("x", ["xy"]), ["no study 'x'; did you mean 'xy'?"], 2),
        (ChangedStudy("one\n  two"), ["one\n  two"], 2),
        (StudyBusy("busy"), ["busy"], 1),
        (NoResult("none"), ["none"], 3),
        (click.UsageError("so"), ["so"], 2),
        (KeyboardInterrupt(), [], 130),
        (error_lines.Terminated(), [], 143),
        (FileNotFoundError(2, "No such file", "/x"), ["/x: No such file"], 1),
        (ZeroDivisionError("a\nb"), ["ZeroDivisionError: a; this should not happen: --debug shows where"], 1),
    ],
)
def test_exit_codes(error: BaseException, lines: list[str], code: int) -> None:
    assert error_lines.error_report(error) == (lines, code)


def test_an_error_while_stopping_is_still_a_stop() -> None:
    def stop_badly() -> None:
        try:
            raise error_lines.Terminated
        finally:
            raise RuntimeError("clumsy")

    with pytest.raises(RuntimeError, match="clumsy") as caught:
        stop_badly()
    assert isinstance(error_lines.interruption(caught.value), error_lines.Terminated)
    assert error_lines.interruption(ValueError("no")) is None


def test_debug_shows_the_traceback(shell: Shell, tmp_path: Path) -> None:
    for args in (("--debug", "best", "nope"), ("best", "nope", "--debug")):
        ended = shell(*args, "--home", tmp_path)
        assert ended.code == 2
        assert "Traceback (most recent call last)" in ended.err
        assert ended.err.splitlines()[-1].startswith("error: no study 'nope'")
    assert "Traceback" not in shell("best", "nope", "--home", tmp_path).err


def test_errors_are_cleaned_and_later_lines_indented(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.errors_to(["a\x1b[31m\n  b", "c"])
    assert capsys.readouterr().err == "error: a[31m\n  b\nerror: c\n"


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    made_up(tmp_path)
    command = f"{sys.executable} -m tuner export small --what curves --home {tmp_path} | head -c 1"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "t", "")


def test_sigterm_is_put_back_after_a_command(shell: Shell) -> None:
    before = signal.getsignal(signal.SIGTERM)
    shell("--help")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_scripts_call_back(shell: Shell, name: str) -> None:
    ended = shell("completion", name)
    assert (ended.code, ended.err) == (0, "")
    assert f"{program.VARIABLE}={name}_complete" in ended.out


def test_completion_offers_studies_and_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made_up(tmp_path)
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    for words, at, offered in (("tuner show s", 2, "plain,small"), ("tuner compl", 1, "plain,completion")):
        for name, value in ((program.VARIABLE, "bash_complete"), ("COMP_WORDS", words), ("COMP_CWORD", str(at))):
            monkeypatch.setenv(name, value)
        assert program.start([]) == 0
        assert capsys.readouterr().out == f"{offered}\n"
