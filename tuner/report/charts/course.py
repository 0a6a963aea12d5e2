"""The course, drawn: each figure belongs to the studies that have what it shows, a surface or a method of the course.

paths, slices, methods -> course
"""

from __future__ import annotations

from dataclasses import replace

from objectives.surfaces import surface_of
from tuner.report.charts.base import Figure
from tuner.report.charts.methods import DRAWS, cloud, rate_figure, stochastic
from tuner.report.charts.paths import path_figure
from tuner.report.charts.slices import jump, secants
from tuner.report.report_data import ReportData

__all__ = ["course"]

EXAMPLE = "rosenbrock"  # the surface that a method is drawn on where a study has data instead


def course(frames: ReportData) -> list[Figure]:
    """Build the figures of the course that a study has the methods for; none for other studies."""
    figures, surface, own = [], frames.surface, set(frames.optimizers)
    if surface is not None and surface.size == 2:
        figures.append(path_figure(frames, surface))
    if DRAWS in own:
        figures.append(cloud(frames))
    drawn = surface or surface_of(EXAMPLE)
    pictures = [secants(drawn)] if "finite_differences" in own else []
    pictures += [jump(drawn)] if "newton" in own else []
    figures += pictures if surface else map(illustration, pictures)
    if {"gradient_descent", "sgd"} <= own:
        figures.append(stochastic(frames))
    found = rate_figure(frames) if figures or "gradient_descent" in own else None
    return [*figures, *([found] if found else [])]


def illustration(figure: Figure) -> Figure:
    """Say of a figure that it shows how a method works, and nothing that the study has found."""
    caption = (
        f"This shows the method on the {EXAMPLE} surface; nothing of it is a result of this study. {figure.caption}"
    )
    return replace(figure, title=f"Illustration: {figure.title}", caption=caption)
