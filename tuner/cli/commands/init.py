"""`tuner init`: a study file to start from, or one of an objective of Optuna's."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from tuner.cli.output import write
from tuner.cli.terminal import clean, hint

__all__ = ["init", "template"]

TEMPLATE = "your_table"
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,60}[A-Za-z0-9_-])?")


@click.command
@click.argument("file", type=click.Path(path_type=Path), default=Path("study.toml"))
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
@click.option(
    "--from-optuna",
    metavar="SCRIPT:OBJECTIVE",
    help="Write the study of an objective of Optuna's: it is called to find what it searches, and runs as it is.",
)
@click.option("--minimize", "direction", flag_value="minimize", help="With --from-optuna: its value is to be small.")
@click.option("--maximize", "direction", flag_value="maximize", help="With --from-optuna: its value is to be large.")
def init(file: Path, force: bool, from_optuna: str | None, direction: str | None) -> None:
    """Write a commented study file to start from.

    FILE is study.toml by default; the study is named after it.
    """
    if file.suffix != ".toml":
        raise click.UsageError(f"tuner init: {file}: a study file ends in .toml; try {file}.toml")
    if file.exists() and not force:
        raise click.UsageError(
            f"tuner init: {file}: is there already; choose another name, or add --force to overwrite it"
        )
    if not file.parent.is_dir():
        raise click.UsageError(f"tuner init: {file}: there is no directory {str(file.parent)!r}; make it first")
    if direction and not from_optuna:
        raise click.UsageError(f"tuner init: --{direction} goes with --from-optuna; write it in the file")
    name = file.stem if NAME.fullmatch(file.stem) else TEMPLATE
    if from_optuna:
        write(text_from(from_optuna, direction, file, name), file)
        print(clean(file))
        return hint(f"the objective runs as it is: tuner run {file}")
    text = template().read_text(encoding="utf-8").replace(f"{TEMPLATE}.toml", str(file))
    write("".join(named(line, name) for line in text.splitlines(keepends=True)), file)
    print(clean(file))
    return hint(f"write in [data] where your table is, then: tuner check {file}")


def named(line: str, name: str) -> str:
    """A line of the template with another name in it, and its comment where it was."""
    code, mark, comment = line.replace(TEMPLATE, name).partition("  # ")
    width = line.find(mark) if mark and code.strip() else 0
    return f"{code.rstrip():{width}}{mark}{comment}" if width else f"{code}{mark}{comment}"


def template() -> Path:
    """The template that ships: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(__file__).resolve().parents[2]
    places = (package / "studies", package.parent / "studies")
    files = [place / f"{TEMPLATE}.toml" for place in places]
    return next((file for file in files if file.is_file()), files[0])


def text_from(objective: str, direction: str | None, file: Path, name: str) -> str:
    """The text of a study file for an objective of Optuna's; notes on it go to standard error. Raises StudyError."""
    from tuner.trainables.optuna_script.study_text import direction_of, drafted, explored, study_text

    hint(f"calling {objective}, once to its end: that takes as long as a trial")
    found = explored(objective)
    draft = drafted(objective, found, direction_of(found, direction, ask if sys.stdin.isatty() else None))
    count = len(found.calls)
    several = "" if len(draft.parameters) == 1 else "s"
    hint(f"{len(draft.parameters)} parameter{several} found in {count} calls; the first took {found.seconds:.2g} s")
    for note in draft.notes:
        hint(f"# {clean(note)}")
    return study_text(draft, file, name)


def ask() -> str:
    """Ask for the direction."""
    return str(
        click.prompt("is its value to", type=click.Choice(["minimize", "maximize"]), default="minimize", err=True)
    )
