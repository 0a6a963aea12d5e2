"""Commands that are printed to be copied: each looks for its study where the command that prints it did."""

from __future__ import annotations

import shlex

import click

__all__ = ["again", "placed", "remember"]

PLACES = {"home": "TUNER_HOME", "storage": "TUNER_STORAGE"}
KEY = "tuner.places"  # among what a context and those in it share


def remember() -> None:
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


def again(command: str) -> str:
    """A command of the tuner with the places that this one was given; anything else as it is."""
    context = click.get_current_context(silent=True)
    words = context.meta.get(KEY, []) if context and command.startswith("tuner ") else []
    return " ".join([command, *([shlex.join(words)] if words else [])])


def placed(text: str, command: str) -> str:
    """A text with the places behind a command that it names."""
    return text.replace(command, again(command)) if command else text
