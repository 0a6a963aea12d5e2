"""The top of the page: what someone has to know of a study who reads nothing else, and knows no statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from objectives.types import Direction
from tuner.report.conclusion import Conclusion
from tuner.report.findings import Finding
from tuner.report.report_data import ReportData
from tuner.text import short

__all__ = ["summary_cards"]


def summary_cards(frames: ReportData, found: Sequence[Finding]) -> dict[str, Any] | None:
    """Collect what won, what it reaches and gained, how sure that is, and what to do next; None without a best config.

    Each card has a few large words and a sentence below them.
    """
    if frames.best is None:
        return None
    told = Conclusion(frames, frames.best)
    (goal, value), *tests = told.values.items()
    number, _, ends = value.partition(" [")
    where = "" if told.final or told.exact else " in the search"
    better = "lower" if frames.study.direction == Direction.MINIMIZE else "higher"
    label = f"{goal}{where}, {better} is better"
    gained = [{"label": "gained over the defaults", "value": _gained(told), "note": told.gain}] if told.gain else []
    first = found[0] if found else None
    return {
        "beware": told.useless,
        "winner": told.winner,
        "trial": frames.best.trial,
        "cards": [
            {"label": label, "value": number, "note": _span(told, ends.rstrip("]"))},
            *gained,
            {"label": "how sure", "value": _sureness(told), "note": told.sure},
        ],
        "facts": list(filter(None, [told.held, told.constant, *(f"{name} {shown}" for name, shown in tests)])),
        "next": {"command": first.command, "sentence": first.sentence, "worth": first.worth} if first else None,
        "use": told.use,
    }


def _span(told: Conclusion, ends: str) -> str:
    """Say in words what was measured on what, and where other data may lie."""
    if not told.final:
        return "exact" if told.exact else "not checked on fresh seeds"
    if not ends:
        return f"final value, {told.evidence}"
    low, _, high = ends.partition(", ")
    whose = "new data may give" if told.brackets.startswith("95 % intervals for the value on new rows") else "may be"
    return f"final value, {told.evidence}; {whose} {low} to {high} (95 %)"


def _gained(told: Conclusion) -> str:
    """Say in a few words what tuning gained."""
    gained = told.gained
    if gained is None:
        return "not known"
    if gained.trial == told.best.trial:
        return "nothing: they won"
    return short(gained.mean) if gained.sure else f"perhaps {short(gained.mean)}"


def _sureness(told: Conclusion) -> str:
    """Say in a few words how sure it is that the winner is the best."""
    if told.exact:
        return "exact"
    if not told.final:
        return "not checked"
    standings = told.frames.found.standings
    near = any(standing.tie == standings[0].rank for standing in standings[1:])
    return "one of several as good" if near else "clearly ahead" if len(standings) > 1 else "alone"
