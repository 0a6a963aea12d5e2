"""The queue of tasks whose workers may die: who is suspected, who runs beside whom, and when one is given up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from tuner.engines.failure import Failure
from tuner.engines.retry_queue import QueueEngine, Task, pickled, unpickled


class ByHand(QueueEngine):
    """Workers that do nothing until they are told what became of their task."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self.inside: dict[str, Future[bytes]] = {}

    @property
    def room(self) -> int:
        return self._room

    def _start(self, task: Task) -> Future[bytes]:
        (_, (name,)) = unpickled(task.call)
        self.inside[name] = Future()
        return self.inside[name]

    def _innocent(self, task: Task, error: BaseException) -> bool:
        return False

    def _verdict(self, task: Task, error: BaseException) -> Failure | None:
        return Failure("WorkerDied", "it died") if task.deaths >= self.deaths else None

    def finish(self, name: str) -> None:
        """Let a task end well."""
        self.inside.pop(name).set_result(pickled(name))

    def die(self, *names: str) -> None:
        """Let the workers of some tasks die together, as those of one pool do."""
        for future in [self.inside.pop(name) for name in names]:
            future.set_exception(RuntimeError("died"))


def named(name: str) -> str:
    return name


@pytest.fixture
def engine() -> ByHand:
    return ByHand(room=2)


@pytest.fixture
def sent(engine: ByHand) -> dict[str, Future[Any]]:
    """Five tasks, of which two are with the workers."""
    call: Callable[[str], str] = named
    futures = {name: engine.submit(call, name) for name in "abcde"}
    assert set(engine.inside) == {"a", "b"}
    return futures


def test_suspects_run_alone_and_one_after_the_other(engine: ByHand, sent: dict[str, Future[Any]]) -> None:
    engine.die("a", "b")
    first = set(engine.inside)
    assert len(first) == 1
    assert first < {"a", "b"}
    engine.finish(*first)
    second = set(engine.inside)
    assert second == {"a", "b"} - first  # the other suspect, and nobody beside it
    engine.finish(*second)
    assert set(engine.inside) == {"c", "d"}
    assert [sent[name].result(timeout=0) for name in "ab"] == ["a", "b"]


def test_nothing_starts_beside_a_suspect_and_no_suspect_beside_others(
    engine: ByHand, sent: dict[str, Future[Any]]
) -> None:
    engine.die("a")  # b is still with its worker
    assert set(engine.inside) == {"b"}
    engine.finish("b")
    assert set(engine.inside) == {"a"}
    engine.submit(named, "f")
    assert set(engine.inside) == {"a"}
    engine.finish("a")
    assert set(engine.inside) == {"c", "d"}


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_suspect_that_finishes_before_its_last_death_is_innocent(
    deaths: int, engine: ByHand, sent: dict[str, Future[Any]]
) -> None:
    engine.finish("b")
    engine.finish("c")
    engine.finish("d")
    engine.finish("e")
    for _ in range(deaths):
        engine.die("a")
        assert set(engine.inside) == {"a"}
    engine.finish("a")
    assert sent["a"].result(timeout=0) == "a"


def test_a_task_is_given_up_at_its_last_death_alone(engine: ByHand, sent: dict[str, Future[Any]]) -> None:
    engine.finish("b")
    for name in "cde":
        engine.finish(name)
    for death in range(1, engine.deaths + 1):
        assert not sent["a"].done()
        assert death <= 3
        engine.die("a")
    assert str(sent["a"].result(timeout=0)) == str(Failure("WorkerDied", "it died"))
