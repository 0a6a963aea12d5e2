"""Dates as people write them: ISO, day or month first, year first, with names of months; with or without a time of day.

Whether the day or the month comes first is decided by the whole column: a number above 12 can be no month. Days since
1970 come out, and the parts that a network can use: the weekday and the month.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["DATE_STYLES", "PARTS_OF_DATES", "Ambiguous", "date_style", "days_of", "part_of_day"]

PARTS_OF_DATES = ("trend", "weekday", "month")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
OTHER_MONTHS = {"mär": 3, "mai": 5, "okt": 10, "dez": 12}
TIME = r"(?:(?:[T ]|,\s*)\s*(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
TWO = re.compile(rf"(?P<a>\d{{1,2}})(?P<mark>[-/.])(?P<b>\d{{1,2}})(?P=mark)(?P<y>\d{{4}}|\d{{2}}){TIME}")
YEAR = re.compile(rf"(?P<y>\d{{4}})(?P<mark>[-/.])(?P<b>\d{{1,2}})(?P=mark)(?P<a>\d{{1,2}}){TIME}")
NAMED = re.compile(
    rf"(?:[A-Za-z]{{2,9}}\.?,?\s+)?(?:(?P<a>\d{{1,2}})(?:st|nd|rd|th|\.)?[-\s/]*(?P<m>[A-Za-zä]{{3,9}})\.?|"
    rf"(?P<m2>[A-Za-zä]{{3,9}})\.?\s*(?P<a2>\d{{1,2}})(?:st|nd|rd|th)?)[-,\s/]*(?P<y>\d{{4}}|\d{{2}}){TIME}"
)
MONTH = re.compile(r"(?P<y>\d{4})[-/](?P<b>\d{1,2})")
ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")
DATE_STYLES = ("iso", "day first", "month first", "year first", "month by name", "month")
EPOCH = datetime(1970, 1, 1)
PIVOT = 69  # two digits of a year: 69 is 1969, 68 is 2068, as in POSIX


class Ambiguous(ValueError):
    """Dates that may have the day or the month first: an example, read both ways."""

    def __init__(self, text: str) -> None:
        first, second = (str(_date(days_of(text, style) or 0.0)) for style in ("day first", "month first"))
        self.text, self.readings = text, (first, second)
        super().__init__(text)


def date_style(texts: Sequence[str], share: float = 1.0) -> tuple[str, list[str]] | None:
    """Return the style in which the texts are dates, and those that are none; None below this share of all.

    Raises Ambiguous where nothing decides between day and month.
    """
    least = share * len(texts)
    for style in ("iso", "year first", "month by name", "month"):
        wrong = [text for text in texts if days_of(text, style) is None]
        if len(texts) - len(wrong) >= least:
            return style, wrong
    pairs = [(text, found) for text in texts if (found := TWO.fullmatch(text.strip()))]
    if len(pairs) < least:
        return None
    by_day = [text for text in texts if days_of(text, "day first") is None]
    by_month = [text for text in texts if days_of(text, "month first") is None]
    if len(by_day) == len(by_month) == len(texts) - len(pairs):
        if all(found["mark"] == "." for _, found in pairs):
            return "day first", by_day
        telling = [text for text, found in pairs if found["a"] != found["b"]]
        if telling:
            raise Ambiguous(telling[0])
    style, wrong = min((("day first", by_day), ("month first", by_month)), key=lambda one: len(one[1]))
    return (style, wrong) if len(texts) - len(wrong) >= least else None


@lru_cache(maxsize=65536)
def days_of(text: str, style: str) -> float | None:
    """Return days since 1970 of a date written in a style, in UTC; None where it is none."""
    try:
        return READERS[style](text.strip())
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=65536)
def part_of_day(days: float, part: str) -> str:
    """Return the name of a date's weekday or month."""
    date = _date(days)
    return WEEKDAYS[date.weekday()] if part == "weekday" else MONTHS[date.month - 1]


def _date(days: float) -> datetime:
    return EPOCH + timedelta(days=days)


def _since(value: datetime) -> float:
    plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return (plain - EPOCH) / timedelta(days=1)


def _iso(text: str) -> float | None:
    return _since(datetime.fromisoformat(text)) if ISO.fullmatch(text) else None


def _built(found: re.Match[str], year: str, month: int, day: int) -> float:
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= PIVOT else 2000
    parts = found.groupdict()
    hour, minute, second = (int(parts.get(name) or 0) for name in ("h", "min", "s"))
    if half := (parts.get("half") or "").lower().replace(".", ""):
        hour = hour % 12 + 12 * (half == "pm")
    return _since(datetime(number, month, day, hour, minute, second))


def _two(day_first: bool) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        found = TWO.fullmatch(text)
        if found is None:
            return None
        day, month = (found["a"], found["b"]) if day_first else (found["b"], found["a"])
        return _built(found, found["y"], int(month), int(day))

    return read


def _year_first(text: str) -> float | None:
    found = YEAR.fullmatch(text)
    return found and _built(found, found["y"], int(found["b"]), int(found["a"]))


def _named(text: str) -> float | None:
    found = NAMED.fullmatch(text)
    if found is None:
        return None
    name = (found["m"] or found["m2"]).lower()[:3]
    names = {month.lower(): i for i, month in enumerate(MONTHS, 1)} | OTHER_MONTHS
    if name not in names:
        return None
    return _built(found, found["y"], names[name], int(found["a"] or found["a2"]))


def _month(text: str) -> float | None:
    found = MONTH.fullmatch(text)
    return found and _built(found, found["y"], int(found["b"]), 1)


READERS: dict[str, Callable[[str], float | None]] = {
    "iso": _iso,
    "day first": _two(True),
    "month first": _two(False),
    "year first": _year_first,
    "month by name": _named,
    "month": _month,
}
