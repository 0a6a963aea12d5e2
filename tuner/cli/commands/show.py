"""`tuner show`: a study, or one trial of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, home_option, open_result, study_argument
from tuner.cli.output import Output, output_options, put
from tuner.cli.terminal import hint

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["show"]


@click.command(epilog=as_examples("tuner show digits", "tuner show digits/17"))
@study_argument
@home_option
@output_options()
def show(study: str, home: Home, output: Output) -> None:
    """Show a STUDY, or one trial of it: STUDY/TRIAL.

    A study: its question, trials by state, best, confirmation, optimizers. A trial: its config and learning curves.
    """
    from tuner.cli.show import study_page, trial_page
    from tuner.views.json_values import document_json
    from tuner.views.sheet import fields

    name, trial = parted(study, home)
    result = open_result(name, home)
    whole = output.all_columns or output.path is not None
    page = study_page(result, whole) if trial is None else trial_page(result, trial)
    if output.form == "table":
        put(page.text, output.path, output.force)
        for note in page.notes:
            hint(note)
        return None
    if output.form == "json":
        return put(document_json(page.document), output.path, output.force)
    return output.sheet(page.sheet or fields(page.document))


def parted(study: str, home: Home) -> tuple[str, int | None]:
    """Split STUDY or STUDY/TRIAL; a directory whose name is a number is a study.

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
    """Return True if a study of that name exists."""
    from tuner.errors import UnknownStudy
    from tuner.store.directory import find

    try:
        find(study, home)
    except UnknownStudy:
        return False
    return True
