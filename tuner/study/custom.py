"""A study of somebody's own objective: what is called or started, and the parameters that it is searched over.

It has neither data nor a model here: those are the objective's business. Of [train] it keeps how long a trial trains,
and what goes with [optimizers]; everything else a config holds stands in [parameters].
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import Any

from objectives.optimizers import OPTIMIZERS
from tuner.study.budget import UNITS
from tuner.study.conditions import Conditions
from tuner.study.domains import Domain, Range, is_searched, plain, values_of
from tuner.study.hints import shown, suggest
from tuner.study.parameters import PARAMETERS, read_parameter, written
from tuner.study.placeholders import format_problem, holes_in, placeholders_in
from tuner.study.problems import ProblemCollector
from tuner.study.reading import near_file
from tuner.study.tables import SearchTable, StudyTable, TrainTable

__all__ = [
    "OWN_NAMES",
    "RUN",
    "CustomObjective",
    "check_not_own",
    "check_own",
    "busy_at_once",
    "check_own_searched",
    "choices_of",
    "goal_problem",
    "is_own",
    "own_of",
    "own_search",
    "own_train",
    "parameter_name",
    "unused_parameters",
]

NAME = re.compile(r"[A-Za-z_][\w .-]{0,98}\w|[A-Za-z_]")
GOAL = re.compile(r"[A-Za-z_][\w./-]{0,98}")
FUNCTION = re.compile(r"(?P<where>[^:]+\.py|[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
OF_OWN = frozenset({"splits", "resampling"})  # keys of [data] that an objective of one's own may have
# What a command may ask of its run.
RUN = ("trial", "seed", "split", "start", "stop", "device", "phase", "directory", "config", "python")
PARALLEL = 4  # trials that may be open at once; tuner/search/defaults.md has the measurements
AT_RUNGS, TO_THE_END = 4, 2  # trials open at once that keep one worker busy
MOST_UNITS = 100_000  # of a budget: a learning curve has a place for each
# Columns of the ranking, and what a config says by itself: a parameter of that name would hide it.
OWN_NAMES = (
    "rank", "tie", "trial", "state", "value", "se", "splits", "confirmed", "confirmed_low", "confirmed_high",
    "search_rank", "epoch", "rung", "stable", "examples", "evaluations", "seconds",
    "generation", "seed", "split", "replicate", "verdict", "gap", "optimizer", "framework", "model", "decay",
    *UNITS,
)  # fmt: skip
TRAINED = ("batch_size", "schedule", "warmup", "final", "gamma", "step_size", "power", "clip_norm")
OF_OPTIMIZERS = ("framework", "decay")  # constants of a config that has an optimizer
OF_CORE = ("model", "gap", "verdict", "replicate")  # what only the core's trials have
NOT_OURS = ("loss", "huber_delta", "patience", "min_delta")


@dataclass(frozen=True)
class CustomObjective:
    """What is called or started. `objective` is "train.py:train", "package.module:train", or, where a function was
    given in Python, its name alone. `starts` are the defaults that the file gives to parameters.
    """

    objective: str = ""
    command: tuple[str, ...] = ()
    output: str = ""  # a command's file of metrics; its standard output where there is none
    batched: int = 1
    keep: int = 1  # how many of the best trials' directories outlive the search
    parameters: Mapping[str, Domain] = field(default_factory=dict)
    starts: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = False  # whether the study says how long a trial trains
    trained: tuple[str, ...] = ()  # keys of [train] that configs hold

    @property
    def given(self) -> bool:
        """Return True for a function that was given in Python."""
        return not self.command and ":" not in self.objective

    @property
    def words(self) -> str:
        """Describe it for people in one line: the beginning of a long command."""
        return shorten(" ".join(self.command), 100, placeholder=" ...") if self.command else self.objective

    def table(self) -> dict[str, Any]:
        """Return its keys of [study]."""
        keys: dict[str, Any] = {"command": list(self.command)} if self.command else {"objective": self.objective}
        keys |= {"output": self.output} if self.output else {}
        keys |= {"batched": self.batched} if self.batched > 1 else {}
        return keys | ({"keep": self.keep} if self.keep != 1 else {})

    def space(self) -> dict[str, Any]:
        """Return the table [parameters]."""
        return {name: written(domain, self.starts.get(name)) for name, domain in self.parameters.items()}


def parameter_name(name: str) -> str:
    """Return the parameter for what other code calls `name`: the same, where that is a valid name."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    plain = plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"
    return f"{plain}_" if plain in (*OWN_NAMES, *TRAINED) else plain[:99]


def is_own(raw: Mapping[str, Any]) -> bool:
    """Return True if the tables ask for a custom objective."""
    study = raw.get("study", {})
    return isinstance(study, dict) and any(study.get(key) is not None for key in ("objective", "command"))


def own_of(
    raw: Mapping[str, Any], table: StudyTable, train: TrainTable, optimizers: Collection[str], report: ProblemCollector
) -> CustomObjective:
    """Build the objective of a study from its tables; complain about each parameter that cannot be used."""
    tables = raw.get(PARAMETERS, {})
    if not isinstance(tables, dict):
        report.add([PARAMETERS], f"must be a table, but got {shown(tables)}", "write lr = { low = 1e-4, high = 0.1 }")
        tables = {}
    parameters: dict[str, Domain] = {}
    starts: dict[str, Any] = {}
    for name, said in tables.items():
        taken = {*taken_names(train, optimizers), table.minimize, table.maximize}
        if not NAME.fullmatch(name):
            report.add([PARAMETERS, name], "cannot be the name of a parameter", "use letters, digits, _ - . and space")
        elif name in taken:
            report.add([PARAMETERS, name], "is a name of the tuner's own", f"call it {_other(name)}")
        else:
            read_parameter(name, said, parameters, starts, report)
    timed = any(unit in train.model_fields_set and getattr(train, unit) is not None for unit in UNITS)
    kept = tuple(key for key in TRAINED if key in train.model_fields_set or (key == "schedule" and optimizers))
    return CustomObjective(
        table.objective or "", table.command, table.output or "", table.batched, table.keep, parameters, starts, timed,
        kept,
    )  # fmt: skip


def taken_names(train: TrainTable, optimizers: Collection[str]) -> set[str]:
    """Return the names that mean something else in a study: its columns, and what [train] or an optimizer has there.

    A schedule's `gamma` means nothing where there is no schedule.
    """
    if optimizers:
        return {*OWN_NAMES, *TRAINED}
    return {*OWN_NAMES, *(name for name in TRAINED if name in train.model_fields_set)} - {*OF_OPTIMIZERS, *OF_CORE}


def _other(name: str) -> str:
    """Suggest another name for a parameter, or where the tuner has it."""
    return f"{name} in [train]" if name in (*TRAINED, "epochs", "steps") else f"the_{name}"


def own_train(train: TrainTable) -> TrainTable:
    """Return [train] without the core's default batch sizes."""
    return train if "batch_size" in train.model_fields_set else train.model_copy(update={"batch_size": 1})


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
    if own.objective and own.command:
        report.add(["study", "command"], "there is objective too", "keep one of them")
    if own.output and not own.command:
        report.add(["study", "output"], "belongs to a command", "remove it")
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
        _check_holes(own, train, optimizers, report)
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


def busy_at_once(timed: bool, search: SearchTable) -> int:
    """Return how many trials have to be open at once for each worker, so that it rarely waits for an old one."""
    return AT_RUNGS if timed and search.pruner != "none" else TO_THE_END


def own_search(search: SearchTable, own: CustomObjective, devices: int, report: ProblemCollector) -> SearchTable:
    """Return [search] with the defaults of an objective of somebody's own: proposals one by one, by rule.

    As many trials may be open at once as keep all `devices` busy, four at least. Where generations are asked for, or
    several configs go into one call, proposals are made together as ever.
    """
    given = search.model_fields_set
    together = [key for key in ("generation_size", "lag") if key in given]
    if "parallel" in given and search.parallel is not None:
        for key in together:
            report.add(["search", key], "does not go with parallel, which proposes one by one", "keep one of them")
        if own.batched > 1:
            hint = "write [search] generation_size"
            report.add(["search", "parallel"], "does not go with batched, which calls for several at once", hint)
    found: dict[str, Any] = {}
    if "parallel" not in given and not together and own.batched == 1:
        found["parallel"] = max(PARALLEL, devices * busy_at_once(own.timed, search))
    if "sampler" not in given:
        found["sampler"] = "auto"
        if "random_share" not in given:
            found["random_share"] = 0.0
    return search.model_copy(update=found)


def check_not_own(raw: Mapping[str, Any], table: StudyTable, search: SearchTable, report: ProblemCollector) -> None:
    """Check that a study of the core has nothing that belongs to a custom objective."""
    if search.parallel is not None:
        hint = "write generation_size: it trains trials in packs"
        report.add(["search", "parallel"], "belongs to an objective of your own", hint)
    hint = 'write [study] objective = "train.py:train", or remove it'
    for key in [key for key in ("output", "batched", "keep") if key in table.model_fields_set]:
        report.add(["study", key], "belongs to an objective of your own", hint)
    for name in [name for name in (PARAMETERS, "workers", "refit") if raw.get(name)]:
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
    own: CustomObjective, train: TrainTable, optimizers: Collection[str], report: ProblemCollector
) -> None:
    """Check that every {name} of a command is a parameter, or a value of the run."""
    keys = [key for name in optimizers for key in OPTIMIZERS[name].keys]
    unit = next((unit for unit in UNITS[1:] if getattr(train, unit) is not None), UNITS[0])
    known = [*own.parameters, *own.trained, *keys, *(["optimizer"] if optimizers else []), *RUN]
    known += [unit] if own.timed else []
    holes = [hole for word in own.command for hole in holes_in(word)]
    for hole in [hole for hole in holes if hole not in known]:
        hint = f"{suggest(hole, known)} (for the text itself: {{{{{hole}}}}})"
        report.add(["study", "command"], f"{{{hole}}} is neither a parameter nor something of the run", hint)
    for word in own.command:
        for name, form in [(name, form) for name, form in placeholders_in(word) if name in own.parameters]:
            problems = [format_problem(word, name, form, plain(value)) for value in _samples(own.parameters[name])]
            if problem := next(filter(None, problems), ""):
                report.add(["study", "command"], problem, f"write {{{name}}}, or another format")


def _samples(domain: Domain) -> tuple[Any, ...]:
    """Return values that stand for all that a parameter may have."""
    return (domain.low, domain.high) if isinstance(domain, Range) else values_of(domain)


def unused_parameters(own: CustomObjective, conditions: Conditions) -> list[str]:
    """Return parameters that are searched and that a command neither asks for nor decides with, as far as it tells."""
    used = {hole for word in own.command for hole in holes_in(word)} | {n for when in conditions.values() for n in when}
    searched = [name for name, domain in own.parameters.items() if is_searched(domain)]
    return [name for name in searched if name not in used] if own.command and "config" not in used else []


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


def goal_problem(metric: str) -> tuple[str, str] | None:
    """Return what is wrong with the name of a goal that the objective reports; None where it is valid."""
    if not GOAL.fullmatch(metric):
        return f"{shown(metric)} cannot be the name of a metric", "use letters, digits, _ . / -"
    return (f"{metric} is a name of the tuner's own", "call it valid_loss, say") if metric in OWN_NAMES else None


def choices_of(own: CustomObjective) -> dict[str, Domain]:
    """Return the parameters that a condition may name: those with values to choose from."""
    return {name: domain for name, domain in own.parameters.items() if not isinstance(domain, Range)}
