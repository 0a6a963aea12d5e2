"""The command: every section, or those that are named, as tables in Markdown."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks.unseen.designs import Hand
from tests.benchmarks.unseen.sections import SECTIONS
from tests.benchmarks.unseen.tables import SOURCES, results
from tests.benchmarks.unseen.views import view_of

Array = np.ndarray[Any, Any]
BUDGETS = (40, 80, 160, 320, 640, 1280, 2560)
LEAST = 0.05  # percent: less excess counts as this where it is averaged over tables and budgets
QUICK = ("iris", "wine")


def measured(name: str, hands: Sequence[Hand], repetitions: int) -> tuple[Array, Array]:
    """Excess over the best, and over the best default, `(hands, budgets, repetitions)` in percent."""
    table, found = results(name), np.empty((2, len(hands), len(BUDGETS), repetitions))
    for r in range(repetitions):
        view = view_of(table, r)
        for i, hand in enumerate(hands):
            for j, budget in enumerate(BUDGETS):
                pick = hand(view, budget)
                found[:, i, j, r] = view.excess(*pick), view.behind_default(*pick)
    return found[0], found[1]


def geometric(values: Array, axes: int | tuple[int, ...]) -> Array:
    """The geometric mean over axes."""
    return np.asarray(np.exp(np.log(np.maximum(values, LEAST)).mean(axis=axes)))


def lines(names: Sequence[str], excess: Array, behind: Array) -> list[str]:
    """A table of `(tables, hands, budgets, repetitions)`."""
    heads = ["design", *map(str, BUDGETS), "all", "90th percentile", "worse than default"]
    means, tails = excess.mean(axis=-1), np.percentile(excess, 90, axis=-1)
    rows = np.column_stack([geometric(means, 0), geometric(means, (0, 2)), geometric(tails, (0, 2))])
    worse = 100 * (behind > 1).mean(axis=(0, 2, 3))
    body = [[n, *(f"{x:.2g}" for x in row), f"{w:.0f} %"] for n, row, w in zip(names, rows, worse, strict=True)]
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *body)]


def show(section: str, tables: Sequence[str], repetitions: int) -> None:
    """Print what a section found on some tables."""
    hands = SECTIONS[section]()
    found = [measured(name, list(hands.values()), repetitions) for name in tables]
    excess, behind = (np.stack(parts) for parts in zip(*found, strict=True))
    print(f"\n{', '.join(tables)}\n\n" + "\n".join(lines(list(hands), excess, behind)), flush=True)


def main() -> None:
    """Run sections and print their tables, those to choose by before the others."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.unseen", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all by default")
    parser.add_argument("--repetitions", type=int, default=40, help="searches on each table (40)")
    parser.add_argument("--tables", nargs="*", choices=SOURCES, metavar="TABLE", help=f"all of {', '.join(SOURCES)}")
    parser.add_argument("--quick", action="store_true", help="two small tables, 10 searches")
    given = parser.parse_args()
    if unknown := [name for name in given.sections if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; the sections are: {', '.join(SECTIONS)}")
    print(
        "mean excess in percent over the best config and epoch, on splits that no search saw; columns: full trainings"
    )
    for section in given.sections or SECTIONS:
        started = time.perf_counter()
        print(f"\n## {section}")
        for held_out in (False, True):
            names = [name for name, source in SOURCES.items() if source.held_out == held_out]
            if given.quick or given.tables:
                names = [name for name in names if name in (given.tables or QUICK)]
            show(section, names, 10 if given.quick else given.repetitions)
        print(f"\n{time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
