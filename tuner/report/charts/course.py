"""The course, drawn: each figure belongs to the studies that have what it shows, a surface or a method of the course.

paths, slices, methods -> course
"""

from __future__ import annotations

from objectives.surfaces import surface_of
from tuner.report.charts.base import Figure
from tuner.report.charts.methods import DRAWS, cloud, rate_figure, stochastic
from tuner.report.charts.paths import path_figure
from tuner.report.charts.slices import jump, secants
from tuner.report.report_data import Frames

__all__ = ["course"]

EXAMPLE = "rosenbrock"  # the surface that a method is drawn on where a study has data instead


def course(frames: Frames) -> list[Figure]:
    """Build the figures of the course that a study has the methods for; none for other studies."""
    figures, surface, own = [], frames.surface, set(frames.optimizers)
    if surface is not None and surface.size == 2:
        figures.append(path_figure(frames, surface))
    if DRAWS in own:
        figures.append(cloud(frames))
    drawn = surface or surface_of(EXAMPLE)
    if "finite_differences" in own:
        figures.append(secants(drawn))
    if "newton" in own:
        figures.append(jump(drawn))
    if {"gradient_descent", "sgd"} <= own:
        figures.append(stochastic(frames))
    found = rate_figure(frames) if figures or "gradient_descent" in own else None
    return [*figures, *([found] if found else [])]
