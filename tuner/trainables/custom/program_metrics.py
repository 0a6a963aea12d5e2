"""Metrics of a program as they come, from all the places that [metrics] names, written on its board epoch by epoch.

An epoch is reported once every place has come past it. So what is reported depends on what the program says, and not on
when it is looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from tuner.study import PRINTED, MetricSource
from tuner.trainables.custom.function import MetricSink, ObjectiveCall
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.metric_readers import CsvReader, JsonReader, MetricReader, PatternReader, file_content

__all__ = ["LAST_LINES", "ProgramMetrics", "Reports"]

READERS: Mapping[str, type[MetricReader]] = {"pattern": PatternReader, "csv": CsvReader, "json": JsonReader}
MOST_PRINTED = 20_000  # pieces of output that a JSON document may be found in
LAST_LINES = 3  # of a program that said no metric


class Reports(Protocol):
    """Where rows are reported; `epoch` is None where they are counted."""

    def add(self, epoch: int | None, metrics: Mapping[str, float]) -> None:
        """Take in a row."""

    def end(self) -> None:
        """Take in a row that was the only one."""


class ProgramMetrics:
    """What a program says of its metrics: pieces of its output and its files go in, rows come out on the board."""

    def __init__(
        self, sources: Sequence[MetricSource], attempt: ObjectiveCall, board: MetricSink, reports: Reports
    ) -> None:
        self.attempt, self.board, self.reports = attempt, board, reports
        self.sources = {source.name: source for source in sources}
        places = dict.fromkeys((source.kind, source.place) for source in sources)
        self.readers = {
            (kind, place): READERS[kind]([s for s in sources if (s.kind, s.place) == (kind, place)], attempt.start)
            for kind, place in places
        }
        goal = self.sources[board.goal]
        self.lead = self.readers[goal.kind, goal.place]
        self.others = [reader for reader in self.readers.values() if reader is not self.lead]
        self.contents: dict[str, str] = {}
        self.printed: deque[str] = deque(maxlen=MOST_PRINTED)
        self.reported: set[int] = set()
        self.passed = False  # whether more was said than this call asks for
        for (_, place), reader in self.readers.items():
            if attempt.start and place != PRINTED and (text := file_content(attempt.directory, place)):
                reader.skip(text)

    def piece(self, text: str) -> None:
        """Take in a piece of what the program prints, with its end. Raises InvalidObjective, Diverged."""
        self.printed.append(text)
        for (_, place), reader in self.readers.items():
            if place == PRINTED:
                reader.piece(text)
        self._report(over=False)

    def look(self, over: bool = False) -> None:
        """Take in what the program's files hold by now. Raises InvalidObjective, Diverged."""
        for (_, place), reader in self.readers.items():
            text = None if place == PRINTED else file_content(self.attempt.directory, place)
            if text is not None and (over or self.contents.get(place) != text):
                self.contents[place] = text
                reader.content(text, over)
        self._report(over=False)

    def end(self) -> None:
        """Take in the rest, once the program has ended. Raises InvalidObjective, Diverged."""
        self.look(over=True)
        for (kind, place), reader in self.readers.items():
            if (kind, place) == ("json", PRINTED) and isinstance(reader, JsonReader) and not reader.lines:
                reader.content("".join(self.printed), over=True)
            reader.rows.close()
        self._report(over=True)
        self.reports.end()
        self._fill()

    def missing(self, name: str) -> str:
        """Say what was looked for, and why it may not have come."""
        source = self.sources[name]
        return f"{source.words} did not come{self.readers[source.kind, source.place].why}"

    def absent(self) -> list[str]:
        """Name the metrics that never came."""
        known = {name for row in self.board.sheets[0].rows.values() for name in row}
        return [name for name in self.sources if name not in known]

    def _report(self, over: bool) -> None:
        """Report the rows that all places have come past."""
        for reader in self.readers.values():
            if reader.rows.whole and self._is_last(reader.rows.epoch):
                reader.rows.close()
        rows = self.lead.rows
        for number in [number for number in rows.rows if number not in self.reported]:
            if not over and any(other.rows.last < self._place(other, number) for other in self.others):
                return
            self.reported.add(number)
            row = dict(rows.rows[number])
            for other in self.others:
                row = {**other.rows.rows.get(self._place(other, number), {}), **row}
            if self.board.goal in row:
                self._put(number, row)

    def _place(self, other: MetricReader, number: int) -> int:
        """Return the number that another place has for an epoch of the goal: one that counts begins with 1."""
        from_zero = self.lead.rows.timed and not other.rows.timed and 0 in self.lead.rows.rows
        return number + 1 if from_zero else number

    @property
    def is_over(self) -> bool:
        """Return True once all was said up to where this call ends.

        At the full length that is where more is said than was asked for: a program that has come to its own end may
        still have something to say, or a model to save.
        """
        stop, whole = self.attempt.stop, self.attempt.configs[0].get(self.attempt.unit)
        return bool(stop) and self.board.last >= stop and (stop != whole or self.passed)

    def _put(self, number: int, row: Mapping[str, float]) -> None:
        """Report a row; one beyond the rung tells that there will be none at it."""
        stop = self.attempt.stop
        if stop and self.board.last >= stop:
            self.passed = True
            return None
        if not self.lead.rows.timed or not stop or number <= stop:
            return self.reports.add(number if self.lead.rows.timed else None, row)
        sheet = self.board.sheets[0]
        if len(sheet.rows) <= sheet.shift:
            what = f"{self.board.goal} came at {number}, and not before {stop}, where trials are compared or end"
            most, rungs = self.attempt.configs[0].get(self.attempt.unit, 0), [number]
            while 4 * rungs[-1] < most:
                rungs.append(4 * rungs[-1])
            raise InvalidObjective(what, f"write [search] rungs = {rungs}: there the program says it")
        sheet.rows.setdefault(stop, {})
        return None

    def _is_last(self, epoch: int | None) -> bool:
        """Return True for the last epoch of this call, counted from 1 or, where the first one was that, from 0."""
        stop = self.attempt.stop
        shift = self.board.sheets[0].shift or (epoch == 0 and stop == 1)
        return bool(stop) and (epoch == stop or bool(shift and epoch == stop - 1))

    def _fill(self) -> None:
        """Give what came once, without an epoch, to all epochs: it is of the whole training."""
        for reader in self.readers.values():
            for source in reader.sources:
                came = [row[source.name] for row in reader.rows.rows.values() if source.name in row]
                if not source.epoch and len(came) == 1 and source.name != self.board.goal:
                    self.board.sheets[0].fill({source.name: came[0]})
