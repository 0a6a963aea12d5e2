"""A W&B sweep -> the study of the same program; what a study cannot say is named with the reason."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.parameter_names import OWN_NAMES
from tuner.study import InvalidConfig, in_toml, read_config
from tuner.trainables.programs.sweep_domains import SweepDomain, Untranslatable, sweep_domain

__all__ = ["SweepDraft", "draft_sweep", "sweep_text"]

DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
TAKEN = ("program", "command", "method", "metric", "parameters", "run_cap", "description", "early_terminate")
OF_SERVICE = (
    "name",
    "project",
    "entity",
    "controller",
    "settings",
    "job",
    "image_uri",
    "tags",
)  # say where runs are kept
SAMPLERS = {"grid": "grid", "random": "random", "bayes": ""}  # "" where the study's own default does it
MOST_GRID = 10_000


@dataclass
class SweepDraft:
    """What a sweep becomes: the tables of a study, and notes on what differs."""

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def draft_sweep(file: Path, place: Path) -> SweepDraft:
    """Translate the sweep in a YAML or JSON file for a study at `place`. Raises StudyError with all problems."""
    try:
        sweep = read_config(file)
    except InvalidConfig as error:
        raise StudyError(Complaint(str(file), str(error), "name the YAML file of a sweep")) from None
    draft, wrong = SweepDraft(), list[Complaint]()
    domains = dict(_domains(sweep.get("parameters"), "", str(file), wrong, draft))
    if not domains and not wrong:
        wrong.append(Complaint(f"{file}: parameters", "there are none", "is it the file of a sweep?"))
    words = _command(sweep, domains, file, place, wrong, draft)
    method, metric = sweep.get("method", "bayes"), sweep.get("metric") or {}
    if method not in SAMPLERS:
        wrong.append(Complaint(f"{file}: method", f"{method!r} is not known", f"it is one of: {', '.join(SAMPLERS)}"))
    if not isinstance(metric, Mapping) or not metric.get("name"):
        wrong.append(Complaint(f"{file}: metric", "has no name", "write metric: {name: val_loss, goal: minimize}"))
    if wrong:
        raise StudyError(*wrong)
    searched = {name: domain for name, domain in domains.items() if not domain.fixed}
    _study_tables(draft, sweep, words, searched)
    _leave_out(draft, sweep)
    return draft


def _domains(
    keys: Any, prefix: str, label: str, wrong: list[Complaint], draft: SweepDraft
) -> Iterator[tuple[str, SweepDomain]]:
    """Yield the parameters by dotted name; nested ones are led through."""
    for name, said in keys.items() if isinstance(keys, Mapping) else ():
        dotted = f"{prefix}{name}"
        if isinstance(said, Mapping) and isinstance(said.get("parameters"), Mapping):
            yield from _domains(said["parameters"], f"{dotted}.", label, wrong, draft)
            continue
        try:
            domain = sweep_domain(said if isinstance(said, Mapping) else {"value": said})
        except Untranslatable as error:
            wrong.append(Complaint(f"{label}: parameters.{dotted}", str(error), "write it otherwise, or leave it out"))
            continue
        draft.notes += [f"{dotted}: {note}" for note in domain.notes]
        yield dotted, domain


def _command(
    sweep: Mapping[str, Any],
    domains: Mapping[str, SweepDomain],
    file: Path,
    place: Path,
    wrong: list[Complaint],
    draft: SweepDraft,
) -> list[str]:
    """Translate the command with its macros."""
    program = str(sweep.get("program") or "")
    found: list[str] = []
    for word in map(str, sweep.get("command") or DEFAULT_COMMAND):
        if word == "${program}" and not program:
            wrong.append(Complaint(f"{file}: program", "is missing", "write program: train.py"))
        elif word == "${program}":
            found.append(Path(os.path.relpath(file.parent / program, place.parent)).as_posix())
        elif word in MACROS:
            found += MACROS[word](domains)
        elif match := re.search(r"\$\{(?P<macro>[^}]*)\}", word):
            what = f"has the macro {match['macro']!r}, which is not known"
            if match["macro"].startswith("envvar:"):
                what = f"asks for the variable {match['macro'][7:]}, which a command of a study does not"
            wrong.append(Complaint(f"{file}: command", what, "write what stands for it"))
        else:
            found.append(re.sub(r"\{([^{}]*)\}", r"{{\1}}", word))
    if "${args}" in (sweep.get("command") or DEFAULT_COMMAND) and any(_all_are(bool, one) for one in domains.values()):
        draft.notes.append("flags are passed as true and false, where W&B writes True and False")
    return found


def _args(domains: Mapping[str, SweepDomain], dashes: str = "--", flags: bool = False) -> list[str]:
    """Return an argument for each parameter; nested ones are one of JSON, as W&B passes them."""
    words = []
    for head in dict.fromkeys(name.partition(".")[0] for name in domains):
        if head not in domains:
            words.append(f"{dashes}{head}={_as_json(_inside(domains, head))}")
        elif flags and _all_are(bool, domains[head]):
            on = domains[head].values is True
            words += [f"{dashes}{head}"] * on if domains[head].fixed else [f"{{{_name(head)}:--{head}}}"]
        else:
            words.append(f"{dashes}{head}={_value(head, domains[head])}")
    return words


def _inside(domains: Mapping[str, SweepDomain], head: str) -> dict[str, Any]:
    """Return the nested table of what begins with a name: placeholders and values at its ends."""
    found: dict[str, Any] = {}
    for name in [name for name in domains if name.startswith(f"{head}.")]:
        table, *parts = found, *name.split(".")[1:]
        for part in parts[:-1]:
            table = table.setdefault(part, {})
        table[parts[-1]] = (name.removeprefix("."), domains[name])
    return found


def _as_json(table: Any) -> str:
    """Write JSON in which placeholders stand for values."""
    if isinstance(table, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_as_json(value)}" for key, value in table.items()) + "}"
    name, domain = table
    text = _value(name, domain)
    return json.dumps(text) if _all_are(str, domain) else text


def _value(name: str, domain: SweepDomain) -> str:
    """Return a placeholder, or the text of a fixed value."""
    if not domain.fixed:
        return f"{{{_name(name)}}}"
    return domain.values if isinstance(domain.values, str) else json.dumps(domain.values)


def _all_are(kind: type, domain: SweepDomain) -> bool:
    """Return True for a list or a value of a kind alone."""
    values = _listed(domain.values)
    return bool(values) and all(isinstance(value, kind) for value in values)


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [] if isinstance(values, dict) else [values]


def _name(name: str) -> str:
    """Return the parameter of a name: those of the tuner's own get an underscore."""
    return f"{name}_" if name in OWN_NAMES else name


MACROS: dict[str, Callable[[Mapping[str, SweepDomain]], list[str]]] = {
    "${env}": lambda domains: [],
    "${interpreter}": lambda domains: ["{python}"],
    "${args}": _args,
    "${args_no_hyphens}": lambda domains: _args(domains, ""),
    "${args_no_boolean_flags}": lambda domains: _args(domains, flags=True),
    "${args_json}": lambda domains: [_as_json(_inside({f".{name}": domain for name, domain in domains.items()}, ""))],
    "${args_json_file}": lambda domains: ["{config:json}"],
}


def _study_tables(
    draft: SweepDraft, sweep: Mapping[str, Any], words: list[str], searched: Mapping[str, SweepDomain]
) -> None:
    """Fill the tables of the study."""
    metric, method = sweep["metric"], sweep.get("method", "bayes")
    name = re.sub(r"[^\w./-]+", "_", str(metric["name"]))
    goal = "maximize" if metric.get("goal") == "maximize" else "minimize"
    sizes = [len(_listed(domain.values)) for domain in searched.values()]
    grid = math.prod(sizes) if method == "grid" and all(sizes) else 0
    trials = sweep.get("run_cap") or (min(grid, MOST_GRID) if grid else None)
    study = {"description": str(sweep["description"])[:1000]} if sweep.get("description") else {}
    asked = {"trials": int(trials)} if trials else {}
    draft.tables["study"] = {**study, **asked, "command": words, goal: name}
    said = rf"(?<![\w/.-]){re.escape(str(metric['name']))}['\"]?(?:\s*[:=]\s*|\s+)(?P<value>[-+.\deE]+)"
    draft.tables["metrics"] = {name: {"pattern": said}}
    run: dict[str, Any] = {"env": {"WANDB_MODE": "offline"}}
    if "{config:json}" in words:
        fixed = dict(_domains(sweep.get("parameters"), "", "", [], SweepDraft()))
        run["values"] = {name: domain.values for name, domain in fixed.items() if domain.fixed}
        run = {key: table for key, table in run.items() if table}
    draft.tables["run"] = run
    draft.tables["parameters"] = {_name(name): domain.values for name, domain in searched.items()}
    if SAMPLERS[method] and not (method == "grid" and not grid):
        draft.tables["search"] = {"sampler": SAMPLERS[method]}
    if metric.get("target") is not None:
        draft.tables["stop"] = {"target": float(metric["target"])}


def _leave_out(draft: SweepDraft, sweep: Mapping[str, Any]) -> None:
    """Name what is left out, with the reason."""
    draft.notes.append(
        f"{sweep['metric']['name']} is looked for in what the program prints, W&B's summary at its end among it; "
        "where it is never printed, let it be, or name the file that has it"
    )
    if sweep.get("method") == "grid" and "search" not in draft.tables:
        draft.notes.append("method: grid needs lists alone, and a range is there: the study's own sampler proposes")
    if not draft.tables["study"].get("trials"):
        draft.notes.append("run_cap: there is none, so the study has 64 trials")
    if isinstance(early := sweep.get("early_terminate"), Mapping):
        eta, first = early.get("eta", 3), early.get("min_iter")
        last = early.get("max_iter", first * eta**3 if isinstance(first, int) else 27)
        draft.notes.append(
            f"early_terminate: weak trials are pruned once [metrics] says an epoch: add epoch = '...' to the metric, "
            f'[train] epochs = {last}, [search] pruner = "hyperband", reduction = {eta}'
        )
    others = [key for key in sweep if key not in TAKEN]
    for key in others:
        why = "says where W&B keeps its runs" if key in OF_SERVICE else "has no counterpart"
        draft.notes.append(f"{key}: left out, it {why}")


def sweep_text(draft: SweepDraft, name: str, file: Path) -> str:
    """Write the text of the study file."""
    tables = {**draft.tables, "study": {"name": name, **draft.tables["study"]}}
    blocks = [f"# From {file.name}, a sweep of W&B.", "\n".join(f"# {note}" for note in draft.notes)]
    for table, keys in tables.items():
        lines = [in_toml({key: value})[2:-2].strip() for key, value in keys.items()]
        blocks.append("\n".join([f"[{table}]", *lines]))
    return "\n\n".join(block for block in blocks if block) + "\n"
