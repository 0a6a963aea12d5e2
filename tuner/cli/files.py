"""Commands on study files: write one to start from, and check one."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.arguments import set_option
from tuner.cli.output import write
from tuner.cli.text import clean, hint

if TYPE_CHECKING:
    from tuner.spec import Study

__all__ = ["check", "init", "template"]

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
    if os.path.lexists(file) and not force:
        raise click.UsageError(
            f"tuner init: {file}: is there already; choose another name, or add --force to overwrite it"
        )
    if not file.parent.is_dir():
        raise click.UsageError(f"tuner init: {file}: there is no directory {str(file.parent)!r}; make it first")
    if direction and not from_optuna:
        raise click.UsageError(f"tuner init: --{direction} goes with --from-optuna; write it in the file")
    name = file.stem if NAME.fullmatch(file.stem) else TEMPLATE
    if from_optuna:
        from tuner.cli.from_optuna import text_from

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
    package = Path(__file__).resolve().parent.parent
    places = (package / "studies", package.parent / "studies")
    files = [place / f"{TEMPLATE}.toml" for place in places]
    return next((file for file in files if file.is_file()), files[0])


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--repeat", type=click.IntRange(2, 100), help="Run one config so many times, and say where two runs differ."
)
@set_option
def check(file: Path, repeat: int | None, overrides: tuple[str, ...]) -> None:
    """Check a study FILE and its data.

    Prints all that is wrong, or the study with everything filled in. Code of an objective of your own is imported only
    where it is to be run: with --repeat.
    """
    from tuner.spec import read_study

    study = read_study(file, overrides=overrides)
    if repeat is not None:
        from tuner.cli.repeating import repeat_check

        return repeat_check(study, repeat)
    from tuner.errors import StudyError
    from tuner.search import check_search
    from tuner.space import space_of

    if complaints := check_search(study, space_of(study)):
        raise StudyError(*complaints)
    if study.own:
        sys.stdout.write(clean(filled(study).to_toml(), lines=True))
        return hint(f"# {study.own.words} is code, which only `tuner run` and --repeat call; it was not looked at")
    from tempfile import TemporaryDirectory

    from objectives.data.sources import is_function
    from tuner.core.question import ask

    if is_function(str(study.data.source)):
        notes = [f"data: {study.data.source} is code, which only `tuner run` calls; the rows are not checked"]
    else:
        with TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
            question = ask(study, room=Path(folder))
        study, notes = question.study, list(question.notes)
    sys.stdout.write(clean(filled(study).to_toml(), lines=True))
    for note in notes:
        hint(f"# {note}")
    return None


def filled(study: Study) -> Study:
    """The study with no generation larger than its trials: as a file it is no mistake then."""
    size = min(study.search.generation_size, study.trials)
    return replace(study, search=study.search.model_copy(update={"generation_size": size}))
