"""What an Optuna script makes where it is run as a program: an objective that is no function of its module.

`study.optimize(Objective(data), ...)` under `if __name__ == "__main__":` or in a function `main()`. The statements
before that call are run, but for those that make or run a study; then what the call hands over is the objective.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

__all__ = ["handed_over"]

STUDIES = ("create_study", "load_study", "optimize")


def handed_over(module: ModuleType, text: str, name: str) -> Any:
    """Return what a script hands to `optimize` under a name, or None where it hands over nothing of that name.

    Raises what the script raises on the way there.
    """
    for body, shared in bodies(ast.parse(text)):
        for i, statement in enumerate(body):
            given = objective_in(statement, body[:i], name)
            if given is not None:
                scope = vars(module) if shared else dict(vars(module))
                before = [one for one in body[:i] if not of_study(one, studies_in(body))]
                exec(compile(ast.Module(before, []), str(module.__file__), "exec"), scope)
                return eval(compile(ast.Expression(given), str(module.__file__), "eval"), scope)
    return None


def bodies(tree: ast.Module) -> Iterator[tuple[list[ast.stmt], bool]]:
    """Yield statements under `if __name__`, which share the module's names, then those of functions without
    parameters.
    """
    for node in tree.body:
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            yield node.body, True
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not (node.args.args or node.args.kwonlyargs or node.args.posonlyargs):
            yield node.body, False


def objective_in(statement: ast.stmt, before: Sequence[ast.stmt], name: str) -> ast.expr | None:
    """Return the objective that a statement passes to `optimize`, if it is `name` or is made of it."""
    for node in ast.walk(statement):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "optimize"):
            continue
        given = next((one.value for one in node.keywords if one.arg == "func"), node.args[0] if node.args else None)
        if given is None:
            continue
        made = [one.value for one in before if isinstance(one, ast.Assign) and assigns(one, given)]
        if any(isinstance(part, ast.Name) and part.id == name for one in (given, *made) for part in ast.walk(one)):
            return given
    return None


def assigns(statement: ast.Assign, given: ast.expr) -> bool:
    """Return True if a statement assigns the name that is passed."""
    return isinstance(given, ast.Name) and any(
        isinstance(target, ast.Name) and target.id == given.id for target in statement.targets
    )


def studies_in(body: Sequence[ast.stmt]) -> set[str]:
    """Name the studies in some statements."""
    return {
        target.id
        for statement in body
        if isinstance(statement, ast.Assign) and calls_study(statement)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def calls_study(statement: ast.stmt) -> bool:
    """Return True if a statement creates or runs a study."""
    return any(
        isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in STUDIES
        for node in ast.walk(statement)
    )


def of_study(statement: ast.stmt, studies: set[str]) -> bool:
    """Return True if a statement creates a study, or names one."""
    named = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return calls_study(statement) or bool(named & studies)
