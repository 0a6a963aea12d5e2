"""A worker process: it runs one task at a time, and is ended and replaced alone.

Its output goes to a file, never to the terminal. What a task leaves running, such as a pool of processes, stays for the
tasks after it and ends with the worker.
"""

from __future__ import annotations

import faulthandler
import io
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuner.engines.failure import guarded
from tuner.engines.loky_worker import answer, limit_memory
from tuner.engines.messages import Gone, receive, send, widen
from tuner.engines.retry_queue import unpickled

__all__ = ["GROWN", "StartMessage", "main"]

LOOK = 0.5  # seconds between looks whether the parent lives
GROWTH = 300 << 20  # bytes that a worker of the core may grow by before it is replaced
ENDING = threading.Lock()
STAYS, GROWN = b"\0", b"\1"  # before an answer: whether the worker has grown too large

StartMessage = tuple[list[str], int, int | None, str, tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...], bool]


def main(reading: int, writing: int) -> None:
    """Serve the parent until it hangs up: calls come in as bytes, answers go out."""
    try:
        begun: StartMessage = unpickled(receive(reading))
    except Gone:
        os._exit(0)
    path, parent, memory, traces, preload, trusted = begun
    sys.path[:] = path
    if trusted:  # only their parent ends the tuner's own workers; programs that other code starts would inherit this
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent, Path(traces).parent), daemon=True).start()
    trace = open(traces, "w", encoding="utf-8")  # noqa: SIM115  (open as long as the process runs)
    faulthandler.register(signal.SIGUSR1, file=trace, all_threads=False)
    faulthandler.enable()  # a crash writes its traceback into the trial's output
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    if memory is not None:
        limit_memory(memory)
    for function, args in preload:
        guarded(function)(*args)  # an error here fails the tasks that need it, each with its own message
    widen(reading)
    try:
        send(writing, b"ready")
        serve(reading, writing, trusted)
    except (Gone, OSError):
        _end(Path(traces).parent)


def serve(reading: int, writing: int, trusted: bool) -> None:
    """Answer calls. Raises Gone or OSError where the parent is gone."""
    pid, most = os.getpid(), 0
    while True:
        call = receive(reading)
        with suppress(OSError):
            os.ftruncate(1, 0)
        said = answer(call)
        if os.getpid() != pid:
            os._exit(0)  # a copy of this process, forked by a task, has returned here
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        most = most or own_bytes() + GROWTH
        send(writing, GROWN if trusted and own_bytes() > most else STAYS, said)


def own_bytes() -> int:
    """Return the private memory of this process in bytes, without mapped files; 0 where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text(encoding="ascii").split())
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _follow(parent: int, notes: Path) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    _end(notes)


def _end(notes: Path) -> None:
    """End this process and all that it has started, and remove what the parent, which has gone, left in `notes`."""
    ENDING.acquire()  # for good: a second thread would end the process while the first one still removes
    shutil.rmtree(notes, ignore_errors=True)
    from tuner.engines.supervised import belongings

    for process in belongings(os.getpid()):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)
    os.killpg(os.getpgrp(), signal.SIGKILL)
