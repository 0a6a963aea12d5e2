"""`tuner rm`: removes a study."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, home_option, study_argument
from tuner.cli.output import in_words
from tuner.cli.terminal import hint
from tuner.text import clean

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["rm"]


@click.command(epilog=as_examples("tuner rm digits"))
@study_argument
@home_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def rm(study: str, home: Home, yes: bool) -> None:
    """Remove a STUDY with all it found."""
    from tuner.store.directory import find

    directory = find(study, home)
    where = clean(directory.place if directory.storage else in_words(directory.path))
    if not yes and not sys.stdin.isatty():
        raise click.UsageError(f"tuner rm: nobody can be asked here; add --yes to remove {where} and all its trials")
    if not yes and not click.confirm(f"Remove {where} and all its trials for good?", err=True):
        hint("nothing was removed")
        return
    from tuner.api.remove import remove

    remove(directory)
    hint(f"removed {where}")
