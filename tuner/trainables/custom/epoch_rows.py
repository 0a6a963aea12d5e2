"""Values of metrics as a program says them, one by one, put together to rows: one for each epoch."""

from __future__ import annotations

from collections.abc import Collection

from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["EpochRows"]


class EpochRows:
    """The rows of one source of metrics. The last value that is said in an epoch counts.

    Where some metric says its epoch (`timed`), the others belong to the epoch that was said last. Otherwise a row ends
    where it is whole, or where a metric is said again, and rows are counted from `start` + 1.
    """

    def __init__(self, names: Collection[str], timed: Collection[str], start: int = 0) -> None:
        self.names, self.timed, self.start = frozenset(names), frozenset(timed), start
        self.rows: dict[int, dict[str, float]] = {}  # that are finished
        self.epoch: int | None = None
        self.row: dict[str, float] = {}
        self.fixed: set[str] = set()  # metrics of the row that were not said for a while only
        self.repeated = False  # whether a metric was said twice in an epoch
        self.before: frozenset[str] = frozenset()  # what the row before had
        self.stray = 0  # values that were said before any epoch

    @property
    def last(self) -> int:
        """Return the last epoch whose row is finished."""
        return next(reversed(self.rows), -1 if self.timed else self.start)

    def at(self, epoch: int) -> None:
        """Note that what follows is of this epoch."""
        if epoch != self.epoch:
            self.close()
            self.epoch = epoch

    def add(self, name: str, value: float, final: bool = True) -> None:
        """Take in a value; one that is not `final` is shown for a while, like that of a progress bar.

        Raises InvalidObjective for an epoch that was finished before.
        """
        if self.timed and self.epoch is None:
            self.stray += 1
            return
        if self.timed and self.epoch == self.last:  # finished as nothing more was expected
            self.rows[self.last].setdefault(name, value)
            return
        if self.timed and self.rows and (self.epoch or 0) < self.last:
            what = f"{name} came for epoch {self.epoch} after the values of epoch {self.last}"
            raise InvalidObjective(what, "let [metrics] match the lines of the training alone, in the order of epochs")
        if name in self.fixed:
            self.repeated = True
            if not self.timed:
                self.close()
        self.row[name] = value
        if final:
            self.fixed.add(name)
        if not self.timed and self.fixed >= self.names:
            self.close()

    @property
    def whole(self) -> bool:
        """Return True if nothing more is to be expected for the open epoch, as far as the ones before tell."""
        needed = self.before or self.timed
        return bool(self.row) and not self.repeated and self.fixed >= needed

    def close(self) -> None:
        """Finish the open row, if it has values."""
        if not self.row:
            return
        epoch = self.last + 1 if self.epoch is None else self.epoch
        self.rows[epoch] = self.row
        self.before = frozenset(self.row)
        self.row, self.fixed = {}, set()
