"""The command: every section, or those that are named."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from tests.benchmarks.search.cutting import cutting
from tests.benchmarks.search.designs import DEFAULT, MAIN, PIECES
from tests.benchmarks.search.early import early
from tests.benchmarks.search.efficiency import Design, differences, measured, table
from tests.benchmarks.search.overhead import overhead
from tests.benchmarks.search.parallel import parallel
from tests.benchmarks.search.problems import HELD_OUT, PROBLEMS
from tests.benchmarks.search.target import target

CHOSEN_ON = tuple(name for name in PROBLEMS if name not in HELD_OUT)


def searches(designs: tuple[Design, ...], problems: tuple[str, ...]) -> Callable[[argparse.Namespace], None]:
    """A section that looks results up."""

    def section(given: argparse.Namespace) -> None:
        found = measured(designs, problems, given.seeds, given.jobs)
        print(f"percent of the grid better than the config found, median/mean of {given.seeds} seeds on each of")
        print(f"{', '.join(problems)}; columns: epochs spent, in full trainings\n")
        print("\n".join(table(found)))
        print(f"\nmean difference from {DEFAULT.name!r}, paired by seed, and half of the 95 % interval\n")
        print("\n".join(differences(found, DEFAULT.name)))

    return section


SECTIONS: dict[str, Callable[[argparse.Namespace], None]] = {
    "efficiency": searches(MAIN, CHOSEN_ON),
    "held-out": searches(MAIN, HELD_OUT),
    "pieces": searches(PIECES, CHOSEN_ON),
    "rungs": early,
    "cutting": cutting,
    "overhead": overhead,
    "parallel": parallel,
    "target": target,
}


def main() -> None:
    """Run sections and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.search", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all by default")
    parser.add_argument("--seeds", type=int, default=20, help="searches on each problem (20)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--trials", type=int, nargs="*", help="sizes of the studies that are timed")
    given = parser.parse_args()
    if unknown := [name for name in given.sections if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; the sections are: {', '.join(SECTIONS)}")
    for name in given.sections or SECTIONS:
        started = time.perf_counter()
        print(f"{name}\n{'=' * len(name)}", flush=True)
        SECTIONS[name](given)
        print(f"\n{time.perf_counter() - started:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
