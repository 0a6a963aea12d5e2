"""Name the test files in which something was skipped, from pytest's report in JUnit's form: `skipped_files REPORT`."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["skipped_files"]


def skipped_files(report: Path) -> list[Path]:
    """List the files of the cases that were skipped; a module that was skipped whole has its name in `name`."""
    cases = [case for case in ElementTree.parse(report).iter("testcase") if case.find("skipped") is not None]
    return sorted({file_of((case.get("classname") or case.get("name") or "").split(".")) for case in cases})


def file_of(parts: list[str]) -> Path:
    """Find the file of a dotted name, which may go on with a class."""
    files = (Path(*parts[:end]).with_suffix(".py") for end in range(len(parts), 0, -1))
    return next(file for file in files if file.is_file())


if __name__ == "__main__":
    for found in skipped_files(Path(sys.argv[1])):
        print(found)
