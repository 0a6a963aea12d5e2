"""The command: measure what is missing, then print the report; or one of the other sections."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from tests.benchmarks.handed_over.cells import Cell, Form, measured, read, wanted
from tests.benchmarks.handed_over.figures import Figures
from tests.benchmarks.handed_over.registry import DEFAULTS, KNOWN, METHODS, OURS, REFERENCE, REFERENCE_BUDGET
from tests.benchmarks.handed_over.report import report
from tests.benchmarks.handed_over.tables import QUICK, TABLES

SECTIONS = ("coverage", "shipped", "lookup", "pieces")


def form_of(given: argparse.Namespace) -> Form:
    """The cells that the command asks for."""
    tables = given.tables or (QUICK if given.quick else TABLES)
    methods = given.methods or [name for name, m in METHODS.items() if not given.quick or m.quick]
    return Form(tuple(tables), tuple(methods), given.divisions or (3 if given.quick else 10), given.quick)


def cells_of(form: Form, label: str, beside: list[str]) -> list[Cell]:
    """The cells of the form that are there, those of other labels under names of their own."""
    keys, there = wanted(form), read(label)
    found = [there[key] for key in keys if key in there]
    for other in beside:
        known = read(other)
        own = [known[key] for key in keys if key in known and KNOWN[key[0]].ours]
        found += [replace(cell, method=f"{cell.method} ({other})") for cell in own]
    return found


def compare(given: argparse.Namespace) -> None:
    """Measure and report."""
    form = form_of(given)
    if not given.report:
        measured(wanted(form), given.label, given.jobs)
    cells = cells_of(form, given.label, given.beside)
    mine = [name for name in dict.fromkeys(cell.method for cell in cells) if name.startswith(OURS)]
    print(f"# Handed over: label {given.label}, {form.divisions} divisions\n")
    print("\n".join(report(Figures(cells, tuple(DEFAULTS), (REFERENCE, REFERENCE_BUDGET)), mine)))


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="python -m tests.benchmarks.handed_over", description=__doc__)
    made.add_argument("section", nargs="?", choices=SECTIONS, help="another section; the comparison by default")
    made.add_argument("--quick", action="store_true", help="few tables, 3 divisions, cheap rivals: about five minutes")
    made.add_argument("--label", default="now", help="the version of the code that is measured (now)")
    made.add_argument("--beside", nargs="*", default=[], help="other labels to show in the report")
    made.add_argument("--jobs", type=int, default=2, help="processes (2)")
    made.add_argument("--divisions", type=int, help="divisions of each table (10, quick 3)")
    made.add_argument("--tables", nargs="*", choices=TABLES, metavar="TABLE", help=", ".join(TABLES))
    made.add_argument(
        "--methods", nargs="*", choices=KNOWN, metavar="METHOD", help=f"{', '.join(METHODS)}; {OURS}: PIECE"
    )
    made.add_argument("--report", action="store_true", help="only report what is there")
    made.add_argument("--studies", type=int, default=200, help="studies of each population, for coverage (200)")
    return made


def main() -> None:
    """Run a section."""
    given = parser().parse_args()
    began = time.perf_counter()
    section: Callable[[argparse.Namespace], None] = compare
    if given.section:
        section = getattr(import_module(f"tests.benchmarks.handed_over.{given.section}"), given.section)
    section(given)
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
