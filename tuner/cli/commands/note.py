"""`tuner note`: what a user wants to remember of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, complete_studies, home_option
from tuner.cli.terminal import hint
from tuner.text import clean

if TYPE_CHECKING:
    from tuner.store.directory import Home
    from tuner.store.notes import StudyNotes

__all__ = ["note"]


@click.command(
    epilog=as_examples('tuner note digits "the one of figure 2"', "tuner note digits --tag paper", "tuner note digits")
)
@click.argument("study", shell_complete=complete_studies)
@click.argument("text", required=False)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Add a tag; may be repeated.")
@click.option("--untag", multiple=True, metavar="TAG", help="Remove a tag; may be repeated.")
@home_option
def note(study: str, text: str | None, tags: tuple[str, ...], untag: tuple[str, ...], home: Home) -> None:
    """Note a TEXT on a STUDY, or tags, or show both.

    A TEXT replaces the one before; "" removes it. Notes change no table and make no study another one; they may change
    while the study runs.
    """
    from tuner.store.directory import find
    from tuner.store.notes import change_notes, read_notes

    directory = find(study, home)
    if text is None and not tags and not untag:
        show_notes(read_notes(directory), directory.name)
        return
    before = read_notes(directory)
    if (missing := sorted(set(untag) - set(before.tags))) and not before.problem:
        raise click.UsageError(f"--untag {missing[0]}: study {directory.name!r} has no such tag")
    show_notes(change_notes(directory, lambda notes: changed(notes, text, tags, untag)), directory.name)


def changed(notes: StudyNotes, text: str | None, tags: tuple[str, ...], untag: tuple[str, ...]) -> StudyNotes:
    """Return the notes with another text, where one is given, and other tags."""
    from dataclasses import replace

    return replace(notes, text=notes.text if text is None else text.strip()).tagged(tags, untag)


def show_notes(notes: StudyNotes, study: str) -> None:
    """Print the notes of a study: its tags, and its text with its lines."""
    if not notes:
        hint(f"nothing is noted of {clean(study)}; `tuner note STUDY TEXT` writes a note")
    if notes.tags:
        print(clean(f"tags: {', '.join(notes.tags)}"))
    if words := notes.text or notes.problem:
        print(clean(words, lines=True))
