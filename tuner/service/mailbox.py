"""Trials that others train: a study's objective puts each config into a mailbox, and waits until somebody tells.

Who asks gets the config that has waited longest, and the same one again until it is told, or until its lease has ended
and another one got it. What was told stays, so that a run that begins again asks for nothing twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.errors import StudyBusy, TunerError

__all__ = ["ASKED", "VARIABLE", "Mailbox", "OpenTrial", "train"]

ASKED = "tuner.service.mailbox:train"  # the objective of a study whose trials others train
VARIABLE = "TUNER_MAILBOX"
EVERY = 0.1  # seconds between looks for an answer
PATIENCE = 30.0  # seconds to wait for another process's transaction
SCHEMA = """
CREATE TABLE IF NOT EXISTS trials (
    place INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, config TEXT NOT NULL,
    client TEXT NOT NULL DEFAULT '', until REAL NOT NULL DEFAULT 0, answer TEXT
);
"""


@dataclass(frozen=True)
class OpenTrial:
    """A config to train: its key, by which it is told, and until when it is the client's alone (seconds since 1970)."""

    key: str
    config: Mapping[str, Any]
    until: float

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"key": self.key, "config": dict(self.config), "until": self.until}


class Mailbox:
    """The configs of a study that wait for others, and what was told: a SQLite file that several processes share."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, config: Mapping[str, Any]) -> str:
        """Put a config in, if it is not there yet, or failed when it was; returns its key, which the config decides.

        A config holds its trial's number and its seed.
        """
        text = json.dumps(dict(config), sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        with self._opened() as file:
            file.execute("INSERT OR IGNORE INTO trials (key, config) VALUES (?, ?)", (key, text))
            again = "UPDATE trials SET answer = NULL, client = '', until = 0 WHERE key = ? AND answer LIKE ?"
            file.execute(again, (key, '{"error":%'))
        return key

    def ask(self, client: str, lease: float) -> OpenTrial | None:
        """Return the config that a client is to train for `lease` seconds; None where none waits."""
        now = time.time()
        order = "ORDER BY client = ? DESC, place LIMIT 1"
        asked = f"SELECT key, config FROM trials WHERE answer IS NULL AND (client = ? OR until < ?) {order}"
        with self._opened() as file:
            found = file.execute(asked, (client, now, client)).fetchone()
            if found is None:
                return None
            file.execute("UPDATE trials SET client = ?, until = ? WHERE key = ?", (client, now + lease, found[0]))
        return OpenTrial(found[0], json.loads(found[1]), now + lease)

    def tell(self, key: str, client: str, answer: Mapping[str, Any]) -> None:
        """Take the answer to a config; the same answer again changes nothing.

        Raises KeyError for an unknown key, StudyBusy where another client has it, or something else was told.
        """
        text = json.dumps(dict(answer), sort_keys=True)
        with self._opened() as file:
            found = file.execute("SELECT client, answer FROM trials WHERE key = ?", (key,)).fetchone()
            if found is None:
                raise KeyError(key)
            if found[1] is not None and found[1] != text:
                raise StudyBusy(f"trial {key!r} was told already, and something else")
            if found[0] != client:
                raise StudyBusy(f"trial {key!r} is another client's; ask for one")
            file.execute("UPDATE trials SET answer = ? WHERE key = ?", (text, key))

    def answer(self, key: str) -> dict[str, Any] | None:
        """Return what was told of a config; None before that."""
        with self._opened() as file:
            found = file.execute("SELECT answer FROM trials WHERE key = ?", (key,)).fetchone()
        return None if found is None or found[0] is None else dict(json.loads(found[0]))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction that nobody else can come between."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            file.execute(SCHEMA)
            yield file
            file.execute("COMMIT")


def train(config: Mapping[str, Any]) -> dict[str, float]:
    """Wait until somebody has trained a config, and return the metrics. Raises TunerError with why it failed."""
    if VARIABLE not in os.environ:
        raise TunerError("others train the trials of this study: go on with it in `tuner serve`, by .../resume")
    box = Mailbox(Path(os.environ[VARIABLE]))
    key = box.put(config)
    while (answer := box.answer(key)) is None:
        time.sleep(EVERY)
    if "error" in answer:
        raise TunerError(str(answer["error"]))
    return {str(name): float(value) for name, value in answer["metrics"].items()}
