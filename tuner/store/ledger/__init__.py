"""Ledger: the stored truth of a study, from which everything else is derived. The only door to SQLAlchemy.

A small schema of our own in one database: facts of the study, generations, trials with their curves, confirmations. A
generation is one transaction, and what was committed is never changed. SQLite pages carry no checksums, so a digest of
every generation is kept and compared when it is read.

    ledger       create, open, commit, read: the class `Ledger`
    transaction  what one transaction reads and writes
    rows         records <-> rows, and the digest of a row's content
    curve_cache  curves of trials, read on first access
    schema       tables and column types
    database     what a ledger needs of a database
    sqlite       SQLite: connections, durability, error messages
    postgres     PostgreSQL: a schema a study, and a registry of them, in sessions of postgres_session
    rescue       what can be read of a damaged file

SQLAlchemy is imported when a ledger is opened, not with this package.
"""

from __future__ import annotations

from tuner.errors import LedgerError
from tuner.store.ledger.ledger import Ledger
from tuner.store.ledger.rows import Generation

__all__ = ["Generation", "Ledger", "LedgerError"]
