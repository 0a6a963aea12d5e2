"""Text on its way to a terminal: cleaned of what could steer it, numbers at four digits, colour where it is wanted."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO
from unicodedata import east_asian_width

from tuner.masking import shown
from tuner.text import interval as interval_text
from tuner.text import short as short_text

if TYPE_CHECKING:
    from tuner.ranking.standings import Standing

__all__ = [
    "SPARKS",
    "as_json",
    "clean",
    "coloured",
    "errors_to",
    "exact",
    "fresh",
    "hint",
    "interval",
    "last_lines",
    "short",
    "sparkline",
    "styled",
    "width",
]

SPARKS = "▁▂▃▄▅▆▇█"
# Controls of both ranges, separators that end lines, marks that turn or hide what follows.
STEERING = [*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070)]
GONE = dict.fromkeys([*STEERING, 0xFEFF])
SPACED = {ord("\t"): " ", ord("\n"): " ", ord("\r"): " "}
STYLES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33"}


def clean(text: object, lines: bool = False) -> str:
    """Return the text without passwords, and without characters that move a cursor, colour or reorder.

    Line ends stay where `lines` are asked.
    """
    if lines:
        return "\n".join(map(clean, str(text).split("\n")))
    return shown(str(text).translate(GONE | SPACED))


def last_lines(text: str, most: int = 20) -> str:
    """The last lines of what a program has printed, indented; of one that was written over, what was left standing."""
    lines = [clean(line.rstrip("\r").rpartition("\r")[2].rstrip()) for line in text.rstrip().split("\n")]
    left = [f"  ... {len(lines) - most:,} lines before"] if len(lines) > most else []
    return "\n".join([*left, *(f"  {line}" for line in lines[-most:])]) if text.strip() else ""


def short(value: Any) -> str:
    """A value as a table shows it: four digits, nothing where it is missing, hidden sizes as 64x32."""
    return clean(short_text(value))


def exact(value: Any) -> Any:
    """A value as JSON can hold it, at full precision: null for what is no number, "inf" and "-inf" as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return value


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def sparkline(values: list[float], most: int = 60) -> str:
    """A curve as a line of blocks, low to high; `!` where it is not finite, and at most `most` points."""
    picked = values if len(values) <= most else [values[i * (len(values) - 1) // (most - 1)] for i in range(most)]
    finite = [value for value in picked if math.isfinite(value)]
    low, span = min(finite, default=0.0), max(finite, default=0.0) - min(finite, default=0.0)
    return "".join(
        SPARKS[min(int((value - low) / span * len(SPARKS)) if span > 0 else 0, len(SPARKS) - 1)]
        if math.isfinite(value)
        else "!"
        for value in picked
    )


def coloured(stream: TextIO) -> bool:
    """Whether a stream takes colour: NO_COLOR, FORCE_COLOR and TERM=dumb decide in turn, then the stream does."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def styled(text: str, style: str, stream: TextIO) -> str:
    """The text in a style, where the stream takes colour."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text and coloured(stream) else text


def hint(text: str) -> None:
    """Anything that is not a result, on stderr, after the results so far."""
    sys.stdout.flush()
    print(styled(clean(text, lines=True), "dim", sys.stderr), file=sys.stderr, flush=True)


def errors_to(lines: list[str], label: str = "error") -> None:
    """One line a problem, on stderr; what more a problem has to say is indented."""
    sys.stdout.flush()
    head = styled(f"{label}:", "red" if label == "error" else "yellow", sys.stderr)
    for line in lines:
        first, *more = line.splitlines() or [""]
        print(head, "\n  ".join(map(clean, [first, *(one.strip() for one in more)])), file=sys.stderr, flush=True)


def interval(mean: float | None, low: float | None, high: float | None) -> str:
    """A mean with its interval, "0.0912 [0.0893, 0.0931]"; nothing where there is no mean."""
    return "" if mean is None else interval_text(mean, low, high)


def fresh(standing: Standing) -> str:
    """What fresh seeds said of a config: a mean with its interval, or that it was lost on one of them."""
    goal = standing.goal
    return standing.lost or interval(goal.mean, goal.low, goal.high)


def as_json(document: Mapping[str, Any]) -> str:
    """A document as indented JSON; numbers at full precision."""
    return json.dumps(exact(document), indent=2) + "\n"
