"""A finding: one plain sentence about a study, the numbers behind it, where to see them, and what to do next.

What to do next is a command, about how long it trains, and what that may gain: who reads it decides by those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from objectives.types import Direction
from tuner.records import Trial
from tuner.report.report_data import ReportData
from tuner.text import clean, duration

__all__ = ["TOP", "Finding", "FindingRule", "NextStep", "better", "first_step", "narrower", "number", "percent", "top"]

TOP = 5  # trials that count as the top


@dataclass(frozen=True)
class NextStep:
    """What to do next: a command, and about how many seconds it trains, of all workers together; 0 if it only looks."""

    command: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Finding:
    """What a rule found. `anchor` names the part of the page that shows it, `gain` says what the next step may gain."""

    rule: str
    sentence: str
    numbers: Mapping[str, Any]
    anchor: str
    step: NextStep
    gain: str

    @property
    def command(self) -> str:
        """Return the command of the next step."""
        return self.step.command

    @property
    def worth(self) -> str:
        """Say what the next step costs and what it may gain."""
        cost = f"about {duration(self.step.seconds)} of training" if self.step.seconds else "no training"
        return f"cost: {cost}; gain: {self.gain}"

    def _repr_html_(self) -> str:
        """Show the finding in a notebook: its sentence, the command, its cost and what it may gain."""
        sentence, command, worth = (escape(clean(text)) for text in (self.sentence, self.command, self.worth))
        return f"<p>{sentence}</p><p><code>{command}</code><br>{worth}</p>"

    def document(self) -> dict[str, Any]:
        """Convert the finding to plain values."""
        return {
            "rule": self.rule,
            "sentence": self.sentence,
            "numbers": dict(self.numbers),
            "anchor": self.anchor,
            "command": self.command,
            "seconds": self.step.seconds,
            "gain": self.gain,
        }


FindingRule = Callable[[ReportData], Finding | None]


def top(frames: ReportData) -> list[Trial]:
    """Return the first complete trials of the search."""
    return frames.leaders[:TOP]


def better(frames: ReportData, value: float, other: float) -> float:
    """Return by how much a value is better than another; negative where it is worse."""
    return other - value if frames.study.direction == Direction.MINIMIZE else value - other


def narrower(frames: ReportData, splits: int, more: int) -> float:
    """Return by what share an interval over `splits` gets narrower on `more` of them, which share rows."""
    overlap = frames.study.overlap
    return 1 - math.sqrt((1 / more + overlap) / (1 / splits + overlap))


def first_step(found: Sequence[Finding]) -> Finding | None:
    """Return the first finding whose command does something; a better baseline is said beside the values instead."""
    return next((one for one in found if one.rule != "baseline"), None)


def number(value: float) -> str:
    """Format a number for a sentence."""
    return f"{value:.4g}"


def percent(share: float) -> str:
    """Format a share for a sentence."""
    return f"{100 * share:.0f} %"
