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
from tuner.report.page.comparison import comparison_page
from tuner.report.page.studies import studies_page
from tuner.result import Result
from tuner.store.backend import write_private
from tuner.store.directory import Home, home_directory
from tuner.text import clean
from tuner.views.settings import differing_settings
from tuner.views.studies import lines_of_home

__all__ = ["write_comparison", "write_overview"]

MANY = 20  # studies, from which reading them takes long enough to say which is read
LONGEST = 120  # bytes of the names in a file's name


def write_overview(home: Home, path: Path | None, created: str, force: bool) -> Path:
    """Write the page of all studies, by default into the home, and say where it is."""
    place = path or home_directory(home) / "report.html"
    lines = lines_of_home(home, place)
    if not lines:
        hint(f"no studies in {clean(in_words(home_directory(home)))}; `tuner run FILE` makes one")
    return written(place, studies_page(lines, clean(in_words(home_directory(home))), created), path, force)


def write_comparison(results: Sequence[Result], home: Home, path: Path | None, created: str, force: bool) -> Path:
    """Write the page of studies beside each other, by default into the home, and say where it is.

    Raises UsageError where a study is named twice, NoResult where one has no complete trial.
    """
    names = [result.study.name for result in results]
    if twice := next((a.study.name for i, a in enumerate(results) if a.path in {b.path for b in results[:i]}), ""):
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
    """Write a page: where it was asked for as other output, in the home as the reports of studies."""
    if asked is None:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(place, text)
    else:
        replace_file(text.encode(), asked, force)
    hint(f"wrote {clean(in_words(place))}")
    return place
