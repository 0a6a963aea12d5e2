"""`tuner report`: the page, or its charts one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, complete_studies, home_option, open_result
from tuner.cli.output import check_place, in_words, replace_file
from tuner.cli.terminal import hint
from tuner.text import clean

if TYPE_CHECKING:
    from tuner.result import Result
    from tuner.store.directory import Home

__all__ = ["report", "write_report"]

LARGE = 1000  # trials, from which a report takes long enough to say what it is doing
STAGES = {
    "findings": "looking for findings",
    "charts": "making charts",
    "pictures": "drawing them",
    "page": "writing the page",
}


@click.command(
    epilog=as_examples(
        "tuner report digits --open", "tuner report", "tuner report digits digits-2",
        "tuner report digits --figures figures --format pdf",
    )
)  # fmt: skip
@click.argument("studies", nargs=-1, metavar="[STUDY]...", shell_complete=complete_studies)
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@click.option("--figures", type=click.Path(path_type=Path), metavar="DIR", help="Write the charts one by one instead.")
@click.option("--format", "form", type=click.Choice(["svg", "png", "pdf"]), default="svg", show_default=True,
              help="Of the charts.")  # fmt: skip
@click.option("--only", multiple=True, metavar="CHART", help="Write only this chart; may be repeated.")
@click.option("--dated", is_flag=True, help="Show in the page when it was written.")
@click.option("--force", is_flag=True, help="Replace files that exist under the names of -o or --figures.")
@home_option
def report(
    studies: tuple[str, ...],
    path: Path | None,
    show: bool,
    figures: Path | None,
    form: str,
    only: tuple[str, ...],
    dated: bool,
    force: bool,
    home: Home,
) -> None:
    """Write the report of a STUDY: one HTML file, complete offline.

    Without a STUDY, write a page of all studies; with two or more, a page that compares them. The report of a study
    lies in its directory, the others beside the studies, unless -o says where. The same ledgers and notes give the
    same bytes.
    """
    if figures is not None:
        if path is not None or show:
            raise click.UsageError("--figures writes pictures and no page: leave out -o and --open")
        if len(studies) != 1:
            raise click.UsageError(f"--figures writes the charts of one study, but got {len(studies)}")
        return write_figures(open_result(studies[0], home), figures, form, only, force)
    if only:
        raise click.UsageError("--only chooses among the charts that --figures DIR writes")
    if path is not None:
        check_place(path, force)
    place = write_page(studies, home, path, dated, force)
    if show:
        import webbrowser

        webbrowser.open(place.resolve().as_uri())
    return None


def write_page(studies: Sequence[str], home: Home, path: Path | None, dated: bool, force: bool) -> Path:
    """Write the page of one study, of several, or of all."""
    if len(studies) == 1:
        return write_report(open_result(studies[0], home), path, dated, force)
    from tuner.cli.pages import write_comparison, write_overview

    created = now() if dated else ""
    if studies:
        return write_comparison([open_result(study, home) for study in studies], home, path, created, force)
    return write_overview(home, path, created, force)


def now() -> str:
    """Return the time as pages show it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def write_report(result: Result, path: Path | None = None, dated: bool = False, force: bool = False) -> Path:
    """Write the page and say where it is."""
    created = now() if dated else ""
    place = result.report(
        path, created, stages(len(result.all_trials)), lambda file, data: replace_file(data, file, force)
    )
    hint(f"wrote {in_words(place)}")
    return place


def stages(trials: int) -> Callable[[str], None]:
    """Print each stage of a large report as it begins."""
    began = time.monotonic()

    def tell(stage: str) -> None:
        if trials >= LARGE:
            hint(f"{time.monotonic() - began:4.1f} s  {STAGES[stage]}")

    return tell


def write_figures(result: Result, directory: Path, form: str, only: Sequence[str], force: bool) -> None:
    """Write the charts and say which. Raises NoResult where there is nothing to draw."""
    from tuner.errors import NoResult

    if directory.exists() and not directory.is_dir():
        raise click.UsageError(f"--figures {clean(directory)}: is a file; name a directory")
    written = result.figures(directory, form, only, lambda file, data: replace_file(data, file, force, "--figures"))
    if not written:
        raise NoResult(f"study {result.study.name!r} has nothing to draw yet")
    for file in written:
        print(clean(in_words(file)))
