"""The text of the script that an objective of Optuna's is in, and its constraints."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.objective_ref import ObjectiveRef, file_of, load
from tuner.trainables.optuna_script.script_settings import CONSTRAINTS, ScriptSettings
from tuner.trainables.optuna_script.script_text import read_script
from tuner.trainables.optuna_script.trial_adapter import Rules

__all__ = ["moving_names", "rules_of"]


@lru_cache(maxsize=8)
def rules_of(reference: ObjectiveRef) -> Rules:
    """Return what the script that an objective is in says of every trial. Raises InvalidObjective."""
    place = file_of(reference)
    if place is None:
        return Rules()
    try:
        text = place.read_text(encoding="utf-8")
        settings, moving = read_script(text).settings, moving_names(text)
    except (OSError, SyntaxError, ValueError):
        return Rules()
    check_constraints(settings, place)
    return Rules(constraints_of(settings, reference, place), moving)


def constraints_of(
    settings: ScriptSettings, reference: ObjectiveRef, place: Path
) -> Callable[[Any], Sequence[float]] | None:
    """Return the function of constraints of a script, if it has one. Raises InvalidObjective."""
    if not settings.constraints:
        return None
    load(reference)
    found = getattr(module_at(place), settings.constraints, None)
    if not callable(found):
        what = f"{place.name} has no function {settings.constraints}, its {CONSTRAINTS}"
        raise InvalidObjective(what, "define it in the script")
    return found  # type: ignore[no-any-return]


def check_constraints(settings: ScriptSettings, place: Path) -> None:
    """Raise InvalidObjective where a script has constraints that cannot be found in it."""
    for refusal in settings.refused:
        if refusal.what.startswith(CONSTRAINTS):
            raise InvalidObjective(f"{place.name}: {refusal.what}", refusal.hint)


def module_at(place: Path) -> ModuleType | None:
    """Return the module that was loaded from a file."""
    loaded = list(sys.modules.values())
    return next((module for module in loaded if getattr(module, "__file__", None) == str(place)), None)


def moving_names(text: str) -> frozenset[str]:
    """Return the names whose ranges depend on what was asked for before: suggest_int("k", 1, n). Raises SyntaxError.

    In a study with other ranges than the code's, a number outside of such a range would mean something else.
    """
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return frozenset(name for function in functions for name in _moving_in(function))


def _moving_in(function: ast.FunctionDef) -> Iterator[str]:
    decided: set[str] = set()
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) or node.value is None:
            continue
        if _asks(node.value) or _names(node.value) & decided:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            decided |= {name for target in targets for name in _names(target)}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _is_asking(node) and node.args:
            bounds = [*node.args[1:], *(one.value for one in node.keywords)]
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            if isinstance(name, str) and any(_names(one) & decided or _asks(one) for one in bounds):
                yield name


def _is_asking(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("suggest_")


def _asks(value: ast.AST) -> bool:
    return any(_is_asking(node) for node in ast.walk(value))


def _names(value: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
