"""Studies as lines of one page: read one by one, and a damaged one does not hide the others."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from tuner.errors import TunerError
from tuner.report.page.studies import StudyLine, standing_line
from tuner.result import Result
from tuner.store.directory import StudyDirectory
from tuner.text import clean
from tuner.views.overview import DAMAGED

__all__ = ["lines_of"]


def lines_of(studies: Iterable[StudyDirectory], page: Path) -> list[StudyLine]:
    """Return a line for each study, the last one that ran first; links lead from the file `page` to reports."""
    found = [line_of(directory, page) for directory in studies]
    return [line for _, line in sorted(found, key=lambda one: (-one[0], one[1].name))]


def line_of(directory: StudyDirectory, page: Path) -> tuple[float, StudyLine]:
    """Return when a study last ran, in seconds since 1970, and its line."""
    try:
        when = directory.changed()
        said = standing_line(Result(directory))
    except (*DAMAGED, TunerError) as error:
        return 0.0, StudyLine(directory.name, problem=clean((str(error).splitlines() or [""])[0]))
    link, note = link_of(directory, page, when)
    ran = f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC"
    return when, StudyLine(directory.name, when=ran, link=link, link_note=note, **said)


def link_of(directory: StudyDirectory, page: Path, when: float) -> tuple[str, str]:
    """Return the way from a page to a study's report, "" where there is none, and whether the study is newer."""
    try:
        written = directory.report.stat().st_mtime
    except OSError:
        return "", ""
    way = quote(os.fsencode(os.path.relpath(directory.report, page.absolute().parent)))
    return f"./{way}", " (written before the last run)" if written < when else ""
