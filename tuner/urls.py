"""Where a ledger is kept when it is not in its study's directory: a PostgreSQL database, which a team can share."""

from __future__ import annotations

from dataclasses import dataclass, field

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.masking import USER, masked

__all__ = ["Remote", "Shared", "check_storage"]

SCHEME = "postgresql+psycopg://"


@dataclass(frozen=True)
class Shared:
    """A home whose ledgers are in a database: its URL, and the directory that all else of a study is in."""

    storage: str = field(repr=False)
    home: str | None = None


@dataclass(frozen=True)
class Remote:
    """The ledger of the study of that name in the database at `url`."""

    url: str = field(repr=False)
    study: str

    def __str__(self) -> str:
        return f"{masked(self.url)}, study {self.study!r}"


def check_storage(url: str) -> str:
    """Return the URL of a database that can keep a ledger. Raises StudyError for any other."""
    password = USER.search(url)
    special = password is not None and any(letter in password[2] for letter in "@/:?#")
    if url.startswith(SCHEME) and len(url) > len(SCHEME) and not special:
        return url
    what, hint = f"{masked(url)!r} is no database for ledgers", f"write {SCHEME}USER@HOST/DATABASE"
    if url.startswith("sqlite"):
        what, hint = "SQLite is where ledgers are without it", "leave it out, and say --home for another directory"
    elif special:
        what, hint = f"{masked(url)!r} has a password that ends the URL early", "quote it, like %40 for @ and %2F for /"
    elif url.startswith("postgres"):
        what, hint = "the driver is not named", f"begin it with {SCHEME}"
    raise StudyError(Complaint("storage", what, hint))
