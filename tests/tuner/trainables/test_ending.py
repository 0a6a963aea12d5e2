"""Signals to a run of a command that does not want to end: nothing of it is left, and the study goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import tuner
from tests.support.study_kinds import asked
from tuner.study import read_study

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0
# It ignores signals, and has a child of its own group and one that was left by whoever had started it.
STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
nap = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(nap, process_group=0)
shell = subprocess.run(["sh", "-c", '"$0" "$@" >/dev/null 2>&1 & echo $!', *nap], capture_output=True, text=True)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()} {child.pid} {shell.stdout.strip()}\\n")
time.sleep(600)
"""
CALM = "print('{\"valid_loss\": 0.5}')"


class Stubborn:
    """`tuner run`, the leader of a process group, once two of its commands run."""

    def __init__(self, folder: Path) -> None:
        self.script, self.trace, self.home = folder / "script.py", folder / "pids", folder / "runs"
        self.script.write_text(STUBBORN, encoding="utf-8")
        study = asked("command", study={"command": [sys.executable, str(self.script), str(self.trace), "{lr}"]})
        self.file = folder / "one.toml"
        self.file.write_text(read_study(study).to_toml(), encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tuner", "run", str(self.file), "-j", "2", "--home", str(self.home)],
            env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while len(self.pids()) < 6 and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        self.family = [psutil.Process(pid) for pid in self.pids()]
        self.family += psutil.Process(self.process.pid).children(recursive=True)

    def pids(self) -> list[int]:
        """Of the commands and of what they have started."""
        text = self.trace.read_text(encoding="utf-8") if self.trace.exists() else ""
        return [int(pid) for line in text.splitlines(keepends=True) if line.endswith("\n") for pid in line.split()]

    def left(self) -> list[psutil.Process]:
        """What is still there."""
        return list(psutil.wait_procs(self.family, timeout=PATIENCE)[1])


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Stubborn]:
    run = Stubborn(tmp_path)
    try:
        assert len(run.pids()) == 6
        yield run
    finally:
        for process in [*run.family, run.process]:
            with suppress(psutil.Error, ProcessLookupError):
                process.kill()
        run.process.wait()


def check_goes_on(run: Stubborn) -> None:
    """The same command, mended, ends the study."""
    run.script.write_text(CALM, encoding="utf-8")
    assert {trial.value for trial in tuner.run(run.file, jobs=2, home=run.home).all_trials} == {0.5}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_commands_that_ignore_it_and_all_that_they_started(
    number: signal.Signals, stubborn: Stubborn
) -> None:
    os.killpg(stubborn.process.pid, number)
    assert stubborn.process.wait(timeout=PATIENCE) == 128 + number
    assert stubborn.left() == []
    check_goes_on(stubborn)


@pytest.mark.slow
def test_kill_leaves_no_command_behind(stubborn: Stubborn) -> None:
    stubborn.process.kill()
    assert stubborn.left() == []
    check_goes_on(stubborn)


@pytest.mark.slow
def test_a_worker_that_is_killed_leaves_no_command_behind(stubborn: Stubborn) -> None:
    commands = stubborn.pids()
    worker = psutil.Process(commands[0]).parent()
    assert worker is not None
    worker.kill()
    gone = [process for process in stubborn.family if process.pid in commands[:3]]
    assert psutil.wait_procs(gone, timeout=PATIENCE)[1] == []
