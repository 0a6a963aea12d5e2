"""Texts that a ledger keeps behind their digests, and how they are read at a glance: without NumPy or SQLAlchemy."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["STUDY", "SUMMARY", "checked_text", "counted", "signed", "signed_texts", "text_digest"]

# What a ledger keeps of the study as it goes on, each behind its digest: the resolved study, a summary of its trials.
STUDY, SUMMARY = "ledger_study", "ledger_summary"
PATIENCE = 5.0  # seconds to wait for another process that writes


def text_digest(text: str) -> str:
    """Return the digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def signed(text: str) -> str:
    """Return a text behind its digest, for a fact that changes while a study goes on."""
    return f"{text_digest(text)} {text}"


def checked_text(kept: str) -> str:
    """Return the text that `signed` kept. Raises ValueError where it is not what was kept."""
    digest, _, text = kept.partition(" ")
    if text_digest(text) != digest:
        raise ValueError("a text does not match its digest")
    return text


def counted(path: Path, maximize: bool) -> dict[str, Any]:
    """Return the trials of a ledger's file by state and the best value, as its rows say them; nothing where they
    cannot be had. There is no value where fresh seeds have a say in what is best.
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
    """Open a connection that changes nothing: a log that a killed writer left is looked at where it lies."""
    file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
    file.execute("PRAGMA trusted_schema = OFF")
    return file


def signed_texts(path: Path) -> dict[str, str] | None:
    """Return the texts that the file of a ledger keeps, by name; None where that cannot be had without more ado."""
    found = {}
    try:
        with closing(_glance(path)) as file:
            asked = "SELECT name, value FROM facts WHERE name IN (?, ?)"
            for name, value in file.execute(asked, (STUDY, SUMMARY)).fetchall():
                found[str(name)] = checked_text(str(value))
    except (sqlite3.Error, ValueError):
        return None  # whoever opens it as a ledger says why
    return found
