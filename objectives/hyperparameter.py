"""What a config's values may be: hyperparameters with their intervals and search ranges, and flags."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALWAYS", "ASKED", "POSITIVE", "SOME", "Flag", "Hyper", "Interval"]

ALWAYS = 1
SOME = 10  # trials from which momentum and decoupled decay are worth a dimension (tuning playbook)
# The playbook would search eps from 25 trials and beta2 from "many". Measured with ranges for eps, alpha and beta2 of
# momentum, nesterov, adam, adamw, rmsprop, nadam (digits, breast_cancer, diabetes; 5 seeds each): the best confirmed
# loss is 0.94 +- 0.03 times as large with 64 trials and 0.98 +- 0.03 with 128, the best of the search 1.02 +- 0.03 and
# 0.98 +- 0.02. That is nothing to tell from noise, and eps is what transfers worst between frameworks.
ASKED = 10**9


@dataclass(frozen=True)
class Interval:
    """The values a hyperparameter may take at all: `[low, high]`, or open at an end."""

    low: float = 0.0
    high: float = float("inf")
    open_low: bool = False
    open_high: bool = True

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        return f"{'(' if self.open_low else '['}{self.low:g}, {self.high:g}{')' if self.open_high else ']'}"


POSITIVE = Interval(open_low=True)


@dataclass(frozen=True)
class Hyper:
    """A hyperparameter of a rule: its default, its valid values, and the range that is searched when none is given.

    `role` is the name it shares with its like in other rules, so that one model can learn across them. `tier` is the
    number of trials from which a study searches it unasked, `meaning` what it does, in a phrase. `why` says what is
    wrong with values that are not valid, where it takes a word.
    """

    name: str
    role: str
    default: float
    low: float
    high: float
    scale: str  # "log", "log1m" (log of 1 - value) or "linear"
    valid: Interval
    tier: int
    meaning: str = ""
    why: str = ""


@dataclass(frozen=True)
class Flag:
    """A variant of a rule that is on or off, off where a config does not name it; searched only when asked for."""

    name: str
    summary: str
