"""The report, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks.handed_over.figures import Figures, geometric
from tests.benchmarks.handed_over.registry import METHODS, OURS, REFERENCE_BUDGET
from tests.benchmarks.handed_over.tables import TABLES

__all__ = ["report"]

FULL = 5 * REFERENCE_BUDGET  # trainings of the reference
ORACLE = "best default (oracle)"


def report(figures: Figures, mine: Sequence[str] = (OURS,)) -> Iterator[str]:
    """Every table of the report, a line at a time; `mine` are the methods that are held against the bars."""
    for part in (by_table, overall, equal_trainings, equal_time, failures):
        yield from (*part(figures, mine), "")
    for method in mine:
        yield from (*steps(figures, method), "", *bars(figures, method), "")


def number(value: float, form: str = ".3f") -> str:
    """A figure, or nothing where there is none."""
    return format(value, form) if math.isfinite(value) else ""


def row(*cells: object) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def head(*cells: str) -> list[str]:
    """The first two lines of a table."""
    return [row(*cells), row("---", *["---:"] * (len(cells) - 1))]


def rows_in(figures: Figures) -> list[tuple[str, int]]:
    """Methods with their budgets, in the order in which they were first met."""
    methods = dict.fromkeys(method for method, _, _ in figures.cells)
    return [(method, budget) for method in methods for budget in figures.budgets(method)]


def name_of(figures: Figures, method: str, budget: int) -> str:
    """A method with its budget, where it has several."""
    unit = METHODS[method].unit if method in METHODS else METHODS[OURS].unit
    return f"{method}, {budget} {unit}" if unit else method


def by_table(figures: Figures, mine: Sequence[str]) -> Iterator[str]:
    """Mean losses of each table."""
    del mine
    yield from ("## Loss by table, mean over the divisions that a method was measured on", "")
    yield from head("method, budget", *figures.tables)
    for method, budget in rows_in(figures):
        means = [figures.losses(method, table, budget).values() for table in figures.tables]
        shown = [number(sum(m) / len(m), ".4f") if m else "" for m in means]
        yield row(name_of(figures, method, budget), *shown)
    oracle = [figures.oracle(table).values() for table in figures.tables]
    yield row(ORACLE, *(number(sum(m) / len(m), ".4f") if m else "" for m in oracle))


def halves(figures: Figures, ratio: Callable[[str], float]) -> list[str]:
    """Geometric means of a table's ratio: over all tables, those chosen on, those shown apart."""
    apart = [[t for t in figures.tables if TABLES[t].chosen_on is half] for half in (True, False)]
    return [number(geometric(map(ratio, tables))) for tables in (figures.tables, *apart)]


def overall(figures: Figures, mine: Sequence[str]) -> Iterator[str]:
    """Geometric means over the reference, with what each method takes."""
    del mine
    yield from (f"## Loss over that of {figures.reference[0]} ({REFERENCE_BUDGET} configs), geometric mean", "")
    yield from head("method, budget", "all tables", "chosen on", "shown apart", "trainings", "seconds", "tables")
    for method, budget in rows_in(figures):
        ratios = halves(figures, lambda table, m=method, b=budget: figures.ratio(m, b, table))
        points = [p for t in figures.tables for p in figures.points(method, t) if p.budget == budget]
        took = [number(sum(getattr(p, n) for p in points) / len(points), ".1f") for n in ("trainings", "seconds")]
        yield row(name_of(figures, method, budget), *ratios, *took, len(points))
    yield row(ORACLE, *halves(figures, lambda t: against_reference(figures, t)), "", "", "")


def against_reference(figures: Figures, table: str) -> float:
    """The oracle over defaults over the reference."""
    inverse = figures.ratio(*figures.reference, table, figures.oracle(table))
    return 1 / inverse if inverse else math.nan


def equal_trainings(figures: Figures, mine: Sequence[str]) -> Iterator[str]:
    """Each method over the reference at so many trainings: between budgets, and beyond the last as at the last."""
    amounts = (FULL // 8, FULL // 4, FULL // 2, FULL, 2 * FULL, 4 * FULL)
    del mine
    yield from ("## The same at so many trainings (of how many tables, where some have no budget so small)", "")
    yield from head("method", *(f"{amount} trainings" for amount in amounts))
    for method in dict.fromkeys(method for method, _ in rows_in(figures)):
        if method not in figures.defaults:
            yield row(method, *(over_tables(figures, at(figures, method, amount)) for amount in amounts))


def over_tables(figures: Figures, ratio: Callable[[str], float]) -> str:
    """The geometric mean, and of how many tables where some have no budget so small."""
    ratios = [found for found in map(ratio, figures.tables) if math.isfinite(found)]
    partly = f" ({len(ratios)})" if 0 < len(ratios) < len(figures.tables) else ""
    return f"{number(geometric(ratios))}{partly}"


def at(figures: Figures, method: str, amount: float) -> Callable[[str], float]:
    """The ratio of a table at so many trainings."""
    return lambda table: figures.ratio_at(method, table, amount)


def equal_time(figures: Figures, mine: Sequence[str]) -> Iterator[str]:
    """Ours over each rival at the largest budget that fits in the time of ours."""
    yield from ("## Ours over each rival at its largest budget that fits in our wall time (tables where one fits)", "")
    known = dict.fromkeys(method for method, _ in rows_in(figures))
    rivals = [method for method in known if method not in (*mine, *figures.defaults)]
    yield from head("ours, budget", *rivals)
    for method in mine:
        for budget in figures.budgets(method):
            yield row(f"{method}, {budget}", *(over_in_time(figures, method, budget, rival) for rival in rivals))


def over_in_time(figures: Figures, method: str, budget: int, rival: str) -> str:
    """The geometric mean over tables, and on how many a budget of the rival fits."""
    ratios = []
    for table in figures.tables:
        own = next((p for p in figures.points(method, table) if p.budget == budget), None)
        other = own and figures.in_time(rival, table, own.seconds)
        if other:
            against = figures.losses(rival, table, other.budget)
            ratios.append(figures.ratio(method, budget, table, against))
    return f"{number(geometric(ratios))} ({len(ratios)})" if ratios else ""


def failures(figures: Figures, mine: Sequence[str]) -> Iterator[str]:
    """What could not be measured, and why."""
    del mine
    for (method, error), count in figures.errors.items():
        yield f"{method}: {count} cells could not be measured: {error}"


def steps(figures: Figures, method: str) -> Iterator[str]:
    """What each budget is worth: the worst table, studies worse than a default, and the rise to the next budget."""
    yield from (f"## {method}: the worst table, studies worse than the best default by > 1 %, and rises", "")
    yield from head("budget", "worst table", "over the better of both", "worse than oracle", "than the table's best")
    for budget in figures.budgets(method):
        worst, table = figures.worst(method, budget)
        shares = [share(*figures.worse_than_default(method, budget, oracle)) for oracle in (True, False)]
        yield row(budget, table, number(worst), *shares)
    yield ""
    yield from head("from", "to", "mean ratio", "the table that rises most", "its ratio")
    for low, high, ratio, table, most in figures.rises(method):
        yield row(low, high, number(ratio), table, number(most))


def share(some: int, total: int) -> str:
    """A share in percent with its counts."""
    return f"{100 * some / total:.1f} % ({some} of {total})" if total else ""


def bars(figures: Figures, method: str) -> Iterator[str]:
    """The figures against the bars."""
    yield from (f"## {method} against the bars", "", *head("bar", "figure", "bound", "kept"))
    budgets = figures.budgets(method)
    worst, table = max((figures.worst(method, budget) for budget in budgets), default=(math.nan, ""))
    rise = max((ratio for _, _, ratio, _, _ in figures.rises(method)), default=math.nan)
    counts = [figures.worse_than_default(method, budget) for budget in budgets]
    worse = 100 * sum(some for some, _ in counts) / max(1, sum(total for _, total in counts))
    yield trained_bar(figures, method, FULL / 8, 0.95)
    yield trained_bar(figures, method, FULL, 0.90)
    yield bar(f"worst table at any budget ({table}) over the better of both", worst, 1.02)
    yield bar("largest mean rise from a budget to the next", rise, 1.01)
    yield bar("percent of studies worse than the best default by > 1 %, all budgets", worse, 2.0)


def trained_bar(figures: Figures, method: str, trainings: float, bound: float) -> str:
    """The bar at so many trainings; a table whose least budget takes more counts with that budget, and is told of."""
    least = {t: min((p.trainings for p in figures.points(method, t)), default=math.nan) for t in figures.tables}
    late = [table for table in figures.tables if least[table] > trainings]
    ratios = [figures.ratio_at(method, t, max(trainings, least[t])) for t in figures.tables]
    told = f"; {len(late)} tables at their least budget, up to {max(least[t] for t in late):.0f}" if late else ""
    name = f"over {figures.reference[0]} of {REFERENCE_BUDGET} configs, at {trainings:.0f} trainings{told}"
    return bar(name, geometric(ratios), bound)


def bar(name: str, figure: float, bound: float) -> str:
    """A line of the bars."""
    kept = "" if math.isnan(figure) else "yes" if figure <= bound else "NO"
    return row(name, number(figure), f"<= {bound:g}", kept)
