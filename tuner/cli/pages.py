"""Pages of more than one study: of all in a home, and of some beside each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from tuner.api.compare import by_study
from tuner.cli.comparison import compared_rows, notes_of
from tuner.cli.output import in_words, replace_file
from tuner.cli.terminal import hint
from tuner.errors import TunerError
from tuner.report.page.comparison import comparison_page
from tuner.report.page.studies import studies_page
from tuner.result import Result
from tuner.store.backend import write_private
from tuner.store.directory import Home, home_directory, home_in_words, studies
from tuner.text import clean
from tuner.urls import Shared
from tuner.views.settings import differing_settings
from tuner.views.studies import lines_of

__all__ = ["write_comparison", "write_overview"]

MANY = 100  # studies, from which reading them takes long enough to say so
LONGEST = 120  # bytes of the names in a file's name


def write_overview(home: Home, path: Path | None, created: str, force: bool) -> Path:
    """Write the page of all studies, by default into the home, and say where it is."""
    place = path or home_directory(home) / "report.html"
    where = home_in_words(home) if isinstance(home, Shared) else in_words(home_directory(home))
    found = studies(home)
    if not found:
        hint(f"no studies in {where}; `tuner run FILE` makes one")
    if len(found) >= MANY:
        hint(f"reading {len(found):,} studies")
    return written(place, studies_page(lines_of(found, place), clean(where), created), path, force)


def write_comparison(results: Sequence[Result], home: Home, path: Path | None, created: str, force: bool) -> Path:
    """Write the page of studies beside each other, by default into the home, and say where it is.

    Raises UsageError where a study is named twice, NoResult where one has no complete trial.
    """
    names = [result.path.name for result in results]
    if twice := next((a.path.name for i, a in enumerate(results) if a.path in {b.path for b in results[:i]}), ""):
        raise click.UsageError(f"tuner report: {twice!r} is named twice; name another study beside it")
    found = by_study(results)
    settings = differing_settings([result.study for result in results])
    text = comparison_page(results, compared_rows(found), notes_of(found), settings, created)
    return written(path or home_directory(home) / file_name(names), text, path, force)


def file_name(names: Sequence[str]) -> str:
    """Return the name of the file that compares some studies: compare-A-B.html."""
    plain = re.sub(r"[^\w.+-]", "-", "-".join(names)).encode()[:LONGEST].decode("utf-8", "ignore")
    return f"compare-{plain}.html"


def written(place: Path, text: str, asked: Path | None, force: bool) -> Path:
    """Write a page: where it was asked for as other output, in the home as the reports of studies.

    Raises TunerError where the home cannot have it.
    """
    if asked is None:
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(place, text)
        except OSError as error:
            why = error.strerror or error
            raise TunerError(f"{in_words(place)} cannot be written: {why}; name another file with -o FILE") from error
    else:
        replace_file(text.encode(), asked, force)
    hint(f"wrote {clean(in_words(place))}")
    return place
