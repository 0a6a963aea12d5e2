"""The page of several studies beside each other: a column each, then their leading curves, then what they set apart."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from tuner.report.charts.base import Figure
from tuner.report.charts.beside import leading_curves
from tuner.report.page.shell import POLICY, style, template
from tuner.report.page.studies import standing_line
from tuner.report.pictures import inline_svg, themed
from tuner.report.report_data import ReportData, ResultView
from tuner.report.vega_data import Kept

__all__ = ["Rows", "comparison_page"]

Rows = Sequence[tuple[str, Sequence[str]]]  # a label, and a cell for each study
FIRST = {"asked": "description", "question": "question", "note": "note", "state": "state", "won": "winner"}
LAST = {"gain over the defaults": "gain", "how sure it is within the study": "sure"}


def comparison_page(
    results: Sequence[ResultView], compared: Rows, notes: Sequence[str], settings: Rows, created: str = ""
) -> str:
    """Write the page of some studies. `compared` and `notes` are those of `tuner compare`, `settings` what differs."""
    lines = [standing_line(result) for result in results]
    values: dict[str, Any] = {
        "names": [result.study.name for result in results],
        "tags": [" ".join(line["tags"]) for line in lines],
        "metrics": list(dict.fromkeys(line["metric"] for line in lines)),
        "rows": [*rows_of(lines, FIRST), *compared, *rows_of(lines, LAST)],
        "labels": [label for label, _ in compared],
        "notes": notes,
        "settings": settings,
        "figures": [picture(figure, result) for figure, result in zip(drawn_of(results), results, strict=True)],
        "created": created,
        "version": version("tuner"),
    }
    return str(template("comparison.html").render(values | {"style": style(), "policy": POLICY}))


def rows_of(lines: Sequence[dict[str, Any]], labels: dict[str, str]) -> list[tuple[str, list[str]]]:
    """Return the rows of some parts of the studies' lines, without those that none has."""
    rows = [(label, [str(line.get(part, "")) for line in lines]) for label, part in labels.items()]
    return [(label, cells) for label, cells in rows if any(cells)]


def drawn_of(results: Sequence[ResultView]) -> list[Figure]:
    """Draw the leading curves of each study."""
    return leading_curves([ReportData(result) for result in results])


def picture(figure: Figure, result: ResultView) -> dict[str, Any]:
    """Return a figure for the template, in the colours of the page."""
    from markupsafe import Markup

    words = {"name": figure.name, "title": figure.title, "caption": figure.caption, "svg": ""}
    if figure.chart is None:
        return words
    kept = Kept(ReportData(result).trials)
    document, names = kept.specification(figure.chart)
    return words | {"svg": Markup(themed(inline_svg(figure.name, document, {n: kept.frames[n] for n in names})))}
