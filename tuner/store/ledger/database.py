"""What keeps a ledger: a SQLite file, or a schema of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tuner.urls import Remote

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Database", "LedgerPlace", "create_database", "open_database"]

LedgerPlace = Path | Remote


class Database(Protocol):
    """What keeps a ledger: a `SqliteDatabase` or `PostgresDatabase`. It calls `tell` when it has no answer for long."""

    tell: Callable[[str], None]

    def transaction(self) -> AbstractContextManager[Connection]:
        """Run a transaction; what is written is durable at its end."""

    def known(self) -> None:
        """Confirm that what was opened is a ledger, and may be written as one."""

    def close(self) -> None:
        """End the connection."""


def create_database(place: LedgerPlace, study: str, fill: Callable[[Connection], None]) -> None:
    """Create the database of a ledger, which `fill` fills. Raises LedgerError where there is one."""
    if isinstance(place, Remote):
        from tuner.store.ledger import postgres

        postgres.create(place, study, fill)
    else:
        from tuner.store.ledger import sqlite

        sqlite.create(place, fill)


def open_database(place: LedgerPlace, read_only: bool) -> Database:
    """Open the database of a ledger."""
    if isinstance(place, Remote):
        from tuner.store.ledger import postgres

        return postgres.PostgresDatabase(place, read_only)
    from tuner.store.ledger import sqlite

    return sqlite.SqliteDatabase(place, read_only)
