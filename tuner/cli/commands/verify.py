"""`tuner verify`: trials run again and compared with the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, home_option, study_argument
from tuner.cli.output import Output, output_options
from tuner.cli.terminal import hint

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["verify"]


@click.command(epilog=as_examples("tuner verify digits -k 10 -j 2"))
@study_argument
@click.option("-k", "trials", type=click.IntRange(min=1), default=5, show_default=True, help="How many trials.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), default=1, show_default=True, help="Worker processes.")
@home_option
@output_options()
def verify(study: str, trials: int, jobs: int, home: Home, output: Output) -> None:
    """Run trials of a STUDY again, to check its ledger.

    They are drawn from the study's seed and compared bit for bit. Ends with 1 where one differs.
    """
    from tuner.api.verify import verify as run_again
    from tuner.views.sheet import Sheet

    found = run_again(study, trials, home=home, jobs=jobs)
    rows = tuple((v.trial, v.state, v.epochs, v.difference or "the same") for v in found.verdicts)
    columns = ("trial", "state", "epochs", "verdict")
    output.sheet(Sheet(columns, rows, frozenset(columns)))
    differ = sum(bool(verdict.difference) for verdict in found.verdicts)
    if not found.same_machine:
        hint("the arithmetic of this machine differs from that where the study began: last bits may differ")
    if differ:
        hint(f"{differ} of {len(rows)} trials differ from the ledger")
        raise click.exceptions.Exit(1)
    hint(f"{len(rows)} of {len(rows)} trials are the same, bit for bit")
