"""best.toml as a contract: its version, its sections, and the values that code relies on.

Checked with the standard library alone, all at once, for files that people edit by hand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from objectives.errors import Complaint, nearest

__all__ = ["FRAMEWORKS", "VERSION", "complaints_of"]

VERSION = 2
FRAMEWORKS = ("torch", "keras", "optax", "sklearn")  # `objectives` has them too, but imports NumPy with them
SECTIONS: dict[str, type] = {
    "version": int,
    "study": str,
    "trial": int,
    "config": dict,
    "conventions": dict,
    "training": dict,
    "model": dict,
    "result": dict,
}
OPTIONAL: dict[str, type] = {"confirmation": dict, "provenance": dict}


def complaints_of(document: Mapping[str, Any], where: str) -> list[Complaint]:
    """Return all that is wrong with a document, or only with its version where that differs."""
    wrong = [Complaint(f"{where}: {key}", "is missing") for key in SECTIONS if key not in document]
    wrong += [
        Complaint(f"{where}: {key}", f"must be {kind.__name__}, but got {document[key]!r:.60}")
        for key, kind in (SECTIONS | OPTIONAL).items()
        if key in document and not isinstance(document[key], kind)
    ]
    if type(document.get("version")) is int:
        wrong = _wrong_version(document["version"], where) or wrong
    return wrong or _wrong_numbers(document, where)


def _wrong_version(version: int, where: str) -> list[Complaint]:
    if version > VERSION:
        newer = f"is {version}, but this tuner reads up to {VERSION}"
        return [Complaint(f"{where}: version", newer, "install a newer tuner")]
    older = f"is {version}, of an older tuner: this one writes {VERSION}"
    return [Complaint(f"{where}: version", older, "`tuner run` writes the study's again")] if version < VERSION else []


IMPORTED = {"result", "confirmation"}  # what code relies on where a study came from elsewhere
# Values that code relies on, and what they may be: a kind, or the words that there are. After a `?` it may be absent.
VALUES: tuple[tuple[str, type | tuple[str, ...]], ...] = (
    ("config.optimizer", str),
    ("config.lr?", float),
    ("config.batch_size?", int),
    ("config.schedule?", str),
    ("conventions.framework", FRAMEWORKS),
    ("conventions.eps_mode", ("outside", "hat", "inside", "corrected")),
    ("conventions.lr_in_buffer", bool),
    ("conventions.decay_mode", ("coupled", "decoupled")),
    ("conventions.decay_scope", ("all", "weights")),
    ("conventions.clip_guard", float),
    ("training.epochs", int),
    ("training.horizon", int),
    ("training.horizon_steps", int),
    ("model.task", ("binary", "multiclass", "regression", "surface", "own")),
    ("model.inputs?", int),
    ("model.outputs?", int),
    ("model.parameters?", int),
    ("model.rows?", int),
    ("result.metric", str),
    ("result.value", float),
    ("confirmation.mean?", float),
    ("confirmation.low?", float),
    ("confirmation.high?", float),
    ("confirmation.interval_of?", str),
)


def _wrong_numbers(document: Mapping[str, Any], where: str) -> list[Complaint]:
    """Complain about values that code relies on; an imported study's are not checked, as their meaning is unknown."""
    wrong, sections = [], IMPORTED if not document["conventions"] else set(SECTIONS) | IMPORTED
    for path, kind in VALUES:
        section, key = path.rstrip("?").split(".")
        if section not in sections:
            continue
        value = document.get(section, {}).get(key)
        if value is None and path.endswith("?"):
            continue
        if section == "confirmation" and value != value:  # nan: it came to nothing on one of its fresh seeds
            continue
        if what := _unlike(value, kind):
            hint = nearest(value, kind) if isinstance(kind, tuple) and value is not None else ""
            wrong.append(Complaint(f"{where}: {section}.{key}", what, hint))
    return wrong


def _unlike(value: Any, kind: type | tuple[str, ...]) -> str:
    """Return what is wrong with a value, if anything is."""
    if value is None:
        return "is missing"
    if isinstance(kind, tuple):
        return "" if value in kind else f"is {value!r}"
    fits = type(value) is kind or (kind is float and type(value) is int)
    if fits and not (kind is float and not math.isfinite(value)) and not (kind is int and value < 1):
        return ""
    least = " of at least 1" if kind is int else ""
    return f"must be {kind.__name__}{least}, but got {value!r}"
