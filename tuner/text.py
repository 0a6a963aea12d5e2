"""Values as text: four digits, durations as people say them, and no character that hides or steers a terminal."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import Any
from unicodedata import east_asian_width

from tuner.masking import shown

__all__ = [
    "SPARKS",
    "cell_text",
    "clean",
    "duration",
    "interval",
    "interval_of",
    "interval_text",
    "intervals_of",
    "last_lines",
    "short",
    "sparkline",
    "visible",
    "width",
]

LONGEST = 2000  # characters of one text on a page
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, marks that hide or reorder, lone surrogates, line separators

SPARKS = "▁▂▃▄▅▆▇█"
# Controls of both ranges, separators that end lines, marks that turn or hide what follows.
STEERING = [*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070)]
GONE = dict.fromkeys([*STEERING, 0xFEFF])
SPACED = {ord("\t"): " ", ord("\n"): " ", ord("\r"): " "}


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


def clean(text: object, lines: bool = False) -> str:
    """Remove passwords, and characters that move the cursor, colour or reorder text.

    Line ends stay where `lines` is True.
    """
    if lines:
        return "\n".join(map(clean, str(text).split("\n")))
    return shown(str(text).translate(GONE | SPACED))


def last_lines(text: str, most: int = 20) -> str:
    """Return the last lines that a program printed, indented; of overwritten lines, what was visible at the end."""
    lines = [clean(line.rstrip("\r").rpartition("\r")[2].rstrip()) for line in text.rstrip().split("\n")]
    left = [f"  ... {len(lines) - most:,} lines before"] if len(lines) > most else []
    return "\n".join([*left, *(f"  {line}" for line in lines[-most:])]) if text.strip() else ""


def cell_text(value: Any) -> str:
    """Format a value for a table: four digits, "" where it is missing, hidden sizes as 64x32."""
    return clean(short(value))


def interval_text(mean: float | None, low: float | None, high: float | None) -> str:
    """Format a mean with its interval, "0.0912 [0.0893, 0.0931]"; "" where there is no mean."""
    return "" if mean is None else interval(mean, low, high)


def width(text: str) -> int:
    """Count the columns that a text takes on a terminal."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def sparkline(values: list[float], most: int = 60) -> str:
    """Draw a curve as a line of blocks, low to high, with `!` where it is not finite and at most `most` points."""
    picked = values if len(values) <= most else [values[i * (len(values) - 1) // (most - 1)] for i in range(most)]
    finite = [value for value in picked if math.isfinite(value)]
    low, span = min(finite, default=0.0), max(finite, default=0.0) - min(finite, default=0.0)
    return "".join(
        SPARKS[min(int((value - low) / span * len(SPARKS)) if span > 0 else 0, len(SPARKS) - 1)]
        if math.isfinite(value)
        else "!"
        for value in picked
    )
