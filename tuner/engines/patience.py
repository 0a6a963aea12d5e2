"""How long a task is tried again that the machine has ended, and how it fails after that."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuner.engines.failure import Failure
from tuner.engines.timing import TimedOutcome

__all__ = ["PATIENCE", "SENT", "STARVED", "TRIES", "Patience", "death_of", "failure_in", "killed_for_memory"]

PATIENCE = 600.0  # seconds for a full disk, as the ledger waits for it
TRIES = 5  # for what code may have caused itself: too many files, or the death of its worker or program
STARVED = 2  # the same, if the system has killed processes for lack of memory meanwhile
# Signals that others send, or a limit of the machine.
SENDABLE = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGXFSZ")
SENT = frozenset(int(getattr(signal, name)) for name in SENDABLE if hasattr(signal, name))
FIRST, LONGEST = 0.1, 5.0  # seconds of a pause, which doubles each time


class Patience:
    """The remaining retries of a task."""

    def __init__(self) -> None:
        self._since = 0.0
        self._tries = self._pauses = 0
        self._told = False

    def spent(self, failure: Failure, ours: bool) -> Failure | None:
        """Return the task's final failure once its patience is over; None to try it again.

        A fault of the machine in this process (`ours`), or a full disk, cannot be caused by the task: then the run
        ends.
        """
        self._since = self._since or time.monotonic()
        self._tries += 1
        if ours or failure.machine == "full":
            late = time.monotonic() - self._since >= PATIENCE
            return replace(failure, type="Machine", message=f"the machine: {failure}", fatal=True) if late else None
        most = STARVED if failure.machine == "starved" else TRIES
        return replace(failure, machine="") if self._tries >= most else None

    def tell(self) -> bool:
        """Return True if the user is to be told that the task waits: once."""
        told, self._told = self._told, True
        return not told

    def pause(self) -> float:
        """Return the seconds until the next try, longer each time."""
        self._pauses += 1
        return min(LONGEST, FIRST * 2.0 ** (self._pauses - 1))


def failure_in(outcome: Any) -> Failure | None:
    """Return the failure that an outcome contains, timed or not; None for a success."""
    came = outcome.outcome if isinstance(outcome, TimedOutcome) else outcome
    return came if isinstance(came, Failure) else None


def killed_for_memory() -> int:
    """Return how many processes the system has killed for lack of memory so far; 0 where it does not say."""
    with suppress(OSError, ValueError):
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


def death_of(status: int, deaths: int, starved: bool) -> Failure:
    """Return the failure of a task whose workers died `deaths` times; `status` is a signal, or minus an exit code."""
    if status <= 0:
        return Failure("WorkerDied", f"it ended its worker process with exit code {-status}; return instead")
    name = signal.Signals(status).name if status in set(signal.Signals) else f"signal {status}"
    hint = "it crashed in code that is not Python"
    if status in SENT:
        hint = "out of memory? try fewer jobs" if starved or status == signal.SIGKILL else "who sends that?"
    times = f" {deaths} times" if deaths > 1 else ""
    return Failure("WorkerDied", f"its worker process died of {name}{times}; {hint}")
