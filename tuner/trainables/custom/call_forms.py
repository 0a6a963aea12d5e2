"""How somebody's function wants to be called, and how it is cut at rungs: by its parameters and what it does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any

from tuner.enums import ObjectiveForm
from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["FORMS", "form_of", "innermost"]

DEEP = 16  # wrappers around a function
OF_CONFIGS = ("config", "configs", "cfg", "hparams", "params")  # names of what is no trial
# What each form is called with, and how it is cut at a rung.
FORMS = {
    ObjectiveForm.VALUE: (
        "train(config), which returns a number or metrics; started over at each rung, with that many epochs"
    ),
    ObjectiveForm.STEPS: "train(config), which yields epoch, metrics; started over at each rung, and stopped there",
    ObjectiveForm.RUN: "train(config, run), which goes on from its own checkpoint",
    ObjectiveForm.TRIAL: (
        "objective(trial), as Optuna calls it; started over at each rung, and stopped there by should_prune"
    ),
}


def form_of(function: Callable[..., Any]) -> ObjectiveForm:
    """Return a function's form by its parameters. Raises InvalidObjective for one that has none of the forms."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ObjectiveForm.VALUE  # written in C: it is called with a config
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    several = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    named = [p.name for p in parameters if p.kind == p.KEYWORD_ONLY and p.default is p.empty]
    needed = [p for p in plain if p.default is p.empty]
    if len(needed) > 2 or named or not (plain or several):
        shown = ", ".join(p.name for p in (*needed, *(p for p in parameters if p.name in named)))
        raise InvalidObjective(f"takes ({shown})", "write train(config) or train(config, run)")
    if inspect.iscoroutinefunction(inspect.unwrap(function)) or inspect.isasyncgenfunction(inspect.unwrap(function)):
        raise InvalidObjective("is asynchronous", "write a function that runs it: return asyncio.run(...)")
    if len(needed) == 2 or (len(plain) > 1 and plain[1].name == "run"):
        return ObjectiveForm.RUN
    if len(needed) < 2 and plain and is_trial((needed or plain)[0], function):
        return ObjectiveForm.TRIAL
    return ObjectiveForm.STEPS if inspect.isgeneratorfunction(innermost(function)) else ObjectiveForm.VALUE


def is_trial(parameter: inspect.Parameter, function: Callable[..., Any]) -> bool:
    """Return True if a parameter is an Optuna trial: by its name, its annotation, or its use in the function."""
    said = parameter.annotation
    kind = said if isinstance(said, str) else getattr(said, "__name__", "")
    if parameter.name == "trial" or kind.rpartition(".")[2] in ("Trial", "BaseTrial"):
        return True
    return parameter.name not in OF_CONFIGS and suggests(innermost(function))


def innermost(function: Any) -> Any:
    """Return the function behind decorators, partial(...), a method or a callable object."""
    for _ in range(DEEP):
        if isinstance(function, partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif hasattr(function, "__func__"):
            function = function.__func__
        elif callable(function) and not hasattr(function, "__code__") and not inspect.isclass(function):
            function = type(function).__call__
    return function


def suggests(function: Any, depth: int = 3) -> bool:
    """Return True if a function, or a function of its module that it calls, calls suggest_*."""
    codes = [code] if (code := getattr(function, "__code__", None)) else []
    scope = getattr(function, "__globals__", {})
    for code in codes:
        if any(name.startswith("suggest_") for name in code.co_names):
            return True
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
        called = [scope.get(name) for name in code.co_names] if depth else []
        if any(inspect.isfunction(one) and suggests(one, depth - 1) for one in called):
            return True
    return False
