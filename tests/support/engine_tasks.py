"""Tasks for engines: small functions that workers can import, well behaved or not."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from threadpoolctl import threadpool_info

from tuner.engines.messages import HEAD, MARK


def double(x: Any) -> Any:
    return 2 * x


def pid() -> int:
    return os.getpid()


def nap(seconds: float, value: Any = None) -> Any:
    time.sleep(seconds)
    return value


def blas_threads() -> list[int]:
    np.ones((64, 64)) @ np.ones((64, 64))
    return [library["num_threads"] for library in threadpool_info()]


def die(log: Path | None = None) -> NoReturn:
    """End the worker as the out-of-memory killer does; note it in `log` first."""
    if log is not None:
        noted(log)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def noted(log: Path, value: Any = None) -> Any:
    with open(log, "a", encoding="utf-8") as file:
        file.write("x")
    return value


def die_once(mark: Path) -> str:
    """Die the first time and finish the second."""
    if mark.exists():
        return "done"
    mark.touch()
    die()


def die_while_sending(mark: Path) -> str:
    """Die the first time with half an answer sent, while a forked process holds the pipe open; finish the second."""
    if mark.exists():
        return "done"
    mark.touch()
    frame = sys._getframe()
    while frame.f_code.co_name != "serve":
        frame = frame.f_back  # type: ignore[assignment]
    os.write(frame.f_locals["writing"], HEAD.pack(MARK, 1 << 20) + b"half")
    if os.fork() == 0:
        time.sleep(600)
    die()


def leave() -> NoReturn:
    sys.exit(3)


def interrupt() -> NoReturn:
    raise KeyboardInterrupt


def recurse(n: int) -> int:
    return recurse(n + 1) + 1


class Odd(Exception):
    """An exception that cannot be unpickled, and has no message either."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()

    def __str__(self) -> str:
        raise SystemExit


def odd() -> NoReturn:
    raise Odd(1, 2)


def loud() -> NoReturn:
    raise ValueError("x" * 10_000_000 + "\0\ud800")


class Unreadable:
    """Can be pickled and not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return leave, ()


def unreadable() -> Unreadable:
    return Unreadable()


def unpicklable() -> Any:
    return (x for x in ())
