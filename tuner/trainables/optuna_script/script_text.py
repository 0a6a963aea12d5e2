"""What an Optuna script says beside its objective, read from its text: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["DIRECTIONS", "Script", "read_script"]

DIRECTIONS = ("minimize", "maximize")


@dataclass(frozen=True)
class Script:
    """`direction` and `trials` where a study is made and run, "" and 0 where the script does not say.

    `several` tells that its studies have several goals; `runs_at` is the line where importing it would run a study.
    """

    direction: str = ""
    trials: int = 0
    several: bool = False
    runs_at: int = 0


def read_script(text: str) -> Script:
    """Read a script. Raises SyntaxError."""
    tree = ast.parse(text)
    made = list(_calls(tree, "create_study"))
    run = list(_calls(tree, "optimize"))
    said = {_word(value) for call in made if (value := _argument(call, "direction")) is not None}
    counts = {value.value for call in run if isinstance(value := _argument(call, "n_trials", 1), ast.Constant)}
    one = next(iter(said)) if len(said) == 1 else "" if said or not made else "minimize"  # Optuna's default
    trials = [count for count in counts if isinstance(count, int) and not isinstance(count, bool) and count > 0]
    return Script(
        one if one in DIRECTIONS else "",
        max(trials, default=0),
        any(_argument(call, "directions") is not None for call in made),
        next((call.lineno for call in run if made and _at_import(tree, call)), 0),
    )


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Calls of a function or method of that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == name:
                yield node


def _argument(call: ast.Call, name: str, place: int = -1) -> ast.expr | None:
    """An argument by its name or place."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in named or not 0 <= place < len(call.args):
        return named.get(name)
    return call.args[place]


def _word(value: ast.expr) -> str:
    """A direction that is written as a text, or as StudyDirection.MAXIMIZE."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    return value.attr.lower() if isinstance(value, ast.Attribute) else "?"


def _at_import(tree: ast.Module, call: ast.Call) -> bool:
    """Whether a call happens when the module is imported: in no function, and not under `if __name__`."""
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
