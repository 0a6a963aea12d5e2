"""How charts look: colours that colour-blind people tell apart, on light and on dark, and one Vega configuration each.

An optimizer has the same colour in every chart of a report: that of its place in the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["DARK", "LIGHT", "PALETTE", "Theme", "config", "named_colours"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Theme:
    """Colours of a page: ground, text, lines, one a series; `bad` is what diverged, `mute` what was pruned.

    `heat` goes from bad values to good ones, all of it to be seen on the ground.
    """

    ground: str
    text: str
    soft: str
    grid: str
    mute: str
    panel: str
    highlight: str
    bad: str
    series: tuple[str, ...]
    heat: tuple[str, ...]


LIGHT = Theme(
    ground="#ffffff",
    text="#1b1f24",
    soft="#59636e",
    grid="#e4e7eb",
    mute="#9aa4af",
    panel="#f3f5f7",
    highlight="#fff3c4",
    bad="#c4161c",
    series=("#0072b2", "#db9500", "#009e73", "#c561a0", "#56b4e9", "#7a2048", "#868700", "#4b3fa5"),
    heat=("#c3d2e0", "#85b1d5", "#3a7ab0", "#0b3c66"),
)
DARK = Theme(
    ground="#15181c",
    text="#e8ebee",
    soft="#a3adb8",
    grid="#2c333b",
    mute="#66717d",
    panel="#20262d",
    highlight="#4a4216",
    bad="#ff6b66",
    series=("#3ba7e0", "#f2b21e", "#21b98d", "#e592c4", "#8fd3fa", "#c25789", "#d1ac3a", "#ab86ff"),
    heat=("#3b5064", "#3574a3", "#5fabd9", "#d6ebf9"),
)
PALETTE = len(LIGHT.series)


def named_colours(theme: Theme) -> dict[str, str]:
    """Return a theme's colours under the names that a page's style sheet has for them."""
    named = {"ground": theme.ground, "text": theme.text, "soft": theme.soft, "grid": theme.grid, "line": theme.mute}
    named |= {"panel": theme.panel, "mark": theme.highlight, "link": theme.series[0]}
    return named | {f"c{i}": value for i, value in enumerate(theme.series)}


OFF = {"disable": True}


def config(theme: Theme, legends: bool = True) -> dict[str, Any]:
    """Build the Vega-Lite configuration of a theme, without legends for a page that has its own."""
    text = {"font": FONT, "color": theme.text}
    axis: dict[str, Any] = {
        "labelColor": theme.soft,
        "titleColor": theme.text,
        "gridColor": theme.grid,
        "tickColor": theme.mute,
    }
    # room beside labels that are wider in the reader's font than in the one that the picture was laid out with
    axis |= {"titlePadding": 10}
    legend: dict[str, Any] = {
        "labelColor": theme.text,
        "titleColor": theme.soft,
        "orient": "top",
        "labelFontSize": 11,
        "titleFontSize": 11,
    }
    return {
        "background": theme.ground,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {**axis, "domainColor": theme.mute, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": 500},
        "legend": {**legend, **({} if legends else OFF)},
        "title": {"color": theme.text, "subtitleColor": theme.soft, "anchor": "start", "fontSize": 14},
        "text": text,
        "mark": {"color": theme.series[0]},
        "range": {
            "category": list(theme.series),
            "ramp": list(theme.heat),
            "heatmap": list(theme.heat),
            "ordinal": {"scheme": list(theme.heat)},  # as many steps as there are values
            "diverging": [theme.series[0], theme.mute, theme.bad, theme.series[5]],  # of states
        },
        "line": {"strokeCap": "round", "strokeJoin": "round"},
        "style": _styles(theme),
        "aria": False,
    }


def _styles(theme: Theme) -> dict[str, Any]:
    """Define named mark styles, so that charts themselves contain no colours."""
    return {
        "quiet": {"stroke": theme.mute, "fill": theme.mute, "color": theme.mute},
        "bad": {"stroke": theme.bad, "fill": theme.bad, "color": theme.bad},
        "ink": {"stroke": theme.text, "fill": theme.text, "color": theme.text},
        "note": {"fill": theme.soft, "fontSize": 11},
        "marked": {"stroke": theme.text, "fill": "transparent", "strokeWidth": 2},
    }
