"""The page of all studies: what each asked, where it stands, what won and what that gained, without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from shlex import join
from typing import Any

from tuner.errors import NoResult
from tuner.report.conclusion import Conclusion
from tuner.report.page.shell import POLICY, style, template
from tuner.report.report_data import ReportData, ResultView
from tuner.report.sections import question, standing
from tuner.text import visible

__all__ = ["StudyLine", "standing_line", "studies_page"]


@dataclass(frozen=True)
class StudyLine:
    """A study on the page of all: texts, "" where a thing is not known; `link` leads to its report.

    `problem` says why a study cannot be read; the rest is empty then. `when` says when its ledger was last written.
    """

    name: str
    problem: str = ""
    question: str = ""
    description: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    state: str = ""
    trials: str = ""
    beware: str = ""
    winner: str = ""
    metric: str = ""
    value: str = ""
    value_note: str = ""
    gain: str = ""
    sure: str = ""
    when: str = ""
    link: str = ""
    link_note: str = ""

    @property
    def command(self) -> str:
        """Return the command that writes the report."""
        return join(["tuner", "report", self.name])


def standing_line(result: ResultView) -> dict[str, Any]:
    """Collect the words of a study's line that follow from its ledger and notes; see `StudyLine`."""
    frames = ReportData(result)
    study, trials = frames.study, result.all_trials
    notes = result.notes
    lost = bool(trials) and all(trial.state == "failed" for trial in trials)
    said: dict[str, Any] = {
        "question": question(study),
        "description": visible(study.description),
        "note": visible(notes.text or notes.problem),
        "tags": notes.tags,
        "state": "Every trial failed." if lost else standing(frames),
        "trials": f"{len(trials):,} of {study.trials:,} trials",
        "metric": f"{study.metric}, {'lower' if study.direction == 'minimize' else 'higher'} is better",
    }
    try:
        told = Conclusion(frames, result.best())
    except NoResult:
        return said
    value = told.values[told.best.metric]
    of = told.brackets if "[" in value else ""
    where = "final" if told.final else "exact" if told.exact else "in the search, not checked on fresh seeds"
    return said | {
        "beware": told.useless,
        "winner": told.winner,
        "value": value,
        "value_note": f"{where}; {of}" if of else where,
        "gain": told.gain,
        "sure": told.sure,
    }


def studies_page(lines: Sequence[StudyLine], where: str, created: str = "") -> str:
    """Write the page of the studies of a home, in the order of `lines`. `created` is a time to show."""
    values = {"lines": lines, "where": where, "created": created, "version": version("tuner")}
    return str(template("studies.html").render(values | {"style": style(), "policy": POLICY}))
