"""What a storage of Optuna's may say: SQLite and journals take any value in any place, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["problem_of"]

MOST_STEP = 2**53  # beyond it a step is no count


def problem_of(trials: Sequence[Any]) -> str:
    """Return what is wrong with the trials of a study, in words; empty where they are what Optuna writes."""
    numbers = [trial.number for trial in trials]
    if strange := [number for number in numbers if type(number) is not int or number < 0]:
        return f"has a trial of number {strange[0]!r:.40}"
    if numbers != list(range(len(trials))):
        missing = next(i for i, number in enumerate([*sorted(numbers), None]) if i != number)
        return f"has no trial {missing}, though it has {len(trials)}"
    return next((f"has {what} in trial {trial.number}" for trial in trials for what in _wrong(trial)), "")


def _wrong(trial: Any) -> Iterator[str]:
    """Yield what a trial says that Optuna never writes."""
    for value in trial.values or ():
        if not _number(value):
            yield f"the value {value!r:.40}"
    for step, value in trial.intermediate_values.items():
        if type(step) is not int or not 0 <= step <= MOST_STEP or not _number(value):
            yield f"the intermediate value {value!r:.40} at step {step!r:.40}"
    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        if not isinstance(name, str) or not (hasattr(distribution, "choices") or _inside(value, distribution)):
            yield f"{value!r:.40} for parameter {name!r:.40}"
    constraints = trial.system_attrs.get("constraints") or ()
    if not isinstance(constraints, list | tuple) or not all(map(_number, constraints)):
        yield f"the constraints {constraints!r:.40}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _inside(value: Any, distribution: Any) -> bool:
    """Tell whether a value is a number that a range can have; rounding may leave it a little outside."""
    ends = (distribution.low, distribution.high)
    if not all(_number(one) and math.isfinite(one) for one in (value, *ends)):
        return False
    room = 1e-6 * max(1.0, *map(abs, ends))
    return bool(distribution.low - room <= value <= distribution.high + room)
