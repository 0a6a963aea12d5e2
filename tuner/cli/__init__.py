"""The command line: arguments, tables and exit codes, thin over the library.

    program -> commands -> options, output, error_lines, synonyms, copyable -> terminal, streams
                        -> show, summary, conclusion, progress, dry_run, markdown, comparison -> pages
                        -> tuner.views, tuner.api

`commands` has a file for each, named as it is typed. Every command can be had by `--help` without NumPy: whatever is
heavy is imported inside the command that needs it.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own) and return its exit code."""
    try:
        from tuner.cli.program import start
    except KeyboardInterrupt:
        return 130
    return start(args)
