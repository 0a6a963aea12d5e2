"""`tuner best`: the best config, as a file, as arguments, or as code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.best.exporters import EXPORTERS
from tuner.cli.options import as_examples, check_optimizer, home_option, open_result, optimizer_option, study_argument
from tuner.cli.output import check_place, force_option, is_special, put
from tuner.cli.terminal import errors_to, hint

if TYPE_CHECKING:
    from tuner.best import Best
    from tuner.store.directory import Home

__all__ = ["best", "best_form"]


@click.command(
    epilog=as_examples(
        "tuner best digits", "tuner best digits --to torch -o train.py", "tuner best digits --optimizer sgd --rank 2"
    )
)
@study_argument
@click.option(
    "--rank",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Rank of the config: confirmed trials count first, in the order of their checks.",
)
@optimizer_option
@click.option(
    "--to",
    "form",
    type=click.Choice(["toml", "json", "args", *EXPORTERS]),
    help="How to write it: as a config (by default toml), or as code that trains the model with a framework.",
)
@click.option(
    "--nearest", is_flag=True, help="Write the nearest optimizer if the framework cannot make the same steps."
)
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), metavar="FILE", help="Write a file.")
@force_option
@home_option
def best(
    study: str,
    rank: int,
    optimizer: str | None,
    form: str | None,
    nearest: bool,
    path: Path | None,
    force: bool,
    home: Home,
) -> None:
    """Print the best config of a STUDY.

    The confirmed best where there is one, as toml, json, command line arguments, or code for PyTorch, Keras, optax or
    scikit-learn, which needs no tuner.
    """
    form = form or best_form(path)
    if path is not None:
        check_place(path, force)
    result = open_result(study, home)
    check_optimizer(result, optimizer)
    found = result.best(rank, optimizer)
    if rank > 1:
        hint(place_of(found, rank))
    from tuner.views.best_text import best_as

    text, differences = best_as(found, form, nearest)
    errors_to(differences, "warning")
    put(text, path, force)


def place_of(best: Best, rank: int) -> str:
    """Say which trial a rank is, and by which order, where the search orders differently than the confirmation."""
    if best.confirmation:
        search = best.confirmation["search_rank"]
        return f"rank {rank} by the checks: trial {best.trial}, number {search} of the search"
    return (
        f"rank {rank}: trial {best.trial}, by its value in the search; confirmed ones, if there are any, go before it"
    )


def best_form(path: Path | None) -> str:
    """Return the form that a file's suffix names. Raises UsageError."""
    suffixes = {".toml": "toml", ".json": "json", ".txt": "args", ".args": "args"}
    if path is None:
        return "toml"
    if is_special(path):
        return suffixes.get(path.suffix.lower(), "toml")
    if path.suffix.lower() == ".py":
        raise click.UsageError(f"-o {path}: which framework's code? add --to {', '.join(EXPORTERS)}")
    if path.suffix.lower() not in suffixes:
        raise click.UsageError(
            f"-o {path}: suffix {path.suffix!r} is none of {', '.join(suffixes)}; use one, or add --to"
        )
    return suffixes[path.suffix.lower()]
