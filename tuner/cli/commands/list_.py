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


@click.command("list", epilog=as_examples("tuner list", "tuner list -f json"))
@home_option
@output_options()
def list_studies(home: Home, output: Output) -> None:
    """List all studies."""
    from tuner.errors import TunerError
    from tuner.store.directory import home_directory, home_in_words, studies
    from tuner.text import interval_text
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
        "confirmed": [interval_text(*cells[-5:-2]) for cells in rows],
        "age": [age_text(s.age) for s in found],
    }
    always, asides = frozenset(("name", "trials", "age")), frozenset(("planned", "low", "high", "description"))
    titles = {"best": "search", "confirmed": "final"}
    order = ("name", "trials", "best", "confirmed", "age")  # what does not fit a window is left out from the end
    output.sheet(Sheet(COLUMNS, rows, always, asides, views=views, titles=titles, order=order))
