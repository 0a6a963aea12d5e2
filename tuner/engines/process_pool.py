"""Workers for other people's code: each a process of its own that can be ended alone, whatever it does.

loky ends all workers when one dies. That costs the core little, whose packs are short; an objective of somebody's own
may have trained for hours beside one that crashes. Here a task that runs too long, or takes its worker with it, costs
nobody else anything.
"""

from __future__ import annotations

import heapq
import os
import shutil
import signal
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tuner.engines.failure import Failure, guarded
from tuner.engines.loky import THREADED
from tuner.engines.process_worker import DEVICE
from tuner.engines.retry_queue import pickled, unpickled
from tuner.engines.supervised import Process
from tuner.errors import TunerError

__all__ = ["ChildEngine", "environment_of"]

DEATHS = 2  # of its worker by SIGKILL, after which a task is given up: the first may have been the system's choice


@dataclass(eq=False)
class Call:
    """A task on its way: its pickled call, its time limit and the caller's future."""

    call: bytes
    seconds: float | None
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0

    def end(self, outcome: Any) -> None:
        """Give the caller an outcome, once."""
        with suppress(Exception):
            self.future.set_result(outcome)


class ChildEngine:
    """Runs tasks in `width` processes, with `threads` BLAS threads each and one of `devices` where there are some.

    Tasks of a lower turn go first, those of one turn in the order of their submission. `preload` are functions and
    their arguments that a process calls before its first task; `memory` is what it may allocate, in bytes. Raises
    TunerError on a system without process groups, which is how they are ended.
    """

    shares_disk = True

    def __init__(
        self,
        width: int,
        *,
        devices: Sequence[str] = (),
        threads: int = 1,
        memory: int | None = None,
        preload: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]] = (),
    ) -> None:
        if not hasattr(os, "killpg"):
            raise TunerError("code of your own runs on Linux and macOS alone: here its processes could not be ended")
        self.width = width
        self._notes = Path(tempfile.mkdtemp(prefix="tuner-"))
        self._sweep = weakref.finalize(self, shutil.rmtree, self._notes, ignore_errors=True)
        self._ready = threading.Condition()
        self._queue: list[tuple[int, int, Call]] = []
        self._numbers, self._closed = count(), False
        self._slots = [
            Slot(self, self._notes / str(i), environment_of(devices[i % len(devices)] if devices else "", threads))
            for i in range(width)
        ]
        self.memory, self.preload = memory, tuple(preload)

    def submit(
        self, function: Callable[..., Any], /, *args: Any, seconds: float | None = None, turn: int = 0
    ) -> Future[Any]:
        """Queue `function(*args)`; its future ends with what it returns or with a `Failure`.

        Raises RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("the engine is closed: open another one to run more tasks")
        call = guarded(pickled, let_through=KeyboardInterrupt)((function, args))
        task = Call(b"" if isinstance(call, Failure) else call, seconds)
        task.future.set_running_or_notify_cancel()
        if isinstance(call, Failure):
            task.end(call)
            return task.future
        self.warm()
        with self._ready:
            heapq.heappush(self._queue, (turn, next(self._numbers), task))
            self._ready.notify()
        return task.future

    def share(self, directory: Path) -> None:
        """The workers read the same disk."""

    def warm(self) -> None:
        """Start the workers, without waiting for them."""
        for slot in self._slots:
            slot.start()

    def forget(self) -> None:
        """Drop what has not begun, and end what runs."""
        self._interrupt("it was not needed any more")

    def close(self) -> None:
        """End everything at once."""
        self._closed = True
        with self._ready:
            self._ready.notify_all()
        self._interrupt("the engine was closed before this finished")
        for slot in self._slots:
            slot.join()
        self._sweep()

    def __enter__(self) -> ChildEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def next_task(self) -> Call | None:
        """The next task, once there is one; None when the engine is closed."""
        with self._ready:
            while not self._queue and not self._closed:
                self._ready.wait()
            return None if self._closed else heapq.heappop(self._queue)[2]

    def _interrupt(self, why: str) -> None:
        """Drop what waits and end what runs, all at once: programs are given a moment to end themselves."""
        self._drop(why)
        threads = [threading.Thread(target=slot.interrupt, args=(why,), daemon=True) for slot in self._slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _drop(self, why: str) -> None:
        with self._ready:
            left, self._queue = self._queue, []
        for _, _, task in left:
            task.end(Failure("Stopped", why))


class Slot:
    """One worker: a thread here that keeps a process there, and replaces it when it has gone."""

    def __init__(self, engine: ChildEngine, log: Path, environment: Mapping[str, str]) -> None:
        self.engine, self.log, self.environment = engine, log, environment
        self._thread: threading.Thread | None = None
        self._process: Process | None = None
        self._task: Call | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to work, once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def interrupt(self, why: str) -> None:
        """End what runs now; its future has a `Failure` at once."""
        with self._lock:
            if self._task is not None:
                self._task.end(Failure("Stopped", why))
            process = self._process if self._task is not None or self.engine._closed else None
        if process is not None:
            process.end()

    def join(self) -> None:
        """Wait until the thread is over."""
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _work(self) -> None:
        self._prepared()
        while (task := self.engine.next_task()) is not None:
            while not task.future.done():
                self._run(task)
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def _prepared(self) -> Process | Failure:
        """The process to work with, a new one where there is none."""
        if self._process is None:
            made = guarded(Process)(self.log, self.environment, self.engine.memory, self.engine.preload)
            if isinstance(made, Failure):
                return made
            with self._lock:
                self._process = made
            if self.engine._closed:
                made.end()
        return self._process or Failure("Stopped", "the engine was closed before this finished")

    def _run(self, task: Call) -> None:
        """Run a task once; its future ends unless it may be tried again."""
        process = self._prepared()
        if isinstance(process, Failure):
            task.end(process)
            return
        with self._lock:
            self._task = task
        try:
            said = process.ask(task.call, task.seconds)
        finally:
            with self._lock:
                self._task = None
        if isinstance(said, bytes):
            task.end(guarded(unpickled)(said[1:]))
        if not isinstance(said, bytes) or said[:1] == b"\1":
            with self._lock:
                self._process = None
            process.end()
        if isinstance(said, Failure):
            task.end(said)
        elif isinstance(said, int):
            task.deaths += 1
            if said != signal.SIGKILL or task.deaths >= DEATHS:
                task.end(_death(said))


def environment_of(device: str, threads: int) -> dict[str, str]:
    """What a worker finds in its environment: BLAS threads, and its device.

    A worker with a "cuda:N" sees that one alone, of those that this process sees; there it is "cuda:0".
    """
    found = {f"{name}_THREADS": str(threads) for name in THREADED}
    kind, _, number = device.partition(":")
    if kind == "cuda" and number.isdigit():
        visible = [one for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one]
        own = visible[int(number)] if int(number) < len(visible) else number
        return found | {"CUDA_VISIBLE_DEVICES": own, DEVICE: "cuda:0"}
    return found | ({DEVICE: device} if device else {})


def _death(status: int) -> Failure:
    if status <= 0:
        return Failure("WorkerDied", f"it ended its worker process with exit code {-status}; return instead")
    name = signal.Signals(status).name if status in set(signal.Signals) else f"signal {status}"
    hint = "out of memory? try fewer jobs" if status == signal.SIGKILL else "it crashed in code that is not Python"
    return Failure("WorkerDied", f"its worker process died of {name}; {hint}")
