"""The command: one of the sections."""

from __future__ import annotations

import argparse
from importlib import import_module

SECTIONS = ("worth", "intervals", "speed")


def main() -> None:
    """Run a section."""
    made = argparse.ArgumentParser(prog="python -m tests.benchmarks.shipped_model")
    made.add_argument("section", choices=SECTIONS)
    made.add_argument("--jobs", type=int, default=2, help="processes (2)")
    made.add_argument("--divisions", type=int, default=10, help="divisions of each table (10)")
    made.add_argument("--trials", type=int, default=64, help="trials of each study (64)")
    made.add_argument("--configs", type=int, default=16, help="of RandomizedSearchCV; 0 leaves it out (16)")
    made.add_argument("--tables", nargs="*", metavar="TABLE")
    made.add_argument("--studies", type=int, default=200, help="of each population, for intervals (200)")
    made.add_argument("--tasks", nargs="*", default=["regression", "binary"], help="of intervals (both)")
    made.add_argument("--rows", type=int, default=1_000_000, help="of the file to predict (1,000,000)")
    given = made.parse_args()
    getattr(import_module(f"tests.benchmarks.shipped_model.{given.section}"), given.section)(given)


if __name__ == "__main__":
    main()
