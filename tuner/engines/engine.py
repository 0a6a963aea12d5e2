"""The protocol of engines, which run tasks, and the engine that runs them inline."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from tuner.engines.cluster import ClusterEngine
from tuner.engines.failure import guarded
from tuner.engines.loky import LokyEngine
from tuner.engines.patience import Patience, failure_in
from tuner.engines.process_pool import PoolEngine

__all__ = ["Engine", "InlineEngine", "open_engine", "processors"]


class Engine(Protocol):
    """What runs tasks: `submit` gives a future of the outcome or a `Failure`; `width` tasks run at once.

    `note` is called, from any thread, with what the engine waits for where the machine is out of resources.
    """

    note: Callable[[str], None]

    @property
    def width(self) -> int:
        """Return how many tasks run at once."""

    def submit(
        self, function: Callable[..., Any], /, *args: Any, seconds: float | None = None, turn: int = 0
    ) -> Future[Any]:
        """Run `function(*args)`, now or when there is room; never raises what the function raises.

        A task that has run for `seconds` ends as a `Failure` of type "TimedOut", whatever it does. Tasks of a lower
        `turn` may go first.
        """

    @property
    def shares_disk(self) -> bool:
        """Return True if the workers see the files of this machine."""

    def share(self, directory: Path) -> None:
        """Make the files of a directory of prepared data readable for the workers, under its own name."""

    def forget(self) -> None:
        """Drop what has not begun; it ends as a `Failure`."""

    def warm(self) -> None:
        """Start what takes time to start, without waiting for it."""

    def close(self) -> None:
        """Stop at once; what has not finished ends as a `Failure`."""


class InlineEngine:
    """Runs every task at `submit`, in this process. Ctrl-C goes through: here it is meant for the caller."""

    width = 1
    shares_disk = True

    def __init__(self) -> None:
        self.note: Callable[[str], None] = lambda sentence: None
        self._controller: Any = None
        self._modules = 0

    def submit(
        self, function: Callable[..., Any], /, *args: Any, seconds: float | None = None, turn: int = 0
    ) -> Future[Any]:
        """Run `function(*args)` with one BLAS thread; the future is done. Raises ValueError for a time limit."""
        del turn
        if seconds is not None:
            raise ValueError("nothing can end what runs in this process: open an engine with limited=True")
        future: Future[Any] = Future()
        patience = Patience()
        while not future.done():
            with self._blas().limit(limits=1):
                outcome = guarded(function, let_through=KeyboardInterrupt)(*args)
            failure = failure_in(outcome)
            if failure is None or not failure.machine:
                future.set_result(outcome)
            elif (over := patience.spent(failure, ours=True)) is not None:
                future.set_result(over)
            else:
                if patience.tell():
                    self.note(f"waiting, nothing is lost: {failure}")
                time.sleep(patience.pause())
        return future

    def share(self, directory: Path) -> None:
        """Do nothing: the directory is on this machine."""

    def forget(self) -> None:
        """Do nothing: no task waits."""

    def warm(self) -> None:
        """Do nothing: there is no worker to start."""

    def close(self) -> None:
        """Do nothing: there is no worker to stop."""

    def _blas(self) -> Any:
        # Looking for BLAS libraries takes 0.9 ms, setting their threads 0.01 ms: look when modules were imported since.
        if self._controller is None or self._modules != len(sys.modules):
            from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

            self._controller, self._modules = ThreadpoolController(), len(sys.modules)
        return self._controller


def processors() -> int:
    """Return the number of processors that this process may use."""
    from joblib.externals.loky import cpu_count

    return int(cpu_count())


@contextmanager
def open_engine(
    jobs: int,
    preload: Sequence[str] = (),
    *,
    limited: bool = False,
    memory: int | None = None,
    cluster: tuple[str, str] | None = None,
) -> Iterator[Engine]:
    """Open an engine of `jobs` workers, closed at the end; one job runs inline unless tasks are to be `limited`.

    A `cluster`, a scheduler's address and the hash of the required arithmetic, has its own workers. Other workers
    import the modules in `preload` while they start, and may each allocate `memory` bytes. On systems without process
    groups they are joblib's. Raises ValueError for fewer jobs than 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, but got {jobs}")
    engine: Engine
    if cluster is not None:
        engine = ClusterEngine(*cluster)
    elif jobs == 1 and not limited and memory is None:
        engine = InlineEngine()
    elif hasattr(os, "killpg"):
        first = [(import_module, (name,)) for name in preload]
        engine = PoolEngine(jobs, memory=memory, preload=first, trusted=True)
    else:
        engine = LokyEngine(jobs, preload, memory)
    try:
        yield engine
    finally:
        engine.close()
