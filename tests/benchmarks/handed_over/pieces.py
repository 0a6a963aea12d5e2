"""Show what each piece of the search is worth to what is handed over: ours with it changed, over ours as it is.

    python -m tests.benchmarks.handed_over pieces [--quick] [--label NAME] [--divisions N] [--methods "ours: NAME" ...]

Changes are the rows of `changes.PIECES`; each is a method, whose cells are those of the comparison.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence

import numpy as np

from tests.benchmarks.handed_over.cells import Cell, Form, measured, read, wanted
from tests.benchmarks.handed_over.figures import Figures, mean
from tests.benchmarks.handed_over.registry import (
    CHANGED,
    DEFAULTS,
    PIECE_BUDGETS,
    REFERENCE,
    REFERENCE_BUDGET,
    UNCHANGED,
)
from tests.benchmarks.handed_over.report import failures, head, number, row, share
from tests.benchmarks.handed_over.tables import QUICK, TABLES
from tuner.ranking.statistics import t_quantile

__all__ = ["log_ratios", "pieces", "shown"]

DIVISIONS = 6
HALVES = {"chosen on": True, "shown apart": False}
ABOUT = f"""Loss over that of {UNCHANGED!r}: geometric mean over tables of the ratios paired by division, with a 95 %
interval over all pairs of a table and a division, as if they were independent. Above 1, what is there is better than
the change. What is handed over is trained on the 70 of eight divisions and judged by the 30 of each: one division alone
judges with more luck than most pieces are worth. "Other" counts the pairs where something else was handed over.
Trainings and seconds are means over tables. A study of 32 trials is one generation, so that no model is asked. Splits
drawn afresh for each config, and not the same ones for all, have no row: `python -m tests.benchmarks.unseen common` has
them.
"""


def form_of(given: argparse.Namespace, tables: Sequence[str]) -> Form:
    """Return which cells the command asks for, those of the search as it is always among them."""
    methods = [name for name in given.methods or CHANGED if name in CHANGED]
    return Form(tuple(tables), tuple(dict.fromkeys([UNCHANGED, *methods])), given.divisions or DIVISIONS)


def pieces(given: argparse.Namespace) -> None:
    """Measure what is missing, a division of all tables after the other, and print the table."""
    form = form_of(given, given.tables or (QUICK if given.quick else tuple(TABLES)))
    keys = sorted(wanted(form), key=lambda key: key[2])
    if not given.report:
        measured(keys, given.label, given.jobs)
    there = read(given.label)
    figures = Figures([there[key] for key in keys if key in there], tuple(DEFAULTS), (REFERENCE, REFERENCE_BUDGET))
    print(f"# Pieces: label {given.label}, {form.divisions} divisions of {', '.join(figures.tables)}\n\n{ABOUT}")
    print("\n".join(shown(figures, form.methods)))


def shown(figures: Figures, methods: Sequence[str]) -> Iterator[str]:
    """Yield the table, a line at a time, and what could not be measured."""
    names = [*HALVES, "other", "trainings", "seconds"]
    yield from head("piece", *(f"{name}, {budget}" for name in names for budget in PIECE_BUDGETS))
    for method in methods:
        ratios = [over_pairs(figures, method, budget, half) for half in HALVES.values() for budget in PIECE_BUDGETS]
        others = [share(*other(figures, method, budget)) for budget in PIECE_BUDGETS]
        took = [taken(figures, method, b, what) for what in ("trainings", "seconds") for b in PIECE_BUDGETS]
        yield row(CHANGED[method], *ratios, *others, *took)
    yield from ("", *failures(figures, ()))


def pairs(figures: Figures, method: str, budget: int, table: str) -> list[tuple[Cell, Cell]]:
    """Pair cells of a method with those of the search as it is, on the same divisions of a table."""
    own, base = (figures.cells.get((name, table, budget), {}) for name in (method, UNCHANGED))
    return [(own[division], base[division]) for division in sorted(set(own) & set(base))]


def log_ratios(figures: Figures, method: str, budget: int, table: str) -> list[float]:
    """Return logarithms of a method's losses over those of the search as it is, by division."""
    return [math.log(own.loss / base.loss) for own, base in pairs(figures, method, budget, table)]


def over_pairs(figures: Figures, method: str, budget: int, half: bool) -> str:
    """Return the geometric mean ratio on half of the tables, with its interval; 1 for the search as it is."""
    found = [log_ratios(figures, method, budget, t) for t in figures.tables if TABLES[t].chosen_on is half]
    every = [value for values in found for value in values]
    if method == UNCHANGED or not every:
        return "1" if every else ""
    centre = mean(mean(values) for values in found if values)
    if len(every) < 2:
        return number(math.exp(centre))
    reach = t_quantile(0.975, len(every) - 1) * float(np.std(every, ddof=1)) / math.sqrt(len(every))
    return f"{math.exp(centre):.3f} [{math.exp(centre - reach):.3f}, {math.exp(centre + reach):.3f}]"


def other(figures: Figures, method: str, budget: int) -> tuple[int, int]:
    """Count the pairs that hand over another config or number of epochs than the search as it is, and all pairs."""
    found = [pair for table in figures.tables for pair in pairs(figures, method, budget, table)]
    return sum((own.config, own.epochs) != (base.config, base.epochs) for own, base in found), len(found)


def taken(figures: Figures, method: str, budget: int, what: str) -> str:
    """Return the mean over tables of what a method takes."""
    points = [p for table in figures.tables for p in figures.points(method, table) if p.budget == budget]
    return number(mean(getattr(point, what) for point in points), ".1f")
