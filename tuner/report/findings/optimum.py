"""Findings where the optimum is known: analytic surfaces, and convex objectives that a second-order method solved."""

from __future__ import annotations

import math

from tuner.optimum import gaps
from tuner.report.findings.finding import Finding
from tuner.report.found import Frames, goal_curve
from tuner.trial import Trial

__all__ = ["distance", "distances"]


def distance(frames: Frames) -> Finding | None:
    """How far above the lowest value that there is each optimizer's best trial ended."""
    found = distances(frames)
    if not found:
        return None
    why = f"the minimum of the {frames.surface.name} surface" if frames.surface else "it is convex"
    listed = ", ".join(f"{name} {max(gap, 0.0):.2g}" for name, gap in sorted(found.items(), key=lambda item: item[1]))
    sentence = (
        f"The optimum of the training objective is known ({why}). The best of each optimizer is above it by: {listed}."
    )
    return Finding("distance", sentence, found, "course" if frames.surface else "curves", "")


def distances(frames: Frames) -> dict[str, float]:
    """The smallest distance to the known optimum by optimizer; nothing where the optimum is not known."""
    if (surface := frames.surface) is not None:
        lowest = float(surface.value(surface.minima[:1])[0])
        above = {trial.number: _lowest(trial) - lowest for trial in frames.found.all_trials}
    else:
        above = gaps(frames.found.all_trials)
    found: dict[str, float] = {}
    for trial in frames.found.all_trials:
        gap = above.get(trial.number, math.inf)
        name = str(trial.config.get("optimizer", ""))
        if math.isfinite(gap):
            found[name] = min(found.get(name, math.inf), gap)
    return found


def _lowest(trial: Trial) -> float:
    """The lowest objective of a trial; inf where it has none that is finite."""
    name = next((name for name in ("objective", "train_loss", "valid_loss") if name in trial.curves), None)
    values = goal_curve(trial, name) if name else []
    return min((float(value) for value in values if math.isfinite(value)), default=math.inf)
