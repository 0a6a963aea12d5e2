"""Figures as pictures that need no script: SVG, PNG and PDF, by vl-convert, offline."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.errors import Complaint, InvalidInput, nearest
from tuner.drafts import written_whole
from tuner.report.charts import figures
from tuner.report.report_data import ReportData
from tuner.report.theme import LIGHT, config, named_colours
from tuner.report.vega_data import Kept, rows_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "MOST_DRAWN", "inline_svg", "sampled", "themed", "write_figures"]

Write = Callable[[Path, bytes], None]
MOST_DRAWN = 500  # trials in a static picture: more points cannot be told apart, and take room
NUMBERS = re.compile(r'( (?:d|transform)=")([^"]*)"')
COLOURS = re.compile('(fill|stroke)="(#[0-9a-fA-F]{6})"')
VARIABLES = {value: f"var(--{name})" for name, value in reversed(named_colours(LIGHT).items())}
TAG = re.compile(r'<\w+(?: [\w:-]+="[^"]*")+ ?/?>')
# Names of a picture's parts, which the page has another name for: beside that they only confuse those who listen to it.
# The letters are the page's own, and the rest says what holds anyway.
UNSAID = re.compile(r' (?:role|class|aria-[a-z]+|font-family|xmlns:xlink|version|pointer-events)="[^"]*"| opacity="1"')
UNSEEN = re.compile('<path d="(?:|M0,0h0v0h0Z)"(?: display="none")?/>')
WHOLE = re.compile(r"\.0(?!\d)")
DECIMALS = re.compile(r"(-?\d+\.\d)\d+")


def sampled(frame: pd.DataFrame, most: int = MOST_DRAWN) -> pd.DataFrame:
    """Keep at most so many trials: the first half of them the best, the others an even choice. Other frames whole."""
    if len(frame) <= most or "rank" not in frame.columns:
        return frame
    first = most // 2
    rest = np.linspace(first, len(frame) - 1, most - first).round().astype(int)
    return frame.iloc[[*range(first), *rest]]


def with_data(document: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Add the data to a specification that names them."""
    return {**document, "datasets": {name: rows_of(sampled(frame)) for name, frame in frames.items()}}


def inline_svg(name: str, document: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> str:
    """Draw a figure as SVG that can stand beside others in a page: coordinates to a tenth of a pixel, unique names."""
    import vl_convert

    untitled = {key: value for key, value in document.items() if key != "title"}
    svg = str(vl_convert.vegalite_to_svg(with_data(untitled, frames), config=config(LIGHT)))
    svg = TAG.sub(lambda found: UNSAID.sub("", found[0]), svg)
    svg = UNSEEN.sub("", svg)
    svg = NUMBERS.sub(lambda found: found[1] + WHOLE.sub("", DECIMALS.sub(r"\1", found[2])) + '"', svg)
    return renamed(svg, re.sub(r"\W", "-", name))


def themed(svg: str) -> str:
    """Give a picture the colours of the page that it stands in, so that it is light or dark as the page is."""
    return COLOURS.sub(lambda found: f'{found[1]}="{VARIABLES.get(found[2].lower(), found[2])}"', svg)


def renamed(svg: str, own: str) -> str:
    """Renumber the picture's inner names from 0 and prefix them with `own`: vl-convert's numbers depend on earlier
    pictures.
    """
    known: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        return f"{found[1]}{known.setdefault(found[2], f'{own}-{len(known)}')}"

    return re.sub(r'(id="|url\(#)((?:clip|gradient)_?\d+)', name, svg)


def write_figures(
    frames: ReportData, directory: Path, form: str, only: Sequence[str] = (), write: Write = written_whole
) -> list[Path]:
    """Write every figure that has something to draw, or `only` some, a file each with `write`; returns them.

    Raises InvalidInput for a figure that there is not, OSError.
    """
    known = {one.name: one for own in figures(frames).values() for one in own if one.chart is not None}
    wrong = [Complaint("chart", f"{name!r} is not drawn", nearest(name, known)) for name in only if name not in known]
    if wrong:
        raise InvalidInput(*wrong)
    directory.mkdir(parents=True, exist_ok=True)
    kept, written = Kept(frames.trials), []
    for figure in (known[name] for name in only or known):
        document, names = kept.specification(figure.chart)
        content = WRITERS[form](with_data(document, {name: kept.frames[name] for name in names}))
        path = directory / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', figure.name)}.{form}"
        write(path, content)
        written.append(path)
    return written


def _svg(document: dict[str, Any]) -> bytes:
    import vl_convert

    return renamed(str(vl_convert.vegalite_to_svg(document, config=config(LIGHT))), "part").encode()


def _png(document: dict[str, Any]) -> bytes:
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(document, config=config(LIGHT), scale=2))


def _pdf(document: dict[str, Any]) -> bytes:
    import vl_convert

    return bytes(vl_convert.vegalite_to_pdf(document, config=config(LIGHT)))


WRITERS: dict[str, Callable[[dict[str, Any]], bytes]] = {"svg": _svg, "png": _png, "pdf": _pdf}
FORMATS = tuple(WRITERS)
