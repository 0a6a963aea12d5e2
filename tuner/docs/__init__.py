"""The manual: pages in Markdown, which `tuner docs` shows in a terminal and mkdocs builds as a site.

`index.md` is the table of contents of both: it lists every page by section, with a line each. A topic is the name of a
page without its suffix. The pages ship with the package, so they can be read without a network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from objectives.errors import Complaint, InvalidInput, nearest

__all__ = ["Page", "load_page", "load_pages"]

FOLDER = Path(__file__).parent
ENTRY = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<topic>[a-z-]+)\.md\): (?P<summary>.+)$")


@dataclass(frozen=True)
class Page:
    """A page of the manual: its section and title, and what it is about in a line."""

    topic: str
    title: str
    section: str
    summary: str


def load_pages() -> list[Page]:
    """Return every page in the order of the table of contents."""
    pages: list[Page] = []
    section = ""
    for line in (FOLDER / "index.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif entry := ENTRY.match(line):
            pages.append(Page(entry["topic"], entry["title"], section, entry["summary"]))
    return pages


def load_page(topic: str) -> str:
    """Return the Markdown of a page. Raises InvalidInput with the nearest topic for one that does not exist."""
    topics = [page.topic for page in load_pages()]
    if topic not in topics:
        raise InvalidInput(Complaint("tuner docs", f"no page {topic!r}", nearest(topic, topics)))
    return (FOLDER / f"{topic}.md").read_text(encoding="utf-8")
