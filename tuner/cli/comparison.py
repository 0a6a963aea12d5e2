"""A comparison in the words of `tuner compare`, for its table and for a page: the same rows, notes and numbers."""

from __future__ import annotations

from tuner.api.compare import Comparison
from tuner.api.side_by_side import columns_of, rows_of
from tuner.text import cell_text, interval_text, intervals_of
from tuner.views.sheet import Sheet, filtered

__all__ = ["compared_rows", "notes_of", "sheet_of"]


def sheet_of(found: Comparison, key: str) -> Sheet:
    """Build a sheet with one row for each side."""
    confirmed = [interval_text(s.goal.mean, s.goal.low, s.goal.high) if s.goal else "" for s in found.sides]
    shown = frozenset((key, "value", "confirmed", "p_best"))
    asides = frozenset(("mean", "low", "high", "seed", "data", *(["best_optimizer"] if key == "optimizer" else [])))
    order = (key, "metric", "value", "confirmed", "p_best", "method", "trial", "best_optimizer", "trials", "complete")
    titles = {"value": "search", "confirmed": "final" if key == "study" else "check"}
    titles |= {"trial": "best_trial", "p_best": "P(best)"}
    views = {"confirmed": confirmed}
    return Sheet(columns_of(key), tuple(rows_of(found)), shown, asides, titles=titles, views=views, order=order)


def notes_of(found: Comparison) -> list[str]:
    """Return the notes on a comparison: what is not the same for all, and what the brackets hold."""
    of = intervals_of({side.name: side.goal.of for side in found.sides if side.goal})
    return [*found.notes, *([f"in brackets: {of}"] if of else [])]


def compared_rows(found: Comparison) -> list[tuple[str, list[str]]]:
    """Turn the table of a comparison of studies on its side: a row for each of its columns, a cell for each study."""
    sheet = sheet_of(found, "study")
    shown, _ = filtered(sheet)
    names = [name for name in shown.columns if name not in ("study", "metric")]
    titles = {name: sheet.titles.get(name, name).replace("_", " ") for name in names}
    rows = [(titles[name], [cell_text(cell) for cell in shown.column(name)]) for name in names]
    return [(title, cells) for title, cells in rows if any(cells)]
