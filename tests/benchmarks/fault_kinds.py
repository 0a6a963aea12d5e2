"""The kinds of faults: what each does to a run, or to its workers."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psutil

from tests.benchmarks.fault_studies import Run


def kill_parent(run: Run) -> None:
    os.kill(run.process.pid, signal.SIGKILL)


def kill_group(run: Run) -> None:
    os.killpg(run.process.pid, signal.SIGKILL)


def kill_worker(run: Run) -> None:
    for worker in run.workers[:1]:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


def kill_workers(run: Run) -> None:
    for worker in run.workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


def kill_a_sender(run: Run) -> None:
    """Freeze the parent until a worker waits for it in the middle of an answer, and kill that one; else any."""
    os.kill(run.process.pid, signal.SIGSTOP)
    until = time.monotonic() + 1.5
    victims: list[psutil.Process] = []
    workers = run.workers
    while not victims and time.monotonic() < until:
        time.sleep(0.01)
        victims = [one for one in workers if sends(one)]
    run.sending += bool(victims)
    for worker in (victims or workers)[:1]:
        with suppress(psutil.NoSuchProcess):
            worker.kill()
    time.sleep(0.05)
    os.kill(run.process.pid, signal.SIGCONT)


def sends(worker: psutil.Process) -> bool:
    """Whether a process waits for room in a pipe that it writes into."""
    with suppress(OSError):
        place = Path(f"/proc/{worker.pid}/task/{worker.pid}")
        call = (place / "syscall").read_text(encoding="ascii").split()
        return call[0] == "1" and "pipe" in os.readlink(f"/proc/{worker.pid}/fd/{int(call[1], 16)}")
    return False


def kill_all_at_once(run: Run) -> None:
    """The parent and its workers, as `pkill -9` by name does."""
    victims = [run.process.pid, *(one.pid for one in run.workers)]
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def terminate_a_worker(run: Run) -> None:
    for worker in run.workers[-1:]:
        with suppress(psutil.NoSuchProcess):
            worker.terminate()


def no_more_files(run: Run) -> None:
    """Let the run open no file for a second, while a worker has to be replaced."""
    limited(run.process.pid, psutil.RLIMIT_NOFILE, 3, lambda: kill_worker(run))


def workers_write_nothing(run: Run) -> None:
    """Let the workers write to no file for a second."""
    for worker in run.workers[:1]:
        limited(worker.pid, psutil.RLIMIT_FSIZE, 0, lambda: None)


def limited(pid: int, what: int, most: int, meanwhile: Callable[[], object]) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        before = process.rlimit(what)
        process.rlimit(what, (most, before[1]))
        meanwhile()
        time.sleep(1)
        process.rlimit(what, before)


def remove_the_cache(run: Run) -> None:
    shutil.rmtree(run.ledger.parent / "cache", ignore_errors=True)


def interrupt(run: Run) -> None:
    os.kill(run.process.pid, signal.SIGINT)


def terminate(run: Run) -> None:
    os.kill(run.process.pid, signal.SIGTERM)


def freeze(run: Run) -> None:
    os.killpg(run.process.pid, signal.SIGSTOP)
    time.sleep(1)
    os.killpg(run.process.pid, signal.SIGCONT)


def hold_the_ledger(run: Run) -> None:
    if run.ledger.exists():
        with closing(sqlite3.connect(run.ledger, isolation_level=None, timeout=30)) as database:
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(1)
            database.execute("ROLLBACK")


def fill_the_disk(run: Run) -> None:
    """Let the run write to no file for a second, as a full disk would."""
    limited(run.process.pid, psutil.RLIMIT_FSIZE, 0, lambda: None)


def run_twice(run: Run) -> None:
    """A second run of the same study, one of which has to be refused: the one that came later, as a rule."""
    both = [run.process, run.another()]
    while all(one.poll() is None for one in both):
        time.sleep(0.01)
    run.process = both[both[0].poll() is not None]


KINDS: dict[str, Callable[[Run], object]] = {
    "kill -9 of the parent": kill_parent,
    "kill -9 of the group": kill_group,
    "kill -9 of a worker": kill_worker,
    "kill -9 of all workers": kill_workers,
    "kill -9 of a worker while it sends": kill_a_sender,
    "kill -9 of parent and workers": kill_all_at_once,
    "SIGTERM to a worker": terminate_a_worker,
    "SIGINT": interrupt,
    "SIGTERM": terminate,
    "frozen for 1 s": freeze,
    "ledger locked for 1 s": hold_the_ledger,
    "no writing for 1 s": fill_the_disk,
    "no writing in a worker for 1 s": workers_write_nothing,
    "no more files for 1 s": no_more_files,
    "the cache is removed": remove_the_cache,
    "a second run": run_twice,
}
