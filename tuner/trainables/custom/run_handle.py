"""The handle that train(config, run) is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CONFIRM", "REFIT", "SEARCH", "Run"]

SEARCH, CONFIRM, REFIT = "search", "confirm", "refit"


@dataclass(frozen=True)
class Run:
    """From where to where to train, and what for.

    `start` epochs are behind it (steps, examples: the unit of the study's budget) and `stop` is where to end: train
    epochs `start + 1` to `stop`. `directory` is the trial's own; what is in it when a run ends is there when the next
    one starts. `device` is the worker's, "cpu" where the study names none. `phase` is "search", "confirm", or
    "refit": train on all rows then, and leave the model in `directory`; nothing has to be reported.
    `trial` is the trial's number, the first one's of a batch. `seed` is that of the call: see `seed_of`.
    `split` says which division into training and validation data to use: every trial is judged on the same numbers.
    """

    start: int
    stop: int
    directory: Path
    seed: int
    device: str
    phase: str
    board: Any = field(repr=False)
    split: int = 0
    trial: int = 0

    def report(self, epoch: int, metrics: Any = None, /, **more: Any) -> None:
        """Tell the metrics of an epoch, once each, in order; save the checkpoint before. The goal has to be among them.

        Raises for what cannot be used; where the goal is not finite any more, training ends here.
        """
        given = {**metrics, **more} if isinstance(metrics, dict) else (more if metrics is None else metrics)
        self.board.add(epoch, given)
