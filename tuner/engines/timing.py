"""A task's outcome with when it ran and who ran it: what a timeline of the workers is made from."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tuner.engines.failure import guarded

__all__ = ["Ran", "timed"]


@dataclass(frozen=True)
class Ran:
    """What a task came to, or a `Failure`; its worker, the same name for all that one runs; seconds of the clock."""

    outcome: Any
    worker: str
    began: float
    ended: float


def timed(function: Callable[..., Any], /, *args: Any) -> Ran:
    """Run `function(*args)`; raises KeyboardInterrupt alone."""
    began = time.time()
    outcome = guarded(function, let_through=KeyboardInterrupt)(*args)
    # A worker of a cluster may be a thread among others.
    return Ran(outcome, f"{platform.node()}:{os.getpid()}:{threading.get_native_id()}", began, time.time())
