"""`tuner docs [TOPIC]`: the manual in the terminal."""

from __future__ import annotations

import sys

import click
from click.shell_completion import CompletionItem

from tuner.cli.options import as_examples
from tuner.cli.output import window
from tuner.cli.terminal import coloured, hint

__all__ = ["docs", "listed"]


def complete_topics(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a page."""
    from tuner.docs import load_pages

    del ctx, parameter
    pages = load_pages()
    return [CompletionItem(page.topic, help=page.summary) for page in pages if page.topic.startswith(incomplete)]


@click.command("docs", epilog=as_examples("tuner docs", "tuner docs first-study"))
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
        from tuner.cli.markdown import rendered

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
