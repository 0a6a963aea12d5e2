"""`tuner import`: an Optuna study as a study here."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.copyable import copyable, remember_places
from tuner.cli.options import as_examples, local_home_option
from tuner.cli.output import in_words
from tuner.cli.terminal import hint
from tuner.text import clean

if TYPE_CHECKING:
    pass

__all__ = ["import_"]


@click.command("import", epilog=as_examples("tuner import optuna.db --name rate --metric loss"))
@click.argument("source")
@click.option("--name", help="Name of the study here; by default the one that it has there.")
@click.option("--study-name", metavar="NAME", help="Which study of the storage, where it has several.")
@click.option("--metric", help="What its value is here, like valid_loss: a warm start wants the same goal.")
@click.option("--rename", "renames", multiple=True, metavar="OLD=NEW", help="Name a parameter as here; repeatable.")
@click.option("--optimizer", metavar="NAME", help="The optimizer of all its trials, where none of its parameters is.")
@local_home_option
def import_(
    source: str, name: str | None, study_name: str | None, metric: str | None, renames: tuple[str, ...],
    optimizer: str | None, home: Path | None,
) -> None:  # fmt: skip
    """Read an Optuna study into a study directory.

    SOURCE is a database URL, a SQLite file or a journal file of Optuna 2 to 5; it is not changed. `tuner top`, `show`,
    `compare` and `report` then show the study. Another study begins with its trials by warm_start in [search].
    """
    from tuner.api.import_optuna import import_study

    remember_places()
    constants = {"optimizer": optimizer} if optimizer else {}
    directory = import_study(
        source, name, home, study_name=study_name, metric=metric, rename=pairs(renames), constants=constants
    )
    click.echo(clean(in_words(directory.path)))
    hint(f"look at it with: {copyable(shlex.join(['tuner', 'top', directory.name]))}")


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """Parse OLD=NEW arguments to a mapping. Raises UsageError."""
    wrong = [text for text in texts if not all(text.partition("="))]
    if wrong:
        raise click.UsageError(f"--rename {wrong[0]!r}: write it like learning_rate=lr")
    return {old: new for old, _, new in (text.partition("=") for text in texts)}
