"""The generated parts of the manual: what stands between `<!-- generated: NAME -->` and `<!-- end -->` of a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.docs import architecture, reference
from tests.support import feature_table, framework_gaps

__all__ = ["FRAMEWORKS", "PARTS", "filled", "pages", "part_of"]

PAGES = Path(__file__).parents[2] / "tuner" / "docs"
PARTS: dict[str, Callable[[], str]] = {
    "keys": reference.key_reference,
    "commands": reference.command_reference,
    "python": reference.python_reference,
    "frames": reference.frame_reference,
    "features": feature_table.table,
    "packages": architecture.package_map,
}
FRAMEWORKS: dict[str, Callable[[], str]] = {"gaps": framework_gaps.table}  # trains with all four
PART = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)


def pages() -> list[Path]:
    """Return the files of all pages."""
    return sorted(PAGES.glob("*.md"))


def filled(text: str, parts: dict[str, Callable[[], str]]) -> str:
    """Return a page with those of its generated parts made again that are in `parts`."""

    def part(found: re.Match[str]) -> str:
        name = found["name"]
        return f"{found[1]}\n{parts[name]()}\n\n" if name in parts else found[0]

    return PART.sub(part, text)


def part_of(text: str, name: str) -> str:
    """Return a generated part as it stands in a page."""
    (found,) = (one for one in PART.finditer(text) if one["name"] == name)
    return found[0].partition("\n")[2].strip()
