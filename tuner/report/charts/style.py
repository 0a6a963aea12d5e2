"""How an optimizer looks, in every chart the same: a colour, and where there are more of them a shape and a dash.

Its place in the study decides. The palette has as many colours as colour-blind people tell apart; the optimizers after
them have the same ones again with another shape, and their lines another dash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from tuner.report.report_data import ReportData
from tuner.report.theme import PALETTE

__all__ = ["AWAY", "DASHES", "SHAPES", "as_lines", "as_points", "colour", "dashes_of", "fading", "key", "seen"]

AWAY = "focus !== '' && focus !== datum.optimizer"
SHAPES = ("circle", "triangle-up", "diamond", "square")
LONG = {"symbolType": "stroke", "symbolSize": 700, "symbolStrokeWidth": 2}
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 3), (2, 3), (8, 2, 2, 2))

# The same around (0, 0), in a legend of the page's own.
OUTLINES = {
    "circle": "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
    "triangle-up": "M0,-4.5L4.5,4L-4.5,4Z",
    "diamond": "M0,-5L5,0L0,5L-5,0Z",
    "square": "M-3.6,-3.6H3.6V3.6H-3.6Z",
}


def turn(place: int) -> int:
    """Count how often the palette was used up before an optimizer's place; the fifth time looks like the first."""
    return place // PALETTE % len(SHAPES)


def dashes_of(count: int) -> list[tuple[int, ...]]:
    """Return the dashes of as many lines: those that share a colour have different ones."""
    return [DASHES[turn(place)] for place in range(count)]


def seen(frames: ReportData, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the study's optimizers that are among `names`, in the study's order: what a legend lists."""
    among = set(names)
    return tuple(name for name in frames.optimizers if name in among)


def colour(frames: ReportData, shown: Sequence[str], legend: Any = None) -> Any:
    """Encode an optimizer's colour with a legend of those shown; a single colour where a study has no optimizers."""
    if not frames.optimizers:
        only = alt.Scale(domain=[""], range="category")  # frames name no optimizer there
        return alt.Color(field="optimizer", type="nominal", scale=only, legend=None)
    scale = alt.Scale(domain=frames.optimizers, range="category")
    return alt.Color(field="optimizer", type="nominal", scale=scale, legend=legend or _legend(shown))


def as_points(frames: ReportData, shown: Sequence[str]) -> dict[str, Any]:
    """Encode an optimizer's points."""
    second = _second(frames, shown, "shape", alt.Shape, SHAPES, _legend(shown))
    return {"color": colour(frames, shown), **second}


def as_lines(frames: ReportData, shown: Sequence[str], alone: bool = False) -> dict[str, Any]:
    """Encode an optimizer's lines; without points beside them, the legend shows their dashes."""
    legend = _legend(shown, **(LONG if alone else {}))
    dashes = [list(dash) for dash in DASHES]
    return {
        "color": colour(frames, shown, legend),
        **_second(frames, shown, "strokeDash", alt.StrokeDash, dashes, legend),
    }


def key(place: int) -> dict[str, str]:
    """Return how a legend draws an optimizer: the variable of its colour, the outline of its points, its lines'
    dash.
    """
    again = turn(place)
    dash = " ".join(map(str, DASHES[again]))
    return {"colour": f"--c{place % PALETTE}", "shape": OUTLINES[SHAPES[again]], "dash": dash}


def _legend(shown: Sequence[str], **symbol: Any) -> Any:
    """Build a legend of some optimizers, none for none; a page has its own above its charts."""
    return alt.Legend(title=None, columns=4, symbolOpacity=1, values=list(shown), **symbol) if shown else None


def _second(
    frames: ReportData, shown: Sequence[str], name: str, channel: Any, looks: Any, legend: Any
) -> dict[str, Any]:
    """Return a second encoding for optimizers that share a colour, or nothing."""
    del shown
    if len(frames.optimizers) <= PALETTE:
        return {}
    own = [looks[turn(place)] for place in range(len(frames.optimizers))]
    scale = alt.Scale(domain=frames.optimizers, range=own)
    return {name: channel(field="optimizer", type="nominal", scale=scale, legend=legend)}


def fading(shown: float, faded: float = 0.06) -> Any:
    """Encode the opacity of an optimizer's marks: low while another optimizer is in focus."""
    return alt.OpacityValue(shown, condition=[{"test": AWAY, "value": faded}])
