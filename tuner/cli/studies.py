"""Commands on studies as a whole: list them, show one or one of its trials, remove one."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.arguments import home_option, opened, study_argument
from tuner.cli.output import Output, in_words, output_options, put
from tuner.cli.text import clean, errors_to, hint

if TYPE_CHECKING:
    from tuner.home import Home

__all__ = ["list_studies", "rm", "show"]


@click.command("list")
@home_option
@output_options()
def list_studies(home: Home, output: Output) -> None:
    """List the studies that there are."""
    from tuner.cli.overview import COLUMNS, DAMAGED, Overview, age_text, overview, row
    from tuner.cli.sheet import Sheet
    from tuner.cli.text import interval
    from tuner.errors import TunerError
    from tuner.home import home_directory, home_in_words, studies
    from tuner.storage import Shared

    found: list[Overview] = []
    for directory in studies(home):
        try:
            found.append(overview(directory))
        except (*DAMAGED, TunerError) as error:
            errors_to([f"{directory.name}: cannot be read: {(str(error).splitlines() or [''])[0]}"], "warning")
    if not found:
        where = home_in_words(home) if isinstance(home, Shared) else in_words(home_directory(home))
        hint(f"no studies in {where}; `tuner run FILE` makes one, `tuner init` writes a FILE")
        if output.form == "table" and output.path is None:
            return
    rows = tuple(map(row, found))
    views: dict[str, list[Any]] = {
        "trials": [s.trials if s.trials == s.planned else f"{s.trials}/{s.planned}" for s in found],
        "confirmed": [interval(*cells[-4:-1]) for cells in rows],
        "age": [age_text(s.age) for s in found],
    }
    always, asides = frozenset(("name", "trials", "age")), frozenset(("planned", "low", "high"))
    output.sheet(Sheet(COLUMNS, rows, always, asides, views=views))


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
    from tuner.cli.text import as_json

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
    from tuner.home import find

    try:
        find(study, home)
    except UnknownStudy:
        return False
    return True


@click.command
@study_argument
@home_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def rm(study: str, home: Home, yes: bool) -> None:
    """Remove a STUDY with all it found."""
    from tuner.home import find

    directory = find(study, home)
    where = clean(directory.place if directory.storage else in_words(directory.path))
    if not yes and not sys.stdin.isatty():
        raise click.UsageError(f"tuner rm: nobody can be asked here; add --yes to remove {where} and all its trials")
    if not yes and not click.confirm(f"Remove {where} and all its trials for good?", err=True):
        hint("nothing was removed")
        return
    with directory.lock():
        # the ledger goes first: a removal that is cut short leaves no study behind
        directory.forget_ledger()
        shutil.rmtree(directory.path.resolve())
        if directory.path.is_symlink():
            directory.path.unlink()
    hint(f"removed {where}")
