"""Worker processes that survive their tasks: joblib's loky, started early, refilled when a worker dies.

loky gives up on everything when one worker dies. Here few tasks are inside it at a time: when that happens they become
suspects and run again one by one, alone. The innocent finish; one that keeps killing its worker ends as a `Failure`.
All others wait and go on afterwards; what had finished is kept.

Workers are sent bytes and send bytes back: what cannot be pickled, or raises when it is unpickled, is then the failure
of one task, where loky alone would take all workers down.
"""

from __future__ import annotations

import os
import pickle
import re
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from tuner.dispatch.failure import Failure, guarded

__all__ = ["LokyEngine"]

DEATHS = 3  # of its worker, after which a task is given up
AHEAD = 1  # tasks inside loky for each that runs: 0.8 ms between two tasks of a worker, and 1.7 ms without
SETTLE = 0.5  # seconds at most to wait for loky before it is shut down
LOOK = 0.5  # seconds between a worker's looks whether its parent lives

THREADED = ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "BLIS_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM", "NUMBA_NUM")
ONE_THREAD = {f"{name}_THREADS": "1" for name in THREADED}


@dataclass(eq=False)
class Task:
    """A task on its way: its pickled call, the caller's future, and how many workers have died under it."""

    call: bytes
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0


class LokyEngine:
    """Runs tasks in `width` worker processes, in the order of their submission."""

    def __init__(self, width: int, preload: Sequence[str] = ()) -> None:
        self.width = width
        self._preload = tuple(preload)
        self._lock = threading.RLock()
        self._pool: Any = None
        self._waiting: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._inside: set[Task] = set()
        self._entered: set[Future[Any]] = set()
        self._closed = False

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Queue `function(*args)`; its future ends with what it returns or with a `Failure`.

        Raises RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("the engine is closed: open another one to run more tasks")
        call = guarded(_pickled, let_through=KeyboardInterrupt)((function, args))
        task = Task(b"" if isinstance(call, Failure) else call)
        task.future.set_running_or_notify_cancel()
        if isinstance(call, Failure):
            task.future.set_result(call)
            return task.future
        with self._lock:
            self._waiting.append(task)
        self._send()
        return task.future

    def warm(self) -> None:
        """Start the workers, without waiting for them."""
        with self._lock:
            if self._pool is None:
                guarded(self._enter, let_through=KeyboardInterrupt)(_nothing)

    def close(self) -> None:
        """Kill the workers; what has not finished ends as a `Failure`."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
            left = [*self._waiting, *self._suspects, *self._inside]
            for tasks in (self._waiting, self._suspects, self._inside):
                tasks.clear()
        for task in left:
            task.future.set_result(Failure("Stopped", "the engine was closed before this finished"))
        if pool is not None:
            _settle(self._entered.copy())
            pool.shutdown(wait=True, kill_workers=True)

    def _send(self) -> None:
        """Give the workers what they have room for."""
        while (task := self._next()) is not None:
            inner = guarded(self._enter, let_through=KeyboardInterrupt)(_answer, task.call)
            if isinstance(inner, Failure):
                self._end(task, inner)
            else:
                inner.add_done_callback(lambda done, task=task: self._land(task, done))

    def _next(self) -> Task | None:
        """The task to start now, if there is room: suspects first, and nothing beside a suspect."""
        room = self.width * (1 + AHEAD)
        with self._lock:
            accused = any(task.deaths for task in self._inside)
            if self._closed or accused or len(self._inside) >= room or (self._suspects and self._inside):
                return None
            queue = self._suspects or self._waiting
            if not queue:
                return None
            self._inside.add(task := queue.popleft())
            return task

    def _enter(self, function: Callable[..., Any], *args: Any) -> Any:
        """Submit to the pool of workers, making a new one where there is none or a worker has died."""
        from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

        with self._lock:
            for _ in range(DEATHS if not self._closed else 0):
                if self._pool is None:
                    self._pool = ProcessPoolExecutor(
                        self.width, initializer=_begin, initargs=(os.getpid(), self._preload), env=ONE_THREAD
                    )
                with suppress(BrokenProcessPool), _signals_held():
                    inner = self._pool.submit(function, *args)
                    self._entered.add(inner)
                    inner.add_done_callback(self._entered.discard)
                    return inner
                self._pool = None
        raise RuntimeError("there are no worker processes: the engine is closed, or they die as they start")

    def _land(self, task: Task, done: Future[bytes]) -> None:
        """Take in what a worker sent back, or that it died; then send what there is room for."""
        error = done.exception()
        if error is None:
            self._end(task, guarded(pickle.loads)(done.result()))
        else:
            self._bury(task, error)
        self._send()

    def _end(self, task: Task, outcome: Any) -> None:
        with self._lock:
            if task not in self._inside:
                return
            self._inside.remove(task)
        task.future.set_result(outcome)

    def _bury(self, task: Task, error: BaseException) -> None:
        """Make a task whose worker died a suspect, or give it up."""
        task.deaths += 1
        if task.deaths >= DEATHS:
            return self._end(task, _death(error))
        with self._lock:
            if task in self._inside:
                self._inside.remove(task)
                self._suspects.append(task)


def _settle(entered: set[Future[Any]]) -> None:
    # Shut down while a task is between its two queues, which is a moment, loky's own thread stops with a KeyError.
    until = time.monotonic() + SETTLE
    while any(not (inner.running() or inner.done()) for inner in entered) and time.monotonic() < until:
        time.sleep(0.001)


def _death(error: BaseException) -> Failure:
    from joblib.externals.loky.process_executor import BrokenProcessPool

    if not isinstance(error, BrokenProcessPool):
        return Failure.of(error)
    codes = re.findall(r"[\w-]+\(-?\d+\)", str(error))
    how = f" ({', '.join(sorted(set(codes)))})" if codes else ""
    return Failure(
        "WorkerDied", f"the worker died {DEATHS} times while running this{how}; out of memory? try fewer jobs"
    )


def _pickled(value: Any) -> bytes:
    # loky's pickler takes by value what lives in __main__: a script without a guard, a notebook.
    from joblib.externals.loky.backend.reduction import dumps

    return bytes(dumps(value))


def _nothing() -> None:
    """A task to start workers with."""


def _answer(call: bytes) -> bytes:
    """In a worker: run a pickled call and pickle what it comes to; raises nothing."""
    answer = guarded(_run)(call)
    return answer if isinstance(answer, bytes) else _pickled(answer)


def _run(call: bytes) -> bytes:
    function, args = pickle.loads(call)
    return _pickled(function(*args))


def _begin(parent: int, preload: Sequence[str]) -> None:
    """In a worker, first of all: leave signals to the parent, end when it has gone, import what tasks will need."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    for module in preload:
        # A module that does not import fails the tasks that need it, each with its own message.
        with suppress(Exception):
            import_module(module)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Start processes with Ctrl-C blocked: until `_begin` has run, it would end them with a traceback."""
    from multiprocessing import resource_tracker

    # Started inside, this helper process would unblock the signals again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
