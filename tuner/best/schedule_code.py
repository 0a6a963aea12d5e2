"""Schedules as lines of Python that compute them, for whatever computes cosines.

Each formula is that of `objectives.schedules` at update `k` after the warmup; a test holds them to it. A framework's
own schedules take their place where they agree to the last update: none does that has a warmup before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from objectives.schedules import END, PEAK, START
from tuner.best.recipe import Recipe

__all__ = ["FORMULAS", "PYTHON", "Ops", "ScheduleCode", "schedule_lines", "step_every"]


@dataclass(frozen=True)
class Ops:
    """How a language for formulas writes what it has no operators for; `branches` where `if` can ask for an update."""

    cos: str
    sqrt: str
    minimum: str
    maximum: str
    where: str  # {a} where {c}, else {b}
    branches: bool = False


PYTHON = Ops("math.cos", "math.sqrt", "min", "max", "({a} if {c} else {b})", branches=True)


@dataclass(frozen=True)
class Formula:
    """`factor` over `k` and `length`, the updates after the warmup, with lines that set up, and `parts` at each `k`."""

    factor: str
    setup: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScheduleCode:
    """Lines that prepare from `total_steps`, and lines that return the factor or the rate at update `n`."""

    setup: tuple[str, ...]
    body: tuple[str, ...]


_DEPTH, _END = (1 - START) / 2, START * END
_RISE = f"{START!r} + {_DEPTH!r} * (1 - {{cos}}(math.pi * k / max(peak, 1e-9)))"
_FALL = f"{_END!r} + {(1 - _END) / 2!r} * (1 + {{cos}}(math.pi * {{minimum}}((k - peak) / fall, 1.0)))"
FORMULAS: dict[str, Formula] = {
    "constant": Formula("1.0"),
    "step": Formula("{gamma} ** (k // every)", ("every = {every}",)),
    "exponential": Formula("{gamma} ** (k / ({step_size} * length))"),
    "cosine": Formula("{fading}(1 + {cos}(math.pi * {minimum}(k, length) / length)) / 2"),
    "linear": Formula("{fading}(1 - {minimum}(k, length) / length)"),
    "polynomial": Formula("{fading}(1 - {minimum}(k, length) / length) ** {power}"),
    "one_cycle": Formula(
        "{cycle}",
        (f"peak = max({PEAK!r} * length - 1, 0.0)", "fall = max(length - 1 - peak, 1e-9)"),
        (f"up = {_RISE}", f"down = {_FALL}"),
    ),
    "inverse_sqrt": Formula("{sqrt}(max(warmup, 1) / (k + warmup + 1))"),
}


def step_every(recipe: Recipe, length: str = "length") -> str:
    """Write the number of updates between two drops of a step schedule, as an expression."""
    return f"max(1, round({recipe.values['step_size']!r} * {length}))"


def schedule_lines(recipe: Recipe, ops: Ops, scale: float | None = None) -> ScheduleCode:
    """Write the lines of a config's schedule: of its factor, or of the rate if `scale` is given."""
    times = "" if scale is None else f"{scale!r} * "
    setup, parts, factor = _formula(recipe, ops)
    if not recipe.warmup:
        return ScheduleCode(("warmup, length = 0, total_steps", *setup), ("k = n", *parts, _returned(times, factor)))
    first = (f"warmup = round({recipe.warmup!r} * total_steps)", "length = total_steps - warmup", *setup)
    if ops.branches:
        rising = ("if n < warmup:", f"    return {times}(n + 1) / warmup", "k = n - warmup")
        return ScheduleCode(first, (*rising, *parts, _returned(times, factor)))
    both = ops.where.format(a="rising", b="later", c="n < warmup")
    lines = (f"k = {ops.maximum}(n - warmup, 0)", *parts, "rising = (n + 1) / max(warmup, 1)", f"later = {factor}")
    return ScheduleCode(first, (*lines, f"return {times}{both}"))


def _returned(times: str, factor: str) -> str:
    return f"return {times}({factor})" if times else f"return {factor}"


def _formula(recipe: Recipe, ops: Ops) -> tuple[list[str], list[str], str]:
    words = {name: repr(value) for name, value in recipe.values.items()}
    words |= {"cos": ops.cos, "sqrt": ops.sqrt, "minimum": ops.minimum}
    final = recipe.values.get("final", 0.0)
    words["fading"] = f"{final!r} + {1 - final!r} * " if final else ""
    words["cycle"] = ops.where.format(a="up", b="down", c="k < peak")
    if recipe.schedule == "step":
        words["every"] = step_every(recipe)
    formula = FORMULAS[recipe.schedule]
    setup, parts = ([line.format(**words) for line in lines] for lines in (formula.setup, formula.parts))
    return setup, parts, formula.factor.format(**words)
