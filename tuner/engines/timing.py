"""A task's outcome with its times and its worker, from which the timeline of the workers is made."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tuner.engines.failure import guarded

__all__ = ["TimedOutcome", "timed"]


@dataclass(frozen=True)
class TimedOutcome:
    """A task's outcome or `Failure`; its worker, under the same name for all of that worker's tasks; its times in
    seconds of the clock.
    """

    outcome: Any
    worker: str
    began: float
    ended: float


def timed(function: Callable[..., Any], /, *args: Any) -> TimedOutcome:
    """Run `function(*args)`; raises KeyboardInterrupt alone."""
    began = time.time()
    outcome = guarded(function, let_through=KeyboardInterrupt)(*args)
    # A worker of a cluster may be a thread among others.
    return TimedOutcome(outcome, f"{platform.node()}:{os.getpid()}:{threading.get_native_id()}", began, time.time())
