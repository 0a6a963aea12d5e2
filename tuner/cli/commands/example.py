"""`tuner example`: list the studies that ship, and copy or run one."""

from __future__ import annotations

import shutil
import textwrap
import tomllib
from pathlib import Path

import click

from objectives.errors import Complaint, nearest
from tuner.cli.options import as_examples
from tuner.cli.output import window
from tuner.cli.terminal import hint
from tuner.errors import StudyError
from tuner.text import clean

__all__ = ["example", "shipped"]

CODE = ("objective", "source")  # keys whose "file.py:function" has to be copied, too


@click.command(epilog=as_examples("tuner example", "tuner example digits --run"))
@click.argument("name", default="")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--run", "runs", is_flag=True, help="Run it at once.")
@click.pass_context
def example(ctx: click.Context, name: str, force: bool, runs: bool) -> None:
    """List the studies that ship, or copy the one called NAME."""
    files = examples()
    if not name:
        width = max(map(len, files)) + 2
        for known, file in files.items():
            click.echo(textwrap.fill(f"{known:{width}}{headline(file)}", window(), subsequent_indent=" " * width))
        return hint("copy one into this directory: tuner example NAME")
    if name not in files:
        raise StudyError(Complaint(f"example {name!r}", "is not known", nearest(name, files)))
    sources = [files[name], *code_of(files[name])]
    taken = [path.name for path in sources if Path(path.name).exists()]
    if taken and not force:
        verb = "is" if len(taken) == 1 else "are"
        raise click.UsageError(f"tuner example: {', '.join(taken)}: {verb} there already; add --force to overwrite")
    for path in sources:
        shutil.copyfile(path, path.name)
        click.echo(clean(path.name))
    if not runs:
        return hint(f"next: tuner run {sources[0].name}")
    from tuner.cli.commands.run import run

    ctx.invoke(run, study=sources[0].name)


def shipped(name: str = "") -> Path:
    """Return the path of a shipped study, or of their folder: in a wheel inside the package, in a checkout beside it.

    Where there is neither, returns the path inside the package, whose absence an error then names.
    """
    package = Path(__file__).resolve().parents[2]
    places = [place / name for place in (package / "studies", package.parent / "studies")]
    return next((place for place in places if place.exists()), places[0])


def examples() -> dict[str, Path]:
    """Return the shipped study files by name: `digits`, `course/4-newton`."""
    folder = shipped()
    files = sorted(folder.rglob("*.toml"), key=lambda path: (len(path.parts), path))
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in files if file.stem != "your_table"}


def headline(file: Path) -> str:
    """Return the first sentence of a study file's opening comment."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return lines[0].lstrip("# ") if lines and lines[0].startswith("#") else ""


def code_of(file: Path) -> list[Path]:
    """Return the Python files beside a study file that its objective or data name."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    named = [table[key] for table in tables.values() if isinstance(table, dict) for key in CODE if key in table]
    paths = [file.parent / value.partition(":")[0] for value in named if isinstance(value, str) and ".py" in value]
    return [path for path in paths if path.is_file()]
