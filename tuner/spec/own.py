"""A study of somebody's own objective: what is called or started, and the parameters that it is searched over.

It has neither data nor a model here: those are the objective's business. Of [train] it keeps how long a trial trains,
and what goes with [optimizers]; everything else a config holds stands in [parameters].
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objectives.optimizers import OPTIMIZERS
from tuner.budget import UNITS
from tuner.spec.domains import Choices, Domain, Range, is_searched, plain, several, values_of
from tuner.spec.reading import near_file
from tuner.spec.report import MOST, Bad, Report
from tuner.spec.schema import Search, StudyTable, Train
from tuner.spec.words import shown, suggest

__all__ = [
    "OWN_NAMES",
    "PARAMETERS",
    "RUN",
    "Own",
    "check_not_own",
    "check_own",
    "check_own_searched",
    "choices_of",
    "goal_problem",
    "is_own",
    "kind_of",
    "own_of",
    "own_train",
    "parameter_name",
]

PARAMETERS = "parameters"
NAME = re.compile(r"[A-Za-z_][\w .-]{0,98}\w|[A-Za-z_]")
GOAL = re.compile(r"[A-Za-z_][\w./-]{0,98}")
FUNCTION = re.compile(r"(?P<where>[^:]+\.py|[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")
HOLE = re.compile(r"\{([A-Za-z_][\w .-]*)\}")
RUN = ("seed", "start", "stop", "device", "phase", "directory", "config", "python")  # what a command may ask of its run
KEYS = ("choices", "default", "high", "log", "low", "step")
MOST_UNITS = 100_000  # of a budget: a learning curve has a place for each
MOST_STEPS = 10**9
# Columns of the ranking, and what a config says by itself: a parameter of that name would hide it.
OWN_NAMES = (
    "rank", "tie", "trial", "state", "value", "se", "epoch", "rung", "stable", "examples", "evaluations", "seconds",
    "generation", "seed", "replicate", "verdict", "gap", "optimizer", "framework", "model", "decay",
    "confirmed", *UNITS,
)  # fmt: skip
TRAINED = ("batch_size", "schedule", "warmup", "final", "gamma", "step_size", "power", "clip_norm")
NOT_OURS = ("loss", "huber_delta", "patience", "min_delta")


@dataclass(frozen=True)
class Own:
    """What is called or started. `objective` is "train.py:train", "package.module:train", or, where a function was
    given in Python, its name alone. `starts` are the defaults that the file gives to parameters.
    """

    objective: str = ""
    command: tuple[str, ...] = ()
    output: str = ""  # a command's file of metrics; its standard output where there is none
    batched: int = 1
    parameters: Mapping[str, Domain] = field(default_factory=dict)
    starts: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = False  # whether the study says how long a trial trains
    trained: tuple[str, ...] = ()  # keys of [train] that configs hold

    @property
    def given(self) -> bool:
        """Whether it is a function that was given in Python."""
        return not self.command and ":" not in self.objective

    @property
    def words(self) -> str:
        """What it is, for people."""
        return " ".join(self.command) if self.command else self.objective

    def table(self) -> dict[str, Any]:
        """Its keys of [study]."""
        keys: dict[str, Any] = {"command": list(self.command)} if self.command else {"objective": self.objective}
        keys |= {"output": self.output} if self.output else {}
        return keys | ({"batched": self.batched} if self.batched > 1 else {})

    def space(self) -> dict[str, Any]:
        """The table [parameters]."""
        return {name: _written(domain, self.starts.get(name)) for name, domain in self.parameters.items()}


def _written(domain: Domain, start: Any) -> Any:
    """A domain as a study file writes it, with its default."""
    if start is None:
        return plain(domain)
    body = plain(domain)
    return (dict(body) if isinstance(body, dict) else {"choices": body}) | {"default": start}


def parameter_name(name: str) -> str:
    """The parameter that stands for what other code calls `name`: the same, where that can be one's name."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    plain = plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"
    return f"{plain}_" if plain in (*OWN_NAMES, *TRAINED) else plain[:99]


def is_own(raw: Mapping[str, Any]) -> bool:
    """Whether what is written asks for an objective of its own."""
    study = raw.get("study", {})
    return isinstance(study, dict) and any(study.get(key) is not None for key in ("objective", "command"))


def own_of(raw: Mapping[str, Any], table: StudyTable, train: Train, optimizers: Collection[str], report: Report) -> Own:
    """The objective of a study, from what is written; complains about each parameter that cannot be used."""
    tables = raw.get(PARAMETERS, {})
    if not isinstance(tables, dict):
        report.add([PARAMETERS], f"must be a table, but got {shown(tables)}", "write lr = { low = 1e-4, high = 0.1 }")
        tables = {}
    parameters: dict[str, Domain] = {}
    starts: dict[str, Any] = {}
    for name, written in list(tables.items())[: MOST + 1]:
        taken = {*OWN_NAMES, *TRAINED, table.minimize, table.maximize}
        if not NAME.fullmatch(name):
            report.add([PARAMETERS, name], "cannot be the name of a parameter", "use letters, digits, _ - . and space")
        elif name in taken:
            report.add([PARAMETERS, name], "is a name of the tuner's own", f"call it {_other(name)}")
        else:
            _read(name, written, parameters, starts, report)
    timed = any(unit in train.model_fields_set and getattr(train, unit) is not None for unit in UNITS)
    kept = tuple(key for key in TRAINED if key in train.model_fields_set or (key == "schedule" and optimizers))
    return Own(table.objective or "", table.command, table.output or "", table.batched, parameters, starts, timed, kept)


def _other(name: str) -> str:
    """Another name for a parameter, or where the tuner has it."""
    return f"{name} in [train]" if name in (*TRAINED, "epochs", "steps") else f"the_{name}"


def _read(name: str, raw: Any, parameters: dict[str, Domain], starts: dict[str, Any], report: Report) -> None:
    """Read one parameter into `parameters`, and its default into `starts`."""
    key = (PARAMETERS, name)
    if isinstance(raw, dict):
        unknown = [one for one in raw if one not in KEYS]
        for one in unknown:
            report.add((*key, one), "unknown key", suggest(one, KEYS))
        if unknown:
            return
    start = raw.get("default") if isinstance(raw, dict) else None
    try:
        domain = _domain(raw)
        if start is not None:
            starts[name] = _start(domain, start)
    except Bad as bad:
        report.add(key, bad.what, bad.hint)
        return
    parameters[name] = domain


def _start(domain: Domain, start: Any) -> Any:
    """A default that lies in its domain. Raises Bad."""
    if isinstance(domain, Range):
        if isinstance(start, bool) or not isinstance(start, int | float) or not domain.low <= start <= domain.high:
            raise Bad(f"default = {shown(start)} is not in [{domain.low:g}, {domain.high:g}]", "choose one that is")
    elif (tuple(start) if isinstance(start, list) else start) not in values_of(domain):
        raise Bad(f"default = {shown(start)} is not one of its values", "choose one that is")
    return start


def _domain(raw: Any) -> Domain:
    """A value, a list to choose from, or a range. Raises Bad."""
    if not isinstance(raw, dict):
        return _choices(raw) if isinstance(raw, list) else _value(raw)
    if "choices" in raw:
        if extra := sorted({"low", "high", "log", "step"} & set(raw)):
            raise Bad(f"has choices and {extra[0]}", "give choices, or low and high")
        if not isinstance(raw["choices"], list):
            raise Bad(f"choices must be a list, but got {shown(raw['choices'])}")
        return _choices(raw["choices"])
    return _range(raw)


def _choices(raw: list[Any]) -> Domain:
    kinds = {_kind(_value(value)) for value in raw}
    if len(kinds) > 1:
        raise Bad(f"mixes {' and '.join(sorted(kinds))}: {shown(raw)}", "write numbers alone, or text alone")
    return several(raw, _value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "numbers" if isinstance(value, int | float) else "text" if isinstance(value, str) else "lists"


def _value(raw: Any) -> Any:
    """A single value: a finite number, text, true or false, or a list of whole numbers. Raises Bad."""
    if isinstance(raw, list):
        if not raw or not all(isinstance(one, int) and not isinstance(one, bool) for one in raw):
            raise Bad(f"{shown(raw)} is not a list of whole numbers", "write each choice as [64] or [64, 32]")
        return tuple(raw)
    if isinstance(raw, bool | str):
        return raw
    if not isinstance(raw, int | float) or not abs(raw) < float("inf"):
        raise Bad(f"must be a value, a list or a range, but got {shown(raw)}", "write { low = 1e-4, high = 0.1 }")
    return raw


def _range(raw: Mapping[str, Any]) -> Domain:
    """All numbers between two, or the whole ones where both are; `step` apart where it is given. Raises Bad."""
    ends = []
    for end in ("low", "high"):
        value = raw.get(end)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
            raise Bad(f"{end} must be a number, but got {shown(value) if end in raw else 'nothing'}", "give both ends")
        ends.append(value)
    low, high = ends
    log, step = raw.get("log", False), raw.get("step")
    if not isinstance(log, bool):
        raise Bad(f"log must be true or false, but got {shown(log)}")
    if low > high:
        raise Bad(f"is upside down: low = {low:g} is above high = {high:g}", "swap them")
    if log and low <= 0:
        raise Bad(f"a log range cannot start at {low:g}", "start it above 0, or write log = false")
    whole = isinstance(low, int) and isinstance(high, int)
    if whole and (low, high) == (0, 1) and step is None:
        raise Bad("0 and 1 alone, or all between them?", "write [0, 1], or { low = 0.0, high = 1.0 }")
    if low == high:
        return low
    if step is None:
        return Range(low, high, "log" if log else "linear", 1 if whole else 0)
    if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= high - low:
        raise Bad(f"step must be above 0 and at most {high - low:g}, but got {shown(step)}")
    if log:
        raise Bad("has log and step", "keep one of them")
    if (high - low) / step > MOST_STEPS:
        raise Bad(f"has {(high - low) / step:.3g} steps", "leave step out")
    return Range(low, high, "linear", step if whole and isinstance(step, int) else float(step))


def own_train(train: Train) -> Train:
    """[train] without the core's default batch sizes."""
    return train if "batch_size" in train.model_fields_set else train.model_copy(update={"batch_size": 1})


def check_own(
    own: Own,
    raw: Mapping[str, Any],
    train: Train,
    search: Search,
    optimizers: Collection[str],
    base: Path | None,
    report: Report,
) -> None:
    """What an objective of somebody's own needs, and what does not go with one; `base` is None for a stored study."""
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
    if base is not None and own.objective:
        _check_place(own.objective, base, report)


def _check_foreign(raw: Mapping[str, Any], train: Train, optimizers: Collection[str], report: Report) -> None:
    """Nothing is written that belongs to the tuner's own core."""
    for name in [name for name in ("data", "model") if raw.get(name)]:
        report.add([name], "does not go with an objective of your own", "remove it: that is the objective's business")
    for key in [key for key in NOT_OURS if key in train.model_fields_set]:
        report.add(["train", key], "does not go with an objective of your own", "remove it, or make it a parameter")
    if isinstance(confirm := raw.get("confirm"), dict) and confirm.get("metrics"):
        what = "are scikit-learn's, for models of the tuner's own"
        report.add(["confirm", "metrics"], what, "let the objective report test_* metrics")
    for name in [name for name in optimizers if OPTIMIZERS[name].whole]:
        what = "takes all rows at once, which an objective of your own does not hand over"
        report.add(["optimizers", name], what, "remove it")


def check_not_own(raw: Mapping[str, Any], table: StudyTable, report: Report) -> None:
    """A study of the core has nothing that belongs to an objective of somebody's own."""
    hint = 'write [study] objective = "train.py:train", or remove it'
    for key in [key for key in ("output", "batched") if key in table.model_fields_set]:
        report.add(["study", key], "belongs to an objective of your own", hint)
    for name in [name for name in (PARAMETERS, "workers") if raw.get(name)]:
        report.add([name], "belongs to an objective of your own", hint)


def check_own_searched(own: Own, trials: int, tables: Collection[Any], report: Report) -> None:
    """Several trials need something to search."""
    domains = list(own.parameters.values())
    for table in tables:
        domains += [getattr(table, key) for key in own.trained] if isinstance(table, Train) else list(table.values())
    if trials > 1 and len(tables) < 3 and not any(map(is_searched, domains)):
        hint = "give a list or a range, or write trials = 1"
        report.add([PARAMETERS], f"nothing is searched: all {trials} trials would be the same", hint)


def _check_holes(own: Own, train: Train, optimizers: Collection[str], report: Report) -> None:
    """Every {name} of a command is a parameter, or something of the run."""
    keys = [key for name in optimizers for key in OPTIMIZERS[name].keys]
    unit = next((unit for unit in UNITS[1:] if getattr(train, unit) is not None), UNITS[0])
    known = [*own.parameters, *own.trained, *keys, *(["optimizer"] if optimizers else []), *RUN]
    known += [unit] if own.timed else []
    for hole in [hole for part in own.command for hole in HOLE.findall(part)]:
        if hole not in known:
            hint = suggest(hole, known)
            report.add(["study", "command"], f"{{{hole}}} is neither a parameter nor something of the run", hint)


def _check_place(objective: str, base: Path, report: Report) -> None:
    """The objective names a function, in a file that is there or in a module; nothing is imported."""
    key = ["study", "objective"]
    found = FUNCTION.fullmatch(objective)
    if found is None:
        given = f"; a function of Python is given again: objective={objective}" if objective.isidentifier() else ""
        hint = f'write "train.py:train" or "package.module:train"{given}'
        report.add(key, f"{shown(objective)} does not say where it is", hint)
    elif found["where"].endswith(".py") and not (path := base / Path(found["where"]).expanduser()).is_file():
        report.add(key, f"{found['where']}: there is no such file", near_file(path, {".py"}))


def goal_problem(metric: str) -> tuple[str, str] | None:
    """What is wrong with the name of a goal that the objective reports; None where it can be one."""
    if not GOAL.fullmatch(metric):
        return f"{shown(metric)} cannot be the name of a metric", "use letters, digits, _ . / -"
    return (f"{metric} is a name of the tuner's own", "call it valid_loss, say") if metric in OWN_NAMES else None


def choices_of(own: Own) -> dict[str, Domain]:
    """Parameters that a condition may name: those with values to choose from."""
    return {name: domain for name, domain in own.parameters.items() if not isinstance(domain, Range)}


def kind_of(domain: Domain) -> str | tuple[str, ...]:
    """The kind of a column that holds such values: "float64", "Int64", "boolean", or categories."""
    values = (domain.low, domain.high, domain.step or 0.5) if isinstance(domain, Range) else values_of(domain)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "Int64"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "float64"
    if all(isinstance(value, bool) for value in values):
        return "boolean"
    texts = domain.values if isinstance(domain, Choices) else values
    return tuple(_text(value) for value in texts)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
