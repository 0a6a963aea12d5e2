"""A queue of tasks for workers that may die: tasks that run, that are quarantined, and that are given up.

Few tasks are with the workers at a time. When a worker dies, these are quarantined and run again one by one, alone:
blameless ones finish; one that keeps killing its worker ends as a `Failure`. All others wait and go on afterwards;
finished outcomes are kept.

Workers receive and send bytes: what cannot be pickled, or raises when it is unpickled, fails one task only.
"""

from __future__ import annotations

import pickle
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from tuner.engines.failure import Failure, guarded
from tuner.engines.patience import Patience, failure_in

__all__ = ["RetryQueue", "QueuedTask", "pickled", "unpickled"]


@dataclass(eq=False)
class QueuedTask:
    """A task on its way: its pickled call, its time limit, the caller's future, and how many workers died while running
    it.

    `note` is the file that its worker writes when the limit has passed; `avoid` are workers that it may have failed
    because of.
    """

    call: bytes
    seconds: float | None = None
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0
    note: str = ""
    patience: Patience = field(default_factory=Patience)
    avoid: set[str] = field(default_factory=set)


class RetryQueue(ABC):
    """Runs tasks in the order of their submission; subclasses provide the workers."""

    deaths = 3  # of its worker, after which a task is given up
    shares_disk = True  # with its workers

    def __init__(self) -> None:
        self.note: Callable[[str], None] = lambda sentence: None
        self._lock = threading.RLock()
        self._waiting: deque[QueuedTask] = deque()
        self._quarantined: deque[QueuedTask] = deque()
        self._inside: set[QueuedTask] = set()
        self._closed = False

    @property
    @abstractmethod
    def room(self) -> int:
        """Return how many tasks may be with the workers."""

    @abstractmethod
    def _start(self, task: QueuedTask) -> Future[bytes]:
        """Hand a task to the workers."""

    @abstractmethod
    def _is_blameless(self, task: QueuedTask, error: BaseException) -> bool:
        """Return True if the worker of a task is known to have died of something else."""

    @abstractmethod
    def _give_up(self, task: QueuedTask, error: BaseException) -> Failure | None:
        """Return the failure of a task whose worker died too often; None where it may run again."""

    def submit(
        self, function: Callable[..., Any], /, *args: Any, seconds: float | None = None, turn: int = 0
    ) -> Future[Any]:
        """Queue `function(*args)`; its future ends with what it returns or with a `Failure`.

        Raises RuntimeError after `close`.
        """
        del turn  # builtin tasks are short: their order hardly matters
        if self._closed:
            raise RuntimeError("the engine is closed: open another one to run more tasks")
        call = guarded(pickled, let_through=KeyboardInterrupt)((function, args))
        task = QueuedTask(b"" if isinstance(call, Failure) else call, seconds)
        task.future.set_running_or_notify_cancel()
        if isinstance(call, Failure):
            task.future.set_result(call)
            return task.future
        with self._lock:
            self._waiting.append(task)
        self._send()
        return task.future

    def forget(self) -> None:
        """Drop what has not begun; it ends as a `Failure`."""
        with self._lock:
            left = list(self._waiting)
            self._waiting.clear()
        for task in left:
            task.future.set_result(Failure("Stopped", "it was not needed any more"))

    def close(self) -> None:
        """Stop at once; what has not finished ends as a `Failure`."""
        with self._lock:
            self._closed = True
            left = [*self._waiting, *self._quarantined, *self._inside]
            for tasks in (self._waiting, self._quarantined, self._inside):
                tasks.clear()
        for task in left:
            task.future.set_result(Failure("Stopped", "the engine was closed before this finished"))

    def _send(self) -> None:
        """Start as many tasks as the workers have room for."""
        while (task := self._next()) is not None:
            inner = guarded(self._start, let_through=KeyboardInterrupt)(task)
            if not isinstance(inner, Failure):
                inner.add_done_callback(lambda done, task=task: self._landed(task, done))
            elif inner.machine:
                self._retry(task, inner, ours=True)
            else:
                # The engine could not start it, which is no fault of the task.
                self._end(task, replace(inner, fatal=True))

    def _next(self) -> QueuedTask | None:
        """Return the task to start now, if there is room: quarantined ones first, and each of those alone."""
        with self._lock:
            quarantined = any(task.deaths for task in self._inside)
            if self._closed or quarantined or len(self._inside) >= self.room or (self._quarantined and self._inside):
                return None
            queue = self._quarantined or self._waiting
            if not queue:
                return None
            self._inside.add(task := queue.popleft())
            return task

    def _landed(self, task: QueuedTask, done: Future[bytes]) -> None:
        """Process a worker's answer, or its death; then start the next tasks."""
        # The calling thread ignores exceptions: an error here would lose the task, and all that wait.
        went = guarded(self._land)(task, done)
        if isinstance(went, Failure):
            self._retry(task, went, ours=True)
        self._send()

    def _land(self, task: QueuedTask, done: Future[bytes]) -> None:
        error = done.exception()
        if error is not None:
            return self._retry_or_fail(task, error)
        outcome = guarded(unpickled)(done.result())
        failure = failure_in(outcome)
        if failure is not None and failure.machine:
            return self._retry(task, failure)
        return self._end(task, outcome)

    def _retry(self, task: QueuedTask, failure: Failure, ours: bool = False) -> None:
        """Run a task that the machine has ended again, after a pause; end it where patience is over."""
        if (over := task.patience.spent(failure, ours)) is not None:
            return self._end(task, over)
        if task.patience.tell():
            self.note(f"waiting, nothing is lost: {failure}")
        later = threading.Timer(task.patience.pause(), self._put_back, (task,))
        later.daemon = True
        later.start()

    def _put_back(self, task: QueuedTask) -> None:
        with self._lock:
            if task in self._inside:
                self._inside.remove(task)
                self._waiting.appendleft(task)
        self._send()

    def _end(self, task: QueuedTask, outcome: Any) -> None:
        with self._lock:
            if task not in self._inside:
                return
            self._inside.remove(task)
        task.future.set_result(outcome)

    def _retry_or_fail(self, task: QueuedTask, error: BaseException) -> None:
        """Give up a task whose worker died, or run it again: in quarantine, unless it is known to be blameless."""
        blameless = self._is_blameless(task, error)
        task.deaths += not blameless
        if not blameless and (failure := self._give_up(task, error)) is not None:
            return self._end(task, failure)
        with self._lock:
            if task in self._inside:
                self._inside.remove(task)
                (self._quarantined if task.deaths else self._waiting).appendleft(task)


def unpickled(data: bytes | bytearray | memoryview) -> Any:
    """Unpickle bytes that `pickled` made; raises what unpickling raises."""
    return pickle.loads(data)


def pickled(value: Any) -> bytes:
    """Pickle a value; raises what pickling raises."""
    # loky's pickler takes by value what lives in __main__: a script without a guard, a notebook.
    from joblib.externals.loky.backend.reduction import dumps

    return bytes(dumps(value))
