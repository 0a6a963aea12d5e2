"""What an Optuna script says beside its objective, read from its text: nothing is run.

What a study file can say too is translated. What it cannot, or what stands in no literal, is in `refused`: dropped
without a word, the study would be another one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.trainables.optuna_script.script_settings import CONSTRAINTS, Call, ScriptSettings, settings_of

__all__ = ["DIRECTIONS", "Script", "literal_of", "read_script"]

DIRECTIONS = ("minimize", "maximize")
DEEP = 8  # names that stand for names


@dataclass(frozen=True)
class Script:
    """`direction` and `trials` where a study is made and run, "" and 0 where the script does not say.

    `several` tells that its studies have several goals; `runs_at` is the line where importing it would run a study;
    `settings` is what it says of sampler, pruner and the like.
    """

    direction: str = ""
    trials: int = 0
    several: bool = False
    runs_at: int = 0
    settings: ScriptSettings = field(default_factory=ScriptSettings)


def read_script(text: str) -> Script:
    """Read a script. Raises SyntaxError."""
    tree = ast.parse(text)
    names = _assigned(tree)
    made = list(_calls(tree, "create_study"))
    run = list(_calls(tree, "optimize"))
    said = {_word(resolved(value, names)) for call in made if (value := _argument(call, "direction")) is not None}
    one = next(iter(said)) if len(said) == 1 else "" if said or not made else "minimize"  # Optuna's default
    settings = settings_of(_said(tree, made, run, names))
    return Script(
        one if one in DIRECTIONS else "",
        settings.trials,
        any(_argument(call, "directions") is not None for call in made),
        next((call.lineno for call in run if made and _at_import(tree, call)), 0),
        settings,
    )


def _said(
    tree: ast.Module, made: list[ast.Call], run: list[ast.Call], names: Mapping[str, ast.expr | None]
) -> list[tuple[str, Any]]:
    """Return what the script says of the study, by name: literals, calls by name, or None for what its text does
    not tell.
    """
    found: list[tuple[str, ast.expr | None]] = []
    known = [(call, key, -1) for call in made for key in ("sampler", "pruner", "storage")]
    known += [(call, key, at) for call in run for key, at in (("n_trials", 1), ("timeout", 2), ("n_jobs", 3))]
    known += [(call, "callbacks", 5) for call in run]
    found += [(key, value) for call, key, at in known if (value := _argument(call, key, at)) is not None]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            found += [
                (target.attr, node.value)
                for target in node.targets
                if isinstance(target, ast.Attribute) and target.attr in ("sampler", "pruner") and made
            ]
    for key, place in (("enqueue_trial", 0), ("add_trial", 0), ("add_trials", 0), ("set_metric_names", 0)):
        found += [(key, _argument(call, "params", place)) for call in _calls(tree, key) if made]
    values = [(key, _plain(value, names)) for key, value in found if not _is_none(resolved(value, names))]
    told = [value for call in ast.walk(tree) if isinstance(call, ast.Call) for value in [_keyword(call, CONSTRAINTS)]]
    return [*values, *((CONSTRAINTS, _name(value)) for value in told if value is not None)]


def _plain(value: ast.expr | None, names: Mapping[str, ast.expr | None]) -> Any:
    """Return a literal's value, or a `Call` of a name with its literal arguments; None for anything else."""
    value = resolved(value, names)
    if isinstance(value, ast.Call):
        args = {str(i): literal_of(resolved(arg, names)) for i, arg in enumerate(value.args)}
        args |= {str(one.arg): literal_of(resolved(one.value, names)) for one in value.keywords}
        return Call(_name(value.func).rpartition(".")[2], args)
    if isinstance(value, ast.List | ast.Tuple) and any(isinstance(one, ast.Call) for one in value.elts):
        return [_plain(one, names) for one in value.elts]
    return literal_of(value)


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def literal_of(value: ast.expr | None) -> Any:
    """Return the value of a literal; None for anything else."""
    try:
        return None if value is None else ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _assigned(tree: ast.Module) -> dict[str, ast.expr | None]:
    """Return the value of each name; None for a name with several values."""
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr | ast.For):
            continue
        for target in [target for target in targets if isinstance(target, ast.Name)]:
            value = None if isinstance(node, ast.For | ast.AugAssign) else node.value
            known = found.get(target.id, value)
            same = known is not None and value is not None and ast.dump(known) == ast.dump(value)
            found[target.id] = value if same else None
    return found


def resolved(value: ast.expr | None, names: Mapping[str, ast.expr | None]) -> ast.expr | None:
    """Resolve an expression that is a name with a single value."""
    for _ in range(DEEP):
        if not isinstance(value, ast.Name):
            return value
        value = names.get(value.id)
    return value


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """List the calls of a function or method of that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func).rpartition(".")[2] == name:
            yield node


def _name(value: ast.expr) -> str:
    """Return a dotted name; "" for anything else."""
    if isinstance(value, ast.Attribute):
        return f"{_name(value.value)}.{value.attr}"
    return value.id if isinstance(value, ast.Name) else ""


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _argument(call: ast.Call, name: str, place: int = -1) -> ast.expr | None:
    """Return an argument by its name or position."""
    found = _keyword(call, name)
    return call.args[place] if found is None and 0 <= place < len(call.args) else found


def _word(value: ast.expr | None) -> str:
    """Return a direction that is written as a text, or as StudyDirection.MAXIMIZE."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    return value.attr.lower() if isinstance(value, ast.Attribute) else "?"


def _at_import(tree: ast.Module, call: ast.Call) -> bool:
    """Return True if a call happens at import: in no function, and not under `if __name__`."""
    return any(call in _run_at_import(node) for node in tree.body)


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return
    if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
        for other in node.orelse:
            yield from _run_at_import(other)
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _run_at_import(child)
