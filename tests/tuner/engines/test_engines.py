"""Engines: every task ends with an outcome or a Failure, whatever it does to its worker, and none costs another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.support import engine_tasks
from tuner.engines import Engine, Failure, InlineEngine, LokyEngine, PoolEngine, guarded, open_engine, processors
from tuner.engines.process_pool import WorkerSlot

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def loky() -> Iterator[LokyEngine]:
    engine = LokyEngine(2)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def pool() -> Iterator[PoolEngine]:
    with PoolEngine(2, trusted=True) as engine:
        yield engine


@pytest.fixture(params=["loky", "pool"])
def workers(request: pytest.FixtureRequest) -> LokyEngine | PoolEngine:
    """An engine with worker processes: joblib's, or those that are supervised one by one."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["inline", "loky", "pool"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return InlineEngine() if request.param == "inline" else request.getfixturevalue(request.param)


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_outcomes_come_back(engine: Engine) -> None:
    array = np.arange(6.0).reshape(2, 3)
    futures = [engine.submit(engine_tasks.double, i) for i in range(20)] + [engine.submit(engine_tasks.double, array)]
    done, waiting = wait(futures, timeout=30)
    assert not waiting
    assert len(done) == 21
    assert [future.result() for future in futures[:20]] == list(range(0, 40, 2))
    np.testing.assert_array_equal(futures[20].result(), 2 * array)


def test_one_blas_thread(engine: Engine) -> None:
    threads = engine.submit(engine_tasks.blas_threads).result(30)
    assert threads
    assert set(threads) == {1}


def test_inline_gives_the_threads_back() -> None:
    before = engine_tasks.blas_threads()
    InlineEngine().submit(engine_tasks.blas_threads)
    assert engine_tasks.blas_threads() == before


@pytest.mark.parametrize(
    ("task", "args", "shown"),
    [
        (engine_tasks.double, (None,), "TypeError: unsupported operand type"),
        (engine_tasks.leave, (), "SystemExit: 3"),
        (engine_tasks.recurse, (0,), "RecursionError: maximum recursion depth exceeded"),
        (engine_tasks.odd, (), "Odd: its message cannot be made"),
    ],
)
def test_what_is_raised_is_a_failure(engine: Engine, task: Callable[..., Any], args: Any, shown: str) -> None:
    failure = engine.submit(task, *args).result(30)
    assert isinstance(failure, Failure)
    assert str(failure).startswith(shown)
    assert len(failure.lines) <= 20


def test_long_and_odd_text_is_cut_to_what_every_file_takes(engine: Engine) -> None:
    failure = engine.submit(engine_tasks.loud).result(30)
    assert str(failure).startswith("ValueError: xxx")
    assert len(str(failure)) < 2100
    assert max(map(len, failure.lines)) <= 500
    str(failure).encode()


def test_interrupting_a_task_is_its_failure_in_a_worker_and_the_callers_business_inline(workers: Engine) -> None:
    assert str(workers.submit(engine_tasks.interrupt).result(30)) == "KeyboardInterrupt"
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        InlineEngine().submit(engine_tasks.interrupt)


@pytest.mark.parametrize("task", [engine_tasks.unpicklable, engine_tasks.unreadable])
def test_a_result_that_cannot_travel_fails_its_own_task(task: Callable[..., Any], workers: Engine) -> None:
    before = workers.submit(engine_tasks.pid).result(30)
    bad, good = workers.submit(task), [workers.submit(engine_tasks.double, i) for i in range(4)]
    assert isinstance(bad.result(30), Failure)
    assert [future.result(30) for future in good] == [0, 2, 4, 6]
    assert lives(before)


@pytest.mark.parametrize("argument", [(x for x in ()), engine_tasks.Unreadable()], ids=["unpicklable", "unreadable"])
def test_an_argument_that_cannot_travel_fails_its_own_task(argument: Any, workers: Engine) -> None:
    bad, good = workers.submit(engine_tasks.double, argument), workers.submit(engine_tasks.double, 4)
    assert isinstance(bad.result(30), Failure)
    assert good.result(30) == 8


def test_a_closure_travels_by_value(workers: Engine) -> None:
    factor = 3
    assert workers.submit(lambda x: factor * x, 5).result(30) == 15


def test_a_poison_task_fails_alone(tmp_path: Path) -> None:
    with open_engine(2, preload=()) as engine:
        poison = (3,)
        logs = [tmp_path / f"{i}" for i in range(8)]
        futures = [
            engine.submit(engine_tasks.die if i in poison else engine_tasks.noted, log) for i, log in enumerate(logs)
        ]
        outcomes = [future.result(60) for future in futures]
    for i, outcome in enumerate(outcomes):
        if i in poison:
            assert str(outcome).startswith("WorkerDied: its worker process died of SIGKILL 5 times; out of")
        assert outcome is None or i in poison
        assert len(logs[i].read_text()) == (5 if i in poison else 1)  # none beside it runs twice


def test_a_worker_killed_from_outside_costs_nothing(tmp_path: Path) -> None:
    with open_engine(2, preload=()) as engine:
        first = engine.submit(engine_tasks.double, 1)
        assert first.result(30) == 2
        once = engine.submit(engine_tasks.die_once, tmp_path / "mark")
        others = [engine.submit(engine_tasks.double, i) for i in range(10)]
        assert once.result(60) == "done"
        assert [future.result(60) for future in others] == list(range(0, 20, 2))
        victim = engine.submit(engine_tasks.pid).result(30)
        os.kill(victim, signal.SIGKILL)
        while lives(victim):
            time.sleep(0.01)
        assert engine.submit(engine_tasks.double, 21).result(60) == 42


@pytest.mark.parametrize("trusted", [True, False], ids=["core", "own code"])
def test_a_worker_that_dies_while_it_sends_is_not_waited_for(trusted: bool, tmp_path: Path) -> None:
    """Joblib's executor waits for the rest of half an answer for ever."""
    with PoolEngine(2, trusted=trusted) as engine:
        once = engine.submit(engine_tasks.die_while_sending, tmp_path / "mark")
        others = [engine.submit(engine_tasks.double, i) for i in range(10)]
        assert once.result(60) == "done"
        assert [future.result(60) for future in others] == list(range(0, 20, 2))


def test_a_worker_that_is_killed_as_it_starts_costs_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """More often than a task may lose its worker: nothing of the task had reached it."""
    monkeypatch.setattr("tuner.engines.patience.FIRST", 0.01)
    killed: set[int] = set()
    until = time.monotonic() + 60
    with PoolEngine(1, preload=[(time.sleep, (1.0,))], trusted=True) as engine:
        future = engine.submit(engine_tasks.double, 4)
        while len(killed) < 7 and time.monotonic() < until:
            process = engine._slots[0]._process
            if process is not None and process.pid not in killed:
                os.kill(process.pid, signal.SIGKILL)
                killed.add(process.pid)
            time.sleep(0.01)
        assert future.result(60) == 8


def test_what_fails_on_the_way_back_costs_no_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An exception in the queue's callback, EMFILE in a glob, lost the task."""
    engine = LokyEngine(2)
    said: list[str] = []
    engine.note = said.append
    real, raised = engine._retry_or_fail, []

    def short(*args: Any) -> None:
        if not raised:
            raised.append(True)
            raise OSError(24, "Too many open files")
        real(*args)

    monkeypatch.setattr(engine, "_retry_or_fail", short)
    once = engine.submit(engine_tasks.die_once, tmp_path / "mark")
    others = [engine.submit(engine_tasks.double, i) for i in range(4)]
    assert once.result(60) == "done"
    assert [future.result(60) for future in others] == [0, 2, 4, 6]
    assert said == ["waiting, nothing is lost: OSError: [Errno 24] Too many open files"]
    engine.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_is_begun_again_by_an_idle_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watchdog: no task stays with a worker that nobody serves."""
    with PoolEngine(2, trusted=True) as engine:
        assert engine.submit(engine_tasks.double, 1).result(60) == 2
        broken = engine._slots[0]
        monkeypatch.setattr(WorkerSlot, "_run", lambda slot, task: raise_in(slot is broken, slot, task))
        monkeypatch.setattr(WorkerSlot, "_settle", lambda slot, task, *more: sys.exit())
        futures = [engine.submit(engine_tasks.nap, 0.2, i) for i in range(4)]
        until = time.monotonic() + 60
        while broken._thread is not None and broken._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        monkeypatch.undo()
        assert [future.result(60) for future in futures] == [0, 1, 2, 3]


RUN = WorkerSlot._run


def raise_in(here: bool, slot: WorkerSlot, task: Any) -> None:
    """Fail in the slot that is broken, and run the task in all others."""
    if here:
        raise RuntimeError("broken on purpose")
    RUN(slot, task)


def test_a_module_of_the_folder_is_not_taken_for_pythons(tmp_path: Path) -> None:
    """A file called queue.py in the folder where a run was started broke every worker of joblib's."""
    (tmp_path / "queue.py").write_text("raise RuntimeError('not this one')\n", encoding="utf-8")
    (tmp_path / "signal.py").write_text("raise RuntimeError('not this one')\n", encoding="utf-8")
    code = "from tests.support import engine_tasks\nfrom tuner.engines import open_engine\n"
    code += "with open_engine(2, ()) as engine:\n"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}    print(engine.submit(engine_tasks.double, 4).result(60))"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("8\n", "")


def test_workers_leave_signals_to_their_parent(workers: Engine) -> None:
    worker = workers.submit(engine_tasks.pid).result(30)
    slow = workers.submit(engine_tasks.nap, 0.2, "slept")
    os.kill(worker, signal.SIGINT)
    os.kill(worker, signal.SIGTERM)
    assert slow.result(30) == "slept"
    assert lives(worker)


@pytest.mark.parametrize("make", [LokyEngine, partial(PoolEngine, trusted=True), PoolEngine])
def test_close_stops_at_once_and_leaves_nobody_waiting(make: Callable[[int], Engine]) -> None:
    engine = make(2)
    workers = {engine.submit(engine_tasks.pid).result(30)}
    futures = [engine.submit(engine_tasks.nap, 60) for _ in range(6)]
    engine.close()
    assert {str(future.result(0)) for future in futures} == {"Stopped: the engine was closed before this finished"}
    assert not any(psutil.pid_exists(pid) for pid in workers)
    engine.close()
    with pytest.raises(RuntimeError, match="the engine is closed"):
        engine.submit(engine_tasks.double, 1)


@pytest.mark.parametrize(("jobs", "kind", "width"), [(1, InlineEngine, 1), (3, PoolEngine, 3)])
def test_jobs_choose_the_engine(jobs: int, kind: type, width: int) -> None:
    with open_engine(jobs) as engine:
        assert isinstance(engine, kind)
        assert engine.width == width


def test_jobs_default_to_the_processors() -> None:
    with open_engine(processors()) as engine:
        assert 1 <= engine.width <= (os.cpu_count() or 1)


@pytest.mark.parametrize("jobs", [0, -2])
def test_no_jobs_are_refused(jobs: int) -> None:
    with pytest.raises(ValueError, match=f"jobs must be at least 1, but got {jobs}"), open_engine(jobs):
        pass


def test_warm_workers_have_imported_what_they_were_told() -> None:
    with open_engine(2, preload=("colorsys", "no.such.module")) as engine:
        engine.warm()
        engine.warm()
        assert engine.submit(lambda: "colorsys" in sys.modules).result(30) is True


def test_guarded_returns_what_is_raised() -> None:
    assert guarded(engine_tasks.double)(4) == 8
    failure = guarded(engine_tasks.leave)()
    assert (failure.type, failure.message) == ("SystemExit", "3")
    assert failure.lines[-1] == "SystemExit: 3"


def script(tmp_path: Path, body: str) -> subprocess.Popen[str]:
    """A running script without a guard for __main__, whose functions live in it."""
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(body))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.Popen(
        [sys.executable, path], env=environment, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    body = """
        from dataclasses import dataclass
        from tuner.engines import open_engine, processors

        @dataclass
        class Point:
            x: int

        def shift(point):
            return Point(point.x + 1)

        print("once")
        with open_engine(2, preload=()) as engine:
            print(engine.submit(shift, Point(1)).result())
    """
    out, errors = script(tmp_path, body).communicate(timeout=60)
    assert errors == ""
    assert out == "once\nPoint(x=2)\n"


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    body = """
        import time
        from tests.support import engine_tasks
        from tuner.engines import PoolEngine

        engine = PoolEngine(2)
        print(engine.submit(engine_tasks.pid).result(), flush=True)
        for _ in range(4):
            engine.submit(engine_tasks.nap, 60)
        time.sleep(60)
    """
    parent = script(tmp_path, body)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    children = psutil.Process(parent.pid).children(recursive=True)
    assert worker in {child.pid for child in children}
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs(children, timeout=30)  # half a second, as a rule
    assert alive == []
