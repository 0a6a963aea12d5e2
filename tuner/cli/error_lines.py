"""What a command ends with when it does not end well: lines for people, and an exit code.

0 ok    1 failure    2 usage or invalid study    3 no usable result    130 / 143 stopped by a signal
"""

from __future__ import annotations

import os

import click

from objectives.errors import InvalidInput
from tuner.cli.synonyms import option_hint
from tuner.errors import TunerError

__all__ = ["Interrupted", "Terminated", "error_report", "interruption"]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C.

    A class of its own: where KeyboardInterrupt itself passes through text that is executed, as when a named tuple is
    made while a module is imported, CPython 3.11 ends by the signal in the end, whoever has caught it.
    """


class Terminated(KeyboardInterrupt):
    """SIGTERM: stops a run wherever Ctrl-C would."""


def interruption(error: BaseException) -> KeyboardInterrupt | None:
    """Return the signal behind an error, or None: the cleanup after it may have raised something else."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        if isinstance(link, KeyboardInterrupt):
            return link
        seen.add(id(link))
        link = link.__cause__ or link.__context__
    return None


def error_report(error: BaseException) -> tuple[list[str], int]:
    """Return what went wrong, one text for each problem, and the exit code."""
    if isinstance(error, KeyboardInterrupt):
        return [], 143 if isinstance(error, Terminated) else 130
    if isinstance(error, InvalidInput):
        return str(error).splitlines(), 2
    if isinstance(error, TunerError):
        return [str(error)], error.exit_code
    if isinstance(error, click.ClickException):
        return [usage(error)], error.exit_code
    if isinstance(error, click.Abort | EOFError):
        return ["stopped: no answer"], 1
    return [fault(error)], 1


def fault(error: BaseException) -> str:
    """Describe an unexpected error in one line."""
    first = (str(error).splitlines() or [""])[0]
    if isinstance(error, MemoryError):
        return f"out of memory; fewer --jobs or smaller models need less {first}".rstrip()
    if isinstance(error, OSError):
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return where + (error.strerror or first or type(error).__name__)
    return f"{type(error).__name__}: {first}; this should not happen: --debug shows where"


def _without_variable(error: click.ClickException, context: click.Context | None) -> str:
    """Remove the environment variable from click's message where the variable did not set the option."""
    message, parameter = error.format_message(), getattr(error, "param", None)
    typed = context and parameter and context.get_parameter_source(parameter.name)
    if typed is not click.core.ParameterSource.COMMANDLINE:
        return message
    return message.replace(f" (env var: {getattr(parameter, 'envvar', '')!r})", "")


def usage(error: click.ClickException) -> str:
    """Describe an invalid command line in one line, with the next thing to try."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tuner"
    if isinstance(error, click.NoSuchOption) and context:
        options = [name for parameter in context.command.get_params(context) for name in parameter.opts]
        return f"{command}: no option {error.option_name}; {option_hint(error.option_name, options)}"
    message = " ".join(_without_variable(error, context).split()).rstrip(".")
    if isinstance(error, click.MissingParameter):
        return f"{command}: {message[:1].lower()}{message[1:]}; see {command} --help"
    return f"{command}: {message}" if context and isinstance(error, click.BadParameter) else message
