"""What a column is: its values tell, or the user says. Numbers, a date and its parts, categories, or nothing to learn.

A column that is left out is named with the line that keeps it. What decides is kept as `ColumnRule`, so that rows which
come later are read alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.columns.categories import folded, is_prose
from objectives.data.columns.dates import PARTS_OF_DATES, Ambiguous, date_style, days_of, part_of_day
from objectives.data.columns.numbers import mixed_units, style_of
from objectives.data.files.dialect import Dialect
from objectives.data.raw import Complaints, first_lines, some_rows
from objectives.errors import Complaint
from objectives.types import Array, Floats

__all__ = ["KINDS", "SLIPS", "ColumnRule", "Meaning", "is_id", "is_kind", "kind_line", "understood"]

KINDS = ("number", "category", "date", "day first", "month first", "leave out")
DATES = ("date", "day first", "month first")
MISSING = "(missing)"
RARE = "(rare)"
SLIPS = 0.9  # a column with this share of numbers among its texts is a number column with slips in it
FEW = 20  # categories that are never too many
MOST = 2000  # categories that have inputs of their own
ID_SHARE = 0.95  # of different texts among all
LEAST_IDS = 20  # rows
DAYS_OF_MONTHS = 300  # a span of dates that shows what months do
ROWS_OF_PARTS = 200
ID_NAME = re.compile(
    r"(?:.*[_\W])?(?:id|ids|uuid|guid|key|index|idx|rownum|row_?number|row|no|nr)|.*[a-z]I[dD]|"
    r".*(?<!AC)(?<!COV)(?<!FLU)(?<!GR)(?<!PA)(?<!SOL)ID",
    re.ASCII,
)
TIME_NAME = re.compile(r"(?i).*(?:year|jahr|date|time|month|day|week|period|step|age|hour|epoch|order|rank|t)$")


@dataclass(frozen=True)
class ColumnRule:
    """How values of a column are read, as plain values: the style of its numbers or dates, or its categories.

    `of` is the column that a part of a date comes from. `writings` are other writings of categories, `marks` texts that
    stand for gaps; with `rare`, unknown categories count as that one.
    """

    style: str = ""
    part: str = ""
    of: str = ""
    writings: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    rare: bool = False


@dataclass(frozen=True, eq=False)
class Meaning:
    """A column as it is understood: its `kind` ("number", "date", "text", "left out"), its values, and its rule.

    Of a date, `parts` are the names and values of further columns. `said` are sentences that a reader needs.
    """

    kind: str
    values: Any = None
    rule: ColumnRule = ColumnRule()
    parts: Mapping[str, Array] = field(default_factory=dict)
    said: tuple[str, ...] = ()


def is_kind(kind: str) -> bool:
    """Return True for a kind of column, or a date with the parts that are wanted: "day first: trend, month"."""
    head, _, parts = kind.partition(":")
    wanted = [part.strip() for part in parts.split(",")] if parts else []
    return head.strip() in KINDS and (not wanted or (head.strip() in DATES and set(wanted) <= set(PARTS_OF_DATES)))


def kind_line(name: str, kind: str) -> str:
    """Return the line of a study file that says what a column is."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
    return f'[data] columns = {{ {key} = "{kind}" }}'


def is_id(name: str, numbers: Floats) -> bool:
    """Return True for numbers `(n,)` that only name rows: they count them, or are all different under an id's name."""
    if len(numbers) < LEAST_IDS or not np.isfinite(numbers).all() or (numbers != np.floor(numbers)).any():
        return False
    if TIME_NAME.fullmatch(name) and not ID_NAME.fullmatch(name):
        return False
    if bool((np.diff(numbers) == 1).all()):
        return True
    return bool(ID_NAME.fullmatch(name)) and len(np.unique(numbers)) == len(numbers)


def understood(name: str, values: Array, kind: str, dialect: Dialect, where: str, found: Complaints) -> Meaning | None:
    """Return the meaning of a column of texts `(n,)`, gaps as None; complain and return None where it has none.

    `kind` is what the user says of it, or "".
    """
    import pandas as pd

    head = kind.partition(":")[0].strip()
    missing = np.asarray(pd.isna(values)) | (values == "")
    texts = [str(text) for text in pd.unique(values[~missing])]
    marks = [text for text in texts if dialect.is_gap(text)]
    rest = [text for text in texts if text not in set(marks)]
    label = f"column {name!r}"
    if not rest:
        return Meaning("left out", said=(f"{label} is empty: left out",))
    if head in ("", "number") and (made := _numbers(values, missing, rest, marks, dialect, head, where, found)):
        return made
    if head in ("", *DATES) and (made := _dates(values, rest, marks, kind, where, found)):
        return made
    if head in ("number", *DATES):
        what = f"{rest[0][:40]!r} is no {'number' if head == 'number' else 'date'}"
        found.append(Complaint(where, what, "leave it out of [data] columns, or correct the values"))
    if any(complaint.where == where for complaint in found):
        return None
    told = [text for text in marks if text.strip() in dialect.missing]
    meaning = _categories(name, values, missing | np.isin(values, told), head)
    return replace(meaning, rule=replace(meaning.rule, marks=tuple(told)))


def _numbers(  # noqa: PLR0913
    values: Array,
    missing: npt.NDArray[np.bool_],
    rest: Sequence[str],
    marks: Sequence[str],
    dialect: Dialect,
    head: str,
    where: str,
    found: Complaints,
) -> Meaning | None:
    digits = [text for text in rest[:200] if any(letter.isdigit() for letter in text)]
    if 2 * len(digits) < len(rest[:200]):
        return None
    best = style_of(rest, dialect.decimal or ".")
    best = best or style_of(rest, dialect.decimal or ".", 0.5)
    if best is None:
        return None
    style, wrong = best
    slips = np.isin(values, wrong) & ~missing if wrong else np.zeros(len(values), np.bool_)
    there = ~missing & ~np.isin(values, list(marks)) if marks else ~missing
    if wrong:
        if slips.sum() <= (1 - SLIPS) * there.sum() or head:
            found.append(_slip(values, slips, "numbers", where))
        return None
    known = {text: style.read(text) for text in rest}
    numbers = np.array([known.get(value, np.nan) for value in values], dtype=np.float64)
    label = where.rpartition(", ")[2]
    said = []
    if style.words or any(not _is_plain(text) for text in rest[:200]):
        example = next((text for text in rest if not _is_plain(text)), rest[0])
        said.append(f"{label}: texts are numbers, {example!r} is {known[example]:g}")
    said += [f"{label}: {one}" for one in mixed_units(known)]
    if marks:
        gaps = int(np.isin(values, list(marks)).sum())
        said.append(f"{label}: {first_lines(map(repr, marks), 3)} in {gaps} rows are gaps among numbers")
    return Meaning("number", numbers, ColumnRule(style.key, marks=tuple(marks)), said=tuple(said))


def _slip(values: Array, slips: npt.NDArray[np.bool_], others: str, where: str) -> Complaint:
    first = str(values[slips][0])[:40]
    what = f"{first!r} in {some_rows(slips)}, where all others are {others}"
    hint = f"correct it, leave it empty if the value is missing, or write [data] missing = [{first!r}]"
    return Complaint(where, what, hint.replace("'", '"'))


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _dates(
    values: Array,
    rest: Sequence[str],
    marks: Sequence[str],
    kind: str,
    where: str,
    found: Complaints,
) -> Meaning | None:
    head, _, parts = (part.strip() for part in kind.partition(":"))
    name = where.rpartition(", ")[2].removeprefix("column ").strip("'")
    style: str
    if head in ("day first", "month first"):
        style, wrong = head, [text for text in rest if days_of(text, head) is None]
    else:
        if not any(letter.isdigit() for letter in rest[0]):
            return None
        try:
            best = date_style(rest, SLIPS)
        except Ambiguous as error:
            what = f"{error.text!r} is {error.readings[0][:10]} with the day first, {error.readings[1][:10]} otherwise"
            hint = f'nothing in the column decides; write {kind_line(name, "day first")}, or "month first"'
            found.append(Complaint(where, what, hint))
            return None
        if best is None:
            return None
        style, wrong = best
    if wrong:
        found.append(_slip(values, np.isin(values, wrong), "dates", where))
        return None
    known = {text: days_of(text, style) for text in rest}
    days = np.array([known.get(value, np.nan) for value in values], dtype=np.float64)
    wanted = [part.strip() for part in parts.split(",")] if parts else _helpful(days)
    further = {part: _parts(days, part) for part in wanted if part != "trend"}
    said = [] if style == "iso" else [f"column {name!r}: dates, {style}: {rest[0]!r} is {_day(known[rest[0]])}"]
    rule = ColumnRule(style, marks=tuple(marks), part="" if "trend" in wanted else "none")
    return Meaning("date", days, rule, further, tuple(said))


def _day(days: float | None) -> str:
    return str(np.datetime64(0, "D") + np.timedelta64(int(np.floor(days or 0)), "D"))


def _helpful(days: Floats) -> list[str]:
    """Return the parts of dates that can tell something: those that come again often enough."""
    there = days[~np.isnan(days)]
    found = ["trend"]
    if len(there) < ROWS_OF_PARTS:
        return found
    if len(np.unique(np.floor(there) % 7)) == 7:
        found.append("weekday")
    if there.max() - there.min() >= DAYS_OF_MONTHS and len({part_of_day(day, "month") for day in np.unique(there)}) > 6:
        found.append("month")
    return found


def _parts(days: Floats, part: str) -> Array:
    known = {day: part_of_day(day, part) for day in np.unique(days[~np.isnan(days)])}
    return np.array([known.get(day, MISSING) for day in days], dtype=object)


def _categories(name: str, values: Array, missing: npt.NDArray[np.bool_], head: str) -> Meaning:
    label = f"column {name!r}"
    values, writings, said = folded(values, ~missing, label)
    present = values[~missing].tolist()
    counts: dict[str, int] = {}
    for text in present:
        counts[text] = counts.get(text, 0) + 1
    distinct, rows = len(counts), len(values)
    asked = head == "category"
    if not asked and distinct > FEW and is_prose(present) and 2 * distinct > len(present):
        what = f"{label} is free text ({distinct} different ones in {rows} rows): left out"
        return Meaning("left out", said=(*said, what))
    if not asked and distinct >= LEAST_IDS and distinct >= ID_SHARE * len(present):
        what = f"{label} has {distinct} different texts in {rows} rows, as ids have: left out"
        return Meaning("left out", said=(*said, what))
    if not asked and distinct > FEW and 2 * distinct > rows:
        what = (
            f"{label} has {distinct} different texts in {rows} rows: left out; {kind_line(name, 'category')} keeps it"
        )
        return Meaning("left out", said=(*said, what))
    found = np.where(missing, MISSING, values)
    rare = distinct > MOST
    if rare:
        kept = set(sorted(counts, key=lambda text: (-counts[text], text))[:MOST])
        found = np.array([text if text in kept or text == MISSING else RARE for text in found], dtype=object)
        said = [*said, f"{label}: the {MOST} most frequent of {distinct} categories, the others as one"]
    return Meaning("text", found, ColumnRule(writings=writings, rare=rare), said=tuple(said))
