"""The page: a template, its style and its script, filled with what the sections say.

    shell -> studies, comparison; the report of one study, here

What the page did not write itself is escaped: by the template on its way into HTML, by `script_json` on its way into
scripts; and the page's policy lets no other script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tuner.records import Notify
from tuner.report import sections
from tuner.report.charts import Figure, figures
from tuner.report.charts.style import key, seen
from tuner.report.charts.time import STATES
from tuner.report.failures import failures
from tuner.report.findings import findings_of
from tuner.report.page.shell import HERE, style, template
from tuner.report.pictures import MOST_DRAWN, inline_svg, sampled
from tuner.report.report_data import ReportData, ResultView
from tuner.report.summary_cards import summary_cards
from tuner.report.theme import DARK, LIGHT, config
from tuner.report.vega_bundle import script_bundle
from tuner.report.vega_data import Kept, columns_of, script_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["page", "sent"]

LOOKS = ("color", "shape", "strokeDash")  # of an optimizer
GROUPS = {
    "course": "The course, drawn",
    "curves": "Learning curves",
    "progress": "Search progress",
    "sensitivity": "Sensitivity",
    "importance": "Importance",
    "pair": "Two parameters together",
    "time": "Time",
}
DIGITS = 6  # of numbers that are only drawn
MOST_SENT = 4000  # trials for the page's scripts: more make it slow to open, and no clearer
MOST_CELLS = 200_000  # of one frame, about 10 bytes each


def page(found: ResultView, created: str = "", watch: Notify = lambda stage: None) -> str:
    """Write the report of a study as one HTML text. `created` is shown; without it the same ledger gives the same
    bytes.

    Calls `watch` with each stage: "findings", "charts", "pictures", "page".
    """
    from markupsafe import Markup

    frames = ReportData(found)
    watch("findings")
    told = findings_of(frames)
    watch("charts")
    every = figures(frames)
    watch("pictures")
    kept = Kept(frames.trials)
    pictures = {name: [drawn(figure, kept) for figure in own] for name, own in every.items()}
    specs = {
        one.figure.name: {"chart": one.chart, "frames": one.frames}
        for own in pictures.values()
        for one in own
        if one.chart
    }
    watch("page")
    table, failed = sections.table(frames), failures(frames)
    lost = 0 < failed["failed"] == failed["trials"]
    groups = [name for name in GROUPS if any(one.svg for one in pictures[name]) and (name == "time" or not lost)]
    script, bundle = (HERE / "page.js").read_text(encoding="utf-8"), script_bundle()
    values: dict[str, Any] = {
        "header": sections.header(frames),
        "summary": summary_cards(frames, told),
        "spent": sections.spent(frames),
        "findings": told,
        "best": sections.best_config(frames),
        "table": table,
        "states": STATES,
        "optimizers": frames.optimizers,
        "keys": [key(place) for place in range(len(frames.optimizers))],
        "optimizer_table": sections.optimizer_table(frames),
        "figures": pictures,
        "legends": {name: listed(frames, own) for name, own in every.items()},
        "groups": [(name, GROUPS[name]) for name in groups],
        "failures": failed,
        "provenance": sections.provenance(frames),
        "parts": contents(frames, groups, failed["failed"], bool(told)),
        "created": created,
        "version": version("tuner"),
        "policy": policy(bundle, script),
        "style": style(),
        "bundle": Markup(packed(bundle)),
        "script": Markup(script),
        "data": Markup(script_json({name: written_out(name, frame) for name, frame in kept.frames.items()})),
        "sent": len(sent(frames.trials)),
        "specs": Markup(script_json(specs)),
        "settings": Markup(script_json(settings(frames, table))),
    }
    return str(template().render(values))


def written_out(name: str, frame: pd.DataFrame) -> dict[str, Any]:
    """Convert a frame for the page's scripts: trials as they are, what is only drawn to the digits that can be seen."""
    return columns_of(sent(frame), None if name == "trials" else DIGITS)


def sent(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a frame that a page's scripts have: of trials the best, and an even choice of others."""
    return sampled(frame, max(MOST_DRAWN, min(MOST_SENT, MOST_CELLS // max(1, frame.shape[1]))))


def listed(frames: ReportData, own: Sequence[Figure]) -> tuple[str, ...]:
    """List the optimizers that a section's figures distinguish, for one legend above them; none if there is only
    one.
    """
    return seen(frames, (name for figure in own for name in figure.optimizers)) if len(frames.optimizers) > 1 else ()


@dataclass(frozen=True)
class Drawn:
    """A figure for the template, and its chart for the script: the specification with the names of its data."""

    figure: Figure
    svg: str = ""
    chart: Mapping[str, Any] = field(default_factory=dict)
    frames: Sequence[str] = ()


def drawn(figure: Figure, kept: Kept) -> Drawn:
    """Draw a figure both as SVG and as a Vega-Lite specification."""
    from markupsafe import Markup

    if figure.chart is None:
        return Drawn(figure)
    document, names = kept.specification(figure.chart)
    svg = inline_svg(figure.name, document, {name: kept.frames[name] for name in names})
    return Drawn(figure, Markup(svg), fitted(document, bool(figure.optimizers)), names)


def fitted(document: dict[str, Any], own_legend: bool) -> dict[str, Any]:
    """Stretch a specification to its container, without the title and legend, which the page shows itself."""
    kept = {key: value for key, value in document.items() if key not in ("$schema", "config", "title")}
    for encoding in (layer.get("encoding", {}) for layer in kept["layer"]) if own_legend else []:
        encoding |= {name: encoding[name] | {"legend": None} for name in LOOKS if name in encoding}
    return kept | {"width": "container", "autosize": {"type": "fit", "contains": "padding"}}


def contents(frames: ReportData, groups: Sequence[str], failed: int, told: bool) -> dict[str, str]:
    """Name the sections of the page by anchor, without those that are empty because every trial failed."""
    lost = 0 < failed == len(frames.found.all_trials)
    return {
        **({"failures": "failures"} if failed else {}),
        **({"findings": "findings"} if told or not lost else {}),
        **({} if lost else {"best": "best config"}),
        "ranking": "trials",
        **({} if lost else {"optimizers-compared": "optimizers" if frames.optimizers else "confirmation"}),
        **{f"section-{name}": GROUPS[name].lower() for name in groups},
        "provenance": "provenance",
    }


def settings(frames: ReportData, table: dict[str, Any]) -> dict[str, Any]:
    """Collect the settings of the page's script."""
    return {
        "confirmed": table["confirmed"],
        "told": [frames.goal, "epoch", "optimizer", *(name for name in frames.searched if name != "optimizer")],
        "themes": {"light": config(LIGHT, legends=False), "dark": config(DARK, legends=False)},
    }


def packed(text: str) -> str:
    """Pack a text into a third of its length, as base64, which the page's script unpacks."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def policy(*scripts: str) -> str:
    """Write a content security policy that allows these scripts and nothing from elsewhere."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
