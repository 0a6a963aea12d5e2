"""Where a program says its metrics: [metrics] names a pattern, a column of a CSV file or a key of JSON for each.

valid_loss = { pattern = "val loss (?P<value>[-+.\\deE]+)", epoch = "step (\\d+)" }
valid_loss = { csv = "summary.csv", column = "eval_loss", epoch = "epoch" }
valid_loss = { json = "results.json", key = "eval.loss" }
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tuner.study.hints import shown, suggest
from tuner.study.problems import InvalidValue, ProblemCollector

__all__ = ["EPOCH", "METRICS", "PRINTED", "VALUE", "MetricSource", "read_metrics"]

METRICS = "metrics"  # the table's name
PRINTED = "-"  # in the place of a file: what the program prints
VALUE, EPOCH = "value", "epoch"  # groups of the two patterns
NAME = re.compile(r"[A-Za-z_][\w./-]{0,98}")
KEYS = {  # how a metric is found -> the key that says what is looked for, and all keys that go with it
    "pattern": ("pattern", ("pattern", "epoch", "file")),
    "csv": ("column", ("csv", "column", "epoch")),
    "json": ("key", ("json", "key", "epoch")),
}
EXAMPLE = r"write { pattern = 'val loss (?P<value>[-+.\deE]+)', epoch = 'step (\d+)' }, or csv, or json"


@dataclass(frozen=True)
class MetricSource:
    """Where a program says one metric: `kind` is "pattern", "csv" or "json", `place` a file or PRINTED.

    `find` is a regular expression, a column or a dotted key, `epoch` the same for the epoch; "" where there is none.
    """

    name: str
    kind: str
    place: str
    find: str
    epoch: str = ""

    def table(self) -> dict[str, str]:
        """Return it as a study file writes it."""
        place = {} if self.place == PRINTED else {"file": self.place}
        keys = {"pattern": self.find, **place} if self.kind == "pattern" else {self.kind: self.place}
        named = {} if self.kind == "pattern" else {KEYS[self.kind][0]: self.find}
        return {**keys, **named, **({"epoch": self.epoch} if self.epoch else {})}

    @property
    def words(self) -> str:
        """Say what is looked for, and where."""
        where = "what it prints" if self.place == PRINTED else self.place
        if self.kind == "pattern":
            return f"a line of {where} with the pattern {self.find!r}"
        return f"the {KEYS[self.kind][0]} {self.find!r} of {where}"


def read_metrics(raw: Any, goal: str, taken: Collection[str], report: ProblemCollector) -> tuple[MetricSource, ...]:
    """Read the table [metrics], which has to have the goal; complain about all that cannot be used.

    `taken` are names that mean something else: parameters, and columns of the ranking.
    """
    if not isinstance(raw, dict):
        report.add([METRICS], f"must be a table, but got {shown(raw)}", EXAMPLE.replace("write", "write valid_loss ="))
        return ()
    found = []
    for name, keys in raw.items():
        if not NAME.fullmatch(name):
            report.add([METRICS, name], "cannot be the name of a metric", "use letters, digits, _ . / -")
        elif name in taken:
            report.add([METRICS, name], "is a parameter, or a name of the tuner's own", "call it valid_loss, say")
        elif source := _source(name, keys, report):
            found.append(source)
    if raw and goal not in raw:
        report.add([METRICS], f"does not say where {goal} is, which is the goal", suggest(goal, raw))
    return tuple(found)


def _source(name: str, keys: Any, report: ProblemCollector) -> MetricSource | None:
    """Read one metric; None where it cannot be used."""
    key = (METRICS, name)
    kinds = [kind for kind in KEYS if isinstance(keys, Mapping) and kind in keys]
    if len(kinds) != 1:
        what = f"has {' and '.join(kinds)}" if kinds else f"does not say where it is: {shown(keys)}"
        report.add(key, what, "keep one of them" if kinds else EXAMPLE)
        return None
    (kind,) = kinds
    named, allowed = KEYS[kind]
    unknown = [one for one in keys if one not in allowed]
    for one in unknown:
        other = next((k for k, (_, names) in KEYS.items() if one in names), "")
        report.add((*key, one), f"belongs to {other}" if other else "unknown key", suggest(one, allowed))
    wrong = [one for one in keys if one in allowed and not (isinstance(keys[one], str) and keys[one])]
    for one in wrong:
        report.add((*key, one), f"must be text, but got {shown(keys[one])}")
    if wrong:
        return None
    place = keys.get("file", PRINTED) if kind == "pattern" else keys[kind]
    source = MetricSource(name, kind, place, keys.get(named, name), keys.get("epoch", ""))
    problems = list(_problems(source))
    for which, bad in problems:
        report.add((*key, which), bad.what, bad.hint)
    return None if problems or unknown else source


def _problems(source: MetricSource) -> list[tuple[str, InvalidValue]]:
    """List what is wrong with a source of metrics: the key, and what."""
    found = []
    at = "file" if source.kind == "pattern" else source.kind
    if source.place == PRINTED and source.kind == "csv":
        found.append((at, InvalidValue("cannot be read from what a program prints", "use pattern or json")))
    path = PurePosixPath(source.place)
    if path.is_absolute() or ".." in path.parts:
        what = f"{shown(source.place)} is no file in the folder of a trial"
        found.append((at, InvalidValue(what, "let the program write into {directory}, and name the file there")))
    if source.kind == "pattern":
        for which, text, group in (("pattern", source.find, VALUE), ("epoch", source.epoch, EPOCH)):
            if text and (bad := _pattern_problem(text, group)):
                found.append((which, bad))
    return found


def _pattern_problem(text: str, group: str) -> InvalidValue | None:
    """Say what is wrong with a pattern that has to mark its value with a group; None where nothing is."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        return InvalidValue(f"{shown(text)} is no regular expression: {error}", "TOML takes it best in '...'")
    if group in pattern.groupindex or pattern.groups == 1:
        return None
    what = f"has {pattern.groups} groups, and none is called {group}" if pattern.groups else "has no group"
    return InvalidValue(f"{shown(text)} {what}", f"put the number into (?P<{group}>...)")
