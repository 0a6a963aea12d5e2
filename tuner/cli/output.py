"""The one way out for rows and text: to stdout or to a file, in the format that was asked for.

A file that is there is replaced only where that loses nothing: it is empty, or says the same already. Otherwise
`--force` is asked for, whoever wrote it, and so it is for what a symbolic link leads to. It is replaced in one step, so
a full disk leaves the old one as it was. Devices and pipes, /dev/stdout among them, are written to.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from tuner.cli.terminal import hint, styled
from tuner.text import clean
from tuner.views.sheet import FOR_READING, FORMATS, Sheet, filtered, fitted, formatted, parquet

__all__ = [
    "SUFFIXES",
    "Output",
    "check_place",
    "fit_window",
    "force_option",
    "in_words",
    "is_special",
    "output_options",
    "put",
    "replace_file",
    "to_file",
    "too_wide",
    "window",
    "write",
]

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".md": "md",
    ".parquet": "parquet",
    ".tex": "latex",
    ".txt": "table",
}
READABLE = 100  # columns of a line of words
force_option = click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")


@dataclass(frozen=True)
class Output:
    """Where rows go and how they look."""

    form: str
    path: Path | None
    all_columns: bool = False
    force: bool = False

    def sheet(self, sheet: Sheet, *notes: str) -> None:
        """Print or write a sheet. What a table hides is told on stderr, with `notes` about it."""
        if self.form == "parquet":
            return put(parquet(sheet), self.path, self.force)
        if self.form not in FOR_READING:
            return put(formatted(sheet, self.form), self.path, self.force)
        shown, hidden = filtered(sheet, self.all_columns)
        dropped: list[str] = []
        if self.path is None and self.form == "table" and not self.all_columns:
            shown, dropped = fit_window(shown)
        text = formatted(shown, self.form)
        put(_headed(text) if self.form == "table" and self.path is None else text, self.path, self.force)
        for note in (*notes, *_footers(hidden, dropped)):
            hint("\n".join(wrapped(note)) if _is_terminal() else note)
        return None


def wrapped(note: str) -> list[str]:
    """Break a note at words into lines that fit the window."""
    return textwrap.wrap(note, window(), break_long_words=False, break_on_hyphens=False)


def window() -> int:
    """Return the columns available for text: the terminal's, or as many as read well if it is wider or no terminal."""
    return min(shutil.get_terminal_size().columns, READABLE) if _is_terminal() else READABLE


def fit_window(sheet: Sheet) -> tuple[Sheet, list[str]]:
    """Return the sheet with the columns that fit a terminal, and those left out; elsewhere the whole sheet."""
    return fitted(sheet, shutil.get_terminal_size().columns) if _is_terminal() else (sheet, [])


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _headed(table: str) -> str:
    head, _, body = table.partition("\n")
    return f"{styled(head, 'bold', sys.stdout)}\n{body}"


def _footers(hidden: list[str], dropped: list[str]) -> list[str]:
    lines = [f"columns left out: {', '.join(hidden)} (--all-columns)"] if hidden else []
    return [*lines, *too_wide(dropped)]


def too_wide(dropped: list[str]) -> list[str]:
    """Say that columns did not fit the terminal, if there are any."""
    return [f"too wide for this window: {', '.join(dropped)} (--all-columns)"] if dropped else []


def put(content: str | bytes, path: Path | None, force: bool = False) -> None:
    """Write a result to stdout, or to a file in one step."""
    if path is not None:
        return to_file(content, path, force)
    if isinstance(content, str):
        sys.stdout.write(content)
    elif _is_terminal():
        raise click.UsageError("this format is not text; name a file with -o")
    else:
        sys.stdout.buffer.write(content)
    return None


def to_file(content: str | bytes, path: Path, force: bool = False) -> None:
    """Write a file and say so. Raises UsageError for a place that cannot be written or is taken, TunerError."""
    replace_file(content, path, force)
    hint(f"wrote {path}")


def replace_file(content: str | bytes, path: Path, force: bool = False, option: str = "-o") -> None:
    """Write a file. Raises UsageError for a place that cannot be written or is taken, TunerError."""
    from tuner.errors import TunerError

    check_place(path, force, option)
    data = content.encode() if isinstance(content, str) else content
    try:
        if taken := "" if force else _taken(path, data):
            raise click.UsageError(f"{option} {path}: {taken}; choose another name, or add --force to replace it")
        write(data, path)
    except OSError as error:
        kept = "" if is_special(path) else "; what was there is as it was" if path.exists() else "; nothing was written"
        raise TunerError(f"{option} {path}: {error.strerror or error}{kept}") from error


def check_place(path: Path, force: bool = False, option: str = "-o") -> None:
    """Raise UsageError where no file can be, or only what a link leads to: before any work is done for it."""
    if path.is_dir():
        raise click.UsageError(f"{option} {path}: is a directory; name a file in it")
    if not path.parent.is_dir():
        raise click.UsageError(f"{option} {path}: there is no directory {str(path.parent)!r}; make it first")
    if path.is_symlink() and not is_special(path) and not force:
        what = f"is a link to {os.readlink(path)}"
        raise click.UsageError(f"{option} {path}: {what}; name that, or add --force to replace what it leads to")


def _taken(path: Path, data: bytes) -> str:
    """Say why a place is not free for data: what would be lost there; empty where nothing would."""
    if is_special(path) or not path.exists():
        return ""
    size = path.stat().st_size
    same = size == len(data) and path.read_bytes() == data
    return "" if same or not size else "is there already, and says something else"


def write(content: str | bytes, path: Path) -> None:
    """Write a file in one step, where a link leads to; a device or a pipe is written to, never replaced."""
    from tuner.drafts import clear_left, written_whole

    data = content.encode() if isinstance(content, str) else content
    # /dev/stdout is a link: replacing it would take it away from every program on the machine
    if is_special(path):
        path.write_bytes(data)
        return
    place = path.resolve()
    clear_left(place.parent, place.name)
    written_whole(place, data)


def output_options(default: str = "table") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add -f, -o, --force and --all-columns to a command, which receives them as one `output`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def wrapped(*, form: str | None, path: Path | None, all_columns: bool, force: bool, **rest: Any) -> Any:
            output = Output(_form(form, path, default), path, all_columns, force)
            if path is not None:
                check_place(path, force)
            return command(output=output, **rest)

        shown = f"Format; by default from the suffix of FILE, else {default}."
        form = click.option("-f", "--format", "form", type=click.Choice([*FORMATS, "parquet"]), help=shown)
        path = click.option(
            "-o", "--output", "path", type=click.Path(path_type=Path), metavar="FILE", help="Write a file."
        )
        wide = click.option("--all-columns", is_flag=True, help="Show constant and empty columns too.")
        return form(path(force_option(wide(wrapped))))

    return decorate


def is_special(path: Path) -> bool:
    """Return True for a device, a pipe, or a path of one of the process's own descriptors."""
    system = path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))
    return path.exists() and (system or not path.is_file())


def _form(form: str | None, path: Path | None, default: str) -> str:
    """Return the requested format, else the one that the file's suffix names."""
    if form is not None or path is None or (is_special(path) and path.suffix.lower() not in SUFFIXES):
        return form or default
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise click.UsageError(
            f"-o {clean(path)}: no format has the suffix {path.suffix!r}; use one of {known}, or add -f"
        )
    return SUFFIXES[path.suffix.lower()]


def in_words(path: Path) -> str:
    """Shorten a path as people type it: relative where it is below the working directory."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
