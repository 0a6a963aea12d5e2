"""A finding: one plain sentence about a study, the numbers behind it, where to see them, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.report.found import Frames
from tuner.report.parameters import place
from tuner.spec import Range
from tuner.trial import Trial

__all__ = ["TOP", "Finding", "Rule", "again", "better", "named", "number", "percent", "top"]

TOP = 5  # trials that count as the top


@dataclass(frozen=True)
class Finding:
    """What a rule found. `anchor` names the part of the page that shows it; `command` may be empty."""

    rule: str
    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    anchor: str = ""
    command: str = ""

    def document(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "rule": self.rule,
            "sentence": self.sentence,
            "numbers": dict(self.numbers),
            "command": self.command,
        }


Rule = Callable[[Frames], Finding | None]


def top(frames: Frames) -> list[Trial]:
    """The first complete trials of the search."""
    return frames.leaders[:TOP]


def better(frames: Frames, value: float, other: float) -> float:
    """By how much a value is the better one; negative where it is the worse."""
    return other - value if frames.study.direction == "minimize" else value - other


def number(value: float) -> str:
    """A number in a sentence."""
    return f"{value:.4g}"


def percent(share: float) -> str:
    """A share in a sentence."""
    return f"{100 * share:.0f} %"


def named(frames: Frames, *settings: str, name: str = "next", trials: int | None = None) -> str:
    """A command that runs the study as another one, with settings changed: the table of this one stays as it is."""
    words = ["tuner", "run", frames.study.name, "--name", f"{frames.study.name}-{name}"]
    words += ["-n", str(trials)] if trials else []
    for setting in settings:
        words += ["--set", setting]
    return shlex.join(words)


def again(frames: Frames, *words: str) -> str:
    """A command on this study."""
    verb, *rest = words
    return shlex.join(["tuner", verb, frames.study.name, *rest])


def places(trials: list[Trial], name: str, domain: Range) -> list[float]:
    """Where trials' values of a parameter lie in its range; trials without one left out."""
    found = [place(trial.config.get(name), domain) for trial in trials]
    return [at for at in found if at is not None]
