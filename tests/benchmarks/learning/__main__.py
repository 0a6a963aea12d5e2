"""The command: regrets of whole trainings, of trainings that are cut, and what is proposed last."""

from __future__ import annotations

import argparse

from tests.benchmarks.learning.problems import PROBLEMS
from tests.benchmarks.learning.rivals import PRUNING, RIVALS
from tests.benchmarks.learning.tables import OURS, late_table, measured, table


def main() -> None:
    """Search what is not kept, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.learning", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="searches of each problem (20)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS), help="all by default")
    given = parser.parse_args()
    ours = [name for name in OURS if name != "tuner before"]
    for cut, rivals in ((False, RIVALS), (True, PRUNING)):
        names = [*OURS, *rivals]
        measured(names, given.problems, given.seeds, cut, given.jobs)
        print(f"\nmedian regret of {given.seeds} seeds, {'cut at rungs' if cut else 'every training whole'}\n")
        print("\n".join(table(names, given.problems, given.seeds, cut, ours)), flush=True)
    print("\nmedian loss of what is proposed, every training whole\n")
    print("\n".join(late_table("tuner", given.problems, given.seeds)))


if __name__ == "__main__":
    main()
