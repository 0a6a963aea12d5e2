"""Pages of `tuner show`: a study's overview, and one trial with its learning curves."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from objectives.full_batch import RUNNING, VERDICTS
from tuner.cli.copyable import copyable
from tuner.cli.output import fit_window, in_words, too_wide, window
from tuner.enums import TrialState
from tuner.errors import NoResult
from tuner.ranking.optimality_gap import verdict_of
from tuner.ranking.table import evaluations
from tuner.records import Trial
from tuner.result import Result
from tuner.study import Study, text_of
from tuner.text import cell_text, clean, interval_text, intervals_of, last_lines, sparkline
from tuner.views.documents import by_optimizer, mean_curve, output_of, study_document, trial_document
from tuner.views.overview import states_of
from tuner.views.ranking import fresh_text
from tuner.views.sheet import Sheet, as_table, filtered, sheet_of

if TYPE_CHECKING:
    from tuner.best import Best
    from tuner.ranking.standings import ConfirmedTrial
    from tuner.report.findings import Finding
    from tuner.store.notes import StudyNotes

__all__ = ["ShowPage", "block", "fresh_mean", "fresh_words", "settings_of", "study_page", "trial_page"]

ENDINGS = {
    "complete": "trained to the end",
    "pruned": "stopped early: others of its generation were ahead",
    "diverged": "its loss blew up",
    "failed": "could not be trained",
}


@dataclass(frozen=True)
class ShowPage:
    """The same facts as text for people and as a document for programs; `sheet` where rows fit them better.

    `notes` say what the text leaves out.
    """

    text: str
    document: Mapping[str, Any]
    sheet: Sheet | None = None
    notes: tuple[str, ...] = ()


def block(pairs: Mapping[str, Any], indent: str = "  ") -> str:
    """Align names and values in two columns."""
    widest = max(map(len, pairs), default=0)
    return "".join(
        f"{indent}{clean(name):{widest}}  {cell_text(value)}".rstrip() + "\n" for name, value in pairs.items()
    )


def fresh_words(splits: bool, own: bool = False) -> str:
    """Say what was fresh in a confirmation; a custom objective decides itself what its seed changes."""
    if own:
        return "fresh seeds, on the same data unless the objective splits them by its seed"
    return "fresh seeds and splits" if splits else "fresh seeds, on the same split"


def fresh_mean(best: Best) -> str:
    """Format the confirmed mean with its interval; "" where a training was lost."""
    said = best.confirmation
    return interval_text(said["mean"], said["low"], said["high"]) or "nothing: it diverged or failed on a fresh seed"


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Format a config as tables show it."""
    return {name: text_of(value) if isinstance(value, list | tuple) else value for name, value in config.items()}


def study_page(result: Result, whole: bool = False) -> ShowPage:
    """Build the overview of a study, with tables cut to the terminal, or the `whole` of them."""
    study, trials = result.study, result.all_trials
    states = Counter(str(trial.state) for trial in trials)
    confirmation, optimizers = sheet_of(result.confirmation()), by_optimizer(result)
    facts = {
        **({"description": study.description} if study.description else {}),
        "question": study.question,
        **notes_facts(result.notes),
        "trials": f"{len(trials)} of {study.trials}: {states_of(states)}",
        "best": best_line(result),
        "directory": in_words(result.path),
    }
    with suppress(OSError):
        facts["given up"] = clean(result.directory.given_up.read_text(encoding="utf-8").strip())
    if failed := next((trial for trial in trials if trial.error), None):
        facts["first error"] = f"trial {failed.number}: {clean((failed.error.splitlines() or [''])[0])}"
    text, left = f"{clean(study.name)}\n{block(facts)}", list[str]()
    if confirmation.rows:
        seeds, words = confirmation.column("seeds")[0], fresh_words(study.fresh_splits, study.custom is not None)
        also = f", and on the {study.splits} splits of the search" if study.splits > 1 else ""
        text += f"\nchecked on {seeds} {words}{also}\n"
        text += textwrap.fill(f"in brackets: {brackets(result.standings)}", window()) + "\n"
        shown, dropped = fitting(confirmed_view(result, confirmation), whole)
        text += as_table(shown)
        left += dropped
    if optimizers.rows:
        shown, dropped = fitting(filtered(optimizers, whole)[0], whole)
        text += f"\noptimizers\n{as_table(shown)}"
        left += dropped
    if uneven_steps := study.uneven(batches(result, optimizers)):
        text += f"{textwrap.fill(uneven_steps, window())}\n"
    found = result.findings()
    if found:
        text += f"\nfindings\n{findings_block(found)}"
    return ShowPage(text, study_document(result), notes=tuple(too_wide(left)))


def notes_facts(notes: StudyNotes) -> dict[str, str]:
    """Return the lines of a page that hold what the user noted."""
    told = {"note": notes.text or notes.problem, "tags": ", ".join(notes.tags)}
    return {name: words for name, words in told.items() if words}


def fitting(sheet: Sheet, whole: bool) -> tuple[Sheet, list[str]]:
    """Return the part of a sheet that fits the terminal, and the columns left out."""
    shown, dropped = (sheet, []) if whole else fit_window(sheet)
    return shown, [sheet.title(name).lower() for name in dropped]


def findings_block(found: Sequence[Finding]) -> str:
    """Number the findings, each with the command that comes next."""
    lines = []
    for i, finding in enumerate(found, start=1):
        wrapped = textwrap.wrap(clean(finding.sentence), window(), initial_indent=f"  {i}. ", subsequent_indent="     ")
        lines += [*wrapped, f"     {clean(copyable(finding.command))}"]
        lines += textwrap.wrap(clean(finding.worth), window(), initial_indent="     ", subsequent_indent="     ")
    return "".join(f"{line}\n" for line in lines)


def best_line(result: Result) -> str:
    """Write the best config's trial and its final value, or that of the search where it was not checked."""
    try:
        best = result.best()
    except NoResult:
        return "no complete trial yet"
    named = f", {best['optimizer']}" if "optimizer" in best else ""
    searched = f"{best.metric} {cell_text(best.value)}"
    if not best.confirmed:
        return f"trial {best.trial}{named}: {searched} in the search, not checked"
    return f"trial {best.trial}{named}: final {best.metric} {fresh_mean(best)}, in the search {cell_text(best.value)}"


def brackets(standings: Sequence[ConfirmedTrial]) -> str:
    """Say what the intervals of a table of confirmed trials are of."""
    first = standings[0]
    return intervals_of({"the goal": first.goal.of} | {name: mean.of for name, mean in first.test.items()})


def confirmed_view(result: Result, confirmation: Sheet) -> Sheet:
    """Build the confirmation table for people: means with intervals in one cell, the most important columns first."""
    rows = []
    tests = [name for name in confirmation.columns if name.startswith("test_") and not name.endswith(("_low", "_high"))]
    for standing in result.standings:
        means = [interval_text(i.mean, i.low, i.high) if i else "" for i in map(standing.test.get, tests)]
        optimizer = result.trial(standing.trial).config.get("optimizer")
        searched = (standing.search_rank, standing.search_value)
        place = standing.rank if standing.tie == standing.rank else f"{standing.tie}="
        rows.append((place, standing.trial, optimizer, fresh_text(standing), *means, *searched))
    head, search = ("rank", "trial", "optimizer", "check"), ("search rank", "search")
    return Sheet((*head, *(name.replace("_", " ") for name in tests), *search), tuple(rows))


def batches(result: Result, optimizers: Sheet) -> list[Any]:
    """Return the batch sizes of the trials that the tables of a page compare."""
    numbers = {*optimizers.column("trial"), *(standing.trial for standing in result.standings)} - {None}
    return [result.trial(number).config.get("batch_size") for number in numbers]


def trial_page(result: Result, number: int) -> ShowPage:
    """Build the page of one trial: its config, its metrics at the best epoch, and its learning curves."""
    trial = result.trial(number)
    curves = {name: mean_curve(values) for name, values in trial.curves.items()}
    stable = (
        "" if trial.stable or trial.state != TrialState.COMPLETE else ", unstable: it ended far from its best epoch"
    )
    text = f"trial {number} of {clean(result.study.name)}: {trial.state}, {ending_of(trial)}{stable}\n"
    text += block(facts_of(result, trial))
    text += f"\nconfig\n{block(settings_of(trial.config))}"
    if curves:
        text += f"\nlearning curves, epochs 1 to {trial.epochs}\n{as_table(curve_view(curves, trial.epoch))}"
    place, printed = output_of(result, number)
    if printed.strip():
        text += f"\nprinted, the end of {clean(in_words(place))}\n{last_lines(printed)}\n"
    epochs = range(1, trial.epochs + 1)
    rows = tuple(zip(epochs, *curves.values(), strict=True)) if curves else ()
    return ShowPage(text, trial_document(result, number), Sheet(("epoch", *curves), rows, frozenset(("epoch",))))


def ending_of(trial: Trial) -> str:
    """Describe how a trial ended."""
    patience = trial.config.get("patience", 0)
    if patience and trial.state == TrialState.COMPLETE and trial.epochs < trial.config.get("epochs", trial.epochs):
        return f"stopped after {patience} epochs without a better validation loss"
    return ENDINGS.get(trial.state, "")


def facts_of(result: Result, trial: Trial) -> dict[str, Any]:
    """Summarise a trial's outcome in a few lines."""
    value = f"{cell_text(trial.value)} at epoch {trial.epoch} of {trial.epochs}" if trial.value is not None else "none"
    facts = {result.study.metric: value, "generation": trial.generation, "trained": spent(result.study, trial)}
    standing = next((s for s in result.standings if s.trial == trial.number), None)
    if standing:
        facts["check"] = f"{fresh_text(standing)}, rank {standing.rank}"
        if standing.report:
            goal = standing.report.goal
            facts["final"] = interval_text(goal.mean, goal.low, goal.high)
    if (verdict := verdict_of(trial.curves)) not in ("", RUNNING):
        facts["method"] = f"{verdict}: {VERDICTS[verdict]}"
    return facts | ({"error": clean(trial.error)} if trial.error else {})


def spent(study: Study, trial: Trial) -> str:
    """Describe a trial's cost: epochs, updates, and, where the train rows are known, examples and full gradients."""
    counts: dict[str, float] = {"epochs": trial.epochs, "steps": trial.steps}
    if study.rows:
        counts |= {"examples": trial.epochs * study.rows, "evaluations": round(evaluations(study, trial), 1)}
    return f"{', '.join(f'{count:,.10g} {name}' for name, count in counts.items())} in {trial.seconds:.2g} s"


def curve_view(curves: Mapping[str, list[float]], epoch: int | None) -> Sheet:
    """Build one row for each curve: first, best-epoch and last value, and its shape."""
    rows = []
    for name, curve in curves.items():
        if name == "verdict":
            continue  # said in words
        at_best = curve[epoch - 1] if epoch else math.nan
        rows.append((name, curve[0], at_best, curve[-1], sparkline(curve)))
    middle = f"epoch {epoch}" if epoch else "best epoch"
    titles = {"first": "epoch 1", "best": middle, "last": "last epoch"}
    sheet = Sheet(("curve", "first", "best", "last", "shape"), tuple(rows), titles=titles)
    return sheet if epoch else sheet.only(("curve", "first", "last", "shape"))
