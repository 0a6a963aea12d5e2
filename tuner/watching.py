"""What a run tells as it goes, and who listens in a notebook: one line that is written over."""

from __future__ import annotations

import sys
import time
from typing import Any

from tuner.orchestrator import Progress

__all__ = ["NotebookWatcher", "Watcher", "default_watcher"]

RATE = 4.0  # updates a second at most


class Watcher:
    """What a run tells as it goes; every method may be overridden, none needs to be."""

    def note(self, sentence: str) -> None:
        """Something decided without being asked: "batch sizes above 341 train rows left out"."""

    def stage(self, name: str) -> None:
        """A stage begins: "prepare", "retry", "search", "confirm", "report", "write"."""

    def progress(self, progress: Progress) -> None:
        """Where the search stands; several times a second."""

    def retrained(self, done: int, total: int) -> None:
        """So many of the trainings of a stage "retry", "confirm" or "report" are done."""

    def ended(self) -> None:
        """The run is over."""


class NotebookWatcher(Watcher):
    """One line of a notebook's cell, written over."""

    def __init__(self, display: Any) -> None:
        """`display` is IPython's."""
        self._handle = display({"text/plain": "reading the data"}, raw=True, display_id=True)
        self._said = 0.0

    def stage(self, name: str) -> None:
        """Say which stage begins."""
        self._say({"confirm": "confirming the best", "write": "writing the results"}.get(name, name))

    def progress(self, progress: Progress) -> None:
        """Say where the search stands."""
        best = progress.best
        value = f", best {best.value:.4g} (trial {best.number})" if best and best.value is not None else ""
        line = f"{progress.done} of {progress.total} trials, {progress.running} running{value}"
        self._say(line, now=progress.done >= progress.total)

    def retrained(self, done: int, total: int) -> None:
        """Say how far a confirmation is."""
        self._say(f"confirming the best: {done} of {total} trainings", now=done == total)

    def ended(self) -> None:
        """Say that it is over."""
        self._say("done")

    def _say(self, line: str, now: bool = True) -> None:
        if now or time.monotonic() - self._said >= 1 / RATE:
            self._said = time.monotonic()
            self._handle.update({"text/plain": line}, raw=True)


def default_watcher() -> Watcher:
    """A line in a notebook; nobody elsewhere, so that a script's output is its own."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    if running is None or not hasattr(running, "kernel"):
        return Watcher()
    from IPython.display import display

    return NotebookWatcher(display)
