"""Worker processes that survive their tasks: joblib's loky, started early, replaced when a worker dies.

loky gives up all tasks when one worker dies; `retry_queue` decides which run again.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
import warnings
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tuner.engines import loky_worker
from tuner.engines.environment import ONE_THREAD
from tuner.engines.failure import Failure, guarded
from tuner.engines.retry_queue import QueuedTask, RetryQueue

__all__ = ["LokyEngine"]

AHEAD = 1  # tasks inside loky for each that runs: 0.8 ms between two tasks of a worker, and 1.7 ms without
FRAME = Path(loky_worker.__file__).name  # of ours, in which a task begins
SETTLE = 0.5  # seconds at most to wait for loky before it is shut down
RECYCLED = "A worker stopped while some jobs were given to the executor"  # loky, of one that leaked memory


class LokyEngine(RetryQueue):
    """Runs tasks in `width` worker processes, each of which may allocate `memory` bytes."""

    def __init__(self, width: int, preload: Sequence[str] = (), memory: int | None = None) -> None:
        super().__init__()
        self.width = width
        self._preload = tuple(preload)
        self._memory = memory
        self._pool: Any = None
        self._pools = self._tasks = 0
        self._entered: set[Future[Any]] = set()
        self._notes = Path(tempfile.mkdtemp(prefix="tuner-"))
        self._sweep = weakref.finalize(self, shutil.rmtree, self._notes, ignore_errors=True)

    @property
    def room(self) -> int:
        """Return how many tasks may be inside loky."""
        return self.width * (1 + AHEAD)

    def share(self, directory: Path) -> None:
        """Do nothing: the workers read the same disk."""

    def warm(self) -> None:
        """Start the workers, without waiting for them."""
        with self._lock:
            if self._pool is None:
                guarded(self._enter, let_through=KeyboardInterrupt)(loky_worker.nothing)

    def close(self) -> None:
        """Kill the workers; what has not finished ends as a `Failure`."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        super().close()
        if pool is not None:
            _settle(self._entered.copy())
            pool.shutdown(wait=True, kill_workers=True)
        self._sweep()

    def _start(self, task: QueuedTask) -> Future[bytes]:
        if task.seconds is None:
            return self._enter(loky_worker.answer, task.call)
        with self._lock:
            self._tasks += 1
            # The pool is made first, as the notes of late tasks belong to the workers of one pool.
            self._open()
            task.note = str(self._notes / f"{self._pools}-{self._tasks}")
            return self._enter(loky_worker.answer_within, task.call, task.seconds, task.note)

    def _enter(self, function: Any, *args: Any) -> Future[Any]:
        """Submit to the pool of workers, making a new one where there is none or a worker has died."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        with self._lock:
            for _ in range(self.deaths if not self._closed else 0):
                self._open()
                with suppress(BrokenProcessPool), _signals_held():
                    inner: Future[Any] = self._pool.submit(function, *args)
                    self._entered.add(inner)
                    inner.add_done_callback(self._entered.discard)
                    return inner
                self._pool = None
        raise RuntimeError("there are no worker processes: the engine is closed, or they die as they start")

    def _open(self) -> None:
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        if self._pool is None:
            warnings.filterwarnings("ignore", RECYCLED, UserWarning)
            self._pools += 1
            given = (os.getpid(), self._preload, self._notes, self._memory)
            self._pool = ProcessPoolExecutor(self.width, initializer=loky_worker.begin, initargs=given, env=ONE_THREAD)

    def _is_blameless(self, task: QueuedTask, error: BaseException) -> bool:
        del error
        return not _said(task.note) and any(map(_said, self._of_its_pool(task)))

    def _of_its_pool(self, task: QueuedTask) -> list[Path]:
        pool = Path(task.note).name.partition("-")[0] if task.note else str(self._pools)
        return list(self._notes.glob(f"{pool}-*"))

    def _give_up(self, task: QueuedTask, error: BaseException) -> Failure | None:
        if task.seconds is not None and (said := _said(task.note)):
            return _late(task.seconds, said)
        return _death(error, self.deaths) if task.deaths >= self.deaths else None


def _said(note: str | Path) -> str:
    """Return what a worker wrote when its task took too long; "" where it did not."""
    try:
        return Path(note).read_text(encoding="utf-8", errors="replace") if note else ""
    except OSError:
        return ""


def _late(seconds: float, said: str) -> Failure:
    """Build the failure of a task that took too long, with the traceback of its thread."""
    threads = [part.splitlines()[1:] for part in re.split(r"^(?:Current t|T)hread ", said, flags=re.MULTILINE)]
    own = next((lines for lines in threads if any(FRAME in line and " in _run" in line for line in lines)), [])
    ours = next((i for i, line in enumerate(own) if FRAME in line and " in _run" in line), 0)
    where = f"; it was at {own[0].strip()}" if ours else ""
    return Failure("TimedOut", f"took longer than the limit of {seconds:.3g} s{where}", tuple(own[:ours][:20]))


def _settle(entered: set[Future[Any]]) -> None:
    # Shut down while a task is between its two queues, which is a moment, loky's own thread stops with a KeyError.
    until = time.monotonic() + SETTLE
    while any(not (inner.running() or inner.done()) for inner in entered) and time.monotonic() < until:
        time.sleep(0.001)


def _death(error: BaseException, deaths: int) -> Failure:
    from joblib.externals.loky.process_executor import BrokenProcessPool

    if not isinstance(error, BrokenProcessPool):
        return Failure.of(error)
    codes = re.findall(r"[\w-]+\(-?\d+\)", str(error))
    how = f" ({', '.join(sorted(set(codes)))})" if codes else ""
    return Failure(
        "WorkerDied", f"the worker died {deaths} times while running this{how}; out of memory? try fewer jobs"
    )


@contextmanager
def _signals_held() -> Iterator[None]:
    """Start processes with Ctrl-C blocked: until they have begun, it would end them with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Started inside, this helper process would unblock the signals again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
