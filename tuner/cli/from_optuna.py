"""`tuner init --from-optuna`: asks what the script does not say, and tells what was found."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tuner.cli.text import clean, hint

__all__ = ["text_from"]


def text_from(objective: str, direction: str | None, file: Path, name: str, overrides: tuple[str, ...] = ()) -> str:
    """The text of a study file for an objective of Optuna's; notes on it go to standard error. Raises StudyError.

    `overrides` are KEY=VALUE, which the file says in the place of the script.
    """
    from tuner.own.from_optuna import direction_of, drafted, explored, study_text

    hint(f"calling {objective}, once to its end: that takes as long as a trial")
    found = explored(objective, direction or "", [text.partition("=")[0].strip() for text in overrides])
    draft = drafted(objective, found, direction_of(found, direction, ask if sys.stdin.isatty() else None))
    count = len(found.calls)
    several = "" if len(draft.parameters) == 1 else "s"
    hint(f"{len(draft.parameters)} parameter{several} found in {count} calls; the first took {found.seconds:.2g} s")
    for note in draft.notes:
        hint(f"# {clean(note)}")
    return study_text(draft, file, name, overrides)


def ask() -> str:
    """Ask for the direction."""
    return str(
        click.prompt("is its value to", type=click.Choice(["minimize", "maximize"]), default="minimize", err=True)
    )
