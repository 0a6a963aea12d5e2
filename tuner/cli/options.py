"""Arguments that several commands share, and how a command finds its study."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from tuner.cli.copyable import remember_places

if TYPE_CHECKING:
    from tuner.result import Result
    from tuner.store.directory import Home

__all__ = [
    "as_examples",
    "check_optimizer",
    "complete_studies",
    "home_option",
    "local_home_option",
    "open_result",
    "optimizer_option",
    "set_option",
    "shared_home_option",
    "study_argument",
]


def as_examples(*lines: str) -> str:
    """Build the end of a command's help: an example a line, as they are typed."""
    return "\n".join(["\b", f"Example{'s' if len(lines) > 1 else ''}:", *(f"  {line}" for line in lines)])


def complete_studies(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete names of studies, and of files where the command takes one."""
    from tuner.store.directory import studies

    del parameter
    names = [study.name for study in studies(ctx.params.get("home"))]
    found = [CompletionItem(name) for name in names if name.startswith(incomplete) and name.isprintable()]
    files = ctx.command.name == "run"
    return [*found, CompletionItem(incomplete, type="file")] if files or not found else found


local_home_option = click.option(
    "--home",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar="TUNER_HOME",
    show_envvar=True,
    help="Directory of the studies; by default ./runs.",
)
STORAGE = click.option(
    "--storage",
    metavar="URL",
    envvar="TUNER_STORAGE",
    show_envvar=True,
    help="A database that keeps the ledgers: postgresql+psycopg://USER@HOST/NAME.",
)
study_argument = click.argument("study", shell_complete=complete_studies)
optimizer_option = click.option("--optimizer", metavar="NAME", help="Only trials of this optimizer.")
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a key of the study file, like --set optimizers.adam.lr.high=0.3; may be repeated.",
)


def shared_home_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --home to a command whose --storage means something else; the variable TUNER_STORAGE still applies."""

    @wraps(command)
    def wrapped(*, home: Path | None, **rest: Any) -> Any:
        from tuner.store.directory import home_of

        remember_places()
        return command(home=home_of(home), **rest)

    return local_home_option(wrapped)


def home_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --home and --storage to a command, which receives them as one `home`."""

    @wraps(command)
    def wrapped(*, home: Path | None, storage: str | None, **rest: Any) -> Any:
        from tuner.store.directory import home_of

        remember_places()
        return command(home=home_of(home, storage), **rest)

    return local_home_option(STORAGE(wrapped))


def open_result(study: str, home: Home) -> Result:
    """Open a study's result. Raises UnknownStudy with the nearest names."""
    # the name is looked for before anything heavy is imported
    from tuner.store.directory import find

    directory = find(study, home)
    from tuner.result import Result

    return Result(directory)


def check_optimizer(result: Result, optimizer: str | None) -> None:
    """Check that the study has an optimizer. Raises UsageError."""
    known = list(result.study.optimizers)
    if optimizer is not None and optimizer not in known:
        from tuner.study import suggest

        hint = suggest(optimizer, known)
        raise click.UsageError(f"--optimizer {optimizer!r}: study {result.study.name!r} does not have it; {hint}")
