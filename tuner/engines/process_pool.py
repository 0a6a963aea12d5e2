"""Workers that are supervised one by one: each is a process that can be ended alone, whatever it does.

One that dies costs its own task nothing but time, and other tasks nothing. A task is tried again after a fault of the
machine, such as a signal from elsewhere or a full disk; a task that ends its own worker fails.

joblib's loky, which runs the tasks where a system has no process groups, ends all workers when one dies, and waits for
ever for the rest of an answer whose worker was killed while it was sending.
"""

from __future__ import annotations

import heapq
import os
import shutil
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

from tuner.engines.environment import environment_of
from tuner.engines.failure import Failure, guarded
from tuner.engines.guardian import Guardian
from tuner.engines.patience import SENT, STARVED, TRIES, Patience, death_of, failure_in, killed_for_memory
from tuner.engines.process_worker import GROWN
from tuner.engines.retry_queue import pickled, unpickled
from tuner.engines.supervised import Died, Process
from tuner.errors import TunerError

__all__ = ["PoolEngine"]

LOOK = 1.0  # seconds between checks by an idle worker that all others still serve


@dataclass(eq=False)
class ProcessTask:
    """A task on its way: its pickled call, its time limit and the caller's future."""

    call: bytes
    seconds: float | None
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0
    patience: Patience = field(default_factory=Patience)

    def end(self, outcome: Any) -> None:
        """Set the caller's outcome, once."""
        with suppress(Exception):
            self.future.set_result(outcome)


class PoolEngine:
    """Runs tasks in `width` processes, with `threads` BLAS threads each and one of `devices` where there are some.

    Tasks of a lower turn go first, those of one turn in the order of their submission. `preload` are functions and
    their arguments that a process calls before its first task; `memory` is what it may allocate, in bytes. Tasks that
    are `trusted` are the tuner's own: they start no programs, and their workers leave signals to the parent. Without
    `reuse` each task has a process to itself. In the file `waits_in` a task waits for a program of its own, whose
    place is not known when it is late. Raises TunerError on a system without process groups, which is how they
    are ended.
    """

    shares_disk = True

    def __init__(  # noqa: PLR0913
        self,
        width: int,
        *,
        devices: Sequence[str] = (),
        threads: int = 1,
        memory: int | None = None,
        preload: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]] = (),
        trusted: bool = False,
        reuse: bool = True,
        waits_in: str = "",
    ) -> None:
        if not hasattr(os, "killpg"):
            raise TunerError("code of your own runs on Linux and macOS alone: here its processes could not be ended")
        self.width, self.trusted, self.reuse = width, trusted, reuse
        self.memory, self.preload, self.waits_in = memory, tuple(preload), waits_in
        self.note: Callable[[str], None] = lambda sentence: None
        self.closing = threading.Event()
        self.guardian = None if trusted else Guardian()
        self._notes = Path(tempfile.mkdtemp(prefix="tuner-"))
        self._sweep = weakref.finalize(self, shutil.rmtree, self._notes, ignore_errors=True)
        self._ready = threading.Condition()
        self._queue: list[tuple[int, int, ProcessTask]] = []
        self._numbers = count()
        self._slots = [
            WorkerSlot(
                self, self._notes / str(i), environment_of(devices[i % len(devices)] if devices else "", threads)
            )
            for i in range(width)
        ]

    def submit(
        self, function: Callable[..., Any], /, *args: Any, seconds: float | None = None, turn: int = 0
    ) -> Future[Any]:
        """Queue `function(*args)`; its future ends with what it returns or with a `Failure`.

        Raises RuntimeError after `close`.
        """
        if self.closing.is_set():
            raise RuntimeError("the engine is closed: open another one to run more tasks")
        call = guarded(pickled, let_through=KeyboardInterrupt)((function, args))
        task = ProcessTask(b"" if isinstance(call, Failure) else call, seconds)
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
        """Do nothing: the workers read the same disk."""

    def warm(self) -> None:
        """Start the workers, without waiting for them."""
        for slot in self._slots:
            slot.start()

    def forget(self) -> None:
        """Drop what has not begun, and end what runs, except for the tuner's own tasks, which are short."""
        why = "it was not needed any more"
        self._drop(why)
        if not self.trusted:
            self._interrupt(why)

    def close(self) -> None:
        """End everything at once."""
        why = "the engine was closed before this finished"
        self.closing.set()
        with self._ready:
            self._ready.notify_all()
        self._drop(why)
        self._interrupt(why)
        for slot in self._slots:
            slot.join()
        if self.guardian is not None:
            self.guardian.close()
        self._sweep()

    def __enter__(self) -> PoolEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def next_task(self) -> ProcessTask | None:
        """Wait for the next task; return None when the engine is closed.

        An idle worker checks that all others still serve, so that no task is left with one that does not.
        """
        with self._ready:
            while not self._queue and not self.closing.is_set():
                self._ready.wait(LOOK)
                for slot in self._slots:
                    slot.revive()
            return None if self.closing.is_set() else heapq.heappop(self._queue)[2]

    def _drop(self, why: str) -> None:
        """End the tasks that wait."""
        with self._ready:
            waiting, self._queue = self._queue, []
        for _, _, task in waiting:
            task.end(Failure("Stopped", why))

    def _interrupt(self, why: str) -> None:
        """End the tasks that run, all at once; programs get a moment to end themselves."""
        ending = [threading.Thread(target=slot.interrupt, args=(why,)) for slot in self._slots]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()


class WorkerSlot:
    """The slot of one worker: a thread that gives it tasks, ends it if necessary, and starts the next one."""

    def __init__(self, engine: PoolEngine, log: Path, environment: Mapping[str, str]) -> None:
        self.engine, self.log, self.environment = engine, log, environment
        self._process: Process | None = None
        self._task: ProcessTask | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread, once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended although the engine is open."""
        with self._lock:
            if self._thread is not None and not self._thread.is_alive() and not self.engine.closing.is_set():
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def interrupt(self, why: str) -> None:
        """End the running task; its future gets a `Failure` at once."""
        with self._lock:
            if self._task is not None:
                self._task.end(Failure("Stopped", why))
            process = self._process if self._task is not None or self.engine.closing.is_set() else None
        if process is not None:
            process.end()

    def join(self) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _work(self) -> None:
        guarded(self._prepared)()  # an error here occurs again with the first task, which reports it
        while (task := self._task or self.engine.next_task()) is not None and not self.engine.closing.is_set():
            with self._lock:
                self._task = task
            while not task.future.done():
                # An error on this side of the pipe is due to the machine, and no fault of the task.
                went = guarded(self._run)(task)
                if isinstance(went, Failure):
                    self._replace()
                    self._settle(task, went, ours=True)
            with self._lock:
                self._task = None
        self._replace()

    def _prepared(self) -> Process:
        """Return the running process, or a new one where there is none. Raises OSError where no process can be made."""
        if self._process is None:
            engine = self.engine
            made = Process(self.log, self.environment, engine.memory, engine.preload, engine.trusted, engine.waits_in)
            with self._lock:
                self._process = made
            if engine.guardian is not None:
                engine.guardian.watch(made.pid)
            if engine.closing.is_set():
                made.end()
        return self._process

    def _replace(self) -> None:
        """End the process; the next task gets a new one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.end()
            process.close()
            if self.engine.guardian is not None:
                self.engine.guardian.forget(process.pid)

    def _run(self, task: ProcessTask) -> None:
        """Run a task once; its future ends unless the task is to be tried again."""
        process, killed = self._prepared(), killed_for_memory()
        said = process.ask(task.call, task.seconds)
        if isinstance(said, Died):
            self._replace()
            self._retry_or_fail(task, said, starved=killed_for_memory() > killed)
            return
        outcome = said if isinstance(said, Failure) else guarded(unpickled)(memoryview(said)[1:])
        failure = failure_in(outcome)
        if isinstance(said, Failure) or said[:1] == GROWN or not self.engine.reuse or (failure and failure.machine):
            self._replace()
        if failure is not None and failure.machine:
            self._settle(task, failure)
        else:
            task.end(outcome)

    def _retry_or_fail(self, task: ProcessTask, died: Died, starved: bool) -> None:
        """Fail a task whose worker died, or queue it again if something else may have ended the worker."""
        sent = died.status in SENT
        if not died.at_work and not starved and (sent or self.engine.trusted):
            # The task is not to blame: it had not reached the worker, or was finished.
            return self._settle(task, death_of(died.status, 1, starved), ours=True)
        task.deaths += 1
        if not sent or task.deaths >= (STARVED if starved else TRIES):
            task.end(death_of(died.status, task.deaths, starved))

    def _settle(self, task: ProcessTask, failure: Failure, ours: bool = False) -> None:
        """Wait before a task that the machine has ended is tried again; fail it where patience is over."""
        if (over := task.patience.spent(failure, ours)) is not None:
            task.end(over)
        elif task.patience.tell():
            self.engine.note(f"waiting, nothing is lost: {failure}")
        if not task.future.done():
            self.engine.closing.wait(task.patience.pause())
