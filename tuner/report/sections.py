"""What a page says, section by section, as plain values: the template only places them."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuner.best import Best
from tuner.ranking.statistics import Interval
from tuner.ranking.table import OF_SPLITS
from tuner.report.charts.optimizers import compared
from tuner.report.charts.time import STATES, saved
from tuner.report.charts.workers import runs
from tuner.report.parameters import place
from tuner.report.report_data import ReportData
from tuner.report.snippets import snippets
from tuner.report.vega_data import cells, plain
from tuner.search.stopping import reason_to_stop
from tuner.study import Range, Study
from tuner.text import duration, interval, interval_of, intervals_of, short, visible

__all__ = ["best_config", "header", "optimizer_table", "provenance", "question", "spent", "standing", "table"]

ROWS = 50  # of the table without scripts


def question(study: Study) -> str:
    """Write a study's question as a sentence."""
    return f"{study.question[:1].upper()}{study.question[1:]}."


def header(frames: ReportData) -> dict[str, Any]:
    """Collect the question, the study's state, and how its trials ended."""
    study, trials = frames.study, frames.found.all_trials
    states = Counter(str(trial.state) for trial in trials)
    counts = ", ".join(f"{states[state]} {state}" for state in STATES if states[state]) or "none finished yet"
    return {
        "name": study.name,
        "description": visible(study.description),
        "question": question(study),
        "note": visible(frames.found.notes.text or frames.found.notes.problem),
        "tags": list(frames.found.notes.tags),
        "state": standing(frames),
        "trials": f"{len(trials):,} of {study.trials:,} trials: {counts}.",
    }


def standing(frames: ReportData) -> str:
    """Say whether the search is over, and why it ended early, without anything that depends on the clock."""
    if not frames.unfinished:
        return "Complete."
    reason = reason_to_stop(frames.study, frames.found.all_trials)
    return f"Ended early: {reason}." if reason else "Not complete: these are the trials so far."


def running_words(frames: ReportData) -> str:
    """Say how long the search ran, how much of that was overhead, and what pruning saved."""
    timed, trials = runs(frames), len(frames.found.all_trials)
    own = sum(float(generation.facts.get("own", 0.0)) for generation in frames.found.generations)
    words = [f"searched in {duration(float(timed['end'].max()))}"] if not timed.empty else []
    words += [f"{1000 * own / trials:.2g} ms a trial the tuner's own"] if own and trials else []
    return "; ".join([*words, f"{100 * saved(frames):.0f} % of the epochs spared by pruning"])


def spent(frames: ReportData) -> str:
    """Say how long trials and the confirmation trained, in a sentence."""
    words = [f"Trained for {duration(sum(trial.seconds for trial in frames.found.all_trials))}", running_words(frames)]
    if rows := frames.found.confirmed:
        trials = len({row.trial for row in rows})
        words.append(f"{trials} configs checked in {duration(sum(row.seconds for row in rows))}")
    return f"{'; '.join(words)}."


def best_config(frames: ReportData) -> dict[str, Any] | None:
    """Collect the best config: each setting with its default and its position in its range; texts to copy."""
    best = frames.best
    if best is None:
        return None
    return {
        "trial": best.trial,
        "settings": [setting(frames, best, name) for name in best.params if name not in ("epochs", "horizon")],
        "epochs": f"{best.epochs} of {best.training['horizon']}",
        "results": results(frames, best),
        "snippets": {name: local(frames.study, text) for name, text in snippets(best).items()},
    }


def setting(frames: ReportData, best: Best, name: str) -> dict[str, Any]:
    """Build one setting of the best config. `place` is per cent of the range, None if it was not searched over one."""
    value, optimizer = best.params[name], best.params.get("optimizer")
    found = [p for p in frames.parameters if p.name == name and p.optimizer in ("", optimizer)]
    row: dict[str, Any] = {"name": name, "value": short(value), "exact": str(value), "searched": bool(found)}
    if name == "optimizer":
        among = len(frames.optimizers) > 1
        return row | {
            "searched": among,
            "range": ", ".join(frames.optimizers) if among else "",
            "default": "",
            "place": None,
        }
    if not found or frames.study.imported:  # another tool's ranges are not known
        return row | {"range": "" if frames.study.imported else "fixed", "default": "", "place": None}
    domain = found[0].domain
    default = short(found[0].default)
    if not isinstance(domain, Range):
        return row | {"range": ", ".join(map(short, found[0].choices)), "default": default, "place": None}
    at = place(value, domain)
    scale = {"linear": "", "log": ", logarithmic", "log1m": ", even in log(1 - value)"}[domain.scale]
    shown = f"{short(domain.low)} to {short(domain.high)}{scale}"
    return row | {
        "range": shown,
        "default": default,
        "place": None if at is None else round(100 * min(max(at, 0), 1), 1),
    }


def results(frames: ReportData, best: Best) -> dict[str, Any]:
    """Build the rows of the best config's metrics: measured by the search, and on fresh seeds."""
    standing = next((s for s in frames.found.standings if s.trial == best.trial), None)
    told: list[tuple[str, dict[str, Interval]]] = []
    if standing and standing.report:
        told.append(("final", {best.metric: standing.report.goal, **standing.report.test}))
    if standing:
        told.append(("check", {best.metric: standing.goal, **standing.test}))
    known = {name: value for name, value in best.result.get("metrics", {}).items() if name not in OF_SPLITS}
    searched = {best.metric: best.value, **known}
    names = dict.fromkeys([best.metric, *(name for _, means in told for name in means), *searched])
    notes = [
        f"{intervals_of({name: mean.of for _, means in told for name, mean in means.items()})}."
        " The check chose this config among the leaders, so it flatters it"
        if told
        else "",
        "; the final values are of seeds that chose nothing: quote those." if len(told) > 1 else "." if told else "",
    ]
    return {
        "columns": ["metric", *(seeds for seeds, _ in told), "search"],
        "rows": [(name, *(said(means.get(name)) for _, means in told), short(searched.get(name))) for name in names],
        "note": "".join(notes),
    }


def said(mean: Interval | None) -> str:
    """Write a mean with its interval."""
    return interval(mean.mean, mean.low, mean.high) if mean else ""


def table(frames: ReportData) -> dict[str, Any]:
    """Build the ranked table without columns that are the same everywhere; a page without scripts gets the first
    rows.
    """
    frame, confirmed = frames.trials, confirmed_cells(frames)
    told = [
        "epoch",
        "optimizer",
        *frames.searched,
        *(name for name in frame.columns if name.startswith(("valid_", "train_"))),
    ]
    told += ["stable", "seconds"]
    names = [name for name in dict.fromkeys(told) if name in frame.columns and tells(frame[name])]
    first = ["rank", "trial", "state", frames.goal, *(["check"] if confirmed else [])]
    order = [*first, *(name for name in names if name not in first)]
    columns = {name: cells(frame[name]) for name in order if name in frame.columns}
    columns["check"] = [confirmed.get(number, {"text": ""})["text"] for number in columns["trial"]]
    ties = zip(cells(frame["rank"]), cells(frame["tie"]), strict=True)
    columns["rank"] = [rank if tie in (None, rank) else f"{tie}=" for rank, tie in ties]
    rows = [[short(columns[name][i]) for name in order] for i in range(min(len(frame), ROWS))]
    return {
        "columns": order,
        "rows": rows,
        "more": max(len(frame) - ROWS, 0),
        "confirmed": confirmed,
        "interval": interval_of(next((s.goal.of for s in frames.found.standings), ""), frames.study.metric),
        "total": len(frame),
    }


def tells(column: Any) -> bool:
    """Return True if a column has more than one value."""
    return len(column) < 2 or column.nunique(dropna=False) > 1


def confirmed_cells(frames: ReportData) -> dict[int, dict[str, Any]]:
    """Return, for each confirmed trial, the mean to sort by (None where a split was lost) and the text to show."""
    return {
        s.trial: {
            "value": None if s.lost else plain(s.goal.mean),
            "text": s.lost or interval(s.goal.mean, s.goal.low, s.goal.high),
        }
        for s in frames.found.standings
    }


def optimizer_table(frames: ReportData) -> list[dict[str, str]]:
    """Write one row for each optimizer."""
    rows = []
    for row in compared(frames).to_dict("records"):
        known = {name: None if value is None or value != value else value for name, value in row.items()}
        counts = {name: str(row[name]) for name in ("optimizer", "trials", "complete", "pruned", "diverged")}
        sure = "" if known["confirmed"] is None else interval(row["confirmed"], row["low"], row["high"])
        rows.append(
            counts
            | {
                "search": short(known["search"]),
                "trial": "" if known["trial"] is None else str(int(row["trial"])),
                "confirmed": sure,
                "p_best": "" if known["p_best"] is None else f"{row['p_best']:.2f}",
                "ahead": "" if known["ahead"] is None else f"{100 * row['ahead']:.0f} %",
                "seconds": duration(row["seconds"]) if row["trials"] else "",
            }
        )
    return rows


def provenance(frames: ReportData) -> dict[str, Any]:
    """Collect the resolved study, the machine, its runs, and the command that repeats all of it."""
    study, runs = frames.study, run_rows(frames)
    facts: Mapping[str, str] = frames.found.facts
    return {
        "toml": local(study, study.to_toml()),
        "facts": [(name, local(study, value)) for name, value in sorted(facts.items())],
        "runs": runs,
        "command": next((row["command"] for row in runs if row["command"]), origin(frames)),
    }


def origin(frames: ReportData) -> str:
    """Write the command that makes the study, where the original one is not recorded."""
    facts = frames.found.facts
    if not frames.study.imported:
        return shlex.join(["tuner", "run", frames.study.name])
    return shlex.join(["tuner", "import", facts.get("source", ""), "--study-name", facts.get("study", "")])


def local(study: Study, text: str) -> str:
    """Shorten the path of the objective or the data to its file name, as a study file beside it would write it."""
    where = study.custom.objective if study.custom else study.data.source or ""
    folder = Path(where).parent
    return text.replace(f"{folder}{os.sep}", "") if folder.is_absolute() and folder != Path(folder.root) else text


def run_rows(frames: ReportData) -> list[dict[str, str]]:
    """List the study's runs: when each began, its workers, trials, command and commit."""
    rows: list[dict[str, Any]] = []
    for generation in frames.found.generations:
        facts = generation.facts
        if "origin" in facts or not rows:
            began = datetime.fromtimestamp(float(facts["began"]), UTC) if "began" in facts else None
            told = {name: facts.get("origin", {}).get(name, "") for name in ("command", "commit")}
            when = f"{began:%Y-%m-%d %H:%M} UTC" if began else ""
            rows.append({"began": when, "workers": str(facts.get("workers", "")), "trials": 0, **told})
        rows[-1]["trials"] += generation.trials
    return [row | {"trials": f"{row['trials']:,}"} for row in rows]
