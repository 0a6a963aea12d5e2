"""The files of a SQLite ledger: the database, and what SQLite keeps beside it while somebody writes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

__all__ = ["beside", "changed", "log_is_empty", "log_of"]

KINDS = ("-wal", "-shm", "-journal")  # the write-ahead log, its index, and the journal of a file without a log


def log_of(path: Path) -> Path:
    """Return the path of a database's write-ahead log."""
    return path.with_name(path.name + "-wal")


def log_is_empty(path: Path) -> bool:
    """Return True if a database has a write-ahead log that nothing was written to yet."""
    with suppress(OSError):
        return log_of(path).stat().st_size == 0
    return False


def beside(path: Path) -> list[Path]:
    """Return the files that exist beside a database."""
    return [file for kind in KINDS if (file := path.with_name(path.name + kind)).exists()]


def changed(path: Path) -> int:
    """Return when a ledger was last written to, in nanoseconds since 1970. Raises OSError."""
    with suppress(FileNotFoundError):
        if (log := log_of(path).stat()).st_size:
            return log.st_mtime_ns
    return path.stat().st_mtime_ns
