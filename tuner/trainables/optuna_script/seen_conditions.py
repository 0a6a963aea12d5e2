"""Parameters that exist only for some values of others, found in what an objective was seen to ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.trainables.optuna_script.probe import ProbeCall

__all__ = ["Condition", "conditions_of"]

Condition = dict[str, tuple[Any, ...]]


def conditions_of(calls: Sequence[ProbeCall]) -> tuple[dict[str, Condition], list[str]]:
    """Infer, for each parameter that is not always asked for, the values of others where it is; and unexplained names.

    A condition holds wherever the parameter was asked for. Where it also holds elsewhere, the name is among the
    unexplained: the parameter is searched there without effect. A condition depends on what was asked for before,
    always or not; where that does not exist itself, the condition does not hold.
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


def earlier(name: str, calls: Sequence[ProbeCall]) -> list[str]:
    """Name what was asked for before a parameter in each of its calls: nothing else can decide on it."""
    known = [list(call.asked)[: list(call.asked).index(name)] for call in calls]
    return [other for other in (known[0] if known else []) if all(other in one for one in known)]


def always(name: str, calls: Sequence[ProbeCall]) -> bool:
    """Return True if a name was asked for in every call."""
    return all(name in call.asked for call in calls)


def tried(name: str, calls: Sequence[ProbeCall]) -> set[Any]:
    """Return the values that a name had in the calls that asked for it."""
    return {call.values[name] for call in calls if name in call.asked}


def missed(condition: Condition, name: str, calls: Sequence[ProbeCall]) -> int:
    """Return the calls in which a condition disagrees with what was asked for."""
    return sum(holds(condition, call) != (name in call.asked) for call in calls)


def holds(condition: Condition, call: ProbeCall) -> bool:
    """Return True if a parameter exists in a call."""
    values: Mapping[str, Any] = call.values
    return all(name in call.asked and values[name] in allowed for name, allowed in condition.items())
