"""What an objective of Optuna's asks for under a name, and how a study says the same."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import Any

from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["FEW", "SuggestRequest"]

FEW = 8  # values of a whole number that others may depend on
SLACK = 1e-9  # of a range: what rounding may add to it


@dataclass(frozen=True)
class SuggestRequest:
    """Numbers from `low` to `high`, whole ones where `whole`, `step` apart where it is not 0; or one of `choices`."""

    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def domain(self) -> Any:
        """Return the domain for a study file: a range, a list, or the only value. Raises InvalidObjective."""
        if self.choices or self.low == self.high or (self.whole and (self.low, self.high) == (0, 1)):
            return list(self.few)
        step = self.step if self.step != int(self.whole) else 0.0
        if step > self.high - self.low:
            return [self.low]
        return {"low": self.low, "high": self.high} | ({"log": True} if self.log else {"step": step} if step else {})

    @property
    def few(self) -> tuple[Any, ...]:
        """Return all values as a study stores them, where they are few. Raises InvalidObjective."""
        if self.choices:
            return texts(self.choices)
        if self.low == self.high:
            return (self.low,)
        if not self.whole or (self.high - self.low) / self.step >= FEW:
            return ()
        return tuple(range(int(self.low), int(self.high) + 1, int(self.step)))

    @property
    def start(self) -> Any:
        """Return a first value as a study stores it: the first, the least whole number, the middle of a range."""
        if self.few or self.whole:
            return self.few[0] if self.few else self.low
        return self.at(0.5)

    def at(self, share: float) -> Any:
        """Return the value at a share of the range, on its scale."""
        if self.few:
            return self.few[min(int(share * len(self.few)), len(self.few) - 1)]
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        if self.step:
            value = self.low + round((value - self.low) / self.step) * self.step
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value

    def plain(self) -> SuggestRequest:
        """Return a copy without the user's own objects, so that it can be pickled. Raises InvalidObjective."""
        return replace(self, choices=texts(self.choices))

    def drawn(self, numbers: random.Random) -> Any:
        """Draw any value."""
        return self.at(numbers.random())

    def given(self, name: str, value: Any, strict: bool = False) -> Any:
        """Return what the objective gets for a value of the study, whose ranges may differ from those of the code.

        Raises InvalidObjective for a value of another kind, for none of its choices, and, if `strict`, for a number
        outside the range that is asked for.
        """
        if self.choices:
            known = texts(self.choices)
            if value not in known:
                raise InvalidObjective(f"{name} = {value!r} is none of the choices it asks for: {known!r:.200}", SAME)
            return self.choices[known.index(value)]
        slack = SLACK * max(abs(self.low), abs(self.high))
        wrong = isinstance(value, bool) or not isinstance(value, int | float)
        outside = strict and not wrong and not self.low - slack <= value <= self.high + slack
        if wrong or outside or (self.whole and value != int(value)):
            raise InvalidObjective(f"{name} = {value!r} is not what it asks for, {self}", SAME)
        return int(value) if self.whole else float(value)

    def __str__(self) -> str:
        if self.choices:
            return f"one of {texts(self.choices)!r:.200}"
        return f"{self.low:g} to {self.high:g}{' in log' if self.log else ''}"


SAME = "[parameters] has to say what the code asks for: numbers, whole ones or its choices, the same in every trial"


def natural(choice: Any) -> Any:
    """Convert a NumPy scalar to Python's; keep anything else."""
    return choice.item() if type(choice).__module__ == "numpy" and getattr(choice, "ndim", None) == 0 else choice


def texts(choices: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return choices as a study may hold them: unchanged where of one kind, else by name. Raises InvalidObjective."""
    choices = tuple(natural(choice) for choice in choices)
    for kinds in (bool, str):
        if all(isinstance(choice, kinds) for choice in choices):
            return tuple(dict.fromkeys(choices))
    if all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in choices):
        return tuple(dict.fromkeys(choices))
    named = tuple(str(getattr(choice, "__qualname__", choice)) for choice in choices)
    if any(" at 0x" in text for text in named):
        raise InvalidObjective(
            f"choices {named!r:.200} have no names", "let it choose from texts, and take the object by those"
        )
    if len(set(named)) < len(named):
        named = tuple(map(repr, choices))  # 1 and "1"
    if len(set(named)) < len(named):
        raise InvalidObjective(f"choices {named!r:.200} have the same names", "let it choose from texts that differ")
    return named
