"""`tuner serve`: studies over HTTP, queued and run, with a page to watch them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, home_option
from tuner.cli.terminal import hint

if TYPE_CHECKING:
    from tuner.store.directory import Home

__all__ = ["serve"]


@click.command(epilog=as_examples("tuner serve", "tuner serve --host 0.0.0.0 --token-file token --max-runs 2"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others need a token.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="FILE",
    help="File of the token that requests must have; else the variable TUNER_TOKEN.",
)  # fmt: skip
@click.option("--max-runs", type=click.IntRange(1, 256), default=1, show_default=True, help="Studies that run at once.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 1024),
    help="Worker processes of a run; by default runs share the processors.",
)
@click.option("--allow-code", is_flag=True, help="Run code that studies name: objectives, commands, functions.")
@home_option
def serve(
    host: str, port: int, token_file: Path | None, max_runs: int, jobs: int | None, allow_code: bool, home: Home
) -> None:
    """Serve studies over HTTP: run, watch and ask from anywhere.

    Studies are queued and run as processes of their own. They go on when the service is started again, however it
    ended. Data files have to lie below the working directory. Ctrl-C stops the runs and ends it.
    """
    from tuner.service.settings import ServiceSettings, read_token
    from tuner.service.web import WebService
    from tuner.urls import Shared

    if isinstance(home, Shared):
        os.environ["TUNER_STORAGE"] = (
            home.storage
        )  # for the processes of the runs; a command line can be read by others
    settings = ServiceSettings(home, host, port, read_token(token_file), allow_code, max_runs, jobs)
    try:
        service = WebService(settings)
    except OSError as error:
        raise click.UsageError(f"--host {host} --port {port}: {error.strerror or error}; name another") from error

    def ready() -> None:
        print(service.url, flush=True)
        hint("Ctrl-C ends it; runs go on when it is started again")

    with suppress(KeyboardInterrupt):
        service.serve(ready)
    hint("ended")
