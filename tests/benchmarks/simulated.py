"""Workers that only pretend: the orchestrator's own code and time, on a clock of its own."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from tuner.engines import Ran

__all__ = ["Simulation", "simulating"]


class Simulation:
    """An engine of `width` pretended workers; `does` says of a task how many seconds it takes, and what it comes to.

    What the orchestrator computes passes on the clock too. Tasks of a lower turn go first where they are `ordered`, as
    training code of somebody's own is; those of the core go as they come.
    """

    shares_disk = False

    def __init__(self, width: int, does: Callable[[Any], tuple[float, Any]], ordered: bool = False) -> None:
        self.width, self.does, self.ordered = width, does, ordered
        self.now = self.busy = 0.0
        self.looked, self.numbers = time.process_time(), count()
        self.queue: list[tuple[int, int, Future[Any], Any]] = []
        self.running: list[tuple[float, int, Future[Any], Ran]] = []
        self.done: set[Future[Any]] = set()

    def submit(self, timed: Any, function: Any, task: Any, *args: Any, turn: int = 0, **options: Any) -> Future[Any]:
        """The task starts when a worker is free."""
        del timed, function, args, options
        self._pass()
        future: Future[Any] = Future()
        heapq.heappush(self.queue, (turn if self.ordered else 0, next(self.numbers), future, task))
        self._start(self.now)
        return future

    def wait(self, out: Any, **options: Any) -> tuple[set[Future[Any]], set[Future[Any]]]:
        """What has finished meanwhile; where nothing has, the clock goes on to the next that does."""
        del out, options
        self._pass()
        if not self.done:
            self.now = max(self.now, self.running[0][0])
            self._pass()
        done, self.done = self.done, set()
        return done, set()

    def forget(self) -> None:
        """Nothing waits."""

    warm = close = forget

    def _pass(self) -> None:
        """Let the time pass that the orchestrator took; workers go on meanwhile."""
        self.now += time.process_time() - self.looked
        while self.running and self.running[0][0] <= self.now:
            finish, _, future, ran = heapq.heappop(self.running)
            future.set_result(ran)
            self.done.add(future)
            self._start(finish)
        self.looked = time.process_time()

    def _start(self, at: float) -> None:
        while self.queue and len(self.running) < self.width:
            _, number, future, task = heapq.heappop(self.queue)
            seconds, outcome = self.does(task)
            self.busy += seconds
            heapq.heappush(self.running, (at + seconds, number, future, Ran(outcome, "", at, at + seconds)))


@contextmanager
def simulating(engine: Simulation) -> Iterator[None]:
    """The orchestrator's clock is the engine's."""
    with patch("tuner.orchestrator.loop.wait", engine.wait):
        yield
