"""What a notebook shows of a result and its findings: the words that a run ends with, as plain HTML.

Every word that comes from outside is escaped, and nothing is styled beyond what a notebook does itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from tuner.errors import NoResult
from tuner.report.conclusion import NOTHING, Conclusion
from tuner.report.findings import findings
from tuner.report.findings.finding import Finding, first_step
from tuner.report.report_data import ReportData, ResultView
from tuner.text import cell_text, clean

__all__ = ["FoundList", "result_html"]

SHOWN = 10  # rows of the ranking


class FoundList(list[Finding]):
    """The findings of a study, which a notebook shows as a list."""

    def _repr_html_(self) -> str:
        return f"<ol>{''.join(f'<li>{one._repr_html_()}</li>' for one in self)}</ol>" if self else f"<p>{NOTHING}</p>"


def result_html(result: ResultView, place: Path) -> str:
    """Write a result that lies at `place`: its trials, what won, how sure that is, the first trials, what is next."""
    states = ", ".join(f"{n} {state}" for state, n in Counter(str(t.state) for t in result.all_trials).items())
    trials = f"{len(result.all_trials)} trials{f' ({states})' if states else ''}"
    head = f"<p><b>{escape(clean(result.study.name))}</b>: {trials} in {escape(clean(str(place)))}</p>"
    try:
        told = Conclusion(ReportData(result), result.best())
    except NoResult as none:
        return f"{head}<p>{escape(clean(str(none)))}</p>"
    first = result.ranking().head(SHOWN).dropna(axis=1, how="all").astype(object)
    table = first.where(first.notna(), None).map(cell_text).to_html(index=False, border=0)
    return head + rows_html(told.sentences) + table + rows_html(next_steps(told, findings(result)), "code")


def next_steps(told: Conclusion, found: Sequence[Finding]) -> list[tuple[str, str]]:
    """Return what to do next, how to use the winner, and where to see more."""
    first = first_step(found)
    return [("next", first.command if first else NOTHING), ("use", told.use), ("see", told.see)]


def rows_html(rows: Iterable[tuple[str, str]], tag: str = "span") -> str:
    """Write labels and texts beside them."""
    cells = (f"<tr><th>{escape(label)}</th><td><{tag}>{escape(clean(text))}</{tag}></td></tr>" for label, text in rows)
    return f'<table style="text-align: left">{"".join(cells)}</table>'
