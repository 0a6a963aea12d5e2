"""What an objective reports, checked as it comes in: numbers under names, at epochs that rise."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["MOST_EPOCHS", "NAME", "Diverged", "MetricLog", "metrics_of", "single"]

NAME = re.compile(r"[A-Za-z_][\w./-]{0,98}")
MOST = 100  # metrics
MOST_EPOCHS = 100_000


class Diverged(BaseException):
    """The goal is not a finite number any more: whatever it trains, it ends here. No `Exception`, so that code which
    catches those lets it through.
    """


def metrics_of(value: Any, goal: str, taken: Collection[str] = (), *, needed: bool = True) -> dict[str, float]:
    """Return metrics by name from a number (the goal) or a mapping that contains it; `taken` names are not metrics.

    Values that are not numbers, other than the goal, are not metrics. The goal may be absent unless it is `needed`.
    """
    if not isinstance(value, Mapping):
        return {goal: _number(value, goal)}
    if len(value) > MOST:
        raise InvalidObjective(f"reported {len(value)} metrics", f"report at most {MOST}")
    if goal not in value and needed:
        names = ", ".join(map(str, list(value)[:6])) or "nothing"
        what = f"reported {names}, and not {goal}, which is the goal"
        raise InvalidObjective(what, "report it, or make another the goal: minimize or maximize in [study]")
    for name in value:
        if name in taken:
            raise InvalidObjective(
                f"reported {name!r}, which is a parameter or a name of the tuner's own", "call it otherwise"
            )
    return {name: _number(one, name) for name, one in value.items() if name == goal or is_metric(name, one)}


def notes_of(value: Any, goal: str) -> dict[str, Any]:
    """Return what was reported beside the goal and is not a metric: texts, None, lists, tables."""
    if not isinstance(value, Mapping):
        return {}
    return {str(name): one for name, one in value.items() if name != goal and not is_metric(name, one)}


def is_metric(name: Any, value: Any) -> bool:
    """Return True for a number, of whatever library, under a name that a column can have."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return False
    plain = single(value)
    return isinstance(plain, Number) and not isinstance(plain, bool | np.bool_ | complex)


def single(value: Any) -> Any:
    """Return the element of an array that has one, whatever its shape; anything else unchanged."""
    shape = getattr(value, "shape", None)
    if shape is None or not hasattr(value, "item"):
        return value
    try:
        return value.item() if math.prod(shape) == 1 else value
    except (TypeError, ValueError, RuntimeError):
        return value


def _number(value: Any, name: str) -> float:
    """Convert a number of whatever library. Raises InvalidObjective."""
    if value is None:
        raise InvalidObjective(f"returned nothing for {name}", "return a number, or a dict of metrics")
    value = single(value)
    shape = getattr(value, "shape", None)
    if shape:
        raise InvalidObjective(f"{name} is an array of shape {tuple(shape)}, not a number", "report its mean, say")
    if isinstance(value, bool | np.bool_):
        raise InvalidObjective(f"{name} is {value}, not a number", "report 0.0 or 1.0 if that is meant")
    if isinstance(value, str | bytes):
        raise InvalidObjective(f"{name} is text ({value!r:.40}), not a number", "report float(...) of it")
    if not isinstance(value, Number) or isinstance(value, complex):
        raise InvalidObjective(f"{name} is of type {type(value).__name__}, not a number", "report a float")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise InvalidObjective(f"{name} is {value!r:.40}, which is no number that fits", "report a float") from None


@dataclass
class MetricLog:
    """The reports of one training: `start` epochs are behind it, and it may come to `stop` (0: as far as it likes).

    Epochs below `again` were reported by a run that was killed: they may be told once more.
    """

    goal: str
    start: int = 0
    stop: int = 0
    taken: Collection[str] = ()
    again: int = 0
    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    problem: InvalidObjective | None = None
    shift: int = 0  # 1 where epochs are counted from 0
    needed: bool = True  # whether the goal has to be told

    @property
    def last(self) -> int:
        """Return the last epoch that was reported; `start` before the first."""
        return max(self.rows, default=self.start)

    def add(self, epoch: Any, value: Any) -> None:
        """Take in the metrics of an epoch. Raises InvalidObjective, Diverged where the goal is not finite."""
        try:
            number = self._epoch(epoch)
            metrics = metrics_of(value, self.goal, self.taken, needed=self.needed)
            self.notes |= notes_of(value, self.goal)
        except InvalidObjective as problem:
            self.problem = self.problem or problem
            raise
        self.rows[number] = metrics
        if not math.isfinite(metrics.get(self.goal, 0.0)):
            raise Diverged(f"{self.goal} is {metrics[self.goal]} at epoch {number}")

    def fill(self, values: Mapping[str, float]) -> None:
        """Give all epochs that were reported without these values the same."""
        for number, row in self.rows.items():
            self.rows[number] = {**{name: float(value) for name, value in values.items()}, **row}

    def _epoch(self, epoch: Any) -> int:
        """Return the epoch, counted from 1. Raises InvalidObjective."""
        if hasattr(epoch, "item") and getattr(epoch, "shape", None) == ():
            epoch = epoch.item()
        if isinstance(epoch, bool) or not isinstance(epoch, int):
            raise InvalidObjective(f"reported epoch {epoch!r:.40}, which is no whole number", "report epoch, metrics")
        if epoch < 0:
            raise InvalidObjective(f"reported epoch {epoch}", "count epochs from 1, or from 0")
        if not self.rows and epoch == self.start:
            self.shift = 1  # its first one is 0, or the one where a run that counts from 0 goes on
        elif self.shift and not self.start and epoch == self.stop:
            self._without_baseline()
        epoch += self.shift
        if epoch in self.rows and epoch > self.again:
            raise InvalidObjective(f"reported epoch {epoch} twice", "report each epoch once, with all its metrics")
        if epoch <= self.start and epoch > 0:
            hint = "go on from the checkpoint in run.directory: the next epoch is run.start + 1"
            raise InvalidObjective(f"reported epoch {epoch} after epoch {self.start}, where this run started", hint)
        if epoch < self.last and epoch > self.again:
            raise InvalidObjective(f"reported epoch {epoch} after epoch {self.last}", "report epochs in order")
        most = self.stop or MOST_EPOCHS
        if epoch > most:
            hint = "end at run.stop" if self.stop else "report less often"
            raise InvalidObjective(f"reported epoch {epoch}, beyond the {most:,} it was to train", hint)
        return int(epoch)

    def _without_baseline(self) -> None:
        """Drop what was told for epoch 0: that was before training, as epochs go on to the last one by its number."""
        self.rows = {number - 1: row for number, row in self.rows.items() if number > 1}
        self.shift = 0

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """Return curves `(E,)` from epoch 1 to the last, nan where nothing was reported."""
        names = dict.fromkeys(name for row in self.rows.values() for name in row)
        found = {name: np.full(self.last, np.nan) for name in names}
        for epoch, row in self.rows.items():
            for name, value in row.items():
                found[name][epoch - 1] = value
        return found
