"""The queue of jobs: what is to be run, in the service's own SQLite file; it outlives the service and the machine."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.errors import LedgerError, StudyBusy

__all__ = ["ACTIVE", "Job", "JobQueue", "JobState"]

JobState = str  # "queued", "running", "done", "failed" or "cancelled"
ACTIVE = ("queued", "running")
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    study TEXT NOT NULL, verb TEXT NOT NULL, arguments TEXT NOT NULL, priority INTEGER NOT NULL,
    state TEXT NOT NULL, created REAL NOT NULL, started REAL, ended REAL,
    starts INTEGER NOT NULL DEFAULT 0, stopping INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS one_at_a_time ON jobs (study) WHERE state IN ('queued', 'running');
"""
COLUMNS = "id, study, verb, arguments, priority, state, created, started, ended, starts, stopping, message"


@dataclass(frozen=True)
class Job:
    """A job: the `verb` ("run" or "confirm") that is asked of a study, and how far that is.

    `starts` counts its processes: one that ended without a word is started again. `stopping` says that it was
    cancelled; `message` says why it failed.
    """

    id: int
    study: str
    verb: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    state: JobState = "queued"
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    starts: int = 0
    stopping: bool = False
    message: str = ""

    @property
    def active(self) -> bool:
        """Return True while it waits or runs."""
        return self.state in ACTIVE

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        shown = ("id", "study", "verb", "priority", "state", "created", "started", "ended", "starts", "message")
        return {name: getattr(self, name) for name in shown}


class JobQueue:
    """The jobs of a service, safe for several threads. Raises LedgerError where its file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.RLock()
        with self._told():
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def add(self, study: str, verb: str, arguments: Mapping[str, Any], priority: int = 0) -> Job:
        """Queue a job. Raises StudyBusy where one of the study waits or runs."""
        asked = "INSERT INTO jobs (study, verb, arguments, priority, state, created) VALUES (?, ?, ?, ?, 'queued', ?)"
        try:
            with self._told():
                done = self._file.execute(asked, (study, verb, json.dumps(dict(arguments)), priority, time.time()))
        except LedgerError as error:
            if not isinstance(error.__cause__, sqlite3.IntegrityError):
                raise
            first = next(job for job in self.jobs(study) if job.active)
            what = f"study {study!r} is {first.state} as job {first.id}; wait until it is done, or cancel it"
            raise StudyBusy(what) from None
        return self.job(int(done.lastrowid or 0))

    def job(self, number: int) -> Job:
        """Return a job by its number. Raises KeyError."""
        with self._told():
            found = self._file.execute(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", (number,)).fetchone()
        if found is None:
            raise KeyError(number)
        return _job(found)

    def jobs(self, study: str | None = None) -> list[Job]:
        """List the jobs, of one study where it is named: the newest first."""
        where, values = ("WHERE study = ?", (study,)) if study is not None else ("", ())
        with self._told():
            rows = self._file.execute(f"SELECT {COLUMNS} FROM jobs {where} ORDER BY id DESC", values).fetchall()
        return [_job(row) for row in rows]

    def in_state(self, state: JobState) -> list[Job]:
        """List the jobs in a state: those of high priority first, then the oldest."""
        asked = f"SELECT {COLUMNS} FROM jobs WHERE state = ? ORDER BY priority DESC, id"
        with self._told():
            return [_job(row) for row in self._file.execute(asked, (state,)).fetchall()]

    def latest(self, study: str) -> Job | None:
        """Return the newest job of a study; None where there is none."""
        return next(iter(self.jobs(study)), None)

    def change(self, number: int, **values: Any) -> None:
        """Change columns of a job."""
        names = ", ".join(f"{name} = ?" for name in values)
        with self._told():
            self._file.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*values.values(), number))

    def forget(self, number: int) -> None:
        """Remove a job that is over."""
        with self._told():
            self._file.execute("DELETE FROM jobs WHERE id = ? AND state NOT IN ('queued', 'running')", (number,))

    def cancel_queued(self, number: int) -> bool:
        """Cancel a job if it still waits; returns whether it did."""
        asked = "UPDATE jobs SET state = 'cancelled', ended = ? WHERE id = ? AND state = 'queued'"
        with self._told():
            return self._file.execute(asked, (time.time(), number)).rowcount > 0

    def take(self, number: int) -> bool:
        """Turn a job that waits into one that runs; returns whether it still waited."""
        asked = "UPDATE jobs SET state = 'running', started = ?, starts = starts + 1 WHERE id = ? AND state = 'queued'"
        with self._told():
            return self._file.execute(asked, (time.time(), number)).rowcount > 0

    @contextmanager
    def _told(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise LedgerError(f"{self.path}: {error}; the service keeps its jobs there", passing=True) from error


def _job(row: tuple[Any, ...]) -> Job:
    number, study, verb, arguments, *rest = row
    priority, state, created, started, ended, starts, stopping, message = rest
    asked = json.loads(arguments)
    return Job(number, study, verb, asked, priority, state, created, started, ended, starts, bool(stopping), message)
