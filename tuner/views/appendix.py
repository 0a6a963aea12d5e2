"""The appendix of a paper: what was searched, with which budget and by which procedure, and what came out, as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tuner.errors import NoResult
from tuner.report.conclusion import Conclusion
from tuner.report.parameters import SearchedParameter, parameters_of
from tuner.report.report_data import ReportData
from tuner.search import rungs
from tuner.study import Range
from tuner.text import short
from tuner.views.sheet import Sheet

if TYPE_CHECKING:
    from tuner.result import Result

__all__ = ["appendix_sheet"]

DIGITS = 16  # of a digest
PACKAGES = ("tuner", "python", "numpy", "optuna")
COLUMNS = ("part", "item", "value")
SCALES = {"linear": "", "log": ", log scale", "log1m": ", log scale of the distance to 1"}


def appendix_sheet(result: Result) -> Sheet:
    """Build the rows that a paper's appendix needs to repeat a study: search space, budget, procedure, result.

    They follow from the study's ledger alone, so that the same study gives the same rows.
    """
    parts = {
        "study": _question(result),
        "search space": _space(result),
        "budget": _budget(result),
        "procedure": _procedure(result),
        "result": _outcome(result),
    }
    return Sheet(COLUMNS, tuple((part, item, value) for part, rows in parts.items() for item, value in rows))


LEARNED = {
    "log": "learned as its logarithm",
    "log1p": "learned as log(1 + target)",
    "log_link": "counts, with a log link",
}


def _question(result: Result) -> Iterator[tuple[str, str]]:
    yield "question", result.study.question
    facts = {} if result.study.data.surface else result.facts
    parts = (
        (facts[key], part)
        for key, part in (("rows", "train"), ("valid_rows", "valid"), ("test_rows", "test"))
        if key in facts
    )
    if rows := ", ".join(f"{int(count):,} {part}" for count, part in parts):
        yield "rows", rows
    if "weight" in facts:
        yield "weights of rows", f"column {facts['weight']}"
    if "target_transform" in facts:
        yield "target", LEARNED[facts["target_transform"]]
    if "data" in facts:
        yield "digest of the data", str(facts["data"])[:DIGITS]


def _space(result: Result) -> Iterator[tuple[str, str]]:
    if result.study.optimizers:
        yield "optimizer", ", ".join(result.study.optimizers)
    for parameter in parameters_of(result.study, result.all_trials):
        name = f"{parameter.name} ({parameter.optimizer})" if parameter.optimizer else parameter.name
        yield name, _values(parameter)


def _values(parameter: SearchedParameter) -> str:
    """Return the range with its scale, or the choices, of a parameter."""
    domain = parameter.domain
    if not isinstance(domain, Range):
        return ", ".join(str(value) for value in parameter.choices)
    step = f", step {short(domain.step)}" if domain.step not in (0, 1) else ""
    return f"{short(domain.low)} to {short(domain.high)}{SCALES[domain.scale]}{step}"


def _budget(result: Result) -> Iterator[tuple[str, str]]:
    study, trials = result.study, result.all_trials
    states = Counter(str(trial.state) for trial in trials)
    yield "trials", f"{len(trials):,}: " + ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    if study.imported:
        return
    yield "full length", str(study.budget)
    if len(ladder := rungs(study)) > 1:
        stages = (f"{one.amount:g} on {one.splits} split{'s' * (one.splits > 1)}" for one in ladder)
        yield f"compared after {study.budget.unit}", ", ".join(stages)
    curves = (trial.curves[study.metric] for trial in trials if study.metric in trial.curves)
    yield "epochs of all trials and splits", f"{sum(int(np.size(curve)) for curve in curves):,}"


def _procedure(result: Result) -> Iterator[tuple[str, str]]:
    study, facts = result.study, result.facts
    if study.imported:
        return
    search, confirm = study.search, study.confirm
    yield "sampler", search.sampler
    kept = f", the best of every {search.reduction} go on" if search.pruner in ("halving", "hyperband") else ""
    yield "pruner", search.pruner + kept
    if not study.custom and not study.data.surface:
        yield "validation", f"{study.data.resampling}, {study.splits} split{'s' * (study.splits > 1)} a trial"
    if confirm.enabled:
        fresh = "splits" if study.fresh_splits and not study.custom else "seeds"
        yield "check", f"up to {confirm.top} leaders and the best default on fresh {fresh}, as a race"
        yield "final value", f"the winner alone on {confirm.seeds} more {fresh}, which chose nothing"
    yield "seed", str(study.seed)
    yield "software", ", ".join(f"{name} {facts[name]}" for name in PACKAGES if name in facts)


def _outcome(result: Result) -> Iterator[tuple[str, str]]:
    try:
        found = Conclusion(ReportData(result), result.best())
    except NoResult as error:
        yield "best config", f"none: {error}"
        return
    yield "best config", found.winner
    if found.best.epochs:
        yield "best epoch", str(found.best.epochs)
    yield from found.values.items()
    for item, sentence in (("intervals", found.brackets), ("gain", found.gain), ("sure", found.sure)):
        if sentence:
            yield item, sentence
