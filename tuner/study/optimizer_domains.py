"""[optimizers]: one table an optimizer. What it leaves out takes the preset: searched in a study of enough trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objectives.optimizers import OPTIMIZERS, Hyper, Optimizer, missing
from tuner.study.domains import Domain, Range, flag, hyper_domain
from tuner.study.hints import guessed, shown, suggest
from tuner.study.problems import MOST, InvalidValue, ProblemCollector

__all__ = ["optimizer_domains", "preset"]

ONE_AT_LEAST = "write a table each, like [optimizers.adam]; an empty one takes the preset"


def optimizer_domains(raw: Any, trials: int, framework: str, report: ProblemCollector) -> dict[str, dict[str, Domain]]:
    """Build the domains of every optimizer that has a table, in the order of `OPTIMIZERS`, whatever the file's."""
    if not isinstance(raw, dict):
        report.add(["optimizers"], f"must hold a table for each optimizer, but got {shown(raw)}", ONE_AT_LEAST)
        return {}
    if not raw:
        report.add(["optimizers"], "there is no optimizer", ONE_AT_LEAST)
    for name in [name for name in raw if name not in OPTIMIZERS][: MOST + 1]:
        report.add(["optimizers", name], "unknown optimizer", suggest(name, OPTIMIZERS))
    return {
        name: _domains(raw[name], row, trials, framework, report) for name, row in OPTIMIZERS.items() if name in raw
    }


def preset(hyper: Hyper, trials: int) -> Domain:
    """Return the preset domain of a hyperparameter in a study of that many trials."""
    return Range(hyper.low, hyper.high, hyper.scale) if trials >= hyper.tier else hyper.default


def _domains(raw: Any, row: Optimizer, trials: int, framework: str, report: ProblemCollector) -> dict[str, Domain]:
    key = ("optimizers", row.name)
    if not isinstance(raw, dict):
        report.add(key, f"must be a table, but got {shown(raw)}", f"write [optimizers.{row.name}]")
        return {}
    if framework not in row.frameworks:
        report.add(key, *missing(row, framework))
        return {}
    for name in [name for name in raw if name not in row.keys][: MOST + 1]:
        report.add((*key, name), "unknown key", _elsewhere(name, row))
    fixed = row.frameworks[framework].fixed
    found = {hyper.name: _domain(raw, hyper, trials, key, report) for hyper in row.hypers if hyper.name not in fixed}
    for name in fixed:
        if raw.get(name, fixed[name]) != fixed[name]:
            why = row.frameworks[framework].why
            report.add((*key, name), f"must be {fixed[name]:g} for {framework}, but got {shown(raw[name])}", why)
    found = {hyper.name: fixed.get(hyper.name, found.get(hyper.name)) for hyper in row.hypers}
    found |= {one.name: _flag(raw.get(one.name, False), (*key, one.name), report) for one in row.flags}
    return {name: domain for name, domain in found.items() if domain is not None}


def _domain(
    raw: Mapping[str, Any], hyper: Hyper, trials: int, key: tuple[str, ...], report: ProblemCollector
) -> Domain | None:
    if hyper.name not in raw:
        return preset(hyper, trials)
    return hyper_domain(raw[hyper.name], hyper, (*key, hyper.name), report)


def _flag(raw: Any, key: tuple[str, ...], report: ProblemCollector) -> Domain | None:
    try:
        return flag(raw)
    except InvalidValue as bad:
        report.add(key, bad.what, bad.hint)
        return None


def _elsewhere(name: str, row: Optimizer) -> str:
    """Suggest another word for a key of this optimizer, or the optimizers that have it."""
    if guessed(name, row.keys):
        return suggest(name, row.keys)
    owners = [other.name for other in OPTIMIZERS.values() if name in other.keys]
    has = "has" if len(owners) == 1 else "have"
    return f"{', '.join(owners)} {has} it; {row.name} has {', '.join(row.keys)}" if owners else suggest(name, row.keys)
