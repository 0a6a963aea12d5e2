"""The page: a template, its style and its script, filled with what the sections say.

What the page did not write itself is escaped: by the template on its way into HTML, by `script_json` on its way into
scripts; and the page's policy lets no other script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tuner.report import sections
from tuner.report.charts import Figure, figures
from tuner.report.charts.style import key, seen
from tuner.report.charts.time import STATES
from tuner.report.findings import findings_of
from tuner.report.pictures import inline_svg
from tuner.report.report_data import Found, Frames
from tuner.report.theme import DARK, LIGHT, Theme, config
from tuner.report.vega_bundle import script_bundle
from tuner.report.vega_data import Kept, columns_of, script_json
from tuner.text import visible

__all__ = ["page"]

HERE = Path(__file__).parent
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
Watch = Callable[[str], None]


def page(found: Found, created: str = "", watch: Watch = lambda stage: None) -> str:
    """The report of a study as one HTML text. `created` is shown; without it the same ledger makes the same bytes.

    `watch` is told each stage: "findings", "charts", "pictures", "page".
    """
    from markupsafe import Markup

    frames = Frames(found)
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
    table = sections.table(frames)
    script, bundle = (HERE / "page.js").read_text(encoding="utf-8"), script_bundle()
    values: dict[str, Any] = {
        "header": sections.header(frames),
        "findings": told,
        "best": sections.best_config(frames),
        "table": table,
        "states": STATES,
        "optimizers": frames.optimizers,
        "keys": [key(place) for place in range(len(frames.optimizers))],
        "optimizer_table": sections.optimizer_table(frames),
        "figures": pictures,
        "legends": {name: listed(frames, own) for name, own in every.items()},
        "groups": [(name, title) for name, title in GROUPS.items() if pictures[name]],
        "failures": sections.failures(frames),
        "provenance": sections.provenance(frames),
        "contents": contents([name for name in GROUPS if pictures[name]], bool(frames.optimizers)),
        "created": created,
        "version": version("tuner"),
        "policy": policy(bundle, script),
        "style": Markup(style()),
        "bundle": Markup(bundle),
        "script": Markup(script),
        "data": Markup(script_json({name: columns_of(frame) for name, frame in kept.frames.items()})),
        "specs": Markup(script_json(specs)),
        "settings": Markup(script_json(settings(frames, table))),
    }
    return str(template().render(values))


def listed(frames: Frames, own: Sequence[Figure]) -> tuple[str, ...]:
    """The optimizers that figures of a section tell apart, for one legend above them all; none where there is one."""
    return seen(frames, (name for figure in own for name in figure.optimizers)) if len(frames.optimizers) > 1 else ()


@dataclass(frozen=True)
class Drawn:
    """A figure for the template, and its chart for the script: the specification with the names of its data."""

    figure: Figure
    svg: str = ""
    chart: Mapping[str, Any] = field(default_factory=dict)
    frames: Sequence[str] = ()


def drawn(figure: Figure, kept: Kept) -> Drawn:
    """A figure in both forms, from one specification."""
    from markupsafe import Markup

    if figure.chart is None:
        return Drawn(figure)
    document, names = kept.specification(figure.chart)
    svg = inline_svg(figure.name, document, {name: kept.frames[name] for name in names})
    return Drawn(figure, Markup(svg), fitted(document, bool(figure.optimizers)), names)


def fitted(document: dict[str, Any], own_legend: bool) -> dict[str, Any]:
    """A specification as wide as its place, without what the page says itself: the title, and a legend of its own."""
    kept = {key: value for key, value in document.items() if key not in ("$schema", "config", "title")}
    for encoding in (layer.get("encoding", {}) for layer in kept["layer"]) if own_legend else []:
        encoding |= {name: encoding[name] | {"legend": None} for name in LOOKS if name in encoding}
    return kept | {"width": "container", "autosize": {"type": "fit", "contains": "padding"}}


def contents(groups: Sequence[str], optimizers: bool) -> list[tuple[str, str]]:
    """Where the page's links at the top go."""
    first = [
        ("findings", "findings"),
        ("best", "best config"),
        ("ranking", "trials"),
        ("optimizers-compared", "optimizers" if optimizers else "confirmation"),
    ]
    return [
        *first,
        *((f"section-{name}", GROUPS[name].lower()) for name in groups),
        ("provenance", "provenance"),
    ]


def settings(frames: Frames, table: dict[str, Any]) -> dict[str, Any]:
    """What the page's script has to know."""
    return {
        "confirmed": table["confirmed"],
        "told": [frames.goal, "epoch", "optimizer", *(name for name in frames.searched if name != "optimizer")],
        "themes": {"light": config(LIGHT, legends=False), "dark": config(DARK, legends=False)},
    }


def style() -> str:
    """The style sheet, with the colours of both themes."""
    light, dark = variables(LIGHT), f"{{ color-scheme: dark; {variables(DARK)} }}"
    text = (HERE / "page.css").read_text(encoding="utf-8")
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {dark} }}\n"
        f"@media screen {{ :root[data-theme=dark] {dark} }}\n{text}"
    )


def variables(theme: Theme) -> str:
    """A theme's colours as variables of CSS."""
    named = {"ground": theme.ground, "text": theme.text, "soft": theme.soft, "grid": theme.grid, "line": theme.mute}
    named |= {"panel": theme.panel, "mark": theme.highlight, "link": theme.series[0]}
    named |= {f"c{i}": value for i, value in enumerate(theme.series)}
    return " ".join(f"--{name}: {value};" for name, value in named.items())


def policy(*scripts: str) -> str:
    """A content security policy: these scripts and no others, nothing from anywhere."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def template() -> Any:
    """The template; every text that it places is made visible and escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return environment.get_template("page.html")
