"""Reads metrics from lines that a program prints, from CSV files that grow, and from JSON, as [metrics] says."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuner.study import EPOCH, VALUE, MetricSource
from tuner.trainables.custom.epoch_rows import EpochRows
from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["CsvReader", "JsonReader", "MetricReader", "PatternReader", "file_content", "json_values"]

NOT_FINITE = re.compile(r"(?<![\w.])[-+]?(?:nan|inf(?:inity)?)(?!\w)", re.IGNORECASE)
MOST_TEXT = 1 << 24  # characters of a file of metrics, of which the rest is not read
MOST_DEPTH = 20  # of a dotted key


class MetricReader:
    """What the readers share: the sources at one place, and the rows that they make."""

    def __init__(self, sources: Sequence[MetricSource], start: int) -> None:
        self.sources = tuple(sources)
        timed = [source.name for source in sources if source.epoch]
        self.rows = EpochRows([source.name for source in sources], timed, start)

    def piece(self, text: str) -> None:
        """Take in a piece of what is printed, with its end."""

    def content(self, text: str, over: bool) -> None:
        """Take in all that a file holds now; `over` once there will be no more."""

    def skip(self, text: str) -> None:
        """Leave out what a file held before the program began."""

    @property
    def why(self) -> str:
        """Say why there may be no value, as far as it is known."""
        return ""


class PatternReader(MetricReader):
    """Finds values by patterns in lines, which a carriage return may end for a while."""

    def __init__(self, sources: Sequence[MetricSource], start: int) -> None:
        super().__init__(sources, start)
        self.patterns = [
            (source.name, re.compile(source.find), re.compile(source.epoch) if source.epoch else None)
            for source in sources
        ]
        self.seen = 0  # characters of a file

    def piece(self, text: str) -> None:
        """Take in a piece of what is printed, with its end."""
        self._line(text.rstrip("\r\n"), final=text.endswith("\n"))

    def content(self, text: str, over: bool) -> None:
        """Take in the lines of a file that are new."""
        for line in text[self.seen :].splitlines(keepends=True):
            if line.endswith(("\n", "\r")) or over:
                self.seen += len(line)
                self.piece(line if line.endswith(("\n", "\r")) else f"{line}\n")

    def skip(self, text: str) -> None:
        """Leave out what a file held before the program began."""
        self.seen = len(text)

    def _line(self, line: str, final: bool) -> None:
        for _, _, epoch in self.patterns:
            if epoch and (match := epoch.search(line)):
                self.rows.at(whole_number(group_of(match, EPOCH), "the epoch"))
        for name, pattern, _ in self.patterns:
            *_, match = None, *pattern.finditer(line)  # the last one of a line that was written over
            if match is None and NOT_FINITE.search(line):
                if pattern.search(NOT_FINITE.sub("0", line)):
                    self.rows.add(name, math.nan, final)
            elif match is not None:
                self.rows.add(name, real_number(group_of(match, VALUE), name), final)

    @property
    def why(self) -> str:
        """Say that values came before any epoch, where they did."""
        epochs = [source.epoch for source in self.sources if source.epoch]
        return f"; values came, but no line with an epoch, {epochs[0]!r}" if self.rows.stray and epochs else ""


class CsvReader(MetricReader):
    """Finds values in the columns of a CSV file that grows, whose cells may be empty."""

    def __init__(self, sources: Sequence[MetricSource], start: int) -> None:
        super().__init__(sources, start)
        self.seen = 0  # rows
        self.head: list[str] = []

    def skip(self, text: str) -> None:
        """Leave out the rows that a file held before the program began."""
        self.seen = max(0, sum(1 for row in csv.reader(io.StringIO(text, newline="")) if row) - 1)

    def content(self, text: str, over: bool) -> None:
        """Take in the rows that are new; a header that has changed leaves the others where they are."""
        whole = text if over else text[: text.rfind("\n") + 1]
        rows = [row for row in csv.reader(io.StringIO(whole.removeprefix("\ufeff"), newline="")) if row]
        if not rows:
            return
        self.head = [cell.strip() for cell in rows[0]]
        for row in rows[1 + self.seen :]:
            self._row(dict(zip(self.head, (cell.strip() for cell in row), strict=False)))
        self.seen = max(self.seen, len(rows) - 1)

    def _row(self, row: Mapping[str, str]) -> None:
        for epoch in [row[source.epoch] for source in self.sources if row.get(source.epoch)]:
            self.rows.at(whole_number(epoch, "the epoch"))
        for source in self.sources:
            if text := row.get(source.find):
                self.rows.add(source.name, real_number(text, source.name))

    @property
    def why(self) -> str:
        """Name the columns that there are."""
        return f"; its columns are {', '.join(self.head[:12])}" if self.head else "; there was no such file"


class JsonReader(MetricReader):
    """Finds values under dotted keys: of each line that is an object, or of the last document over many lines."""

    def __init__(self, sources: Sequence[MetricSource], start: int) -> None:
        super().__init__(sources, start)
        self.seen = 0
        self.lines = False  # whether there is an object a line
        self.keys: list[str] = []

    def skip(self, text: str) -> None:
        """Leave out what a file held before the program began."""
        self.seen = len(text)

    def piece(self, text: str) -> None:
        """Take in a line, if it is an object with what is looked for."""
        if not text.lstrip().startswith("{"):
            return
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            if any(json_values(found, source.find) for source in self.sources):
                self.lines = True
                self._document(found)

    def content(self, text: str, over: bool) -> None:
        """Take in all that a file holds now, or all that was printed once that is over."""
        for line in text[self.seen :].splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            self.seen += len(line)
            self.piece(line)
        if over and not self.lines:
            for document in documents_in(text):
                self._document(document)

    def _document(self, document: Any) -> None:
        self.keys = list(map(str, document))[:12] if isinstance(document, Mapping) else self.keys
        columns = {source.name: json_values(document, source.find) for source in self.sources}
        epochs = [json_values(document, source.epoch) for source in self.sources if source.epoch]
        longest = max(map(len, columns.values()), default=0)
        for i in range(longest):
            if epochs and i < len(epochs[0]):
                self.rows.at(whole_number(epochs[0][i], "the epoch"))
            for name, values in columns.items():
                if i < len(values) and values[i] is not None:
                    self.rows.add(name, real_number(values[i], name))

    @property
    def why(self) -> str:
        """Name the keys that there are."""
        return f"; its keys are {', '.join(self.keys)}" if self.keys else "; there was no JSON"


def documents_in(text: str) -> Iterator[Any]:
    """Yield the last JSON document of a text whose first line begins with a brace or a bracket; nothing without one."""
    decoder, found, at = json.JSONDecoder(), [], 0
    for match in re.finditer(r"^[ \t]*(?=[{\[])", text, re.MULTILINE):
        if match.end() >= at:
            with suppress(ValueError, RecursionError):
                document, at = decoder.raw_decode(text, match.end())
                found.append(document)
    yield from found[-1:]


def json_values(document: Any, key: str, depth: int = 0) -> list[Any]:
    """Return what a dotted key leads to: one value, or one for each item of a list on the way; none without one.

    A name with a dot in it is found too. Items of a list without the key hold None, so that lists stay side by side.
    """
    if isinstance(document, list):
        if not key:
            return document
        parts = [json_values(item, key, depth) for item in document]
        return [one for part in parts for one in part or [None]] if any(parts) else []
    if not key:
        return [] if isinstance(document, Mapping) else [document]
    if not isinstance(document, Mapping) or depth > MOST_DEPTH:
        return []
    if key in document:
        return json_values(document[key], "", depth + 1)
    for dot in [match.start() for match in re.finditer(r"\.", key)]:
        if key[:dot] in document and (found := json_values(document[key[:dot]], key[dot + 1 :], depth + 1)):
            return found
    return []


def file_content(folder: Path, place: str) -> str | None:
    """Return the text of the file at a place of a trial's folder, the last of several by name; None without one."""
    found = sorted(folder.glob(place)) if re.search(r"[*?\[]", place) else [folder / place]
    try:
        return found[-1].read_bytes()[:MOST_TEXT].decode("utf-8", "replace") if found else None
    except OSError:
        return None


def group_of(match: re.Match[str], name: str) -> str:
    """Return the group of a pattern that holds its value."""
    return str(match[name] if name in match.re.groupindex else match[1]).strip()


def real_number(value: Any, name: str) -> float:
    """Convert what stands for a metric. Raises InvalidObjective."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value.rstrip(".,;:%") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        what = f"{name} is {value!r:.40}, which is no number"
        raise InvalidObjective(what, "let [metrics] lead to the number alone") from None


def whole_number(value: Any, what: str) -> int:
    """Convert what stands for an epoch. Raises InvalidObjective."""
    number = real_number(value, what)
    if not number.is_integer() or number < 0:
        raise InvalidObjective(
            f"{what} is {value!r:.40}, which is no whole number", "let [metrics] lead to a step, say"
        )
    return int(number)
