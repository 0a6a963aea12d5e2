"""Early stopping: a run whose validation loss has not improved for `patience` epochs stands where it is.

As in Keras and Lightning: an epoch improves where its loss is below the best so far by more than `min_delta`, and a run
stops after `patience` epochs in a row that do not. A run is one replicate of a trial and stops by itself. What it knows
of its past are marks of the state, so that a run cut in two stops where one in one piece does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput
from objectives.hyperparameter import ASKED, Hyper, Interval

__all__ = ["MIN_DELTA", "STOPPED", "TRAINED", "Stopping", "patience_of"]

Array = NDArray[Any]
MIN_DELTA = Hyper("min_delta", "min_delta", 0.0, 1e-5, 1e-2, "log", Interval(), ASKED)
BEST, SINCE, STOPPED, TRAINED, LAST = "best", "since", "stopped", "trained", "last "


def patience_of(config: Mapping[str, Any]) -> tuple[int, float]:
    """Return the patience of a config in epochs (0: never stop) and the least improvement that counts. Raises
    InvalidInput.
    """
    patience, least = config.get("patience", 0), float(config.get(MIN_DELTA.name, MIN_DELTA.default))
    wrong = []
    if int(patience) != patience or patience < 0:
        wrong.append(Complaint("patience", f"must be a whole number of epochs, 0 for never, but got {patience!r}"))
    if least not in MIN_DELTA.valid:
        wrong.append(Complaint(MIN_DELTA.name, f"must lie in {MIN_DELTA.valid}, but got {least!r}"))
    if wrong:
        raise InvalidInput(*wrong)
    return int(patience), least


class Stopping:
    """The marks `(R, K)` of a pack: best validation loss, epochs since, whether stopped, epochs trained, last values.

    A trial without patience has no marks: zeros where others have some.
    """

    def __init__(self, configs: Sequence[Mapping[str, Any]], marks: Mapping[str, Array], replicates: int) -> None:
        asked = [patience_of(config) for config in configs]
        self.patience = np.array([patience for patience, _ in asked])
        self.least = np.array([least for _, least in asked])
        self.marks = {name: mark.copy() for name, mark in marks.items()}
        self.shape = (replicates, len(configs))
        if self.patience.any() and BEST not in marks:
            self.marks[BEST] = np.where(self.patience > 0, np.inf, np.zeros(self.shape))
            self.marks |= {name: np.zeros(self.shape) for name in (SINCE, STOPPED, TRAINED)}

    @property
    def stopped(self) -> Array:
        """Return the mask `(R, K)` of runs that have stopped."""
        found: Array = self.marks[STOPPED] > 0 if STOPPED in self.marks else np.zeros(self.shape, bool)
        return found

    def last(self, name: str) -> Array:
        """Return the last values `(R, K)` of a curve, for a stopped run those at its stop."""
        mark = self.marks.get(LAST + name)
        return np.zeros(self.shape) if mark is None else mark.copy()

    def see(self, values: Mapping[str, Array], moved: Array) -> None:
        """Take note of an epoch's values `(R, K)`, of the runs that `moved` in it."""
        if not self.patience.any():
            return
        at = moved & (self.patience > 0)
        loss, best, since = values["valid_loss"], self.marks[BEST], self.marks[SINCE]
        better = at & (loss < best - self.least)
        best[better] = loss[better]
        since[at] += 1
        since[better] = 0
        self.marks[TRAINED][at] += 1
        self.marks[STOPPED][at & (since >= self.patience)] = 1
        for name, value in values.items():
            self.marks.setdefault(LAST + name, np.zeros(self.shape))[at] = value[at]
