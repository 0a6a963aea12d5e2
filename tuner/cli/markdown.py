"""Pages of the manual as text for a terminal."""

from __future__ import annotations

import io
import re

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.table import Table

__all__ = ["rendered"]

IMAGE = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n+", flags=re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\(([a-z-]+)\.md(?:#[\w-]+)?\)")


class FoldedTable(TableElement):
    """A table that breaks long words; rich would cut them off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            for column in part.columns if isinstance(part, Table) else ():
                column.overflow = "fold"
            yield part


class Page(Markdown):
    """Markdown with tables that lose nothing."""

    elements = {**Markdown.elements, "table_open": FoldedTable}  # noqa: RUF012


def rendered(text: str, width: int, colour: bool) -> str:
    """Render a page for a terminal: pictures are left out, links become commands."""
    plain = LINK.sub(r"\1 (`tuner docs \2`)", IMAGE.sub("", text))
    place = io.StringIO()
    console = Console(file=place, width=width, force_terminal=True, color_system="standard" if colour else None)
    console.print(Page(plain, hyperlinks=False, code_theme="ansi_dark"))
    return "\n".join(line.rstrip() for line in place.getvalue().splitlines()) + "\n"
