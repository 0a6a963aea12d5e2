"""A worker that runs other people's code: one process of its own, a task at a time, ended and replaced by itself.

What is printed there goes into a file, never to the terminal. What a task leaves behind, threads that run on or
processes that it forked, makes the worker one to be replaced.
"""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tuner.engines.failure import guarded
from tuner.engines.loky_worker import answer, limit_memory

__all__ = ["DEVICE", "Hello", "main"]

DEVICE = "TUNER_DEVICE"  # the variable that names a worker's device
LOOK = 0.5  # seconds between looks whether the parent lives

Hello = tuple[list[str], int, int | None, str, tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...]]


def main(reading: int, writing: int) -> None:
    """Serve the parent until it hangs up: calls come in as bytes, answers go out, each after a byte that says whether
    something was left behind.
    """
    calls, answers = Connection(reading, writable=False), Connection(writing, readable=False)
    begun: Hello = calls.recv()
    path, parent, memory, traces, preload = begun
    sys.path[:] = path
    pid = os.getpid()
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    trace = open(traces, "w", encoding="utf-8")  # noqa: SIM115  (open as long as the process runs)
    faulthandler.register(signal.SIGUSR1, file=trace, all_threads=False)
    faulthandler.enable()  # a crash says where it was, in what the trial has printed
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    if memory is not None:
        limit_memory(memory)
    for function, args in preload:
        guarded(function)(*args)  # what does not work now fails the tasks that need it, each with its own message
    answers.send_bytes(b"ready")
    while True:
        try:
            call = calls.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)
        os.ftruncate(1, 0)
        before = _company()
        said = answer(call)
        if os.getpid() != pid:
            os._exit(0)  # a copy that a task forked and forgot came back here
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        answers.send_bytes((b"\1" if _company() - before else b"\0") + said)


def _company() -> set[tuple[str, int]]:
    """Threads that a process waits for at its end, and its child processes."""
    threads = {("thread", t.ident or 0) for t in threading.enumerate() if not t.daemon}
    children: set[tuple[str, int]] = set()
    with suppress(OSError, ValueError):
        for task in os.listdir("/proc/self/task"):
            text = Path(f"/proc/self/task/{task}/children").read_text(encoding="ascii")
            children |= {("process", int(pid)) for pid in text.split()}
    return threads | children


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    from tuner.engines.supervised import belongings

    for process in belongings(os.getpid()):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)
    os.killpg(os.getpgrp(), signal.SIGKILL)
