"""`tuner show`: a study, or one trial of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.options import home_option, opened, study_argument
from tuner.cli.output import Output, output_options, put
from tuner.cli.terminal import hint

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["show"]


@click.command
@study_argument
@home_option
@output_options()
def show(study: str, home: Home, output: Output) -> None:
    """Show a STUDY, or one trial of it: STUDY/TRIAL.

    A study: its question, trials by state, best, confirmation, optimizers. A trial: its config and learning curves.
    """
    from tuner.cli.sheet import fields
    from tuner.cli.show import study_page, trial_page
    from tuner.cli.terminal import as_json

    name, trial = parted(study, home)
    result = opened(name, home)
    whole = output.all_columns or output.path is not None
    page = study_page(result, whole) if trial is None else trial_page(result, trial)
    if output.form == "table":
        put(page.text, output.path, output.force)
        for note in page.notes:
            hint(note)
        return None
    if output.form == "json":
        return put(as_json(page.document), output.path, output.force)
    return output.sheet(page.sheet or fields(page.document))


def parted(study: str, home: Home) -> tuple[str, int | None]:
    """STUDY or STUDY/TRIAL in its parts; a directory whose name is a number is a study.

    Raises UsageError where TRIAL is no number.
    """
    head, slash, tail = study.rpartition("/")
    if not (slash and head) or there(study, home):
        return study, None
    if tail.isascii() and tail.isdigit():
        return head, int(tail[:18])
    if tail and there(head, home):
        raise click.UsageError(f"tuner show {study}: a trial is a number, like {head}/0, but got {tail!r}")
    return study, None


def there(study: str, home: Home) -> bool:
    """Whether there is a study of that name."""
    from tuner.errors import UnknownStudy
    from tuner.store.directory import find

    try:
        find(study, home)
    except UnknownStudy:
        return False
    return True
