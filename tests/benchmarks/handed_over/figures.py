"""What follows from cells: means, ratios, what a rival comes to at equal trainings or time, and the bars."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tests.benchmarks.handed_over.cells import Cell

__all__ = ["Point", "Figures", "geometric"]

MORE = 0.01  # what counts as worse


@dataclass(frozen=True)
class Point:
    """Means over the divisions of a table: loss, trainings and seconds of a method at a budget."""

    budget: int
    loss: float
    trainings: float
    seconds: float


def geometric(ratios: Iterable[float]) -> float:
    """The geometric mean; nan of nothing."""
    values = [math.log(ratio) for ratio in ratios if ratio > 0 and math.isfinite(ratio)]
    return math.exp(sum(values) / len(values)) if values else math.nan


class Figures:
    """The cells by method, table, budget and division."""

    def __init__(self, cells: Iterable[Cell], defaults: Sequence[str], reference: tuple[str, int]) -> None:
        self.cells: dict[tuple[str, str, int], dict[int, Cell]] = defaultdict(dict)
        self.errors: Counter[tuple[str, str]] = Counter()
        for cell in cells:
            if cell.error:
                self.errors[cell.method, cell.error] += 1
            else:
                self.cells[cell.method, cell.table, cell.budget][cell.division] = cell
        self.defaults, self.reference = tuple(defaults), reference

    @property
    def tables(self) -> list[str]:
        """Tables in the order in which they are first met."""
        return list(dict.fromkeys(table for _, table, _ in self.cells))

    def budgets(self, method: str) -> list[int]:
        """Every budget that a method was measured at."""
        return sorted({budget for name, _, budget in self.cells if name == method})

    def losses(self, method: str, table: str, budget: int) -> Mapping[int, float]:
        """The loss of each division."""
        return {division: cell.loss for division, cell in self.cells.get((method, table, budget), {}).items()}

    def points(self, method: str, table: str) -> list[Point]:
        """A method's means on a table by budget."""
        rows = {
            b: self.cells[method, table, b].values() for b in self.budgets(method) if (method, table, b) in self.cells
        }
        names = ("loss", "trainings", "seconds")
        return [Point(b, *(mean(getattr(c, name) for c in cells) for name in names)) for b, cells in rows.items()]

    def oracle(self, table: str) -> Mapping[int, float]:
        """The lowest loss of any default, division by division: nobody knows beforehand which it is."""
        every = [self.losses(name, table, 1) for name in self.defaults]
        shared = set.intersection(*map(set, every)) if every else set()
        return {division: min(losses[division] for losses in every) for division in sorted(shared)}

    def best_default(self, table: str) -> Mapping[int, float]:
        """The losses of the default that is best on a table on average."""
        every = [losses for name in self.defaults if (losses := self.losses(name, table, 1))]
        return min(every, key=lambda losses: mean(losses.values()), default={})

    def ratio(self, method: str, budget: int, table: str, against: Mapping[int, float] | None = None) -> float:
        """Mean loss over that of the reference, or of `against`, on the divisions of both; nan where there are none."""
        own = self.losses(method, table, budget)
        other = self.losses(self.reference[0], table, self.reference[1]) if against is None else against
        shared = set(own) & set(other)
        return mean(own[d] for d in shared) / mean(other[d] for d in shared) if shared else math.nan

    def ratio_at(self, method: str, table: str, trainings: float) -> float:
        """The ratio to the reference at so many trainings, between budgets by their logarithm; nan below the least."""
        return at_trainings(
            [(p.trainings, self.ratio(method, p.budget, table)) for p in self.points(method, table)], trainings
        )

    def in_time(self, method: str, table: str, seconds: float) -> Point | None:
        """The largest budget that takes no longer."""
        return max(
            (p for p in self.points(method, table) if p.seconds <= seconds), key=lambda p: p.budget, default=None
        )

    def better_of_two(self, table: str) -> Mapping[int, float]:
        """The losses of the reference or of the best default, whichever is better on average on what both have."""
        first, second = self.losses(self.reference[0], table, self.reference[1]), self.best_default(table)
        shared = set(first) & set(second)
        return min(
            (losses for losses in (first, second) if losses),
            key=lambda losses: mean(losses[d] for d in shared or losses),
            default={},
        )

    def worst(self, method: str, budget: int) -> tuple[float, str]:
        """The largest ratio of any table to the better of the reference and the best default, and the table."""
        found = [(self.ratio(method, budget, table, self.better_of_two(table)), table) for table in self.tables]
        return max((one for one in found if math.isfinite(one[0])), default=(math.nan, ""))

    def rises(self, method: str) -> list[tuple[int, int, float, str, float]]:
        """From each budget to the next: the mean ratio of losses, and the table that rises most with its ratio."""
        found = []
        for low, high in pairwise(self.budgets(method)):
            ratios = {t: self.ratio(method, high, t, self.losses(method, t, low)) for t in self.tables}
            ratios = {t: ratio for t, ratio in ratios.items() if math.isfinite(ratio)}
            if ratios:
                worst = max(ratios, key=lambda t: ratios[t])
                found.append((low, high, geometric(ratios.values()), worst, ratios[worst]))
        return found

    def worse_than_default(self, method: str, budget: int, oracle: bool = True) -> tuple[int, int]:
        """How many studies are worse by more than 1 % than the best default, of the division or the table; of all."""
        worse = total = 0
        for table in self.tables:
            own, best = self.losses(method, table, budget), self.oracle(table) if oracle else self.best_default(table)
            for division in set(own) & set(best):
                total += 1
                worse += own[division] > (1 + MORE) * best[division]
        return worse, total


def at_trainings(points: Sequence[tuple[float, float]], trainings: float) -> float:
    """A value between `points` of trainings and values, the last beyond them, nan before them."""
    known = sorted((t, value) for t, value in points if math.isfinite(value))
    if not known or trainings < known[0][0]:
        return math.nan
    return float(np.interp(math.log(max(trainings, 1)), [math.log(max(t, 1)) for t, _ in known], [v for _, v in known]))


def mean(values: Iterable[float]) -> float:
    """The mean; nan of nothing."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else math.nan
