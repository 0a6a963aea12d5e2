"""Signals to a run, in every way that they arrive: its exit code, what it leaves behind, and that it goes on."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.tuner.api.test_run import small
from tests.tuner.engines.test_faults import rows
from tuner.study import read_study

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are those of POSIX")
PATIENCE = 30.0  # seconds; workers that nobody ends would stay for 300, and the trials take ten minutes
COMMAND = [sys.executable, "-m", "tuner", "run", "small.toml", "-j", "2", "--no-confirm"]


def litter(temporary: Path) -> set[str]:
    """What lies about in shared memory and in the run's own folder for temporary files."""
    return {str(path) for place in (Path("/dev/shm"), temporary) if place.is_dir() for path in place.iterdir()}


class Run:
    """`tuner run` of 100,000 trials as the leader of a process group, up to its first trials."""

    def __init__(self, home: Path, before: str = "") -> None:
        study = small(trials=100_000)
        (home / "small.toml").write_text(read_study(study).to_toml(), encoding="utf-8")
        self.home = home
        self.temporary = home / "tmp"
        self.temporary.mkdir()
        self.known = litter(self.temporary)
        self.process = subprocess.Popen(
            ["sh", "-c", before or f"exec {shlex.join(COMMAND)}"],
            cwd=home, env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.temporary)}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if re.match(r"\d+/100000 trials", line):
                break
        self.tuner = next(p for p in [self.leader, *self.children()] if "tuner" in p.cmdline())
        self.family = [self.tuner, *self.tuner.children(recursive=True)]

    @property
    def leader(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    def children(self) -> list[psutil.Process]:
        return self.leader.children(recursive=True)

    def own(self, names: set[str]) -> set[str]:
        """Those of this run: in shared memory, others have theirs."""
        pids = "|".join(str(process.pid) for process in self.family)
        return {name for name in names if str(self.temporary) in name or re.search(rf"-({pids})-", name)}

    def ended(self) -> tuple[str, str]:
        """What it said, once it has ended; killed where it does not."""
        try:
            return self.process.communicate(timeout=PATIENCE)
        finally:
            self.process.kill()

    def left_behind(self) -> tuple[list[psutil.Process], set[str]]:
        """Processes and files that stay after the end and were not there before.

        They are gone within a second on a machine that does nothing else.
        """
        _, alive = psutil.wait_procs(self.family, timeout=PATIENCE)
        until = time.monotonic() + PATIENCE
        while (new := self.own(litter(self.temporary) - self.known)) and time.monotonic() < until:
            time.sleep(0.05)
        return alive, new


def to_parent(run: Run, number: int) -> None:
    run.tuner.send_signal(number)


def to_group(run: Run, number: int) -> None:
    os.killpg(os.getpgid(run.tuner.pid), number)


def twice(run: Run, number: int) -> None:
    to_group(run, number)
    time.sleep(0.35)
    if run.process.poll() is None:
        to_group(run, number)


def in_a_burst(run: Run, number: int) -> None:
    """As wrappers pass it on: to the process and to its group."""
    to_parent(run, number)
    to_group(run, number)


@pytest.mark.slow
@pytest.mark.parametrize("send", [to_parent, to_group, twice, in_a_burst])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_and_leaves_nothing_behind(
    send: Callable[[Run, int], None], number: signal.Signals, tmp_path: Path
) -> None:
    run = Run(tmp_path)
    before = rows(tmp_path / "runs")
    send(run, number)
    _, said = run.ended()
    # In its last moments the interpreter has given its handlers back; ended by the signal is the same to a shell.
    assert run.process.returncode in (128 + number, -number if send is twice else 128 + number)
    assert "Traceback" not in said
    assert run.left_behind() == ([], set())
    check_goes_on(tmp_path, before)


def check_goes_on(home: Path, before: dict[int, tuple[object, ...]]) -> None:
    """What was committed stays as it was, and the run goes on from there."""
    kept = rows(home / "runs")
    assert before.items() <= kept.items()
    again = subprocess.run(
        [*COMMAND, "-n", str(len(kept) + 8)],
        cwd=home, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert kept.items() <= rows(home / "runs").items()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_in_the_background_of_a_script_hears_signals_too(number: signal.Signals, tmp_path: Path) -> None:
    # a shell without job control starts what it puts in the background with Ctrl-C ignored
    run = Run(tmp_path, f"{shlex.join(COMMAND)} & wait $!; echo code $?; wait")
    to_parent(run, number)
    out, _ = run.ended()
    assert out.split() == ["code", str(128 + number)]
    assert run.left_behind() == ([], set())


@pytest.mark.slow
def test_kill_leaves_no_process_and_no_shared_memory(tmp_path: Path) -> None:
    run = Run(tmp_path)
    before = rows(tmp_path / "runs")
    run.tuner.kill()
    run.ended()
    assert run.left_behind() == ([], set())
    check_goes_on(tmp_path, before)


# Ctrl-C comes while a command executes text, as Python does for a named tuple in a module that is imported.
IN_TEXT = """
import os, signal, sys
import click
from tuner.cli import program
@click.command()
def wait():
    eval("__import__('os').kill(__import__('os').getpid(), __import__('signal').SIGINT)")
program.program.add_command(wait)
sys.exit(program.start(["wait"]))
"""


def test_an_interrupt_of_text_that_is_executed_has_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "in_text.py").write_text(IN_TEXT, encoding="utf-8")
    paths = os.pathsep.join(map(str, (ROOT, tmp_path)))
    ended = subprocess.run(
        [sys.executable, "-m", "in_text"], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, timeout=60
    )
    assert ended.returncode == 130, ended.stderr
