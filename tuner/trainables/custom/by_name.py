"""Functions that take hyperparameters by name: `def train(lr, batch_size)`, `def train(**config)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any

from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["ALWAYS", "by_name"]

RUN = "run"
ALWAYS = ("seed", "split", "trial", "horizon")  # what a config may hold beside its parameters
MISSING = object()


def by_name(function: Callable[..., Any], names: Collection[str]) -> Callable[..., Any]:
    """Return a function of (config) or (config, run) that calls one whose parameters are `names`; others as they are.

    Raises InvalidObjective for one that takes some parameters of the study by name, and not all of them.
    """
    taken = parameters_by_name(function, names)
    if taken is None:
        return function
    every = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    left = [name for name in names if name not in taken and not every]
    if left:
        what = f"takes ({', '.join(name for name in taken if name != RUN)}) by name, and not {', '.join(left)}"
        raise InvalidObjective(what, f"add {left[0]} to its parameters, or take all of them: train(config)")

    @wraps(function)
    def call(config: Mapping[str, Any], run: Any = None) -> Any:
        given = {name: value for name, value in config.items() if every or name in taken}
        handle = {RUN: run} if RUN in taken else {}
        needed = [p.name for p in taken.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        if missing := [name for name in needed if name not in given and name not in handle]:
            raise InvalidObjective(
                f"takes {missing[0]}, which this config has not", f"give it a default: {missing[0]}=None"
            )
        return function(**given, **handle)

    ours = [inspect.Parameter("config", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    ours += [inspect.Parameter(RUN, inspect.Parameter.POSITIONAL_OR_KEYWORD)] if RUN in taken else []
    call.__signature__ = inspect.Signature(ours)  # type: ignore[attr-defined]
    return call


def parameters_by_name(function: Callable[..., Any], names: Collection[str]) -> Mapping[str, inspect.Parameter] | None:
    """Return the parameters of a function that takes `names` by name; None of one that takes a config."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    kinds = [p.kind for p in parameters.values()]
    positional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY)
    if not names or next(iter(parameters), "") == "trial" or any(kind in positional for kind in kinds):
        return None
    known = {*names, *ALWAYS, RUN, "epochs", "steps", "examples"}
    needed = [p.name for p in parameters.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    own = [name for name in parameters if name in names]
    every = inspect.Parameter.VAR_KEYWORD in kinds
    return parameters if set(needed) <= known and (own or (every and not needed)) else None
