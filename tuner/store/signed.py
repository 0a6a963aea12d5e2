"""Texts that a ledger stores with their digests, and how to read them quickly, without NumPy or SQLAlchemy."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["STUDY", "SUMMARY", "checked_text", "counted", "signed", "signed_texts", "text_digest"]

# Texts that change while a study runs, each stored with its digest: the resolved study, a summary of its trials.
STUDY, SUMMARY = "ledger_study", "ledger_summary"
PATIENCE = 5.0  # seconds to wait for another process that writes


def text_digest(text: str) -> str:
    """Return the digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def signed(text: str) -> str:
    """Return a text with its digest in front, for a fact that changes while a study runs."""
    return f"{text_digest(text)} {text}"


def checked_text(kept: str) -> str:
    """Return the text that `signed` stored. Raises ValueError where it does not match its digest."""
    digest, _, text = kept.partition(" ")
    if text_digest(text) != digest:
        raise ValueError("a text does not match its digest")
    return text


def counted(path: Path, maximize: bool) -> dict[str, Any]:
    """Count a ledger's trials by state and return the best value, as its rows have them; empty where they cannot be
    read.

    There is no value where confirmations have a say in what is best.
    """
    turned = "DESC" if maximize else "ASC"
    best = (
        f"SELECT value FROM trials WHERE state = 'complete' ORDER BY stable DESC, CAST(value AS REAL) {turned}, number"
    )
    try:
        with closing(_glance(path)) as file:
            fresh = file.execute("SELECT 1 FROM confirmations LIMIT 1").fetchone()
            states = dict(file.execute("SELECT state, COUNT(*) FROM trials GROUP BY state").fetchall())
            if fresh:
                return {"states": states}
            first = file.execute(f"{best} LIMIT 1").fetchone()
            return {"states": states, "value": None if first is None or first[0] is None else float(first[0])}
    except (sqlite3.Error, ValueError, TypeError):
        return {}


def _glance(path: Path) -> sqlite3.Connection:
    """Open a read-only connection; the log of a killed writer is read and left as it is."""
    file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
    file.execute("PRAGMA trusted_schema = OFF")
    return file


def signed_texts(path: Path) -> dict[str, str] | None:
    """Return the texts that a ledger's file stores, by name; None where they cannot be read this way."""
    found = {}
    try:
        with closing(_glance(path)) as file:
            asked = "SELECT name, value FROM facts WHERE name IN (?, ?)"
            for name, value in file.execute(asked, (STUDY, SUMMARY)).fetchall():
                found[str(name)] = checked_text(str(value))
    except (sqlite3.Error, ValueError):
        return None  # opening it as a ledger reports why
    return found
