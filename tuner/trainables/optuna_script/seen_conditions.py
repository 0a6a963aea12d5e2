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
    parameter is searched there, and means nothing. Only parameters that always exist decide.
    """
    every = [call for call in calls if not call.error]
    names = list(dict.fromkeys(name for call in calls for name in call.asked))
    always = [name for name in names if all(name in call.asked for call in every)]
    tried = {name: {call.values[name] for call in every} for name in always}
    deciders = {name: tried[name] for name in always if (few := calls[0].asked[name].few) and set(few) == tried[name]}
    found, vague = {}, []
    for name in [name for name in names if name not in always]:
        found[name] = {
            other: tuple(value for value in calls[0].asked[other].few if value in seen)
            for other, values in deciders.items()
            if (seen := {call.values[other] for call in every if name in call.asked}) and seen != values
        }
        for other in list(found[name]):  # what explains nothing was chance
            less = {key: values for key, values in found[name].items() if key != other}
            if missed(less, name, every) <= missed(found[name], name, every):
                found[name] = less
        if missed(found[name], name, every):
            vague.append(name)
    return found, vague


def missed(condition: Condition, name: str, calls: Sequence[Call]) -> int:
    """Calls in which a condition says otherwise than what was asked for."""
    return sum(holds(condition, call.values) != (name in call.asked) for call in calls)


def holds(condition: Condition, values: Mapping[str, Any]) -> bool:
    """Whether a parameter exists for these values."""
    return all(values[name] in allowed for name, allowed in condition.items())
