"""The program: its commands, and how a command line is run, from the arguments to the exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn, cast

import click

from tuner.cli.commands.best import best
from tuner.cli.commands.check import check
from tuner.cli.commands.compare import compare
from tuner.cli.commands.completion import VARIABLE, completed, completion
from tuner.cli.commands.confirm import confirm
from tuner.cli.commands.dashboard import dashboard
from tuner.cli.commands.docs import docs
from tuner.cli.commands.doctor import doctor
from tuner.cli.commands.example import example
from tuner.cli.commands.explain import explain
from tuner.cli.commands.export import export
from tuner.cli.commands.import_ import import_
from tuner.cli.commands.init import init
from tuner.cli.commands.list_ import list_studies
from tuner.cli.commands.note import note
from tuner.cli.commands.predict import predict
from tuner.cli.commands.refit import refit
from tuner.cli.commands.report import report
from tuner.cli.commands.rm import rm
from tuner.cli.commands.run import run
from tuner.cli.commands.serve import serve
from tuner.cli.commands.show import show
from tuner.cli.commands.top import top
from tuner.cli.commands.verify import verify
from tuner.cli.copyable import with_places
from tuner.cli.error_lines import Interrupted, Terminated, error_report
from tuner.cli.streams import reliable
from tuner.cli.synonyms import command_hint
from tuner.cli.terminal import errors_to
from tuner.errors import NoResult
from tuner.masking import remember, shown

__all__ = ["CommandGroup", "program", "start"]

FIRST = """\b
A first run, in an empty directory: tuner init; tuner run study.toml
Help with a command: tuner COMMAND --help. The manual: tuner docs"""
TWICE = 0.3  # seconds within which two signals are one
SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Run": (init, example, check, run, confirm, refit),
    "Look": (list_studies, show, top, compare, report, dashboard, serve),
    "Use": (best, predict, export),
    "Keep": (note, verify, doctor, import_, rm),
    "Learn": (explain, docs, completion),
}
COMMANDS = tuple(command for commands in SECTIONS.values() for command in commands)


@dataclass
class ProgramSettings:
    """What holds for every command."""

    debug: bool = False


class CommandGroup(click.Group):
    """The group of commands; it answers a word that is no command with the one that is meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with. Raises UsageError with the command that was probably meant."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(f"no command {args[0]!r}; {command_hint(args[0], self.commands)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by what they are for."""
        del ctx
        width = max(map(len, self.commands))
        room = formatter.width - width - 4
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                rows = [(f"{command.name:{width}}", command.get_short_help_str(room)) for command in commands]
                formatter.write_dl(rows)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List commands in the order of the sections."""
        del ctx
        return list(self.commands)


def _debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    if value:
        cast(ProgramSettings, ctx.find_root().obj).debug = True


def debug_option() -> click.Option:
    """Build the option `--debug`, which every command takes."""
    shown = "Show the traceback of an error."
    return click.Option(
        ["--debug"], is_flag=True, is_eager=True, expose_value=False, callback=_debug, envvar="TUNER_DEBUG", help=shown
    )


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    if value:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"tuner {version('tuner')}")
        except PackageNotFoundError:
            click.echo("tuner, not installed")
        ctx.exit()


program = CommandGroup(
    "tuner",
    help="Finds the optimizer, learning rate, momentum and batch size for your data, and says how sure that is.",
    epilog=FIRST,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        debug_option(),
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
        ),
    ],
    no_args_is_help=True,
)
for command in COMMANDS:
    command.params.append(debug_option())
    program.add_command(command)


def start(args: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; everything that goes wrong is told here."""
    if VARIABLE in os.environ:
        return completed(program)
    settings = ProgramSettings(bool(os.environ.get("TUNER_DEBUG")))
    reliable()
    remember(sys.argv[1:] if args is None else args)
    with _stoppable():
        try:
            return _run(list(sys.argv[1:] if args is None else args), settings)
        except BrokenPipeError:
            # whoever read the results has had enough; nothing may be written to the pipe at exit either
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 0
        except (Exception, KeyboardInterrupt) as error:
            lines, code = error_report(error)
            if settings.debug:
                sys.stderr.write(shown("".join(traceback.format_exception(error))))
            errors_to(lines)
            return code


def _run(args: list[str], settings: ProgramSettings) -> int:
    try:
        with program.make_context("tuner", args, obj=settings) as context:
            try:
                program.invoke(context)
            except NoResult as none:
                none.args = (with_places(str(none), none.command),)
                raise
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.ctx.get_help() if shown.ctx else "")
    except click.exceptions.Exit as ended:
        return ended.exit_code
    finally:
        sys.stdout.flush()
    return 0


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM stop a command tidily and a second one at once, each with its own exit code.

    Installs a handler for Ctrl-C explicitly, because scripts start background commands with that signal ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    first: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        if not first:
            first.append(time.monotonic())
            raise Terminated if number == signal.SIGTERM else Interrupted
        # Wrappers pass on a signal that the whole group had already: that is no second one.
        if time.monotonic() - first[0] > TWICE:
            _leave_at_once(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        # Once stopped, the process is about to end: until it has, a second signal must not end it in another way.
        for number, handler in before.items() if not first else ():
            signal.signal(number, handler)


def _leave_at_once(code: int) -> NoReturn:
    """End without tidying up: what was committed is safe, and workers end when their parent has gone."""
    if sys.stderr.isatty():
        os.write(2, b"\x1b[?25h\n")  # the cursor, which a live block hides
    os._exit(code)
