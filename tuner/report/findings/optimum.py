"""Findings where the optimum is known: analytic surfaces, and convex objectives that a second-order method solved."""

from __future__ import annotations

import math

from objectives.surfaces import surface_of
from tuner.report.findings.finding import Finding, number
from tuner.report.found import Frames, goal_curve

__all__ = ["distance", "known_minimum", "lowest_training_loss"]

SOLVERS = ("newton", "lbfgs")
SURFACE = "surface:"


def distance(frames: Frames) -> Finding | None:
    """How far each optimizer ended from the lowest value that there is."""
    found = known_minimum(frames)
    if found is None:
        return None
    optimum, why = found
    gaps = {name: value - optimum for name, value in lowest_training_loss(frames).items()}
    if not gaps:
        return None
    listed = ", ".join(f"{name} {max(gap, 0.0):.2g}" for name, gap in sorted(gaps.items(), key=lambda item: item[1]))
    sentence = f"The lowest training loss is known, {number(optimum)} ({why}). Above it ended: {listed}."
    return Finding("distance", sentence, {"optimum": optimum, **gaps}, "curves", "")


def known_minimum(frames: Frames) -> tuple[float, str] | None:
    """The lowest value of the training objective and how it is known; None where it is not."""
    source = frames.study.data.source or ""
    if source.startswith(SURFACE):
        surface = surface_of(source.removeprefix(SURFACE))
        return float(surface.value(surface.minima[:1])[0]), "the surface's own"
    solved = {name: value for name, value in lowest_training_loss(frames).items() if name in SOLVERS}
    if frames.study.model.kind != "linear" or not solved:
        return None
    return min(solved.values()), f"convex, solved by {min(solved, key=lambda name: solved[name])}"


def lowest_training_loss(frames: Frames) -> dict[str, float]:
    """The lowest training loss that each optimizer ended with or passed; the value itself on a surface."""
    found: dict[str, float] = {}
    for trial in frames.found.all_trials:
        metric = "train_loss" if "train_loss" in trial.curves else "valid_loss"
        if metric not in trial.curves or trial.state == "failed":
            continue
        finite = [float(value) for value in goal_curve(trial, metric) if math.isfinite(value)]
        name = str(trial.config.get("optimizer", ""))
        if finite:
            found[name] = min(found.get(name, math.inf), *finite)
    return found
