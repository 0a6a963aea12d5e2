"""What can be read of a damaged ledger: the longest intact beginning of the study.

The file itself is never opened, only a copy of it and of the log that a killed writer may have left. Generations are
read one by one, as a damaged page affects only what is on it. As each proposal depends on all trials before it, the
first generation that cannot be trusted ends what can be used.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tuner.errors import LedgerError
from tuner.records import ConfirmationRun, Trial
from tuner.store.ledger import rows
from tuner.store.ledger.database import Database
from tuner.store.ledger.ledger import DIGEST, MARKED, RUNS_SEALED, SCHEMA, SEAL, Ledger
from tuner.store.signed import STUDY, SUMMARY, checked_text
from tuner.store.sqlite_files import beside, log_of

__all__ = ["Rescued", "rescue", "write_rescued"]

LOG = "ledger.db-wal"


@dataclass(frozen=True)
class Rescued:
    """What could be read: facts (none where they cannot be), intact generations from the first on, confirmations.

    `runs` are the facts of each generation's run, empty where those cannot be read, as nothing depends on them.
    `problems` lists what could not be read, in the order it was found; `schema` is the version in the file; `study` is
    the text of the resolved study, empty where it cannot be read.
    """

    facts: Mapping[str, str]
    generations: Sequence[Sequence[Trial]]
    confirmed: Sequence[ConfirmationRun]
    problems: Sequence[str]
    schema: str = ""
    runs: Sequence[Mapping[str, Any]] = ()
    study: str = ""

    @property
    def trials(self) -> int:
        """Count the trials that can be read."""
        return sum(map(len, self.generations))


def rescue(path: Path) -> Rescued:
    """Read what can be read of a ledger's file. Raises LedgerError where the file itself cannot be."""
    from tuner.store.ledger import sqlite

    with tempfile.TemporaryDirectory(prefix="tuner-rescue-") as folder:
        copy = Path(folder) / "ledger.db"
        try:
            for source in (path, *beside(path)):
                shutil.copyfile(source, copy.with_name(copy.name + source.name.removeprefix(path.name)))
        except OSError as error:
            raise LedgerError(f"{path}: {error.strerror or error}") from error
        try:
            file = sqlite.SqliteDatabase(copy, read_only=True)
        except LedgerError as error:
            return Rescued({}, [], [], [_said("the file", error)])
        with closing(file):
            return _Reader(file, log_of(path).exists()).read()


def write_rescued(path: Path, found: Rescued, study: str = "") -> None:
    """Write what was read as a new ledger of a resolved study. Raises LedgerError where there is one."""
    with Ledger.create(path, found.facts, study) as ledger:
        for number, (trials, run) in enumerate(zip(found.generations, found.runs, strict=True)):
            ledger.commit_generation(number, trials, run)
        ledger.commit_confirmations(found.confirmed)


class _Reader:
    """Reads a copy row by row, and collects what goes wrong."""

    def __init__(self, file: Database, has_log: bool) -> None:
        self.file, self.has_log = file, has_log
        self.problems: list[str] = []
        self.runs: list[Mapping[str, Any]] = []

    def read(self) -> Rescued:
        facts = self._facts()
        schema = facts.pop(SCHEMA, "")
        seal = facts.pop(SEAL, "")
        study, marked, _ = facts.pop(STUDY, ""), facts.pop(MARKED, ""), facts.pop(SUMMARY, "")
        if marked and not self.has_log:
            self.problems.append(
                f"{LOG} is missing: what the last run committed was in it, if it had committed anything"
            )
        from tuner.store.ledger.schema import VERSION

        if schema.isdigit() and int(schema) > VERSION:
            self.problems.append(f"the ledger has schema {schema}, this version of tuner reads {VERSION}: update tuner")
            return Rescued({}, [], [], self.problems, schema)
        if facts and seal != rows.sealed(facts):
            self.problems.append("the facts of the study were changed or damaged")
        facts.pop(RUNS_SEALED, None)
        generations = self._generations()
        known = {trial.number for trials in generations for trial in trials}
        confirmed = [row for row in self._confirmations() if row.trial in known]
        return Rescued(facts, generations, confirmed, self.problems, schema, self.runs, self._study(study))

    def _study(self, kept: str) -> str:
        try:
            return checked_text(kept) if kept else ""
        except ValueError:
            self.problems.append("the resolved study was changed or damaged")
            return ""

    def _facts(self) -> dict[str, str]:
        from tuner.store.ledger.schema import facts

        return {
            str(row["name"]): str(row["value"]) for row in self._rows("the facts of the study", facts.select()) or ()
        }

    def _generations(self) -> list[list[Trial]]:
        from tuner.store.ledger.schema import generations

        found: list[list[Trial]] = []
        for number in count():
            what = f"generation {number}"
            listed = self._rows(what, generations.select().where(generations.c.number == number))
            if not listed:
                break
            trials = self._trials(what, number, sum(map(len, found)), listed[0])
            if trials is None:
                break
            found.append(trials)
            facts = listed[0]["facts"] if isinstance(listed[0]["facts"], dict) else {}
            self.runs.append({name: value for name, value in facts.items() if name != rows.RUN_SEAL})
        self._count_beyond(len(found))
        return found

    def _trials(self, what: str, number: int, first: int, said: Mapping[str, Any]) -> list[Trial] | None:
        """Read the trials of a generation with their curves; None where they differ from what was committed."""
        from tuner.store.ledger.schema import curves, trials

        last = first + int(said["trials"]) - 1
        asked = trials.select().where(trials.c.number.between(first, last)).order_by(trials.c.number)
        listed = self._rows(what, asked.with_only_columns(*(trials.c[name] for name in rows.TRIAL)))
        drawn = self._rows(
            what, curves.select().where(curves.c.trial.between(first, last)).order_by(*curves.primary_key)
        )
        if listed is None or drawn is None:
            return None
        try:
            cells = [tuple(row[name] for name in rows.TRIAL) for row in listed]
            own = {number: [row for row in drawn if row["trial"] == number] for number in range(first, last + 1)}
            whole = rows.cells_digest(number, cells) == said["digest"] and len(cells) == said["trials"]
            if not whole or any(rows.curves_digest(own[c[0]]) != c[DIGEST] for c in cells):
                self.problems.append(f"{what} was changed or damaged")
                return None
            return rows.trials_of(cells, lambda number: rows.curves_of(own[number]))
        except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
            self.problems.append(f"{what} was changed or damaged")
            return None

    def _confirmations(self) -> list[ConfirmationRun]:
        from tuner.store.ledger.schema import confirmations

        found = []
        for row in self._rows("the confirmations", confirmations.select().order_by(*confirmations.primary_key)) or ():
            try:
                found.append(rows.confirmed_of(row))
            except (ValueError, TypeError) as error:
                self._say("a confirmation", error)
        return found

    def _count_beyond(self, whole: int) -> None:
        from sqlalchemy import func, select

        from tuner.store.ledger.schema import generations

        before = len(self.problems)
        said = self._rows("the list of generations", select(func.max(generations.c.number).label("last")))
        if said and said[0]["last"] is not None and int(said[0]["last"]) >= whole and before == len(self.problems):
            self.problems.append(f"generations {whole} to {said[0]['last']} cannot be used")

    def _rows(self, what: str, asked: Any) -> list[Mapping[str, Any]] | None:
        try:
            with self.file.transaction() as connection:
                return [dict(row) for row in connection.execute(asked).mappings()]
        except (LedgerError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            self._say(what, error)
            return None

    def _say(self, what: str, error: BaseException) -> None:
        self.problems.append(_said(what, error))


def _said(what: str, error: BaseException) -> str:
    said = str(error).partition("ledger.db: ")[2] or "holds what was never written there"
    return f"{what}: {said.partition(';')[0]}"
