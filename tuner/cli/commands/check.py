"""`tuner check`: what is wrong with a study file and its data, and whether an objective repeats."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, set_option
from tuner.cli.terminal import hint
from tuner.text import clean, last_lines

if TYPE_CHECKING:
    from objectives.data.overview import ColumnView
    from tuner.study import Study

__all__ = ["check", "repeat_check"]

MOST, WIDEST = 60, 32  # columns of a table, letters of a cell


@click.command(epilog=as_examples("tuner check study.toml", "tuner check own.toml --repeat 3"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--repeat", type=click.IntRange(2, 100), help="Run one config that many times, and show where two runs differ."
)
@set_option
def check(file: Path, repeat: int | None, overrides: tuple[str, ...]) -> None:
    """Check a study FILE and its data.

    Prints everything that is wrong, or the study with all defaults. Code of your own is imported with --repeat only.
    """
    from tuner.api.read_study import read_study

    study = read_study(file, overrides=overrides)
    if repeat is not None:
        return repeat_check(study, repeat)
    from tuner.api.check import check_study

    checked = check_study(study)
    sys.stdout.write(clean(checked.study.to_toml(), lines=True))
    for note in (*columns_table(checked.columns), *checked.notes):
        hint(f"# {clean(note)}")
    return None


def columns_table(views: Sequence[ColumnView]) -> list[str]:
    """Return a table of the columns as they are understood, a line each, with their first rows."""
    if not views:
        return []
    head = ("column", "kind", "gaps", "different", "first rows", "what is done with it")
    rows = [
        head,
        *((v.name, v.kind, f"{v.gaps:,}", f"{v.distinct:,}", " | ".join(v.first), v.use) for v in views[:MOST]),
    ]
    short = [tuple(cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 3]}..." for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*short, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in short]
    return [*lines, *([f"and {len(views) - MOST} more columns"] if len(views) > MOST else [])]


def repeat_check(study: Study, times: int) -> None:
    """Run it and say what came of it. Raises TunerError where two runs differ, or the objective fails."""
    from tuner.cli.dry_run import described
    from tuner.engines import Failure
    from tuner.errors import TunerError
    from tuner.trainables.custom.repeat import run_repeatedly

    if not study.custom:
        raise click.UsageError("tuner check: --repeat is for an objective of your own; the tuner's core always repeats")
    ran = run_repeatedly(study, times)
    print(f"config: {described(ran.config)}")
    if said := last_lines(ran.printed):
        hint(f"what it printed:\n{said}")
    if ran.difference:
        raise TunerError(
            f"{ran.difference}; the same study gives the same table only where config and seed decide everything: "
            "seed all that is random from run.seed or config['seed']"
        )
    first = ran.outcomes[0]
    if isinstance(first, Failure):
        raise TunerError(f"each run failed with {first}")
    seconds = sum(outcome.seconds for outcome in ran.outcomes if not isinstance(outcome, Failure)) / times
    print(clean(f"{times} runs are the same, bit for bit: {', '.join(first.curves)}; {seconds:.3g} s each"))
