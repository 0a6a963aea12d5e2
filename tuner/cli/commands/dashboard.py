"""`tuner dashboard`: a study in optuna-dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, home_option, open_result, study_argument
from tuner.cli.terminal import hint

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["dashboard"]


@click.command(epilog=as_examples("tuner dashboard digits"))
@study_argument
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@home_option
def dashboard(study: str, port: int, show: bool, home: Home) -> None:
    """Show a STUDY in optuna-dashboard, on this machine alone.

    It is served from memory and follows a study that runs; nothing is written. Ctrl-C ends it.
    """
    result = open_result(study, home)
    from tuner.api.dashboard import Dashboard

    try:
        served = Dashboard(result, port, hint)
    except OSError as error:
        raise click.UsageError(f"--port {port}: {error.strerror or error}; name another, or 0 for any") from error
    with served:
        print(served.url, flush=True)
        hint("Ctrl-C ends it")
        if show:
            import webbrowser

            webbrowser.open(served.url)
        try:
            served.wait()
        except KeyboardInterrupt:
            hint("ended")
