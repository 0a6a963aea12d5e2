"""Findings where the optimum is known: analytic surfaces, and convex objectives that a second-order method solved."""

from __future__ import annotations

import math

from objectives.surfaces import Surface
from tuner.ranking.optimality_gap import gaps
from tuner.records import Trial
from tuner.report.findings.commands import again
from tuner.report.findings.finding import Finding
from tuner.report.report_data import ReportData, goal_curve

__all__ = ["REACHED", "distance", "distances", "lowest"]

REACHED = 1e-6  # above a known minimum: what is left is worth no search, and tells no two optimizers apart


def distance(frames: ReportData) -> Finding | None:
    """Find how far above the global minimum each optimizer's best trial ended."""
    found = distances(frames)
    if not found:
        return None
    known = "The optimum of the training objective is known: it is convex."
    if frames.surface:
        known = f"The minimum of the {frames.surface.name} surface is known."
    listed = ", ".join(f"{name} {max(gap, 0.0):.2g}" for name, gap in sorted(found.items(), key=lambda item: item[1]))
    several = len(found) > 1
    what = "The best of each optimizer is above it by" if several else "The best trial is above it by"
    sentence = f"{known} {what}: {listed}."
    command = again(frames, "compare", "--by", "optimizer") if several else again(frames, "top")
    anchor = "course" if frames.surface else "curves"
    return Finding("distance", sentence, found, anchor, command, "a view of what each reached, at its cost")


def distances(frames: ReportData) -> dict[str, float]:
    """Return each optimizer's smallest distance to the optimum; empty where the optimum is not known."""
    if (surface := frames.surface) is not None:
        above = {trial.number: _reached(trial) - lowest(surface) for trial in frames.found.all_trials}
    else:
        above = gaps(frames.found.all_trials)
    found: dict[str, float] = {}
    for trial in frames.found.all_trials:
        gap = above.get(trial.number, math.inf)
        name = str(trial.config.get("optimizer", ""))
        if math.isfinite(gap):
            found[name] = min(found.get(name, math.inf), gap)
    return found


def lowest(surface: Surface) -> float:
    """Return the global minimum of a surface."""
    return float(surface.value(surface.minima[:1])[0])


def _reached(trial: Trial) -> float:
    """Return the lowest objective of a trial; inf where it has no finite one."""
    name = next((name for name in ("objective", "train_loss", "valid_loss") if name in trial.curves), None)
    values = goal_curve(trial, name) if name else []
    return min((float(value) for value in values if math.isfinite(value)), default=math.inf)
