"""PostgreSQL as the ledger's database: a study has a schema of its own, a registry in schema `tuner` says whose it is.

What a directory holds by itself is in the registry: the resolved study. Who writes holds an advisory lock, which the
server frees when the session ends, however it ends. A connection that was lost is made again and the lock taken again,
before anything else is written; so is one that does not answer (`postgres_session`).
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    func,
    inspect,
    schema,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tuner.errors import LedgerError, StudyBusy
from tuner.masking import hidden, masked
from tuner.store.ledger import postgres_session as sessions
from tuner.store.ledger.postgres_session import arguments, bounded, lease, myself, number_of
from tuner.urls import Remote

__all__ = [
    "PostgresDatabase",
    "create",
    "forget",
    "known",
    "present",
    "rename",
    "study_text",
    "when_changed",
    "write_study",
]

REGISTRY = Table(
    "studies",
    MetaData(schema="tuner"),
    Column("name", String(128), primary_key=True),
    Column("place", String(63), unique=True, nullable=False),
    Column("study", Text, nullable=False),
    Column("changed", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
# What is said of a connection that will not come by waiting; anything else of its kind may pass.
LASTING = ("authentication failed", "does not exist", "no password", "permission denied", "translate host", "pg_hba")


class PostgresDatabase:
    """A study's ledger in a database, open until `close`: one session, made again when it was lost."""

    def __init__(self, remote: Remote, read_only: bool) -> None:
        self.remote, self.label, self.read_only = remote, str(remote), read_only
        self._engine = engine_of(remote.url, read_only)
        self._session: Connection | None = None
        self._number = 0  # the server's, of the last session
        self._every = sessions.BEAT
        self._lock, self._closed = threading.RLock(), threading.Event()
        self.tell: Callable[[str], None] = lambda sentence: None
        with explained(self.label, remote.url):
            self._connected()
        if not read_only:
            threading.Thread(target=self._beat, daemon=True).start()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run a transaction; what is written is durable at its end."""
        try:
            with self._lock, explained(self.label, self.remote.url):
                connection = self._connected()
                with bounded(connection, self._slow), connection.begin():
                    yield connection
                    if not self.read_only:
                        own = REGISTRY.c.name == self.remote.study
                        connection.execute(REGISTRY.update().where(own).values(changed=func.now()))
        except LedgerError as error:
            if error.passing:
                self._hang_up()
            raise

    def known(self) -> None:
        """Do nothing: PostgreSQL needs no preparation for commits."""

    def close(self) -> None:
        """End the session; the lock is free then."""
        self._closed.set()
        self._hang_up()

    def _slow(self) -> None:
        self.tell(f"waiting, nothing is lost: {self.label}: the server has not answered for {sessions.SLOW:g} s")

    def _hang_up(self) -> None:
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            with suppress(SQLAlchemyError):
                session.close()

    def _beat(self) -> None:
        """Show the server that this process lives, until the ledger is closed."""
        while not self._closed.wait(self._every):
            with self._lock:
                session = self._session
                if session is None:
                    continue
                try:
                    with bounded(session, lambda: None):
                        session.execute(text("SELECT 1"))
                        session.rollback()
                except SQLAlchemyError:  # the next transaction makes another, and says what is wrong
                    self._hang_up()

    def _connected(self) -> Connection:
        """Return the session, which holds the lock where it may write. Raises StudyBusy, LedgerError."""
        if self._session is not None:
            return self._session
        connection = self._engine.connect()
        try:
            with bounded(connection, self._slow):
                place = place_of(connection, self.remote)
                if not self.read_only:
                    lease(connection)
                    take_lock(connection, self.remote, place, self._number)
                connection.commit()
        except BaseException:
            connection.close()
            raise
        self._number = number_of(connection)
        self._session = connection.execution_options(schema_translate_map={None: place})
        return self._session


def engine_of(url: str, read_only: bool = False) -> Engine:
    """Build the engine that makes sessions. Raises LedgerError where the driver is missing or the URL cannot be
    read.
    """
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise LedgerError("a ledger in PostgreSQL needs psycopg: pip install 'tuner[postgres]'") from None
    try:
        return create_engine(
            url, poolclass=NullPool, isolation_level="REPEATABLE READ", connect_args=arguments(read_only)
        )
    except (ArgumentError, ValueError):
        raise LedgerError(
            f"{masked(url)}: is no URL of a database; quote what is special in it, like %40 for @"
        ) from None


def place_of(connection: Connection, remote: Remote) -> str:
    """Return the schema of a study. Raises LedgerError where there is none."""
    if inspect(connection).has_table(REGISTRY.name, REGISTRY.schema):
        found = connection.execute(REGISTRY.select().where(REGISTRY.c.name == remote.study)).mappings().first()
        if found is not None:
            return str(found["place"])
    raise LedgerError(f"{remote}: there is no ledger; `tuner run` makes one")


def take_lock(connection: Connection, remote: Remote, place: str, lost: int = 0) -> None:
    """Hold the study's lock as long as the session lives. Raises StudyBusy naming who holds it.

    Where that is a session of this process that was `lost`, by the server's number of it, the server is to end it.
    """
    key = int.from_bytes(hashlib.sha256(place.encode()).digest()[:7], "big")
    if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
        return
    asked = text(
        "SELECT a.application_name, a.backend_start, a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE l.locktype = 'advisory' AND l.granted AND (l.classid::bigint << 32) + l.objid::bigint = :key"
    )
    who = connection.execute(asked, {"key": key}).first()
    if who is not None and who[0] == myself():
        if who[2] == lost:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": lost})
        raise LedgerError(f"{remote}: the server still keeps the connection that was lost", passing=True)
    named = (
        f"{who[0].removeprefix('tuner ').partition('#')[0]} since {who[1]:%Y-%m-%d %H:%M:%S %Z}"
        if who
        else "another process"
    )
    raise StudyBusy(
        f"study {remote.study!r} is run by process {named}; wait until it is done or stop it, then run this again"
    )


@contextmanager
def registry(url: str) -> Iterator[Connection]:
    """Open a transaction on the registry, which is created where it is missing."""
    with explained(masked(url), url), engine_of(url).begin() as connection:
        if not inspect(connection).has_table(REGISTRY.name, REGISTRY.schema):
            connection.execute(text("SELECT pg_advisory_xact_lock(20251)"))  # two that make it at once
            connection.execute(schema.CreateSchema("tuner", if_not_exists=True))
            REGISTRY.metadata.create_all(connection)
        yield connection


def create(remote: Remote, study: str, fill: Callable[[Connection], None]) -> None:
    """Register a study and make its schema, which `fill` fills, in one transaction."""
    place = f"tuner_{secrets.token_hex(8)}"
    with registry(remote.url) as connection:
        if remote.study in names_in(connection):
            raise LedgerError(f"{remote}: there is a ledger already; open it, or choose another name for the study")
        connection.execute(REGISTRY.insert(), {"name": remote.study, "place": place, "study": study})
        connection.execute(schema.CreateSchema(place))
        fill(connection.execution_options(schema_translate_map={None: place}))


def names_in(connection: Connection) -> list[str]:
    """Return the studies of a database by name."""
    asked = REGISTRY.select().with_only_columns(REGISTRY.c.name).order_by(REGISTRY.c.name)
    return [str(name) for name in connection.execute(asked).scalars()]


def known(url: str) -> list[str]:
    """Name the studies in a database; none where nothing was ever kept in it."""
    with explained(masked(url), url), engine_of(url).connect() as connection:
        return names_in(connection) if inspect(connection).has_table(REGISTRY.name, REGISTRY.schema) else []


def present(remote: Remote) -> bool:
    """Return True if there is such a study."""
    return remote.study in known(remote.url)


def study_text(remote: Remote) -> str:
    """Return the resolved study as TOML."""
    return str(_row(remote)["study"])


def when_changed(remote: Remote) -> datetime:
    """Return when the study was last written to."""
    changed: datetime = _row(remote)["changed"]
    return changed


def _row(remote: Remote) -> Any:
    with registry(remote.url) as connection:
        place_of(connection, remote)
        return connection.execute(REGISTRY.select().where(REGISTRY.c.name == remote.study)).mappings().one()


def write_study(remote: Remote, study: str) -> None:
    """Replace the resolved study."""
    with registry(remote.url) as connection:
        connection.execute(REGISTRY.update().where(REGISTRY.c.name == remote.study).values(study=study))


def rename(remote: Remote, name: str) -> None:
    """Give a study another name. Raises StudyBusy where it is run, LedgerError where the name is taken."""
    with registry(remote.url) as connection:
        take_lock(connection, remote, place_of(connection, remote))
        if name in names_in(connection):
            raise LedgerError(f"{Remote(remote.url, name)}: there is a ledger already; choose another name")
        connection.execute(REGISTRY.update().where(REGISTRY.c.name == remote.study).values(name=name))


def forget(remote: Remote) -> None:
    """Remove a study for good. Raises StudyBusy where it is run."""
    with registry(remote.url) as connection:
        place = place_of(connection, remote)
        take_lock(connection, remote, place)
        connection.execute(schema.DropSchema(place, cascade=True))
        connection.execute(REGISTRY.delete().where(REGISTRY.c.name == remote.study))


@contextmanager
def explained(label: str, url: str) -> Iterator[None]:
    """Turn the database's errors into LedgerError, one line that names the database and no password."""
    try:
        yield
    except DBAPIError as error:
        lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()] or [type(error.orig).__name__]
        said = hidden(lines[0].removeprefix("connection failed: "), url)
        passing = isinstance(error, OperationalError) and not any(words in str(error.orig) for words in LASTING)
        way = (
            "check that it runs and can be reached, then run this again" if passing else "check the URL and the rights"
        )
        # Not chained: what was sent may be part of the error, and a password of that.
        raise LedgerError(f"{label}: {said}; {way}", passing=passing) from None
