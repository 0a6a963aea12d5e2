"""What a run shows while it goes: a live block on a terminal, plain lines elsewhere. All of it on stderr.

On a terminal four times a second, and gone at the end. In a pipe or a log: a line at each new best and every 30 s.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.cli.terminal import hint
from tuner.enums import TrialState
from tuner.orchestrator.callbacks import RunCallback
from tuner.records import Progress, Trial
from tuner.study import Study, is_searched
from tuner.text import cell_text, clean
from tuner.views.overview import states_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["LiveProgress", "PlainProgress", "Position", "in_one_line", "progress_display"]

EVERY = 30.0  # seconds between plain lines
RATE = 4.0  # looks a second
OWN = {"prepare": "importing the objective", "confirm": "training the best again on fresh seeds"}
STAGES = {
    "prepare": "reading the data",
    "retry": "training again what had failed",
    "search": "searching",
    "confirm": "confirming the best on fresh seeds",
    "report": "training the best of them on more seeds, which chose nothing",
    "write": "writing the results",
    "refit": "training the best on all rows",
}


@contextmanager
def progress_display(study: Study) -> Iterator[LiveProgress | PlainProgress]:
    """Show the progress display that fits stderr, and remove the live block however the run ends."""
    if not (sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"):
        yield PlainProgress(study)
        return
    from rich.console import Console

    callback = LiveProgress(study, Console(file=sys.stderr, highlight=False))
    try:
        yield callback
    finally:
        callback.close()


def in_one_line(study: Study, trial: Trial) -> str:
    """Write the searched settings of a trial in one line."""
    optimizer = trial.config.get("optimizer", "")
    domains = {**study.optimizers.get(optimizer, {}), **(study.custom.parameters if study.custom else {})}
    searched = {name for name, domain in domains.items() if is_searched(domain)}
    for table in (study.train, study.model):
        searched |= {name for name in type(table).model_fields if is_searched(getattr(table, name))}
    shown = [f"{name} {cell_text(value)}" for name, value in trial.config.items() if name in searched]
    return clean(" ".join([*([str(optimizer)] if optimizer else []), *shown]))


class Position:
    """Where a search stands, as numbers that people ask for: rate, time left, the best and since when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.began = clock()
        self.base: float | None = None
        self.progress: Progress | None = None
        self.best_at = self.began

    def take(self, progress: Progress) -> bool:
        """Take in where it stands; whether there is a new best."""
        known = self.progress.best if self.progress else None
        new = progress.best is not None and (known is None or known.number != progress.best.number)
        if new:
            self.best_at = self._clock()
        if self.base is None:
            # what earlier runs did says nothing about the rate of this one
            self.base = progress.worth
        self.progress = progress
        return new

    @property
    def rate(self) -> float:
        """Return the trials per second since this run began to search."""
        elapsed = self._clock() - self.began
        return (self.progress.worth - (self.base or 0)) / elapsed if self.progress and elapsed > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Return the remaining seconds; None where they are unknown."""
        if not self.progress or not self.rate:
            return None
        return (self.progress.total - self.progress.worth) / self.rate

    @property
    def since_best(self) -> float:
        """Return the seconds since the best was found."""
        return self._clock() - self.best_at


def duration(seconds: float | None) -> str:
    """Format a waiting time in its two largest units at most."""
    if seconds is None:
        return "--"
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


class PlainProgress(RunCallback):
    """Lines for pipes and logs."""

    def __init__(self, study: Study, clock: Callable[[], float] = time.monotonic) -> None:
        self.study, self.clock = study, clock
        self.position = Position(clock)
        self.said = clock()

    def note(self, sentence: str) -> None:
        """Tell what was decided without being asked."""
        hint(clean(sentence))

    def stage(self, name: str) -> None:
        """Tell that a stage begins."""
        if name == "search":
            self.position = Position(self.clock)
            self.said = self.clock()
        hint(stage_words(self.study, name))

    def progress(self, progress: Progress) -> None:
        """Tell a new best at once, and where the search stands every 30 s."""
        new = self.position.take(progress)
        if new or self.clock() - self.said >= EVERY:
            self.said = self.clock()
            hint(self._line(progress))

    def retrained(self, done: int, total: int) -> None:
        """Tell how far a confirmation is every 30 s."""
        if self.clock() - self.said >= EVERY:
            self.said = self.clock()
            hint(f"{done}/{total} trainings")

    def _line(self, progress: Progress) -> str:
        rate = f", {self.position.rate:.3g} a second" if self.position.rate else ""
        flying = f", {progress.begun} more at a rung" if progress.begun else ""
        line = f"{progress.done}/{progress.total} trials ({states_of(progress.states)}){flying}{rate}"
        if progress.best is None or progress.best.value is None:
            return line
        value = f"best {self.study.metric} {cell_text(progress.best.value)} (trial {progress.best.number}:"
        return f"{line}, {value} {in_one_line(self.study, progress.best)})"


class LiveProgress(RunCallback):
    """The live block. It is drawn by a thread of rich, from what it was told last."""

    def __init__(self, study: Study, console: Console) -> None:
        from rich.live import Live

        self.study, self.console = study, console
        self.position = Position()
        self.name, self.done = "", ""
        self.live = Live(
            get_renderable=self.block,
            console=console,
            refresh_per_second=RATE,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def note(self, sentence: str) -> None:
        """Tell what was decided without being asked, above the block."""
        self.console.print(clean(sentence), style="dim", markup=False, soft_wrap=True)

    def stage(self, name: str) -> None:
        """Show another stage."""
        self.name, self.done = name, ""
        if name == "search":
            self.position = Position()
        if not self.live.is_started:
            self.live.start()

    def progress(self, progress: Progress) -> None:
        """Keep where the search stands for the next look."""
        self.position.take(progress)

    def retrained(self, done: int, total: int) -> None:
        """Keep how far a confirmation is."""
        self.done = f", {done}/{total} trainings"

    def close(self) -> None:
        """Take the block off the screen."""
        self.live.stop()

    def block(self) -> Text:
        """Return the current block, each line cut at the width of the terminal."""
        from rich.text import Text

        progress = self.position.progress
        lines = [f"{clean(self.study.name)}: {stage_words(self.study, self.name)}{self.done}"]
        if progress is not None:
            lines += self._standing(progress, self.console.width)
        return Text("\n".join(line[: self.console.width] for line in lines), no_wrap=True, overflow="crop")

    def _standing(self, progress: Progress, columns: int) -> list[str]:
        position, spent = self.position, progress.spent
        tail = f"  {progress.done}/{progress.total}  {position.rate:.3g} trials/s  {duration(position.left)} left"
        room = max(10, min(40, columns - len(tail)))
        lines = [
            bar((progress.worth) / max(progress.total, 1), room, not self.console.options.ascii_only) + tail,
            counts(progress),
        ]
        if progress.best is not None:
            since = duration(position.since_best)
            lines.append(
                f"best {self.study.metric} {cell_text(progress.best.value)}  trial {progress.best.number}, {since} ago"
            )
            lines.append(f"     {in_one_line(self.study, progress.best)}")
        done = max(progress.worth - (position.base or 0), 1)
        share = spent.overhead / spent.wall if spent.wall > 0 else 0.0
        return [*lines, f"tuner's own time {share:.0%}, {1000 * spent.overhead / done:.1f} ms a trial"]


def stage_words(study: Study, name: str) -> str:
    """Describe a stage of a run for people."""
    return (STAGES | (OWN if study.custom else {})).get(name, name)


def counts(progress: Progress) -> str:
    """Count trials by state, those in flight first."""
    flying = [f"running {progress.running}", *([f"at a rung {progress.begun}"] if progress.begun else [])]
    states = tuple(TrialState)
    return "  ".join([*flying, *(f"{state} {progress.states.get(state, 0)}" for state in states)])


def bar(share: float, columns: int, blocks: bool) -> str:
    """Draw a bar that is full at 1."""
    full = int(min(max(share, 0.0), 1.0) * columns)
    return ("━" if blocks else "#") * full + ("─" if blocks else "-") * (columns - full)
