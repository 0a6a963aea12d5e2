"""Calls somebody's function once: for one config, or for several that it trains together."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.trainables.custom.errors import Unusable
from tuner.trainables.custom.metric_log import Diverged, Reports
from tuner.trainables.custom.run_handle import Run
from tuner.trainables.custom.seeding import seed_everything

__all__ = ["Attempt", "Board", "called", "device_here"]


@dataclass(frozen=True)
class Attempt:
    """One training of `configs`, alone unless `batched`: on which seed, from where to where, and in which directory.

    `stop` is 0 where it trains as long as it likes; `unit` is that of the budget.
    """

    configs: tuple[Mapping[str, Any], ...]
    seed: int
    start: int
    stop: int
    unit: str
    directory: Path
    phase: str
    device: str
    batched: bool = False
    split: int | None = None
    trials: tuple[int, ...] = (0,)

    def told(self, k: int = 0) -> dict[str, int]:
        """What the k-th config is given beside its own: numbers of its trial and, of several, its split; the seed."""
        split = {} if self.split is None else {"split": self.split}
        return {"trial": self.trials[k], "seed": self.seed, **split}

    def handed(self, **more: Any) -> Any:
        """The config as a function is given it: a dict of its own, or a list of them."""
        own = [{**_copied(config), **self.told(k), **more} for k, config in enumerate(self.configs)]
        return own if self.batched else own[0]

    @property
    def shortened(self) -> dict[str, Any]:
        """How long to train, in the place of the study's length; a schedule still runs over that, its horizon."""
        whole = self.configs[0]
        known = "epochs" in whole and "horizon" not in whole
        return {self.unit: self.stop} | ({"horizon": whole["epochs"]} if known else {})


def _copied(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, list | tuple) else value for name, value in config.items()}


class Board:
    """Where reports of one training are written: a sheet for each of its configs."""

    def __init__(self, sheets: Sequence[Reports], batched: bool) -> None:
        self.sheets, self.batched = list(sheets), batched
        self.ended: list[str] = [""] * len(self.sheets)
        self.final = False  # whether the last epoch holds what the code says its value is

    @property
    def goal(self) -> str:
        """The goal's name."""
        return self.sheets[0].goal

    @property
    def last(self) -> int:
        """The last epoch reported by any."""
        return max(sheet.last for sheet in self.sheets)

    def add(self, epoch: Any, value: Any) -> None:
        """Take in what was reported for an epoch. Raises Unusable; Diverged where nobody has a finite goal any more."""
        said: Diverged | None = None
        for i, (sheet, own) in enumerate(zip(self.sheets, self._parts(value), strict=True)):
            if self.ended[i]:
                continue
            try:
                sheet.add(epoch, own)
            except Diverged as diverged:
                self.ended[i], said = "diverged", diverged
        if said is not None and all(self.ended):
            raise said

    def _parts(self, value: Any) -> list[Any]:
        """Each config's own part."""
        if not self.batched:
            return [value]
        k = len(self.sheets)
        if isinstance(value, Mapping):
            rows = {name: _listed(each, k, f"{name} of a batch") for name, each in value.items()}
            return [{name: each[i] for name, each in rows.items()} for i in range(k)]
        return _listed(value, k, "what was reported of a batch")

    def check(self) -> None:
        """Raise Unusable for a problem that the objective swallowed, and where nothing was reported."""
        for sheet in self.sheets:
            if sheet.problem is not None:
                raise sheet.problem
        if not any(sheet.rows for sheet in self.sheets):
            raise Unusable(f"reported nothing, not even {self.goal}", "return it, yield it, or call run.report")


def _listed(value: Any, k: int, what: str) -> list[Any]:
    try:
        found = list(value)
    except TypeError:
        found = []
    if isinstance(value, str) or len(found) != k:
        raise Unusable(f"{what} is not one for each of its {k} configs", "report lists in the order of the configs")
    return found


def called(function: Callable[..., Any], form: str, attempt: Attempt, board: Board) -> None:
    """Train once and write what is reported on the board. Raises what the function raises, Unusable, and Diverged."""
    seed_everything(attempt.seed, attempt.start)
    if form == "run":
        run = Run(
            attempt.start, attempt.stop, attempt.directory, attempt.seed, attempt.device, attempt.phase, board,
            attempt.split or 0, attempt.trials[0],
        )  # fmt: skip
        said = function(attempt.handed(), run)
        if said is not None and not inspect.isgenerator(said) and board.last < attempt.stop:
            board.add(attempt.stop, said)
        elif inspect.isgenerator(said):
            _followed(said, attempt, board)
        return
    # A function that returns a number is told how long to train; one that yields is stopped when it has.
    said = function(attempt.handed(**attempt.shortened) if form == "value" and attempt.stop else attempt.handed())
    if isinstance(said, Iterator):
        _followed(said, attempt, board)
    else:
        board.add(attempt.stop or 1, said)


def _followed(steps: Iterator[Any], attempt: Attempt, board: Board) -> None:
    """Take in what a generator yields until it has come to the rung."""
    try:
        for said in steps:
            epoch, metrics = said if isinstance(said, tuple) and len(said) == 2 else (board.last + 1, said)
            board.add(epoch, metrics)
            if attempt.stop and board.last >= attempt.stop:
                return
    finally:
        if inspect.isgenerator(steps):
            with suppress(RuntimeError):  # it yields while it is closed: that is its own business
                steps.close()


def device_here(variable: str) -> str:
    """The device that this worker was given."""
    return os.environ.get(variable, "cpu")
