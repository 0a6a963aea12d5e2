"""`tuner top`: the best trials of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.copyable import copyable
from tuner.cli.options import as_examples, check_optimizer, home_option, open_result, optimizer_option, study_argument
from tuner.cli.output import Output, output_options

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["top"]


@click.command(epilog=as_examples("tuner top digits -n 20 --optimizer adam", "tuner top digits -o trials.csv"))
@study_argument
@click.option("-n", "rows", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@optimizer_option
@home_option
@output_options()
def top(study: str, rows: int, optimizer: str | None, home: Home, output: Output) -> None:
    """Show the best trials of a STUDY, best first."""
    result = open_result(study, home)
    check_optimizer(result, optimizer)
    result.best(optimizer=optimizer)  # raises NoResult where nothing is complete
    from tuner.text import intervals_of
    from tuner.views.ranking import ranking_notes, ranking_sheet

    sheet = ranking_sheet(result, rows, optimizer)
    of = intervals_of({f"trial {standing.trial}": standing.goal.of for standing in result.standings})
    output.sheet(sheet, *ranking_notes(result, sheet, copyable), *([f"in brackets: {of}"] if of else []))
