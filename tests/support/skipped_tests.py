"""Name the tests that were skipped, one a line, from pytest's report in JUnit's form: `skipped_tests REPORT`.

pytest reads such lines from a file: `pytest @FILE`. It ends with an error where one of them is no test.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["skipped_tests"]


def skipped_tests(report: Path, root: Path = Path()) -> list[str]:
    """List the tests below `root` that were skipped; of a module that was skipped whole, its file."""
    cases = [case for case in ElementTree.parse(report).iter("testcase") if case.find("skipped") is not None]
    return sorted({_test_of(case.get("classname") or "", case.get("name") or "", root) for case in cases})


def _test_of(place: str, name: str, root: Path) -> str:
    """Return what pytest calls a test whose place is a dotted name: that of its file, which may go on with a class."""
    parts = (place or name).split(".")
    for end in range(len(parts), 0, -1):
        file = Path(*parts[:end]).with_suffix(".py")
        if (root / file).is_file():
            return "::".join([file.as_posix(), *parts[end:], *([name] if place else [])])
    raise FileNotFoundError(f"{place or name} is in no file below {root.resolve()}")


if __name__ == "__main__":
    for test in skipped_tests(Path(sys.argv[1])):
        print(test)
