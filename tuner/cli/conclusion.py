"""The end of a run, in 24 lines of 80 columns: what won, how sure that is, the checked configs, and what to do now."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from objectives.full_batch import SEPARABLE, VERDICTS
from objectives.optimizers import OPTIMIZERS
from tuner.cli.copyable import copyable
from tuner.cli.output import window
from tuner.cli.terminal import hint, styled
from tuner.ranking.confirmation_race import is_default
from tuner.ranking.optimality_gap import verdict_of
from tuner.report.conclusion import NOTHING, Conclusion
from tuner.report.findings.finding import first_step
from tuner.report.report_data import ReportData
from tuner.text import clean
from tuner.views.ranking import ranking_notes, ranking_sheet
from tuner.views.sheet import Sheet, as_table, filtered, fitted

if TYPE_CHECKING:
    from tuner.best import Best
    from tuner.result import Result

__all__ = ["conclusion_lines", "print_conclusion"]

ROWS = 5
LABEL = 8  # columns
STEP = " " * 7
INTERVAL = re.compile(r"(?:\w+ )?\S+ \[\S+, \S+\]")
GLUE = "\u00a0"  # a space at which no line ends


def print_conclusion(result: Result, best: Best, verbose: bool = False) -> None:
    """Print the conclusion of a study, its checked configs, and one command for each of what to do next."""
    frames = ReportData(result)
    found = Conclusion(frames, best)
    print("\n" + "\n".join(conclusion_lines(found)))
    sheet = top_sheet(result)
    shown, hidden = filtered(sheet)
    shown, dropped = fitted(shown, window())
    print(f"\n{marked_table(shown)}", end="")
    notes = [legend(result, found, [str(cell) for cell in shown.column("rank")]), *endless(result)]
    if verbose:
        notes += [*ranking_notes(result, sheet, copyable)[1:], f"columns left out: {', '.join([*hidden, *dropped])}"]
    for note in filter(None, notes):
        hint("\n".join(textwrap.wrap(note, window())))
    print("\n" + "\n".join(steps(result, found)))


def conclusion_lines(found: Conclusion) -> Iterator[str]:
    """Yield the sentences of a conclusion, each with its label, wrapped to the window."""
    for label, sentence in found.sentences:
        yield from labelled(label, sentence, style={"won": "winner", "beware": "yellow"}.get(label, ""))


def labelled(label: str, text: str, style: str = "") -> list[str]:
    """Write a label and a text beside it, wrapped at words."""
    room = max(window() - LABEL, 20)
    kept = INTERVAL.sub(lambda found: found[0].replace(" ", GLUE), clean(text))
    lines = [line.replace(GLUE, " ") for line in textwrap.wrap(kept, room)] or [""]
    shown = [styled(line, style, sys.stdout) if style else line for line in lines]
    return [f"{label if i == 0 else '':{LABEL}}{line}" for i, line in enumerate(shown)]


def steps(result: Result, found: Conclusion) -> Iterator[str]:
    """Yield what to do next, how to use the winner, and where to see more."""
    first = first_step(result.findings())
    yield f"next:  {clean(copyable(first.command)) if first else NOTHING}"
    if first:
        yield from textwrap.wrap(clean(first.worth), window(), initial_indent=STEP, subsequent_indent=STEP)
    yield f"use:   {clean(copyable(found.use))}"
    yield f"see:   {clean(copyable(found.see))}"


def top_sheet(result: Result) -> Sheet:
    """Build the first rows of the ranking; once some are checked, those alone, with the settings that differ."""
    checked = len(result.standings) if result.is_confirmed else ROWS
    sheet = ranking_sheet(result, min(ROWS, checked))
    if not result.is_confirmed:
        return sheet
    metrics = {name for name in sheet.columns if name.startswith(("train_", "valid_"))}
    trials = [marked(result, number) for number in sheet.column("trial")]
    asides = sheet.asides | metrics | {"se", "epoch", "epochs", "stable"}
    return replace(sheet, asides=frozenset(asides), views={**sheet.views, "trial": trials})


def marked(result: Result, number: int) -> str:
    """Write a trial's number, with what it is: the winner, or an optimizer's defaults."""
    is_winner, default = number == result.standings[0].trial, is_default(result.study, result.trial(number))
    words = [*(["won"] if is_winner else []), *(["default"] if default else [])]
    return " ".join([str(number), *words])


def marked_table(sheet: Sheet) -> str:
    """Write a table, its head in bold and its first row, the winner, in colour where the terminal has it."""
    head, *rows = as_table(sheet).splitlines()
    lines = [styled(head, "bold", sys.stdout), *(styled(row, "winner", sys.stdout) for row in rows[:1]), *rows[1:]]
    return "".join(f"{line}\n" for line in lines)


def legend(result: Result, found: Conclusion, places: Sequence[str]) -> str:
    """Say what the words and marks of a table mean."""
    if not found.final:
        return ""
    study, standing = result.study, result.standings[0]
    searched = f"{study.splits} splits" if study.splits > 1 else "one split"
    check = f"those and {standing.seeds} fresh ones" if study.splits > 1 else f"{standing.seeds} fresh seeds"
    words = {
        "search": searched,
        "check": check,
        "final": f"{found.best.confirmation['seeds']} that chose nothing",
    }
    tied = "1=: may be as good as rank 1" if any(place == "1=" for place in places) else ""
    more = len(result.standings) - ROWS
    rest = f"{more} more were checked" if more > 0 else ""
    return "; ".join(filter(None, [listed(words), found.brackets and f"in brackets: {found.brackets}", tied, rest]))


def listed(words: Mapping[str, Any]) -> str:
    """Join names and meanings."""
    return ", ".join(f"{name}: {meaning}" for name, meaning in words.items())


def endless(result: Result) -> list[str]:
    """Say that a whole-batch method found no finite optimum, where one did not."""
    methods = {name for name in result.study.optimizers if OPTIMIZERS[name].whole}
    whole = [trial for trial in result.all_trials if trial.config.get("optimizer") in methods]
    names = sorted({t.config["optimizer"] for t in whole if verdict_of(t.curves) == SEPARABLE})
    return [f"{', '.join(names)}: {VERDICTS[SEPARABLE]}"] if names else []
