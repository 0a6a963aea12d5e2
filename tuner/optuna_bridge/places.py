"""Where Optuna keeps studies: a database URL, a SQLite file or a journal file, opened to read or to write.

A storage that is read is never changed: a SQLite file is copied, and the copy is upgraded where another version of
Optuna wrote it. Nothing is unpickled. Passwords in URLs are masked in every message.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.drafts import draft_of
from tuner.errors import StudyError, TunerError
from tuner.masking import hidden, masked

__all__ = ["reading", "told", "writing", "wrong"]

JOURNALS, DATABASES = (".log", ".journal", ".jsonl"), (".db", ".sqlite", ".sqlite3")
WAYS = (
    "name a URL like sqlite:///optuna.db or postgresql+psycopg://user@host/base, a SQLite file (.db), a journal (.log)"
)
DRIVERS = {"MySQLdb": "mysqlclient", "psycopg": "'psycopg[binary]'", "psycopg2": "psycopg2-binary"}
# What Python raises over values that Optuna would not have written.
DAMAGED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError)
NOT_OPTUNA = ("no such table", "not a database", "doesn't exist", "does not exist", "UndefinedTable")


@contextmanager
def reading(source: str) -> Iterator[Any]:
    """Open a storage for reading; a SQLite file as an upgraded copy."""
    kind, place = _place(source)
    if kind in ("sqlite", "journal") and not Path(place).is_file():
        raise wrong(masked(source), "there is no such file", WAYS)
    if kind == "journal":
        yield _journal(place)
    elif kind == "database":
        with _closing(_database(source)) as storage:
            yield storage
    else:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy.db"
            whole = f"{Path(place).absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(whole, uri=True)) as old, closing(sqlite3.connect(copy)) as new:
                old.backup(new)
            with _closing(_database(f"sqlite:///{copy}", skip_compatibility_check=True)) as storage:
                if storage.get_current_version() != storage.get_head_version():
                    with _quiet():
                        storage.upgrade()
                yield storage


@contextmanager
def writing(target: str) -> Iterator[Any]:
    """Open a storage for writing; a new SQLite file is written beside its place and moved there when it is whole."""
    kind, place = _place(target)
    if kind != "database":
        _check_target(kind, Path(place), target)
    if kind == "journal":
        new = not Path(place).exists()
        try:
            yield _journal(place)
        except BaseException:
            if new:
                Path(place).unlink(missing_ok=True)
            raise
    elif kind == "database" or (kind == "sqlite" and Path(place).exists()):
        url = target if kind == "database" else f"sqlite:///{place}"
        with _closing(_database(url, False)) as storage:
            yield storage
    else:
        draft = draft_of(Path(place))
        try:
            hasty = {"creator": lambda: _hasty(draft)}
            with _closing(_database(f"sqlite:///{draft}", False, engine_kwargs=hasty)) as storage:
                yield storage
            os.replace(draft, place)
        finally:
            draft.unlink(missing_ok=True)


def _place(text: str) -> tuple[str, str]:
    """Return a storage's kind, "sqlite", "journal" or "database", and the path of a file."""
    if text.startswith("sqlite:///"):
        return "sqlite", text.removeprefix("sqlite:///").partition("?")[0]
    if "://" in text:
        return "database", text
    path = Path(text).expanduser()
    if path.is_dir():
        raise wrong(text, "is a directory", WAYS)
    if path.is_file() and (head := _head(path)):
        kind = "sqlite" if head.startswith(b"SQLite format 3\0") else "journal" if b'"op_code"' in head else ""
    else:
        kind = "sqlite" if path.suffix in DATABASES else "journal" if path.suffix in JOURNALS else ""
    if not kind:
        raise wrong(text, "is no storage of Optuna" if path.is_file() else "is not known", WAYS)
    return kind, str(path)


def _check_target(kind: str, path: Path, target: str) -> None:
    """Check that the target is new or a storage of Optuna."""
    if not path.parent.is_dir():
        raise wrong(masked(target), f"there is no directory {str(path.parent)!r}", "make it first")
    if path.is_dir():
        raise wrong(masked(target), "is a directory", WAYS)
    if path.is_symlink() and not path.exists():
        raise wrong(masked(target), f"is a link to {os.readlink(path)}, which is not there", "name a file")
    if path.is_file() and kind == "sqlite" and _head(path):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                connection.execute("SELECT 1 FROM version_info")
        except sqlite3.Error as error:
            raise wrong(masked(target), f"is there and is no storage of Optuna ({error})", WAYS) from error


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(4096)
    except OSError as error:
        raise TunerError(f"{path}: {error.strerror or error}") from error


def _journal(place: str) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(place))


def _database(url: str, skip_table_creation: bool = True, **options: Any) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.storages.RDBStorage(url, skip_table_creation=skip_table_creation, **options)


@contextmanager
def _closing(storage: Any) -> Iterator[Any]:
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep alembic from telling every step, and from the logging of the whole process, which it sets up anew."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        root.handlers[:] = handlers
        root.setLevel(level)


def _hasty(path: Path) -> sqlite3.Connection:
    """Connect without waiting for the disk to a database that is not yet in its place."""
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


@contextmanager
def told(where: str, read: bool = False) -> Iterator[None]:
    """Convert errors of Optuna, SQLAlchemy and drivers to one line without passwords, and suppress their warnings.

    Errors over values that are `read` are the storage's own fault: input that cannot be used.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (TunerError, KeyboardInterrupt):
        raise
    except ImportError as error:
        missing = getattr(error.__cause__ or error, "name", None) or "its driver"
        package = DRIVERS.get(missing, missing)
        raise TunerError(f"{masked(where)}: the driver of this database is missing: pip install {package}") from None
    except Exception as error:
        first = masked((str(error.__cause__ or error).strip().splitlines() or [type(error).__name__])[0])
        if type(error).__name__ in ("NoSuchModuleError", "ArgumentError"):
            raise wrong(masked(where), "is no database that is known", WAYS) from None
        if any(words in str(error) or words in first for words in NOT_OPTUNA):
            raise wrong(masked(where), "is no storage of Optuna", WAYS) from None
        said = f"{masked(where)}: {hidden(first, where)}"
        if read and isinstance(error.__cause__ or error, DAMAGED):
            raise wrong(masked(where), f"cannot be read ({said[len(masked(where)) + 2 :]})", "is it damaged?") from None
        raise TunerError(said) from None


def wrong(where: str, what: str, hint: str) -> StudyError:
    """Return the error for a place that cannot be used."""
    return StudyError(Complaint(where, what, hint))
