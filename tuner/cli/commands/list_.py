"""`tuner list`: the studies that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tuner.cli.options import as_examples, home_option
from tuner.cli.output import Output, in_words, output_options
from tuner.cli.terminal import errors_to, hint

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["list_studies"]

BRIEF = 40  # characters of a note in a table


@click.command("list", epilog=as_examples("tuner list", "tuner list -f json"))
@home_option
@output_options()
def list_studies(home: Home, output: Output) -> None:
    """List all studies."""
    from tuner.errors import TunerError
    from tuner.store.directory import home_directory, home_in_words, studies
    from tuner.text import clean, interval_text
    from tuner.urls import Shared
    from tuner.views.overview import COLUMNS, DAMAGED, Overview, age_text, overview, row
    from tuner.views.sheet import Sheet

    found: list[Overview] = []
    for directory in studies(home):
        try:
            found.append(overview(directory))
        except (*DAMAGED, TunerError) as error:
            errors_to([f"{directory.name}: cannot be read: {(str(error).splitlines() or [''])[0]}"], "warning")
    if not found:
        where = home_in_words(home) if isinstance(home, Shared) else in_words(home_directory(home))
        hint(f"no studies in {where}; `tuner run FILE` makes one, `tuner init` writes a FILE")
        if output.form == "table" and output.path is None:
            return
    rows = tuple(map(row, found))
    views: dict[str, list[Any]] = {
        "trials": [s.trials if s.trials == s.planned else f"{s.trials}/{s.planned}" for s in found],
        "confirmed": [interval_text(s.mean, s.low, s.high) for s in found],
        "age": [age_text(s.age) for s in found],
        "note": [beginning(clean(s.notes.text or s.notes.problem)) for s in found],
    }
    noted = [name for name in ("tags", "note") if any(cells[COLUMNS.index(name)] for cells in rows)]
    always, asides = frozenset(("name", "trials", "age", *noted)), frozenset(("planned", "low", "high", "description"))
    titles = {"best": "search", "confirmed": "final"}
    # what does not fit a window is left out from the end
    order = ("name", "trials", "best", "confirmed", "age", "tags", "note")
    output.sheet(Sheet(COLUMNS, rows, always, asides, views=views, titles=titles, order=order))


def beginning(text: str) -> str:
    """Cut a text to what a column has room for."""
    return text if len(text) <= BRIEF else f"{text[: BRIEF - 4].rstrip()} ..."
