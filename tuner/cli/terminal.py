"""What goes to standard error, and colour where a stream takes it."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from tuner.text import clean

__all__ = ["coloured", "errors_to", "hint", "styled"]

STYLES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "winner": "1;32"}


def coloured(stream: TextIO) -> bool:
    """Return True if a stream takes colour: NO_COLOR, FORCE_COLOR and TERM=dumb decide in turn, then the stream."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def styled(text: str, style: str, stream: TextIO) -> str:
    """Style the text where the stream takes colour."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text and coloured(stream) else text


def hint(text: str) -> None:
    """Write what is not a result to stderr, after the results so far."""
    sys.stdout.flush()
    print(styled(clean(text, lines=True), "dim", sys.stderr), file=sys.stderr, flush=True)


def errors_to(lines: list[str], label: str = "error") -> None:
    """Write one line for each problem to stderr, its details indented."""
    sys.stdout.flush()
    head = styled(f"{label}:", "red" if label == "error" else "yellow", sys.stderr)
    for line in lines:
        first, *more = line.splitlines() or [""]
        print(head, "\n  ".join(map(clean, [first, *(one.strip() for one in more)])), file=sys.stderr, flush=True)
