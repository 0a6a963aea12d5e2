"""Parameters that exist only for some values of others, found in what an objective was seen to ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.trainables.optuna_script.probe import Call

__all__ = ["Condition", "conditions_of"]

Condition = dict[str, tuple[Any, ...]]


def conditions_of(calls: Sequence[Call]) -> tuple[dict[str, Condition], list[str]]:
    """For each parameter that is not always asked for, the values of others where it is; and names where there is more.

    A condition holds wherever the parameter was asked for. Where it also holds elsewhere, the name is in the list: the
    parameter is searched there, and means nothing. What decides was asked for before, whether always or not; where it
    does not exist itself, the condition does not hold.
    """
    every = [call for call in calls if not call.error]
    names = list(dict.fromkeys(name for call in calls for name in call.asked))
    found: dict[str, Condition] = {}
    for name in names:
        with_it = [call for call in every if name in call.asked]
        if len(with_it) == len(every):
            continue
        found[name] = {
            other: tuple(value for value in few if value in seen)
            for other in earlier(name, with_it)
            if (few := with_it[0].asked[other].few) and set(few) == tried(other, every)
            if (seen := {call.values[other] for call in with_it}) != set(few) or not always(other, every)
        }
        for other in list(found[name]):  # what explains nothing was chance
            less = {key: values for key, values in found[name].items() if key != other}
            if missed(less, name, every) <= missed(found[name], name, every):
                found[name] = less
    return found, [name for name in found if missed(found[name], name, every)]


def earlier(name: str, calls: Sequence[Call]) -> list[str]:
    """Names that were asked for before one in each of its calls: nothing else can have decided on it."""
    known = [list(call.asked)[: list(call.asked).index(name)] for call in calls]
    return [other for other in (known[0] if known else []) if all(other in one for one in known)]


def always(name: str, calls: Sequence[Call]) -> bool:
    """Whether a name was asked for in every call."""
    return all(name in call.asked for call in calls)


def tried(name: str, calls: Sequence[Call]) -> set[Any]:
    """Values that a name had in calls that asked for it."""
    return {call.values[name] for call in calls if name in call.asked}


def missed(condition: Condition, name: str, calls: Sequence[Call]) -> int:
    """Calls in which a condition says otherwise than what was asked for."""
    return sum(holds(condition, call) != (name in call.asked) for call in calls)


def holds(condition: Condition, call: Call) -> bool:
    """Whether a parameter exists in a call."""
    values: Mapping[str, Any] = call.values
    return all(name in call.asked and values[name] in allowed for name, allowed in condition.items())
