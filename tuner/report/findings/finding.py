"""A finding: one plain sentence about a study, the numbers behind it, where to see them, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuner.records import Trial
from tuner.report.report_data import Frames

__all__ = ["TOP", "Finding", "Rule", "better", "number", "percent", "top"]

TOP = 5  # trials that count as the top


@dataclass(frozen=True)
class Finding:
    """What a rule found. `anchor` names the part of the page that shows it, `command` is what to do next."""

    rule: str
    sentence: str
    numbers: Mapping[str, Any]
    anchor: str
    command: str

    def document(self) -> dict[str, Any]:
        """Convert the finding to plain values."""
        return {
            "rule": self.rule,
            "sentence": self.sentence,
            "numbers": dict(self.numbers),
            "anchor": self.anchor,
            "command": self.command,
        }


Rule = Callable[[Frames], Finding | None]


def top(frames: Frames) -> list[Trial]:
    """Return the first complete trials of the search."""
    return frames.leaders[:TOP]


def better(frames: Frames, value: float, other: float) -> float:
    """Return by how much a value is better than another; negative where it is worse."""
    return other - value if frames.study.direction == "minimize" else value - other


def number(value: float) -> str:
    """Format a number for a sentence."""
    return f"{value:.4g}"


def percent(share: float) -> str:
    """Format a share for a sentence."""
    return f"{100 * share:.0f} %"
