"""SQLite as the ledger's database: connections, durability, error messages.

synchronous=FULL: what was committed survives a crash of the process and of the machine. While a study runs, commits are
appended to a write-ahead log and the file itself does not change, so that a copy of the directory can be opened
whenever it is taken: a rollback journal changes both, and one copy in hundreds was torn. At the end the writer merges
the log into the file, so that one file is left, which a read-only disk can hold. Until then the file says that there is
a log: the first commit, in the log, removes that entry, so that a file that has the entry and no log beside it has lost
commits.

A file may come from anybody: code in its schema is not trusted, and anything but tables of rows is refused.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tuner.drafts import PRIVATE, draft_of
from tuner.errors import LedgerError
from tuner.store.sqlite_files import beside, changed, log_is_empty, log_of

__all__ = ["SqliteDatabase", "connected", "create", "explained"]

MARK = "INSERT OR REPLACE INTO facts (name, value) VALUES ('ledger_log', '1')"
UNMARK = "DELETE FROM facts WHERE name = 'ledger_log'"
PATIENCE = 30.0  # seconds to wait for another process that reads or writes

FOREIGN = "foreign:"
# SQLite's messages, in the order to look them up, and what they mean for a study.
MEANINGS = {
    "not a database": "is no ledger, or damaged; `tuner doctor` recovers what can be read, or begin anew with --fresh",
    "no such table": "is a database, but no ledger; choose another name for the study",
    "malformed": "is damaged; `tuner doctor` recovers what can be read, or begin anew with --fresh",
    "Could not decode": "is damaged; `tuner doctor` recovers what can be read, or begin anew with --fresh",
    "disk is full": "the disk is full; what was committed is safe: free some space and run this again",
    "locked": f"another program has kept it locked for {PATIENCE:.0f} s; close that and run this again",
    "readonly": "cannot be written; check the permissions of the file and its directory",
    "unable to open": "cannot be opened; check the permissions of the file and its directory",
    "disk I/O error": "the disk reports an error; check the disk, then run this again",
}
PASSING = ("disk is full", "locked")


class SqliteDatabase:
    """A ledger's file, open until `close`."""

    def __init__(self, path: Path, read_only: bool) -> None:
        if not path.is_file():
            raise LedgerError(f"{path}: there is no ledger; `tuner run` makes one")
        self.path, self.label = path, str(path)
        self.tell: Callable[[str], None] = lambda sentence: None
        self._read_only = read_only
        self.connection = connected(path, read_only)
        self._files = {path: _identity(path)}
        self._marked = False  # the file says that there is a log, and no commit has removed that yet

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run a transaction; what is written is durable at its end."""
        if any(_identity(path) != known for path, known in self._files.items()):
            raise LedgerError(f"{self.path}: was removed or replaced while in use; put it back, then run this again")
        with explained(self.path):
            before = _changes(self.connection)
            with self.connection.begin():
                yield self.connection
                if marked := self._marked and _changes(self.connection) > before:
                    self.connection.exec_driver_sql(UNMARK)
            if marked:
                self._marked = False

    def known(self) -> None:
        """Switch to a write-ahead log, now that the file is known to be a ledger."""
        if self._read_only:
            return
        # A read-only file is reported when something is written.
        with suppress(LedgerError), explained(self.path), _told(self.path):
            last = changed(self.path)
            _log(self.connection)
            log = log_of(self.path)
            self._files[log] = _identity(log)
            with self.connection.begin():
                self.connection.exec_driver_sql(MARK)
            _ask(self.connection, "wal_checkpoint(TRUNCATE)")
            self._marked = True
            os.utime(self.path, ns=(last, last))

    def close(self) -> None:
        """Close the file; everything written is in it and no log is left, unless somebody reads or the disk is full."""
        if not (self._read_only or self.connection.closed):
            with suppress(LedgerError), explained(self.path), _told(self.path):
                last = changed(self.path)
                if self._marked:
                    with self.connection.begin():
                        self.connection.exec_driver_sql(UNMARK)
                _ask(self.connection, "journal_mode = DELETE")
                os.utime(self.path, ns=(last, last))
        self.connection.close()


def create(path: Path, fill: Callable[[Connection], None]) -> None:
    """Create a file that `fill` fills: under a temporary name, then renamed, so that it is complete at once."""
    if path.exists():
        raise LedgerError(f"{path}: there is a ledger already; open it, or choose another name for the study")
    draft = draft_of(path)
    try:
        with _told(path):
            os.close(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_RDWR, PRIVATE))
        with connected(draft) as connection, explained(path):
            _log(connection)  # from the start, as switching to a log later needs a journal for a moment
            with connection.begin():
                fill(connection)
        with _told(path):
            for left in beside(path):  # of another file of this name, which SQLite would take for this one's
                left.unlink(missing_ok=True)
            os.replace(draft, path)
    finally:
        for left in (draft, *beside(draft)):
            left.unlink(missing_ok=True)


def connected(path: Path, read_only: bool = False) -> Connection:
    """Connect to the database file, which must exist. Raises LedgerError for a damaged file."""
    engine = create_engine("sqlite://", creator=lambda: _opened(path, read_only), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: object) -> None:
        del record
        try:
            _set_up(connection, read_only)
        except BaseException:
            connection.close()
            raise

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    with explained(path):
        return engine.connect()


def _opened(path: Path, read_only: bool) -> sqlite3.Connection:
    """Connect to the file, including the log that a killed writer left.

    SQLite needs write permission to read that log. A reader gets it where possible, but does not write; where it is
    impossible, it reads a copy.
    """
    if read_only and log_is_empty(path):
        return _connect(path, "mode=ro")  # there is nothing to merge, and the last one to close would remove the log
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return _connect(path, "mode=rw")
    if not (others := beside(path)):
        return _connect(path, "immutable=1")
    with tempfile.TemporaryDirectory(prefix="tuner-read-") as folder:
        for file in (path, *others):
            shutil.copyfile(file, Path(folder) / file.name)
        read = sqlite3.connect(":memory:", timeout=PATIENCE)
        with closing(_connect(Path(folder) / path.name, "mode=rw")) as copy:
            copy.backup(read)
    return read


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=PATIENCE)


def _set_up(connection: sqlite3.Connection, read_only: bool) -> None:
    # Transactions are begun here, so that all reads see one state; Python would begin them for writes only.
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA trusted_schema = OFF")
    _check_objects(connection)
    connection.execute(f"PRAGMA query_only = {int(read_only)}")
    if read_only:
        return  # readers compare the digests of what they read
    (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise sqlite3.DatabaseError(f"malformed: {result}")


def _check_objects(connection: sqlite3.Connection) -> None:
    """Raise DatabaseError for what no ledger has: triggers, views, foreign indexes, virtual tables."""
    asked = "SELECT type, name, sql FROM sqlite_master"
    for kind, name, text in connection.execute(asked):
        own = kind == "table" and str(text).upper().startswith("CREATE TABLE")
        if not own and not (kind == "index" and text is None):  # SQLite's own index of a key has no text
            raise sqlite3.DatabaseError(f"{FOREIGN} {kind} {str(name)[:60]!r}")


def _changes(connection: Connection) -> int:
    driver: Any = connection.connection.driver_connection
    return int(driver.total_changes)


def _log(connection: Connection) -> None:
    """Write commits to a log, which is merged into the file only at the end."""
    _ask(connection, "journal_mode = WAL")
    _ask(connection, "wal_autocheckpoint = 0")
    _ask(connection, "schema_version")  # the log's file exists from now on


def _ask(connection: Connection, pragma: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA {pragma}").fetchall()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the database's errors into LedgerError, one line that names the file."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
        # Where a damaged schema is no text, Python's sqlite3 raises UnicodeDecodeError in place of SQLite's own error.
        own = error.orig if isinstance(error, DBAPIError) else error
        said = "malformed" if isinstance(error, UnicodeDecodeError) else str(own).partition("\n")[0]
        if said.startswith(FOREIGN):
            said = f"holds what no ledger does ({said.removeprefix(FOREIGN).strip()}): it is not opened"
        meaning = next((meaning for words, meaning in MEANINGS.items() if words in said), said)
        raise LedgerError(f"{path}: {meaning}", passing=any(words in said for words in PASSING)) from error


def _identity(path: Path) -> tuple[int, int]:
    with _told(path):
        status = path.stat()
        return status.st_dev, status.st_ino


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror or error}") from error
