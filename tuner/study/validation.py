"""pydantic, over one table of a study file at a time: a mistake in one hides none in another. It speaks our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from objectives.optimizers import OPTIMIZERS
from tuner.study.hints import guessed, shown, suggest
from tuner.study.problems import MOST, InvalidValue, ProblemCollector
from tuner.study.tables import TABLES, SplitTable

__all__ = ["checked", "misplaced"]

T = TypeVar("T", bound=BaseModel)
KEYS: dict[str, tuple[str, ...]] = {
    **{name: tuple(table.model_fields) for name, table in TABLES.items()},
    "data.split": tuple(SplitTable.model_fields),
    "optimizers.NAME": tuple(sorted({name for row in OPTIMIZERS.values() for name in row.keys})),
}
KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "string_unicode": "text",
    "bool_type": "true or false",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "finite",
}
BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}


def checked(model: type[T], raw: Any, key: str, report: ProblemCollector) -> T:
    """Validate a table. Keys with errors go to the report and count as not written, so that the others can be
    checked.
    """
    if not isinstance(raw, dict):
        report.add([key], f"must be a table, but got {shown(raw)}", f"write [{key}], its keys below")
        return model()
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    # a union complains once for each of its types: the first one counts
    said = {(key, *_path(found["loc"], raw)): found for found in reversed(problems)}
    for path, found in list(reversed(said.items()))[: MOST + 1]:
        report.add(path, *_said(found, path))
    wrong = {found["loc"][0] for found in problems}
    return model.model_validate({name: value for name, value in raw.items() if name not in wrong})


def _path(loc: tuple[int | str, ...], raw: Any) -> tuple[str, ...]:
    """Return the keys of `loc` that the user wrote: pydantic adds the types of a union."""
    path: list[str] = []
    for part in loc:
        if path and not isinstance(raw, dict):
            break
        path.append(str(part))
        raw = raw.get(part) if isinstance(raw, dict) else None
    return tuple(path)


def _said(found: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, str]:
    kind, value, context = found["type"], shown(found["input"]), found.get("ctx", {})
    if isinstance(bad := context.get("error"), InvalidValue):
        return bad.what, bad.hint
    if kind == "extra_forbidden":
        return "unknown key", misplaced(path[-1], ".".join(path[:-1]))
    if kind in KINDS:
        return f"must be {KINDS[kind]}, but got {value}", ""
    if kind in BOUNDS:
        word, bound = BOUNDS[kind]
        return f"must be {word} {context[bound]}, but got {value}", ""
    return f"{found['msg'][:1].lower()}{found['msg'][1:]}, but got {value}", ""


def misplaced(name: str, table: str) -> str:
    """Suggest another word, or another table, for a key that `table` ("" for the top level) does not have."""
    here = KEYS.get(table, (*TABLES, "optimizers", "parameters", "metrics", "constraints"))
    if meant := guessed(name, here):
        return f"did you mean {meant!r}?"
    for other, keys in KEYS.items():
        if meant := guessed(name, keys):
            return f"{meant!r} belongs in [{other}]"
    return suggest(name, here)
