"""`tuner refit`: the model that a study ships, trained on all rows that it may be trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.error_lines import Terminated, interruption
from tuner.cli.options import as_examples, home_option, study_argument
from tuner.cli.terminal import hint
from tuner.text import clean

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["refit"]


@click.command(epilog=as_examples("tuner refit churn --seeds 10"))
@study_argument
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=5, show_default=True, help="How many networks make the ensemble."
)
@click.option("--all-rows", is_flag=True, help="Train on the test rows too; nothing is left to judge the model by.")
@click.option(
    "--no-baseline",
    "--no-baselines",
    "no_baselines",
    is_flag=True,
    help="Leave out scikit-learn's models at their defaults, to compare with.",
)
@home_option
def refit(study: str, seeds: int, all_rows: bool, no_baselines: bool, home: Home) -> None:
    """Train the best of a STUDY on all rows but the test rows.

    Writes the model as data, without code: runs/STUDY/model with its preparation, weights and a card that says what it
    is. Your own training code is called with the phase "refit", and what it leaves in its directory is kept there.
    The test rows judge it, and a constant, a linear model and boosted trees at their defaults beside it: one that
    is better is named. `tuner.load_model` reads it with NumPy alone, `tuner predict` uses it on files.
    """
    from tuner.store.directory import find

    directory = find(study, home)  # the name is looked for before anything heavy is imported
    from tuner.api.refit import refit as refit_study
    from tuner.cli.output import in_words
    from tuner.cli.progress import progress_display
    from tuner.cli.summary import shipped_block
    from tuner.store.stored import stored_study

    try:
        with progress_display(stored_study(directory)) as callback:
            model = refit_study(
                study, seeds, all_rows=all_rows, baselines=not no_baselines, home=home, callback=callback
            )
    except BaseException as error:
        stopped = interruption(error)
        if stopped is None:
            raise
        how = "stopped" if isinstance(stopped, Terminated) else "interrupted"
        hint(f"{how}; the model that was there is as it was")
        raise stopped from None
    said = f"{shipped_block(model)}\n" if model is not None else ""
    print(f"{said}files\n  {clean(in_words(directory.model))}")
