"""Ledger: the stored truth of a study, from which everything else is derived. The only door to SQLAlchemy.

A small schema of our own in one database: facts of the study, generations, trials with their curves, confirmations. A
generation is one transaction, and what was committed is never changed. SQLite pages carry no checksums, so a digest of
every generation is kept and compared when it is read.

    store     the door: create, open, commit, read
    rows      records <-> rows, and the digest of what a record says
    schema    tables and column types
    sqlite    SQLite: connections, durability, errors in plain words

SQLAlchemy is imported when a ledger is opened, not with this package.
"""

from __future__ import annotations

from tuner.errors import LedgerError
from tuner.ledger.rows import Generation
from tuner.ledger.store import Ledger

__all__ = ["Generation", "Ledger", "LedgerError"]
