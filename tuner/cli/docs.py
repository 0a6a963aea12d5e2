"""`tuner docs [TOPIC]`: the manual in the terminal."""

from __future__ import annotations

import io
import re
import sys

import click
from click.shell_completion import CompletionItem

from tuner.cli.output import window
from tuner.cli.text import coloured, hint

__all__ = ["docs", "listed", "rendered"]

IMAGE = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n+", flags=re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\(([a-z-]+)\.md(?:#[\w-]+)?\)")


def complete_topics(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a page."""
    from tuner.docs import load_pages

    del ctx, parameter
    pages = load_pages()
    return [CompletionItem(page.topic, help=page.summary) for page in pages if page.topic.startswith(incomplete)]


@click.command("docs")
@click.argument("topic", required=False, shell_complete=complete_topics)
def docs(topic: str | None) -> None:
    """Show a page of the manual.

    Without TOPIC, list the pages. In a pipe or a file the page is Markdown.
    """
    from tuner.docs import load_page

    if topic is None:
        print(listed())
        hint("`tuner docs TOPIC` shows one of them.")
    elif sys.stdout.isatty():
        sys.stdout.write(rendered(load_page(topic), window(), coloured(sys.stdout)))
    else:
        sys.stdout.write(load_page(topic))


def listed() -> str:
    """Return the table of contents: a line a page, by section."""
    from tuner.docs import load_pages

    pages = load_pages()
    widest = max(len(page.topic) for page in pages)
    sections: dict[str, list[str]] = {}
    for page in pages:
        sections.setdefault(page.section, []).append(f"  {page.topic:{widest}}  {page.summary}")
    return "\n\n".join("\n".join([section, *lines]) for section, lines in sections.items())


def rendered(text: str, width: int, colour: bool) -> str:
    """Render a page of the manual for a terminal: pictures are left out, links become commands."""
    from rich.console import Console
    from rich.markdown import Markdown

    plain = LINK.sub(r"\1 (`tuner docs \2`)", IMAGE.sub("", text))
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="standard" if colour else None)
    console.print(Markdown(plain, hyperlinks=False, code_theme="ansi_dark"))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines) + "\n"
