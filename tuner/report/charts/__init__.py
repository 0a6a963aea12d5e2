"""The charts of a report: pure functions from frames to figures, one row each in `CHARTS`.

    axes, style -> base, line_names -> progress, curves, sensitivity -> pair; optimizers, importance; workers -> time
                     paths, slices, methods -> course; curves -> beside, of several studies

A figure holds an Altair chart whose data are frames; what shows it decides how they travel (`tuner.report.vega_data`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from altair.utils.schemapi import debug_mode

from objectives.errors import Complaint, InvalidInput, nearest
from tuner.report.charts.base import Figure
from tuner.report.charts.course import course
from tuner.report.charts.curves import curves
from tuner.report.charts.importance import importances, two_that_matter
from tuner.report.charts.optimizers import optimizers
from tuner.report.charts.pair import pair
from tuner.report.charts.progress import progress
from tuner.report.charts.sensitivity import sensitivity
from tuner.report.charts.time import time
from tuner.report.report_data import ReportData

__all__ = ["CHARTS", "Figure", "chart", "figures"]

CHARTS: dict[str, Callable[[ReportData], list[Figure]]] = {
    "optimizers": optimizers,
    "curves": curves,
    "progress": progress,
    "sensitivity": sensitivity,
    "importance": importances,
    "pair": lambda frames: pair(frames, two_that_matter(frames)),
    "time": time,
    "course": course,
}


def figures(frames: ReportData) -> dict[str, list[Figure]]:
    """Build every figure of a report, by the name of its chart."""
    # The tests compare each with Altair's schema; here that would take a fifth of the time.
    with debug_mode(False):
        return {name: make(frames) for name, make in CHARTS.items()}


def chart(frames: ReportData, name: str) -> Any:
    """Build the Altair chart of a name; several figures stand below each other. Raises InvalidInput."""
    from tuner.report.notebook import offline
    from tuner.report.vega_data import inlined

    if name not in CHARTS:
        raise InvalidInput(Complaint("chart", f"{name!r} is not known", nearest(name, CHARTS)))
    own = CHARTS[name](frames)
    drawn = [inlined(figure.chart) for figure in own if figure.chart is not None]
    if not drawn:
        why = own[0].caption if own else "this study has none of its kind"
        raise InvalidInput(Complaint("chart", f"{name!r} has nothing to draw", why))
    return offline(drawn)
