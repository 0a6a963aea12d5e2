"""A worker process for other people's code, and the pipes to it; it ends with all that it has started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tuner.engines.failure import Failure
from tuner.engines.retry_queue import pickled

__all__ = ["LOADING", "Process", "belongings"]

LOADING = 300.0  # seconds that a process may take to begin: to import what it will call
GRACE = 2.0  # seconds from SIGTERM to SIGKILL, for programs that a task has started
TRACE = 0.3  # seconds for a process to say where it is
START = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from tuner.engines.process_worker import main; main({reading}, {writing})"
)
ROOT = str(Path(__file__).resolve().parents[2])
WAITS = "command.py"  # of ours, where a task waits for what it has started
WHERE = re.compile(r'File "([^"]+)", line (\d+) in (\S+)')


class Process:
    """A worker process and the pipes to it."""

    def __init__(
        self, log: Path, environment: Mapping[str, str], memory: int | None, preload: Sequence[tuple[Any, Any]]
    ) -> None:
        inward, outward = os.pipe(), os.pipe()
        code = START.format(root=ROOT, reading=inward[0], writing=outward[1])
        self._trace = log.with_suffix(".trace")
        try:
            with open(log, "ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", code],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    pass_fds=(inward[0], outward[1]), env={**os.environ, **environment}, start_new_session=True,
                )  # fmt: skip
        finally:
            os.close(inward[0])
            os.close(outward[1])
        self._calls, self._answers = Connection(inward[1], readable=False), Connection(outward[0], writable=False)
        self._ended = False
        hello = pickled((sys.path, os.getpid(), memory, str(self._trace), tuple(preload)))
        with suppress(OSError):
            self._calls.send_bytes(hello)
        self._ready = False

    def ask(self, call: bytes, seconds: float | None) -> bytes | Failure | int:
        """The answer to a call; a `Failure` where it took too long, how the process ended where it died.

        The clock starts when the process has called what it was to call first, for which it has `LOADING` seconds.
        """
        try:
            if not self._ready:
                if not self._answers.poll(LOADING):
                    return self._late(LOADING)
                self._answers.recv_bytes()
                self._ready = True
            self._calls.send_bytes(call)
            if not self._answers.poll(seconds):
                return self._late(seconds or 0.0)
            return self._answers.recv_bytes()
        except (EOFError, OSError):
            return self._status()

    def end(self) -> None:
        """End the process and all that it has started; programs in groups of their own are asked first."""
        if self._ended:
            return
        self._ended = True
        started = belongings(self._process.pid)
        programs = [one for one in started if _leads(one.pid)]
        if programs and _signalled(programs, signal.SIGTERM):
            _gone(programs, GRACE)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        _signalled([*started, *belongings(self._process.pid)], signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        for pipe in (self._calls, self._answers):
            with suppress(OSError):
                pipe.close()

    def _status(self) -> int:
        """How the process ended: a signal, or minus its exit code."""
        with suppress(subprocess.TimeoutExpired):
            return -self._process.wait(timeout=10)
        return int(signal.SIGKILL)

    def _late(self, seconds: float) -> Failure:
        """The failure of what took too long, with where it was."""
        with suppress(OSError):
            os.kill(self._process.pid, signal.SIGUSR1)
            until = time.monotonic() + TRACE
            while time.monotonic() < until and not self._trace.stat().st_size:
                time.sleep(0.01)
            time.sleep(0.02)
        lines = _told(self._trace)
        inside = [file for file, _, _ in lines if file.startswith(f"{ROOT}{os.sep}tuner{os.sep}")]
        apart = bool(inside) and Path(inside[0]).name == WAITS  # for a program, whose place nobody knows
        where = f"; it was at {Path(lines[0][0]).name}:{lines[0][1]} in {lines[0][2]}" if lines and not apart else ""
        shown = tuple(f'File "{file}", line {line} in {name}' for file, line, name in lines)
        return Failure("TimedOut", f"took longer than the limit of {seconds:.3g} s{where}", shown)


def _told(trace: Path) -> list[tuple[str, str, str]]:
    with suppress(OSError):
        return WHERE.findall(trace.read_text(encoding="utf-8", errors="replace"))
    return []


def belongings(pid: int) -> list[Any]:
    """Processes that a worker has started, or those have, as far as they are below it or in the session that it leads.

    What is in its session is found when the worker, or whoever came between, has gone.
    """
    import psutil

    found: dict[int, Any] = {}
    with suppress(psutil.Error):
        found = {one.pid: one for one in psutil.Process(pid).children(recursive=True)}
    for other in psutil.pids():
        with suppress(OSError, psutil.Error):
            if other not in (pid, os.getpid()) and os.getsid(other) == pid:
                found.setdefault(other, psutil.Process(other))
    return list(found.values())


def _leads(pid: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        return os.getpgid(pid) == pid
    return False


def _signalled(processes: Sequence[Any], number: int) -> bool:
    """Send a signal to processes, and to the groups of those that lead one; whether any was there."""
    sent = False
    for one in processes:
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if _leads(one.pid) else os.kill)(one.pid, number)
            sent = True
    return sent


def _gone(processes: Sequence[Any], seconds: float) -> None:
    import psutil

    psutil.wait_procs(processes, timeout=seconds)
