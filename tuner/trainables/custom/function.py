"""Calls somebody's function once: for one config, or for several that it trains together."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.enums import ObjectiveForm, TrialState
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.metric_log import Diverged, MetricLog
from tuner.trainables.custom.run_handle import Run
from tuner.trainables.custom.seeding import seed_everything

__all__ = ["ObjectiveCall", "MetricSink", "call_objective", "device_here"]


@dataclass(frozen=True)
class ObjectiveCall:
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
        """Return what the k-th config gets beside its own values: trial, seed, and, of several, its split."""
        split = {} if self.split is None else {"split": self.split}
        return {"trial": self.trials[k], "seed": self.seed, **split}

    def handed(self, **more: Any) -> Any:
        """Return the config as a function receives it: a dict of its own, or a list of them."""
        own = [{**_copied(config), **self.told(k), **more} for k, config in enumerate(self.configs)]
        return own if self.batched else own[0]

    @property
    def shortened(self) -> dict[str, Any]:
        """Replace the study's length by that of this call; a schedule still runs over the full length, its horizon."""
        whole = self.configs[0]
        known = "epochs" in whole and "horizon" not in whole
        return {self.unit: self.stop} | ({"horizon": whole["epochs"]} if known else {})


def _copied(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, list | tuple) else value for name, value in config.items()}


class MetricSink:
    """Where reports of one training are written: a sheet for each of its configs."""

    def __init__(self, sheets: Sequence[MetricLog], batched: bool) -> None:
        self.sheets, self.batched = list(sheets), batched
        self.ended: list[str] = [""] * len(self.sheets)
        self.final = False  # whether the last epoch holds what the code says its value is

    @property
    def goal(self) -> str:
        """Return the goal's name."""
        return self.sheets[0].goal

    @property
    def last(self) -> int:
        """Return the last epoch reported by any config."""
        return max(sheet.last for sheet in self.sheets)

    def add(self, epoch: Any, value: Any) -> None:
        """Take in what was reported for an epoch.

        Raises InvalidObjective, and Diverged where no config has a finite goal any more.
        """
        said: Diverged | None = None
        for i, (sheet, own) in enumerate(zip(self.sheets, self._parts(value), strict=True)):
            if self.ended[i]:
                continue
            try:
                sheet.add(epoch, own)
            except Diverged as diverged:
                self.ended[i], said = TrialState.DIVERGED, diverged
        if said is not None and all(self.ended):
            raise said

    def _parts(self, value: Any) -> list[Any]:
        """Split what was reported into each config's part."""
        if not self.batched:
            return [value]
        k = len(self.sheets)
        if isinstance(value, Mapping):
            rows = {name: _listed(each, k, f"{name} of a batch") for name, each in value.items()}
            return [{name: each[i] for name, each in rows.items()} for i in range(k)]
        return _listed(value, k, "what was reported of a batch")

    def check(self, *, told: bool = True) -> None:
        """Raise InvalidObjective for a problem that the objective swallowed, and where nothing was `told` that had to
        be.
        """
        for sheet in self.sheets:
            if sheet.problem is not None:
                raise sheet.problem
        if told and not any(sheet.rows for sheet in self.sheets):
            raise InvalidObjective(f"reported nothing, not even {self.goal}", "return it, yield it, or call run.report")


def _listed(value: Any, k: int, what: str) -> list[Any]:
    try:
        found = list(value)
    except TypeError:
        found = []
    if isinstance(value, str) or len(found) != k:
        raise InvalidObjective(
            f"{what} is not one for each of its {k} configs", "report lists in the order of the configs"
        )
    return found


def call_objective(
    function: Callable[..., Any], form: ObjectiveForm, attempt: ObjectiveCall, board: MetricSink
) -> None:
    """Train once and write what is reported on the board.

    Raises what the function raises, InvalidObjective, and Diverged.
    """
    seed_everything(attempt.seed, attempt.start)
    if form == ObjectiveForm.RUN:
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
    said = function(
        attempt.handed(**attempt.shortened) if form == ObjectiveForm.VALUE and attempt.stop else attempt.handed()
    )
    if isinstance(said, Iterator):
        _followed(said, attempt, board)
    else:
        board.add(attempt.stop or 1, said)


def _followed(steps: Iterator[Any], attempt: ObjectiveCall, board: MetricSink) -> None:
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
    """Return the device that this worker was given."""
    return os.environ.get(variable, "cpu")
