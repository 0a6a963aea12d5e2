"""A study of somebody's own objective: what is called or started, and the parameters that it is searched over.

It has neither data nor a model here: those are the objective's business. Of [train] it keeps how long a trial trains,
and what goes with [optimizers]; everything else a config holds stands in [parameters].
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any

from tuner.parameter_names import OWN_NAMES, TRAINED, UNITS
from tuner.placeholders import holes_in
from tuner.study.conditions import Conditions
from tuner.study.domains import Domain, Range, is_searched
from tuner.study.hints import shown
from tuner.study.metric_sources import METRICS, MetricSource, read_metrics
from tuner.study.own_parameters import PARAMETERS, read_parameter, written
from tuner.study.problems import ProblemCollector
from tuner.study.tables import RunTable, SearchTable, StudyTable, TrainTable

__all__ = [
    "CustomObjective",
    "busy_at_once",
    "choices_of",
    "goal_problem",
    "is_own",
    "own_of",
    "own_search",
    "own_train",
    "unused_parameters",
]

NAME = re.compile(r"[A-Za-z_][\w .-]{0,98}\w|[A-Za-z_]")
GOAL = re.compile(r"[A-Za-z_][\w./-]{0,98}")
PARALLEL = 4  # trials that may be open at once; tuner/search/defaults.md has the measurements
AT_RUNGS, TO_THE_END = 4, 2  # trials open at once that keep one worker busy
OF_OPTIMIZERS = ("framework", "decay")  # constants of a config that has an optimizer
OF_CORE = ("model", "gap", "verdict", "replicate")  # what only the core's trials have


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
    metrics: tuple[MetricSource, ...] = ()  # where a command says its metrics; lines of JSON where there is none

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

    def metric_table(self) -> dict[str, Any]:
        """Return the table [metrics]."""
        return {source.name: source.table() for source in self.metrics}

    def space(self) -> dict[str, Any]:
        """Return the table [parameters]."""
        return {name: written(domain, self.starts.get(name)) for name, domain in self.parameters.items()}


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
    goal = table.maximize or table.minimize or "valid_loss"
    metrics = read_metrics(raw.get(METRICS, {}), goal, {*OWN_NAMES, *parameters}, report)
    return CustomObjective(
        table.objective or "", table.command, table.output or "", table.batched, table.keep, parameters, starts, timed,
        kept, metrics,
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


def unused_parameters(own: CustomObjective, conditions: Conditions, run: RunTable) -> list[str]:
    """Return parameters that are searched and that a command neither asks for nor decides with, as far as it tells."""
    if run.constants:
        return []
    words = (*own.command, *run.env.values())
    used = {hole for word in words for hole in holes_in(word)} | {n for when in conditions.values() for n in when}
    searched = [name for name, domain in own.parameters.items() if is_searched(domain)]
    return [name for name in searched if name not in used] if own.command and "config" not in used else []


def goal_problem(metric: str) -> tuple[str, str] | None:
    """Return what is wrong with the name of a goal that the objective reports; None where it is valid."""
    if not GOAL.fullmatch(metric):
        return f"{shown(metric)} cannot be the name of a metric", "use letters, digits, _ . / -"
    return (f"{metric} is a name of the tuner's own", "call it valid_loss, say") if metric in OWN_NAMES else None


def choices_of(own: CustomObjective) -> dict[str, Domain]:
    """Return the parameters that a condition may name: those with values to choose from."""
    return {name: domain for name, domain in own.parameters.items() if not isinstance(domain, Range)}
