"""What keeps the ledger and the resolved study of one study: files of its directory, or a PostgreSQL database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tuner.drafts import PRIVATE, written_whole
from tuner.store.signed import STUDY, SUMMARY, signed_texts
from tuner.store.sqlite_files import beside, changed
from tuner.urls import Remote

__all__ = ["Backend", "FileBackend", "PostgresBackend", "write_private"]


class Backend(Protocol):
    """Where a ledger is. `place` opens it; every method may raise LedgerError."""

    @property
    def place(self) -> Path | Remote:
        """Return the place of the ledger."""

    def exists(self) -> bool:
        """Return True if there is a ledger."""

    def study_text(self) -> str:
        """Return the resolved study as TOML. Raises OSError, and ValueError for a file that is not UTF-8."""

    def summary_text(self) -> str:
        """Return the last writer's summary of the trials as JSON; "" where it is unknown."""

    def write_study(self, text: str) -> None:
        """Replace the resolved study."""

    def changed(self) -> float:
        """Return when the ledger was last written to, in seconds since 1970."""

    def forget(self) -> None:
        """Remove the ledger for good."""

    def rename(self, name: str) -> None:
        """Give the study another name, where that is not the name of its directory alone."""


@dataclass(frozen=True)
class FileBackend:
    """A SQLite file and a study file in the directory of the study."""

    place: Path
    study: Path

    def exists(self) -> bool:
        """Return True if there is a file."""
        return self.place.is_file()

    def study_text(self) -> str:
        """Return the study from the ledger, or from its file for ledgers that lack it."""
        texts = signed_texts(self.place)
        text = ledger_study(self.place) if texts is None else texts.get(STUDY)
        return text or self.study.read_text(encoding="utf-8")

    def summary_text(self) -> str:
        """Return the summary, without SQLAlchemy."""
        return (signed_texts(self.place) or {}).get(SUMMARY, "")

    def write_study(self, text: str) -> None:
        """Replace the study file."""
        write_private(self.study, text)

    def changed(self) -> float:
        """Return the time of the file, or of its log."""
        return changed(self.place) / 1e9

    def forget(self) -> None:
        """Remove the file and what SQLite keeps beside it."""
        for file in (self.place, *beside(self.place)):
            file.unlink(missing_ok=True)

    def rename(self, name: str) -> None:
        """Do nothing: the files move with the directory."""


@dataclass(frozen=True)
class PostgresBackend:
    """A schema of a database; `study` is a copy of the resolved study in the study's directory."""

    place: Remote
    study: Path

    def exists(self) -> bool:
        """Return True if the registry of the database has the study."""
        from tuner.store.ledger import postgres

        return postgres.present(self.place)

    def study_text(self) -> str:
        """Return the study from the ledger, or from the registry for ledgers that lack it."""
        from tuner.store.ledger import postgres

        return ledger_study(self.place) or postgres.study_text(self.place)

    def summary_text(self) -> str:
        """Return the summary from the ledger."""
        from tuner.store.ledger import Ledger

        with Ledger.open(self.place, read_only=True) as ledger:
            return json.dumps(ledger.summary())

    def write_study(self, text: str) -> None:
        """Replace the study in the registry, and its copy."""
        from tuner.store.ledger import postgres

        write_private(self.study, text)
        postgres.write_study(self.place, text)

    def changed(self) -> float:
        """Return the time of the last commit."""
        from tuner.store.ledger import postgres

        return postgres.when_changed(self.place).timestamp()

    def forget(self) -> None:
        """Remove the schema and the entry of the registry."""
        from tuner.store.ledger import postgres

        postgres.forget(self.place)

    def rename(self, name: str) -> None:
        """Rename the entry of the registry."""
        from tuner.store.ledger import postgres

        postgres.rename(self.place, name)


def ledger_study(place: Path | Remote) -> str:
    """Return the resolved study that a ledger keeps; "" for ledgers of before it did. Raises LedgerError."""
    from tuner.store.ledger import Ledger

    with Ledger.open(place, read_only=True) as ledger:
        return ledger.study


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a study's file in one step, as `written_whole` does; a new one is for its owner alone."""
    written_whole(path, content.encode() if isinstance(content, str) else content, PRIVATE)
