"""Conditions: a parameter that is active only where others have given values, and at its default elsewhere.

A study file writes `warmup = { choices = [0.05, 0.1], when = { schedule = ["cosine"] } }`, and the same beside the ends
of a range. Here conditions are taken out of the tables, which are then read as if they had none, and put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from objectives.training.hypers import Entry, hypers_of
from tuner.study.domains import Domain, Range, plain, values_of
from tuner.study.hints import shown, suggest
from tuner.study.problems import ProblemCollector

__all__ = ["ABLE", "Conditions", "check_conditions", "conditional", "restored"]

Conditions = Mapping[str, Mapping[str, tuple[Any, ...]]]
WHEN, CHOICES, PARAMETERS = "when", "choices", "parameters"
ABLE = tuple(row.name for row in hypers_of(Entry.STEP, Entry.LAYERS))  # shared ones with a default to fall to


def conditional(
    raw: Mapping[str, Any], report: ProblemCollector
) -> tuple[dict[str, Any], dict[str, dict[str, tuple[Any, ...]]]]:
    """Split tables into those without conditions, and the conditions by dotted key."""
    tables, found = {name: dict(table) if isinstance(table, dict) else table for name, table in raw.items()}, {}
    for path, table, key in _places(tables):
        written = table[key]
        if not isinstance(written, dict) or WHEN not in written:
            continue
        rest, when = {name: value for name, value in written.items() if name != WHEN}, written[WHEN]
        listed = path[0] in ("train", "model") and set(rest) == {CHOICES}
        table[key] = rest[CHOICES] if listed else rest
        if not isinstance(when, dict) or not when:
            hint = 'write when = { schedule = ["cosine"] }'
            report.add((*path, WHEN), f"must name a parameter and its values, but got {shown(when)}", hint)
        elif path[0] in ("train", "model") and key not in ABLE:
            report.add(
                (*path, WHEN), f"{key} cannot depend on others", f"{', '.join(ABLE)} and those of optimizers can"
            )
        else:
            found[".".join(path)] = {
                name: tuple(
                    tuple(v) if isinstance(v, list) else v for v in (values if isinstance(values, list) else [values])
                )
                for name, values in when.items()
            }
    return tables, found


def _places(tables: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any], str]]:
    """List where a condition may stand: path, the table that holds the key, and the key."""
    for name in ("train", "model", "parameters"):
        if isinstance(tables.get(name), dict):
            yield from (((name, key), tables[name], key) for key in list(tables[name]))
    if isinstance(tables.get("optimizers"), dict):
        for name, own in list(tables["optimizers"].items()):
            if isinstance(own, dict):
                tables["optimizers"][name] = dict(own)
                yield from ((("optimizers", name, key), tables["optimizers"][name], key) for key in list(own))


def check_conditions(conditions: Conditions, deciders: Mapping[str, Domain], report: ProblemCollector) -> None:
    """Check that each names parameters that the study chooses, and values that they can have.

    Those may be conditional themselves, but none may depend on itself in the end.
    """
    needs = {_name(path): set(when) for path, when in conditions.items()}
    for path, when in conditions.items():
        for name, values in when.items():
            key = (*path.split("."), WHEN, name)
            if name not in deciders:
                report.add(key, "is no parameter to depend on", suggest(name, list(deciders)))
            elif _name(path) in _behind(name, needs):
                report.add(key, f"depends on {_name(path)} in turn", "let one of the two depend on nothing")
            elif isinstance(deciders[name], Range):
                report.add(key, "is a range", "a condition needs a list of values")
            else:
                offered = values_of(deciders[name])
                for value in [value for value in values if value not in offered]:
                    texts = [str(plain(one)) for one in offered]
                    report.add(key, f"{shown(plain(value))} is not one of its values", f"it has {', '.join(texts)}")


def _name(path: str) -> str:
    """Return the parameter of a dotted key: names of [parameters] may contain dots."""
    table, _, rest = path.partition(".")
    return rest if table == PARAMETERS else path.rsplit(".", 1)[-1]


def _behind(name: str, needs: Mapping[str, set[str]]) -> set[str]:
    """Return a parameter and all that it depends on, directly or not."""
    found, open_ = set[str](), {name}
    while open_:
        found |= open_
        open_ = {other for one in open_ for other in needs.get(one, set())} - found
    return found


def restored(path: str, value: Any, conditions: Conditions) -> Any:
    """Return a plain value as a study file writes it, with its condition where it has one."""
    when = conditions.get(path)
    if when is None:
        return value
    body = dict(value) if isinstance(value, dict) else {CHOICES: value if isinstance(value, list) else [value]}
    return body | {WHEN: {name: [plain(one) for one in values] for name, values in when.items()}}
