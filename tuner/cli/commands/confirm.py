"""`tuner confirm`: the leaders of a study on fresh seeds, and what that says of them."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import click

from tuner.cli.error_lines import Terminated, interruption
from tuner.cli.options import as_examples, home_option, study_argument
from tuner.cli.output import Output, output_options, put
from tuner.cli.terminal import hint
from tuner.text import cell_text

if TYPE_CHECKING:
    from tuner.ranking.standings import ConfirmedTrial
    from tuner.result import Result
    from tuner.store.directory import Home

__all__ = ["confirm"]


@click.command(epilog=as_examples("tuner confirm digits --seeds 20"))
@study_argument
@click.option("--top", type=click.IntRange(1, 100), help="How many of the best; by default as the study says.")
@click.option("--seeds", type=click.IntRange(2, 1000), help="On how many fresh seeds; by default as the study says.")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 1024), envvar="TUNER_JOBS", show_envvar=True,
    help="Worker processes; by default the processors at hand. The result does not depend on it.",
)  # fmt: skip
@home_option
@output_options()
def confirm(study: str, top: int | None, seeds: int | None, jobs: int | None, home: Home, output: Output) -> None:
    """Train the best of a STUDY again, on fresh seeds and splits.

    They race on fresh splits, and rank by those and the splits of the search. The first is then trained on as many more
    seeds, which had no part in the choice, and reported on those. Brackets hold 95 % intervals for the value on new
    rows, which allow for the rows that splits share. Earlier trainings count: run it again with more seeds.
    """
    from tuner.store.directory import find

    directory = find(study, home)  # the name is looked for before anything heavy is imported
    from tuner.api.confirm import confirm as confirm_study
    from tuner.cli.progress import progress_display
    from tuner.store.stored import stored_study

    try:
        with progress_display(stored_study(directory)) as callback:
            result = confirm_study(study, top, seeds, jobs=jobs, home=home, callback=callback)
    except BaseException as error:
        stopped = interruption(error)
        if stopped is None:
            raise
        how = "stopped" if isinstance(stopped, Terminated) else "interrupted"
        hint(f"{how}; what was finished is kept, and the same command goes on")
        raise stopped from None
    show(result, output)


def show(result: Result, output: Output) -> None:
    """Print the standings as lines for people, or as a table in the format asked for."""
    from tuner.cli.show import block
    from tuner.cli.summary import sureness, values_of
    from tuner.views.sheet import sheet_of

    if output.form != "table" or output.path is not None:
        return output.sheet(sheet_of(result.confirmation()))
    best = result.best()
    lines = aligned([cells(standing) for standing in result.standings])
    put(f"{lines}\nbest: trial {best.trial}, {sureness(best)}\n{block(values_of(best))}", None)
    for rank in dict.fromkeys(standing.tie for standing in result.standings if standing.tie != standing.rank):
        hint(f"`{rank}=` not separable from rank {rank} on these seeds.")
    return None


def cells(standing: ConfirmedTrial) -> tuple[str, ...]:
    """Format one confirmed trial for people."""
    from tuner.views.ranking import fresh_text

    optimism = standing.optimism
    place = f"{standing.tie}=" if standing.tie != standing.rank else str(standing.rank)
    return (
        f"#{standing.trial}",
        f"search {cell_text(standing.search_value)} -> check {fresh_text(standing)}",
        f"rank {standing.search_rank} -> {place}",
        f"{'optimistic' if optimism >= 0 else 'pessimistic'} by {cell_text(abs(optimism))}"
        if isfinite(optimism)
        else "",
        f"P(best) {standing.p_best:.2f}",
    )


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Align rows in columns, three spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["   ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"
