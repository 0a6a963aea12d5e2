"""Charts in a notebook: drawn by scripts that travel with them, so that they need no network.

Altair's own default has the page fetch them. Whoever has chosen another of Altair's renderers gets that one.
"""

from __future__ import annotations

from html import escape
from typing import Any

import altair as alt

from tuner.report.theme import LIGHT, config
from tuner.report.vega_bundle import script_bundle
from tuner.report.vega_data import script_json

__all__ = ["offline"]

# The frame is as high as what is drawn in it; until then as high as a chart.
DRAW = """
const actions = {export: true, source: false, compiled: false, editor: false};
vegaEmbed("#chart", SPEC, {ast: true, actions})
  .then(() => { if (frameElement) frameElement.style.height = document.documentElement.scrollHeight + 4 + "px"; });
"""


class Offline:
    """A chart that brings what draws it."""

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*args, **kwargs)  # type: ignore[misc]
        return {"text/html": framed(self.to_dict()), "text/plain": repr(self)}  # type: ignore[attr-defined]


class Layers(Offline, alt.LayerChart):
    """One figure."""


class Column(Offline, alt.VConcatChart):
    """Figures below each other."""


def offline(charts: list[Any]) -> Any:
    """Merge layered charts to one that draws itself without a network and keeps its colours wherever it is saved."""
    if len(charts) > 1:
        # a legend for each: together they would list what the first one draws
        own: Any = dict.fromkeys(("color", "shape", "strokeDash"), "independent")
        return Column(vconcat=charts, config=config(LIGHT), resolve={"scale": own})
    # Altair's charts keep what is set on them as a part of their specification: the class alone is another one.
    object.__setattr__(charts[0], "__class__", Layers)
    charts[0].config = config(LIGHT)
    return charts[0]


def framed(document: dict[str, Any]) -> str:
    """Wrap a specification as HTML in its own frame, apart from the notebook's scripts."""
    draw = DRAW.replace("SPEC", script_json(document))
    inside = f'<!doctype html><meta charset="utf-8"><div id="chart"></div><script>{script_bundle()}</script>'
    text = escape(f"{inside}<script>{draw}</script>")
    return f'<iframe srcdoc="{text}" style="width: 100%; height: 340px; border: 0" title="chart"></iframe>'
