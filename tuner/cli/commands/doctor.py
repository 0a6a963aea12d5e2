"""`tuner doctor`: what is the matter with a study, and what can be recovered of it."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from tuner.cli.copyable import copyable, with_places
from tuner.cli.options import as_examples, complete_studies, home_option
from tuner.cli.output import Output, in_words, output_options
from tuner.cli.terminal import hint

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["doctor"]


@click.command(epilog=as_examples("tuner doctor digits", "tuner doctor digits --recover", "tuner doctor --system"))
@click.argument("study", required=False, shell_complete=complete_studies)
@click.option("--system", is_flag=True, help="Check this machine instead: versions, optional parts, disk.")
@click.option("--recover", "wanted", is_flag=True, help="Write what can be read into a new study, STUDY-recovered.")
@home_option
@output_options()
def doctor(study: str | None, system: bool, wanted: bool, home: Home, output: Output) -> None:
    """Check a STUDY for damage, or this machine. Changes nothing.

    The exit code is 1 if something is damaged. A recovered study holds all whole generations from the first on, and
    goes on from there to the same table.
    """
    if system != (study is None) or (system and wanted):
        raise click.UsageError("tuner doctor: name a STUDY, or ask for --system alone")
    if study is None:
        return check_system(home, output)
    from tuner.api.doctor import examine, recover
    from tuner.store.directory import find
    from tuner.views.sheet import Sheet

    directory = find(study, home)
    found = examine(directory)
    rows = tuple((finding.part, finding.state, with_places(finding.detail, finding.command)) for finding in found)
    output.sheet(Sheet(("part", "state", "detail"), rows, frozenset(("part", "state", "detail"))))
    if wanted and directory.storage is not None:
        raise click.UsageError("tuner doctor: --recover is for files; the database's own backups are for this one")
    if wanted:
        new, rescued = recover(directory)
        onward = copyable(f"tuner run {quote(new.name)}")
        hint(f"recovered {rescued.trials} trials into {in_words(new.path)}; go on with: {onward}")
    if any(finding.state == "damaged" for finding in found):
        click.get_current_context().exit(1)
    return None


def check_system(home: Home, output: Output) -> None:
    """Show what this machine has for studies."""
    from tuner.api.system import system_parts
    from tuner.views.sheet import Sheet

    columns = ("part", "state", "detail")
    output.sheet(Sheet(columns, tuple(system_parts(home)), frozenset(columns)))
