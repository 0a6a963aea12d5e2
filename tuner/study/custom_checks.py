"""Checks of a study of somebody's own objective: what it needs, and what belongs to the tuner's own training."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from objectives.optimizers import OPTIMIZERS
from objectives.training.hypers import Entry, hypers_of
from tuner.placeholders import format_problem, holes_in, placeholders_in
from tuner.study.budget import UNITS
from tuner.study.custom import CustomObjective
from tuner.study.domains import Domain, Range, is_searched, plain, values_of
from tuner.study.expressions import CONSTRAINTS
from tuner.study.hints import shown, suggest
from tuner.study.metric_sources import METRICS
from tuner.study.own_parameters import PARAMETERS
from tuner.study.problems import ProblemCollector
from tuner.study.reading import near_file
from tuner.study.tables import SearchTable, StudyTable, TrainTable

__all__ = ["RUN", "check_not_own", "check_own", "check_own_searched"]

FUNCTION = re.compile(r"(?P<where>[^:]+\.py|[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
OF_OWN = frozenset({"splits", "resampling"})  # keys of [data] that an objective of one's own may have
# What a command may ask of its run.
RUN = ("trial", "seed", "split", "start", "stop", "device", "phase", "directory", "config", "python")
MOST_UNITS = 100_000  # of a budget: a learning curve has a place for each
NOT_OURS = ("loss", "class_weight", *(row.name for row in hypers_of(Entry.LOSS)), "patience", "min_delta")


def check_own(  # noqa: PLR0913
    own: CustomObjective,
    raw: Mapping[str, Any],
    train: TrainTable,
    search: SearchTable,
    optimizers: Collection[str],
    base: Path | None,
    report: ProblemCollector,
) -> None:
    """Check what a custom objective needs and what it excludes; `base` is None for a stored study."""
    _check_foreign(raw, train, optimizers, report)
    _check_kept(raw, report)
    if own.objective and own.command:
        report.add(["study", "command"], "there is objective too", "keep one of them")
    if own.output and not own.command:
        report.add(["study", "output"], "belongs to a command", "remove it")
    if raw.get(METRICS) and not own.command:
        report.add([METRICS], "belongs to a command", "remove it: a function reports its metrics itself")
    if own.output and raw.get(METRICS):
        report.add(["study", "output"], "does not go with [metrics], which say where each is", "remove it")
    if own.batched > 1 and own.command:
        report.add(["study", "batched"], "does not go with a command", "remove it")
    if not raw.get(PARAMETERS) and not optimizers:
        report.add([PARAMETERS], "is missing", "write what to search: lr = { low = 1e-4, high = 0.1, log = true }")
    if search.rungs and not own.timed:
        report.add(["search", "rungs"], "need to know how long a trial trains", "write [train] epochs = 27")
    amount = max(getattr(train, unit) or 0 for unit in UNITS)
    if own.timed and amount > MOST_UNITS:
        what = f"{amount:,} are more than the {MOST_UNITS:,} places of a learning curve"
        report.add(["train"], what, "count in a larger unit, like epochs")
    if own.command:
        _check_holes(own, raw.get("run"), train, optimizers, report)
        _check_split_hole(own, raw, report)
    if base is not None and own.objective:
        _check_place(own.objective, base, report)
    if base is not None and own.command:
        _check_program(own.command[0], base, report)


def _check_foreign(
    raw: Mapping[str, Any], train: TrainTable, optimizers: Collection[str], report: ProblemCollector
) -> None:
    """Check that nothing is set that belongs to the tuner's own core."""
    allowed = {"data": OF_OWN, "model": frozenset[str]()}
    for name in [name for name, keys in allowed.items() if set(raw.get(name, {})) - keys]:
        report.add([name], "does not go with an objective of your own", "remove it: that is the objective's business")
    for key in [key for key in NOT_OURS if key in train.model_fields_set]:
        report.add(["train", key], "does not go with an objective of your own", "remove it, or make it a parameter")
    if isinstance(confirm := raw.get("confirm"), dict) and confirm.get("metrics"):
        what = "are scikit-learn's, for models of the tuner's own"
        report.add(["confirm", "metrics"], what, "let the objective report test_* metrics")
    for name in [name for name in optimizers if OPTIMIZERS[name].whole]:
        what = "takes all rows at once, which an objective of your own does not hand over"
        report.add(["optimizers", name], what, "remove it")


def _check_kept(raw: Mapping[str, Any], report: ProblemCollector) -> None:
    """Check that the file of the model lies in the folder of its training: it is moved from there."""
    refit = raw.get("refit")
    keep = refit.get("keep") if isinstance(refit, dict) else None
    if isinstance(keep, str) and (not (parts := Path(keep).parts) or Path(keep).is_absolute() or ".." in parts):
        what = f"{shown(keep)} is no file in the folder of a training"
        report.add(["refit", "keep"], what, 'write its name there, like "model.pt": run.directory says where that is')


def check_not_own(raw: Mapping[str, Any], table: StudyTable, search: SearchTable, report: ProblemCollector) -> None:
    """Check that a study of the core has nothing that belongs to a custom objective."""
    if search.parallel is not None:
        hint = "write generation_size: it trains trials in packs"
        report.add(["search", "parallel"], "belongs to an objective of your own", hint)
    hint = 'write [study] objective = "train.py:train", or remove it'
    for key in [key for key in ("output", "batched", "keep") if key in table.model_fields_set]:
        report.add(["study", key], "belongs to an objective of your own", hint)
    for name in [name for name in (PARAMETERS, METRICS, "workers", "refit", "run", CONSTRAINTS) if raw.get(name)]:
        report.add([name], "belongs to an objective of your own", hint)


def check_own_searched(own: CustomObjective, trials: int, tables: Collection[Any], report: ProblemCollector) -> None:
    """Check that several trials have something to search."""
    domains = list(own.parameters.values())
    for table in tables:
        domains += (
            [getattr(table, key) for key in own.trained] if isinstance(table, TrainTable) else list(table.values())
        )
    if trials > 1 and len(tables) < 3 and not any(map(is_searched, domains)):
        hint = "give a list or a range, or write trials = 1"
        report.add([PARAMETERS], f"nothing is searched: all {trials} trials would be the same", hint)


def _check_holes(
    own: CustomObjective, run: Any, train: TrainTable, optimizers: Collection[str], report: ProblemCollector
) -> None:
    """Check that every {name} of a command, and of what it is `run` with, is a parameter or a value of the run."""
    keys = [key for name in optimizers for key in OPTIMIZERS[name].keys]
    unit = next((unit for unit in UNITS[1:] if getattr(train, unit) is not None), UNITS[0])
    known = [*own.parameters, *own.trained, *keys, *(["optimizer"] if optimizers else []), *RUN]
    known += [unit] if own.timed else []
    words = [(("study", "command"), word) for word in own.command] + [*_words_of_run(run)]
    for key, hole in [(key, hole) for key, word in words for hole in holes_in(word) if hole not in known]:
        hint = f"{suggest(hole, known)} (for the text itself: {{{{{hole}}}}})"
        report.add(key, f"{{{hole}}} is neither a parameter nor something of the run", hint)
    for key, word in words:
        for name, form in [(name, form) for name, form in placeholders_in(word) if name in own.parameters]:
            problems = [format_problem(word, name, form, plain(value)) for value in _samples(own.parameters[name])]
            if problem := next(filter(None, problems), ""):
                report.add(key, problem, f"write {{{name}}}, or another format")


def _words_of_run(run: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """List the texts of [run] that may have placeholders, with their keys."""
    for table in ("env", "values"):
        keys = run.get(table) if isinstance(run, dict) else None
        for name, text in keys.items() if isinstance(keys, dict) else ():
            if isinstance(text, str):
                yield ("run", table, name), text


def _samples(domain: Domain) -> tuple[Any, ...]:
    """Return values that stand for all that a parameter may have."""
    return (domain.low, domain.high) if isinstance(domain, Range) else values_of(domain)


def _check_split_hole(own: CustomObjective, raw: Mapping[str, Any], report: ProblemCollector) -> None:
    """Check that a command which is judged on several splits is passed the split."""
    splits, words = (raw.get("data") or {}).get("splits"), " ".join(own.command)
    if isinstance(splits, int) and splits > 1 and not {"split", "config"} & set(holes_in(words)):
        what = f"is {splits}, but the command does not ask which split it is to train on"
        report.add(["data", "splits"], what, "add {split} to [study] command: --split {split}; or remove it")


def _check_place(objective: str, base: Path, report: ProblemCollector) -> None:
    """Check that the objective names a function in an existing file or a module; nothing is imported."""
    key = ["study", "objective"]
    found = FUNCTION.fullmatch(objective)
    if found is None:
        given = f"; a function of Python is given again: objective={objective}" if objective.isidentifier() else ""
        hint = f'write "train.py:train" or "package.module:train"{given}'
        report.add(key, f"{shown(objective)} does not say where it is", hint)
    elif found["where"].endswith(".py") and not (path := base / Path(found["where"]).expanduser()).is_file():
        report.add(key, f"{found['where']}: there is no such file", near_file(path, {".py"}))


def _check_program(program: str, base: Path, report: ProblemCollector) -> None:
    """Check that the first word of a command is a program; one with a slash is relative to the study's folder."""
    if holes_in(program):
        return
    path, key = base / program, ["study", "command"]
    if "/" not in program and shutil.which(program) is None:
        own = f"write ./{program}" if path.is_file() else "check its name; {python} is the Python that runs the tuner"
        report.add(key, f"there is no program {shown(program)}", own)
    elif "/" in program and not path.is_file():
        report.add(key, f"{shown(program)}: there is no such program", near_file(path, {path.suffix}))
    elif "/" in program and not os.access(path, os.X_OK):
        report.add(key, f"{shown(program)} may not be run", f"begin with {{python}}, or: chmod +x {program}")
