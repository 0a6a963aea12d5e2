"""`tuner compare`: studies side by side, the optimizers of one, or two tables cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, complete_studies, home_option, open_result
from tuner.cli.output import Output, output_options
from tuner.cli.terminal import hint

if TYPE_CHECKING:
    import pandas as pd

    from tuner.store.directory import Home

__all__ = ["compare"]

MOST = 10  # differences that are worth reading


@click.command(epilog=as_examples("tuner compare digits digits-2", "tuner compare digits --by optimizer"))
@click.argument("studies", nargs=-1, required=True, metavar="STUDY...", shell_complete=complete_studies)
@click.option("--by", type=click.Choice(["optimizer"]), help="Compare the optimizers of one study instead.")
@click.option(
    "--rtol", type=click.FloatRange(min=0), help="Compare two tables cell by cell: configs, and values to RTOL."
)
@home_option
@output_options()
def compare(studies: tuple[str, ...], by: str | None, rtol: float | None, home: Home, output: Output) -> None:
    """Compare studies: what each found, how sure, at what cost.

    SEARCH is the winner's value in the search. FINAL is its mean on fresh seeds that chose nothing, with its 95 %
    interval; of optimizers, whose best were not all trained on those, CHECK is the mean over all that rank. P(BEST) is
    the probability to have the best mean. It compares seed by seed if seeds and splits are the same, and by the
    intervals if not. Studies compare if they have the same targets and splits, whatever their inputs are.

    With --rtol, two studies or csv files are compared cell by cell; the exit code is 1 if they differ.
    """
    if rtol is not None:
        return tables(studies, rtol, home, output)
    if by is not None and len(studies) != 1:
        raise click.UsageError(f"tuner compare: --by optimizer compares within one study, but got {len(studies)}")
    if by is None and len(studies) == 1:
        raise click.UsageError("tuner compare: one study alone; name another one, or add --by optimizer")
    results = [open_result(study, home) for study in studies]
    from tuner.api.compare import by_optimizer, by_study
    from tuner.cli.comparison import notes_of, sheet_of

    found = by_optimizer(results[0]) if by else by_study(results)
    return output.sheet(sheet_of(found, by or "study"), *notes_of(found))


def tables(names: tuple[str, ...], rtol: float, home: Home, output: Output) -> None:
    """Compare two tables; ends with 1 where they differ."""
    from tuner.api.compare_tables import differing
    from tuner.text import cell_text
    from tuner.views.sheet import Sheet

    if len(names) != 2:
        raise click.UsageError(f"tuner compare: --rtol compares two tables, but got {len(names)}")
    found, trials, largest = differing(table(names[0], home), table(names[1], home), rtol)
    if not found:
        hint(f"{trials} trials agree: the same configs, values within {rtol:g} (largest difference {largest:.1e})")
        return
    rows = tuple((d.trial, d.column, d.a, d.b, d.relative) for d in found[:MOST])
    columns = (
        ("trial", "column", *names, "relative") if names[0] != names[1] else ("trial", "column", "a", "b", "relative")
    )
    output.sheet(Sheet(columns, rows, frozenset(columns)))
    differ = len({d.trial for d in found})
    more = f", of which these are the first {MOST}" if len(found) > MOST else ""
    hint(f"{cell_text(differ)} of {trials} trials differ by more than {rtol:g}: {len(found)} cells{more}")
    raise click.exceptions.Exit(1)


def table(name: str, home: Home) -> pd.DataFrame:
    """Load the ranking of a study, or from a file."""
    path = Path(name)
    if path.suffix in (".csv", ".parquet"):
        from tuner.api.compare_tables import read_table

        return read_table(path)
    return open_result(name, home).ranking()
