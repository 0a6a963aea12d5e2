"""Values as words of a page: four digits, durations as people say them, and no character that hides or steers."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import Any

__all__ = ["duration", "interval", "interval_of", "intervals_of", "short", "visible"]

LONGEST = 2000  # characters of one text on a page
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, marks that hide or reorder, lone surrogates, line separators


def visible(text: str) -> str:
    """Replace invisible characters of a text except line ends, and cut very long texts."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in UNSEEN else _picture(char) for char in cut
    )


def _picture(char: str) -> str:
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else f"\\u{code:04x}"


def short(value: Any) -> str:
    """Format a value at four digits; "" where it is missing, flags as yes and no, hidden sizes as 64x32."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "x".join(map(short, value))
    return str(value)


def interval(mean: float, low: float | None, high: float | None) -> str:
    """Format "0.0912 [0.0893, 0.0931]", or the mean alone without ends."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return short(mean)
    return f"{short(mean)} [{short(low)}, {short(high)}]"


def interval_of(of: str, metric: str) -> str:
    """Say what a metric's interval is of: "95 % interval for the loss on new rows"; the level alone where unknown."""
    kind = metric.partition("_")[2] or metric
    return f"95 % interval for {of.replace('the value', f'the {kind}', 1)}" if of else "95 % interval"


def intervals_of(of: Mapping[str, str]) -> str:
    """Say what the intervals of several metrics are of: one phrase where all agree, else one for each metric.

    Returns "" where none is known.
    """
    whose: dict[str, list[str]] = {}
    for name, said in of.items():
        whose.setdefault(said, []).append(name)
    whose.pop("", None)
    first, *others = whose or [""]
    more = [f"that of {', '.join(whose[said])} for {said}" for said in others]
    return "; ".join([f"95 % intervals for {first}", *more]) if first else ""


def duration(seconds: float) -> str:
    """Format seconds for people."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
