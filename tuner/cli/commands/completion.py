"""`tuner completion`: a script for a shell, and the answers that it asks for."""

from __future__ import annotations

import os
import sys

import click
from click.shell_completion import get_completion_class, shell_complete

from tuner.cli.options import as_examples

__all__ = ["VARIABLE", "completed", "completion"]

VARIABLE = "_TUNER_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
WHERE = {
    "bash": 'add to ~/.bashrc: eval "$(tuner completion bash)"',
    "zsh": 'add to ~/.zshrc: eval "$(tuner completion zsh)"',
    "fish": "tuner completion fish > ~/.config/fish/completions/tuner.fish",
}


@click.command("completion", epilog=as_examples("tuner completion bash"))
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a completion script for a shell.

    \b
    bash: add to ~/.bashrc   eval "$(tuner completion bash)"
    zsh:  add to ~/.zshrc    eval "$(tuner completion zsh)"
    fish: tuner completion fish > ~/.config/fish/completions/tuner.fish
    """
    from tuner.cli.terminal import hint

    kind = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    if shell == "bash":
        # its source() starts a bash to look at the version; the text alone is wanted
        sys.stdout.write(_bash(kind(root, {}, "tuner", VARIABLE)))
    else:
        sys.stdout.write(kind(root, {}, "tuner", VARIABLE).source() + "\n")
    if sys.stdout.isatty():
        hint(WHERE[shell])


def _bash(complete: object) -> str:
    template, variables = complete.source_template, complete.source_vars()  # type: ignore[attr-defined]
    return str(template % variables) + "\n"


def completed(program: click.Command) -> int:
    """Answer a shell that asks what could stand here."""
    return shell_complete(program, {}, "tuner", VARIABLE, os.environ[VARIABLE])
