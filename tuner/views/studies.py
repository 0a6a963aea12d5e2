"""All studies of a home as lines of one page: read one by one, and a damaged one does not hide the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from tuner.errors import TunerError
from tuner.report.page.studies import StudyLine, standing_line
from tuner.result import Result
from tuner.store.directory import Home, StudyDirectory, studies
from tuner.views.overview import DAMAGED

__all__ = ["lines_of_home"]


def lines_of_home(home: Home, page: Path, watch: Callable[[str], None] = lambda name: None) -> list[StudyLine]:
    """Return a line for each study, the last one that ran first; links lead from the file `page` to reports.

    Calls `watch` with the name of each study before it is read.
    """
    found: list[tuple[float, StudyLine]] = []
    for directory in studies(home):
        watch(directory.name)
        found.append(line_of(directory, page))
    return [line for _, line in sorted(found, key=lambda one: (-one[0], one[1].name))]


def line_of(directory: StudyDirectory, page: Path) -> tuple[float, StudyLine]:
    """Return when a study last ran, in seconds since 1970, and its line."""
    try:
        when = directory.changed()
        said = standing_line(Result(directory))
    except (*DAMAGED, TunerError) as error:
        return 0.0, StudyLine(directory.name, problem=(str(error).splitlines() or [""])[0])
    link, note = link_of(directory, page, when)
    ran = f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC"
    return when, StudyLine(directory.name, when=ran, link=link, link_note=note, **said)


def link_of(directory: StudyDirectory, page: Path, when: float) -> tuple[str, str]:
    """Return the way from a page to a study's report, "" where there is none, and whether the study is newer."""
    try:
        written = directory.report.stat().st_mtime
    except OSError:
        return "", ""
    way = quote(os.path.relpath(directory.report, page.absolute().parent))
    return f"./{way}", " (written before the last run)" if written < when else ""
