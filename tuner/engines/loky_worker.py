"""What runs inside a worker process: how it starts, runs a task and answers, and what ends it."""

from __future__ import annotations

import faulthandler
import os
import pickle
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from tuner.engines.failure import Failure, guarded
from tuner.engines.retry_queue import pickled

__all__ = ["answer", "answer_within", "begin", "limit_memory", "nothing"]

LOOK = 0.5  # seconds between a worker's checks that its parent lives


def nothing() -> None:
    """Do nothing, as a task that starts workers."""


def answer(call: bytes | bytearray) -> bytes:
    """Run a pickled call and pickle its outcome; raises nothing."""
    return _told(guarded(lambda: _run(*pickle.loads(call)))())


def answer_within(call: bytes, seconds: float, note: str) -> bytes:
    """Run `answer`, but end the process after `seconds`; the file `note` then has the traceback.

    The clock is a thread in C, which needs neither the interpreter nor the cooperation of the task. Importing what the
    call needs is not counted as the trial's time.
    """
    loaded = guarded(pickle.loads)(call)
    if isinstance(loaded, Failure):
        return pickled(loaded)
    with open(note, "w", encoding="utf-8") as file:
        faulthandler.dump_traceback_later(seconds, exit=True, file=file)
        try:
            said = _told(guarded(_run)(*loaded))
        finally:
            faulthandler.cancel_dump_traceback_later()
    with suppress(OSError):
        os.unlink(note)
    return said


def begin(parent: int, preload: Sequence[str], notes: Path, memory: int | None) -> None:
    """Initialise a worker: ignore the signals meant for the parent, end with it, and import what tasks will need."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    threading.Thread(target=_follow, args=(parent, notes), daemon=True).start()
    for module in preload:
        # A module that cannot be imported fails the tasks that need it, each with its own message.
        with suppress(Exception):
            import_module(module)
    if memory is not None:
        limit_memory(memory)


def limit_memory(most: int) -> bool:
    """Limit the bytes that this process may allocate; return True if the system supports that."""
    try:
        import resource
    except ImportError:
        return False
    # Of data, not of addresses: memory-mapped data are in the system's cache and belong to all workers.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    return True


def _run(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    return pickled(function(*args))


def _told(said: Any) -> bytes:
    return said if isinstance(said, bytes) else pickled(said)


def _follow(parent: int, notes: Path) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):
        # Where the system has no parent's death to tell of, its number says who the parent was for ever.
        process = psutil.Process(parent)
        while os.getppid() == parent and process.is_running():
            time.sleep(LOOK)
    shutil.rmtree(notes, ignore_errors=True)
    os._exit(1)
