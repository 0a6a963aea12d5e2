"""Commands that are printed to be copied: each looks for its study where the command that prints it did."""

from __future__ import annotations

import shlex

import click

__all__ = ["copyable", "with_places", "remember_places"]

PLACES = {"home": "TUNER_HOME", "storage": "TUNER_STORAGE"}
KEY = "tuner.places"  # among what a context and those in it share


def remember_places() -> None:
    """Keep the --home and --storage that the command at hand was given; what a variable says is said there again.

    A password in a URL is not repeated.
    """
    from tuner.masking import masked

    context = click.get_current_context()
    words: list[str] = []
    for option in context.command.params:
        name = option.name or ""
        place = name in PLACES and option.envvar == PLACES[name]  # the --storage of `export` is another
        if place and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            words += [f"--{name}", masked(str(context.params[name]))]
    context.meta[KEY] = words


def copyable(command: str) -> str:
    """Add the places that this command was given to a command of the tuner; leave other texts unchanged."""
    context = click.get_current_context(silent=True)
    words = context.meta.get(KEY, []) if context and command.startswith("tuner ") else []
    return " ".join([command, *([shlex.join(words)] if words else [])])


def with_places(text: str, command: str) -> str:
    """Add the places after each command that a text names."""
    return text.replace(command, copyable(command)) if command else text
