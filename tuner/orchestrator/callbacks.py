"""What a run tells as it goes, and who listens in a notebook and on a terminal: one line that is written over."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Any

from tuner.masking import shown
from tuner.records import Progress

__all__ = ["LineCallback", "NotebookCallback", "TerminalCallback", "RunCallback", "default_callback"]

RATE = 4.0  # updates a second at most
STAGES = {
    "retry": "training failed trials again",
    "confirm": "confirming the best",
    "report": "confirming the best of them",
    "write": "writing the results",
    "refit": "training the best on all rows",
}


class RunCallback:
    """What a run tells as it goes; every method may be overridden, none needs to be."""

    def note(self, sentence: str) -> None:
        """Report something decided without being asked: "batch sizes above 341 train rows left out"."""

    def stage(self, name: str) -> None:
        """Report the beginning of a stage: "prepare", "retry", "search", "confirm", "report", "write", "refit"."""

    def progress(self, progress: Progress) -> None:
        """Report the state of the search, several times a second."""

    def retrained(self, done: int, total: int) -> None:
        """Report how many trainings of a stage "retry", "confirm" or "report" are done."""

    def ended(self) -> None:
        """Report the end of the run."""


class LineCallback(RunCallback):
    """One line, written over, that says where a run stands."""

    def __init__(self) -> None:
        self._said, self._stage = 0.0, ""

    def stage(self, name: str) -> None:
        """Say which stage begins."""
        self._stage = STAGES.get(name, name)
        self._say(self._stage)

    def progress(self, progress: Progress) -> None:
        """Say where the search stands."""
        best = progress.best
        value = f", best {best.value:.4g} (trial {best.number})" if best and best.value is not None else ""
        begun = f", {progress.begun} more at a rung" if progress.begun else ""
        line = f"{progress.done} of {progress.total} trials{begun}, {progress.running} running{value}"
        self._say(line, now=progress.done >= progress.total)

    def retrained(self, done: int, total: int) -> None:
        """Say how far the stage is."""
        self._say(f"{self._stage}: {done} of {total} trainings", now=done == total)

    def ended(self) -> None:
        """Say that it is over."""
        self._say("done")

    def show(self, line: str) -> None:
        """Put the line in the place of the one before."""

    def _say(self, line: str, now: bool = True) -> None:
        if now or time.monotonic() - self._said >= 1 / RATE:
            self._said = time.monotonic()
            self.show(line)


class NotebookCallback(LineCallback):
    """A line of a notebook's cell."""

    def __init__(self, display: Any) -> None:
        """`display` is IPython's."""
        super().__init__()
        self._handle = display({"text/plain": "reading the data"}, raw=True, display_id=True)

    def show(self, line: str) -> None:
        """Put the line in the place of the one before."""
        self._handle.update({"text/plain": line}, raw=True)


class TerminalCallback(LineCallback):
    """The lowest line of a terminal, gone at the end; what is printed in between goes over it."""

    def note(self, sentence: str) -> None:
        """Tell what was decided without being asked, above the line."""
        self.show("")
        print(_plain(sentence), file=sys.stderr, flush=True)

    def show(self, line: str) -> None:
        """Put the line in the place of the one before, and the cursor at its beginning."""
        sys.stderr.write(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}\r")
        sys.stderr.flush()

    def ended(self) -> None:
        """Take the line away."""
        self.show("")


def default_callback() -> RunCallback:
    """Return the default callback: a line in a notebook or on a terminal, and nothing elsewhere."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    if running is not None and hasattr(running, "kernel"):
        from IPython.display import display

        return NotebookCallback(display)
    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return TerminalCallback() if terminal else RunCallback()


def _plain(text: str) -> str:
    """Return a text without passwords, and without what could steer a terminal."""
    return shown("".join(letter if letter.isprintable() else " " for letter in text))
