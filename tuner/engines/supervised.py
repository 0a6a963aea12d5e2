"""A supervised worker process: started afresh, given one call at a time, ended with all that it has started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.engines.failure import Failure
from tuner.engines.messages import Gone, Messages
from tuner.engines.retry_queue import pickled

__all__ = ["LOADING", "Died", "Process", "belongings"]

LOADING = 300.0  # seconds that a process may take to import what it will call
GRACE = 2.0  # seconds from SIGTERM to SIGKILL, for programs that a task has started
TRACE = 0.3  # seconds for a process to write its traceback
LAST = 10.0  # seconds for a process to exit once it has closed its pipe, or was killed
START = (
    "import sys; sys.path.insert(0, {root!r}); from {package}.process_worker import main; main({reading}, {writing})"
)
ROOT = str(Path(__file__).resolve().parents[__name__.count(".")])
WHERE = re.compile(r'File "([^"]+)", line (\d+) in (\S+)')


@dataclass(frozen=True)
class Died:
    """How a process ended: a signal, or minus its exit code; and whether it was running a call then.

    If not, either nothing of the call had reached it, or it was already sending the answer.
    """

    status: int
    at_work: bool


class Process:
    """A worker process and the pipes to it. Raises OSError where the system has no room for one.

    In the file `waits_in` a task waits for a program that it has started.
    """

    def __init__(
        self,
        log: Path,
        environment: Mapping[str, str],
        memory: int | None,
        preload: Sequence[tuple[Any, Any]],
        trusted: bool = False,
        waits_in: str = "",
    ) -> None:
        self._trace = log.with_suffix(".trace")
        self._waits_in = waits_in
        self._ended = self._ready = False
        reading, calls = os.pipe()
        try:
            answers, writing = os.pipe()
        except OSError:
            _close(reading, calls)
            raise
        # The current directory is not on its path: a file named queue.py there would shadow Python's.
        code = START.format(root=ROOT, package=__name__.rpartition(".")[0], reading=reading, writing=writing)
        try:
            with open(log, "ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", code],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=(reading, writing),
                    env={**os.environ, **environment}, start_new_session=True,
                )  # fmt: skip
        except BaseException:
            _close(calls, answers)
            raise
        finally:
            _close(reading, writing)
        self.pid = self._process.pid
        self._messages = Messages(calls, answers, self.pid, lambda: self._process.poll() is None)
        with suppress(Gone):
            hello = (sys.path, os.getpid(), memory, str(self._trace), tuple(preload), trusted)
            self._messages.send(pickled(hello), time.monotonic() + LOADING)

    def ask(self, call: bytes, seconds: float | None) -> bytearray | Failure | Died:
        """Return the answer to a call; a `Failure` where it took too long, or how the process ended where it died.

        The clock starts after the process's first call, for which it has `LOADING` seconds.
        """
        at_work = False
        try:
            if not self._ready:
                if self._messages.receive(time.monotonic() + LOADING) is None:
                    return self._late(LOADING)
                self._ready = True
            at_work = True
            until = None if seconds is None else time.monotonic() + seconds
            said = self._messages.receive(until) if self._messages.send(call, until) else None
            return self._late(seconds or 0.0) if said is None else said
        except Gone:
            return self._status(at_work and not self._messages.answering)

    def end(self) -> None:
        """End the process and all that it has started; programs in process groups of their own get a SIGTERM first."""
        if self._ended:
            return
        self._ended = True
        started = belongings(self.pid)
        programs = [one for one in started if _leads(one.pid)]
        if programs and _signalled(programs, signal.SIGTERM):
            _gone(programs, GRACE)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        _signalled([*started, *belongings(self.pid)], signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=LAST)

    def close(self) -> None:
        """Close the pipes, once no call waits for an answer."""
        self._messages.close()

    def _status(self, at_work: bool) -> Died | Failure:
        """Describe how the process ended."""
        with suppress(subprocess.TimeoutExpired):
            return Died(-self._process.wait(timeout=LAST), at_work)
        return Failure("WorkerDied", "it closed or wrote into the pipe between its worker process and the tuner")

    def _late(self, seconds: float) -> Failure:
        """Build the failure of a call that took too long, with its traceback."""
        with suppress(OSError):
            os.kill(self.pid, signal.SIGUSR1)
            until = time.monotonic() + TRACE
            while time.monotonic() < until and not self._trace.stat().st_size:
                time.sleep(0.01)
            time.sleep(0.02)
        lines = _told(self._trace)
        inside = [file for file, _, _ in lines if file.startswith(f"{ROOT}{os.sep}tuner{os.sep}")]
        apart = bool(inside) and inside[0] == self._waits_in  # it waits for a program, whose traceback is unknown
        where = f"; it was at {Path(lines[0][0]).name}:{lines[0][1]} in {lines[0][2]}" if lines and not apart else ""
        shown = tuple(f'File "{file}", line {line} in {name}' for file, line, name in lines)
        return Failure("TimedOut", f"took longer than the limit of {seconds:.3g} s{where}", shown)


def _close(*pipes: int) -> None:
    for pipe in pipes:
        os.close(pipe)


def _told(trace: Path) -> list[tuple[str, str, str]]:
    with suppress(OSError):
        return WHERE.findall(trace.read_text(encoding="utf-8", errors="replace"))
    return []


def belongings(pid: int) -> list[Any]:
    """Return the processes that a worker has started, directly or not, below it or in the session that it leads.

    Those in its session are found even after the worker, or processes between, have gone.
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
    """Send a signal to processes, and to the groups of those that lead one; return True if any existed."""
    sent = False
    for one in processes:
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if _leads(one.pid) else os.kill)(one.pid, number)
            sent = True
    return sent


def _gone(processes: Sequence[Any], seconds: float) -> None:
    import psutil

    psutil.wait_procs(processes, timeout=seconds)
