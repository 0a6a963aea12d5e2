"""Numbers as people write them: with marks between thousands, a decimal comma, a currency, a percent sign or a unit.

A column is read in one style, the first in which all of its texts are numbers. The style is kept as a short text, so
that rows that come later are read alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from objectives.types import Floats

__all__ = ["NumberStyle", "mixed_units", "number_style", "style_of", "without_marks"]

MONEY = re.compile(r"[$€£¥₹₽₩₺]|\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN|INR|CNY)\b")
SPACES = "\u00a0\u202f\u2009 "
MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2011": "-"})
UNIT = re.compile(r"[-+]?[\d.,' \u00a0\u202f]*\d[\d.,]*\s*(?P<unit>[A-Za-zµμ°²³/]{1,8})")
STYLES = (("", "."), (",", "."), (".", ","), ("", ","), (" ", ","), (" ", "."), ("'", "."))  # thousands, decimal


@dataclass(frozen=True)
class NumberStyle:
    """How a column's numbers are written: the marks of `thousands` ("" for none) and `decimal`, and a `unit`."""

    thousands: str = ""
    decimal: str = "."
    unit: str = ""

    @property
    def key(self) -> str:
        """Return the style as a short text, "" for numbers as Python writes them."""
        return "" if self == NumberStyle() else f"{self.thousands}|{self.decimal}|{self.unit}"

    @property
    def words(self) -> str:
        """Describe the style."""
        names = {",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}
        said = [f"{names[self.thousands]} between thousands"] if self.thousands else []
        said += ["a decimal comma"] if self.decimal == "," else []
        return ", ".join([*said, *([f"unit {self.unit}"] if self.unit else [])])

    def read(self, text: str) -> float | None:
        """Return the number that a text is, None where it is none."""
        return _reader(self)(text)


def number_style(key: str) -> NumberStyle:
    """Return the style that was kept under a key."""
    return NumberStyle(*key.split("|", 2)) if key else NumberStyle()


def without_marks(numbers: Floats, marks: Iterable[str]) -> Floats:
    """Return numbers (n,) with nan for those that are written as a mark of gaps: -999 for the mark "-999"."""
    read = [NumberStyle().read(mark) for mark in marks]
    gaps = [mark for mark in read if mark is not None]
    return np.where(np.isin(numbers, gaps), np.nan, numbers) if gaps else numbers


def style_of(texts: Sequence[str], decimal: str = ".", share: float = 1.0) -> tuple[NumberStyle, list[str]] | None:
    """Return the style in which most texts are numbers, and those that are none; None below this share of all.

    Where a mark may be either, the file's `decimal` mark decides.
    """
    unit = _unit(texts)
    ordered = sorted(STYLES, key=lambda style: style[1] != decimal)
    best: tuple[NumberStyle, list[str]] | None = None
    for thousands, mark in ordered:
        style = NumberStyle(thousands, mark, unit)
        wrong = [text for text in texts if style.read(text) is None]
        if best is None or len(wrong) < len(best[1]):
            best = style, wrong
        if not wrong:
            break
    if best is None or len(texts) - len(best[1]) < share * len(texts) or len(best[1]) == len(texts):
        return None
    return best


def mixed_units(known: Mapping[str, float | None]) -> list[str]:
    """Return sentences on numbers `known` by their texts that are not of one measure: with and without percent signs,
    in several currencies.
    """
    numbers = {text: value for text, value in known.items() if value}
    shares = [next((text for text in numbers if ("%" in text) is there), None) for there in (True, False)]
    of_money = {mark[0]: text for text in numbers if (mark := MONEY.search(text))}
    found = []
    if shares[0] is not None and shares[1] is not None:
        shown = " and ".join(f"{text!r} is {numbers[text]:g}" for text in shares if text is not None)
        found.append(f"some have a percent sign and others none, {shown}; write all alike in the file")
    if len(of_money) > 1:
        shown = " and ".join(f"{text!r} is {numbers[text]:g}" for text in list(of_money.values())[:2])
        found.append(f"amounts of {len(of_money)} currencies, {shown}; convert them in the file")
    return found


def _unit(texts: Iterable[str]) -> str:
    """Return the one unit that every number has; "" where they have none, or several."""
    units: set[str] = set()
    for text in texts:
        found = UNIT.fullmatch(text.strip().translate(MINUS))
        if found is None or len(units) > 1:
            return ""
        units.add(found["unit"])
    unit = units.pop() if len(units) == 1 else ""
    return "" if unit.lower() in ("e", "") or MONEY.fullmatch(unit) else unit


@lru_cache(maxsize=64)
def _reader(style: NumberStyle) -> Callable[[str], float | None]:
    """Build the reader of one style."""
    mark = re.escape(style.decimal)
    between = f"[{SPACES}]" if style.thousands == " " else re.escape(style.thousands)
    whole = rf"\d{{1,3}}(?:{between}\d{{3}})+|\d+" if style.thousands else r"\d+"
    number = re.compile(rf"[-+]?(?:(?:{whole})(?:{mark}\d*)?|{mark}\d+)(?:[eE][-+]?\d+)?")
    plain = style.thousands == "" and style.decimal == "."

    def read(text: str) -> float | None:
        text = text.strip()
        if "_" in text:
            return None  # Python reads "1_2" as 12
        if plain and not style.unit:
            try:
                return float(text)
            except ValueError:
                pass
        text = MONEY.sub("", text.translate(MINUS)).removesuffix("%").strip()
        if style.unit:
            text = text.removesuffix(style.unit).strip()
        negative = text.startswith("(") and text.endswith(")")
        text = text[1:-1].strip() if negative else text
        if text.endswith("-") and len(text) > 1:
            negative, text = True, text[:-1].strip()
        text = re.sub(r"^([-+])\s+", r"\1", text)
        if not number.fullmatch(text):
            return None
        if style.thousands:
            text = re.sub(between, "", text)
        value = float(text.replace(style.decimal, "."))
        return -value if negative else value

    return read
