"""Learning curves as lines of a picture that grows with the study: coordinates alone, which the page draws as SVG."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from tuner.enums import TrialState
from tuner.ranking.goal import ranked
from tuner.records import Trial
from tuner.report.theme import PALETTE
from tuner.result import Result
from tuner.text import short
from tuner.views.documents import mean_curve

__all__ = ["HEIGHT", "LEFT", "WIDTH", "CurveChart", "CurveLine", "Tick", "curve_chart"]

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 10, 26
MOST = 60  # lines: the best ones, and the last
WIDE = 30.0  # ratio of the largest value to the smallest from which the axis is logarithmic


@dataclass(frozen=True)
class CurveLine:
    """A trial's curve: its points as SVG has them, its colour's place, and how it is drawn."""

    trial: int
    points: str
    series: int
    kind: str  # "best", "complete" or "other"
    title: str


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: where, and its words."""

    at: float
    text: str


@dataclass(frozen=True)
class CurveChart:
    """The picture: lines with the best one last, marks of both axes, the metric, and the optimizers by colour."""

    lines: tuple[CurveLine, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    metric: str
    unit: str
    legend: tuple[tuple[str, int], ...]


def curve_chart(result: Result) -> CurveChart | None:
    """Draw the curves of the best trials and of the last ones; None where no trial has a curve of several points."""
    metric = result.study.metric
    chosen = _chosen(result)
    curves = {trial.number: mean_curve(trial.curves[metric]) for trial in chosen if metric in trial.curves}
    finite = [value for curve in curves.values() for value in curve if math.isfinite(value)]
    longest = max(map(len, curves.values()), default=0)
    if longest < 2 or not finite:
        return None
    low, high = min(finite), _highest(curves.values(), min(finite))
    log = low > 0 and high / low > WIDE
    names = list(result.study.optimizers)
    best = next((trial.number for trial in ranked(chosen, result.study.direction)), None)
    lines = [
        _line(trial, curves[trial.number], (low, high, longest, log), names, best)
        for trial in chosen
        if trial.number in curves
    ]
    across = tuple(Tick(_x(epoch, longest), str(epoch)) for epoch in dict.fromkeys((1, (longest + 1) // 2, longest)))
    up = tuple(Tick(_y(value, low, high, log), f"{value:.3g}") for value in _marks(low, high, log))
    legend = tuple((name, i % PALETTE) for i, name in enumerate(names)) if len(names) > 1 else ()
    order = {"best": 2, "complete": 1}
    drawn = tuple(sorted((line for line in lines if line.points), key=lambda line: order.get(line.kind, 0)))
    return CurveChart(drawn, across, up, metric, result.study.budget.unit, legend)


def _chosen(result: Result) -> list[Trial]:
    """Return the best trials and the last ones, in their order."""
    trials = result.all_trials
    leading = {trial.number for trial in ranked(trials, result.study.direction)[: MOST // 2]}
    rest = [trial.number for trial in trials if trial.number not in leading]
    kept = leading | set(rest[-(MOST - len(leading)) :])
    return [trial for trial in trials if trial.number in kept]


def _highest(curves: Collection[list[float]], low: float) -> float:
    """Return the top of the axis: what nine of ten first values stay below, so that one wild curve hides no other."""
    firsts = sorted(curve[0] for curve in curves if curve and math.isfinite(curve[0]))
    top = firsts[int(0.9 * (len(firsts) - 1))] if firsts else low
    ends = [value for curve in curves for value in curve[len(curve) // 2 :] if math.isfinite(value)]
    middle = sorted(ends)[int(0.9 * (len(ends) - 1))] if ends else top
    high = max(top, middle)
    return high if high > low else low + (abs(low) or 1.0)


def _line(
    trial: Trial, curve: list[float], axes: tuple[float, float, int, bool], names: list[str], best: int | None
) -> CurveLine:
    low, high, longest, log = axes
    points = [
        f"{_x(i, longest):.1f},{_y(min(value, high), low, high, log):.1f}"
        for i, value in enumerate(curve, 1)
        if math.isfinite(value)
    ]
    optimizer = str(trial.config.get("optimizer", ""))
    series = names.index(optimizer) % PALETTE if optimizer in names else 0
    kind = "best" if trial.number == best else "complete" if trial.state == TrialState.COMPLETE else "other"
    title = f"trial {trial.number}, {trial.state}{f', {optimizer}' if optimizer else ''}: {short(trial.value)}"
    return CurveLine(trial.number, " ".join(points) if len(points) > 1 else "", series, kind, title)


def _x(epoch: int, longest: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (epoch - 1) / max(longest - 1, 1)


def _y(value: float, low: float, high: float, log: bool) -> float:
    place = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * place


def _marks(low: float, high: float, log: bool) -> list[float]:
    """Return four values from low to high, evenly spaced as the axis is."""
    shares = (0.0, 1 / 3, 2 / 3, 1.0)
    return [low * (high / low) ** share if log else low + (high - low) * share for share in shares]
