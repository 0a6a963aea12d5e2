"""The ledger of a study: create, open, commit generations and confirmations, read them back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tuner.errors import LedgerError
from tuner.records import ConfirmationRun, Trial
from tuner.store.collector import collector_paused
from tuner.store.ledger import rows
from tuner.store.ledger.curve_cache import CurveCache, damaged
from tuner.store.ledger.database import Database, LedgerPlace, create_database, open_database
from tuner.store.ledger.rows import Generation
from tuner.store.ledger.transaction import Transaction, decoding
from tuner.store.signed import STUDY, SUMMARY, checked_text, signed
from tuner.store.sqlite_files import log_of
from tuner.urls import Remote

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["DIGEST", "MARKED", "RUNS_SEALED", "SCHEMA", "SEAL", "Ledger"]

T = TypeVar("T")
# Facts about the ledger itself: its schema, and the digest of all other facts.
SCHEMA, SEAL = "ledger_schema", "ledger_seal"
# Says that every generation has the digest of its run's facts, so that none can go missing.
RUNS_SEALED = "ledger_runs_sealed"
MARKED = "ledger_log"  # says that there is a log beside the file; the first commit, in the log, removes it
GENERATION, DIGEST = rows.TRIAL.index("generation"), rows.TRIAL.index("curves_digest")
SHORTEST, LONGEST = 0.25, 10.0  # seconds between two tries of a commit that waits


class Ledger:
    """One study's ledger, open until `close`; a context manager. Every method may raise LedgerError."""

    def __init__(self, place: LedgerPlace, database: Database) -> None:
        """Use `create` or `open`."""
        self.place = place
        self._database = database
        self._facts: dict[str, str] = {}
        self._study, self._marked, self._runs_sealed = "", False, False
        self._patience: float = 0.0
        self._tell: Callable[[str], None] = lambda sentence: None

    @classmethod
    def create(cls, place: str | Path | Remote, facts: Mapping[str, str], study: str = "") -> Ledger:
        """Make a ledger with the facts of its study; `created` is added to them. There must be none at `place`.

        It keeps the text of the resolved `study` too. A ledger is whole from its first moment.
        """
        from tuner.store.ledger import schema

        kept = {"created": datetime.now(UTC).isoformat(timespec="seconds")} | dict(facts)

        def fill(connection: Connection) -> None:
            schema.METADATA.create_all(connection)
            own = {SCHEMA: str(schema.VERSION), RUNS_SEALED: "1", SEAL: rows.sealed(kept | {RUNS_SEALED: "1"})}
            own |= {STUDY: signed(study)} if study else {}
            listed = [{"name": name, "value": value} for name, value in (kept | own).items()]
            connection.execute(schema.facts.insert(), listed)

        create_database(place if isinstance(place, Remote) else Path(place), study, fill)
        return cls.open(place)

    @classmethod
    def open(cls, place: str | Path | Remote, read_only: bool = False) -> Ledger:
        """Open a ledger that is there; its schema must not be newer than this version knows."""
        place = place if isinstance(place, Remote) else Path(place)
        logged = isinstance(place, Remote) or log_of(place).exists()  # opening a file may create its log
        ledger = cls(place, open_database(place, read_only))
        try:
            ledger._read_facts()
            ledger._marked &= not logged
            ledger._database.known()
        except BaseException:
            ledger.close()
            raise
        return ledger

    @property
    def facts(self) -> dict[str, str]:
        """Return the facts of the study, as they were when it was created."""
        return dict(self._facts)

    @property
    def lost(self) -> str:
        """Describe the commits that the file lacks; "" where none is missing."""
        if not self._marked or not isinstance(self.place, Path):
            return ""
        log = log_of(self.place).name
        return f"{log} is missing: what the last run committed was in it and is lost, if it had committed anything"

    @property
    def study(self) -> str:
        """Return the text of the resolved study; "" in a ledger from before it was kept."""
        return self._study

    def write_study(self, text: str) -> None:
        """Replace the text of the resolved study."""
        if text != self._study:
            self._within(lambda own: own.keep(STUDY, text))
            self._study = text

    def summary(self) -> dict[str, Any]:
        """Return the last writer's summary of the committed trials; None where it is outdated."""
        from tuner.store.ledger import schema

        kept = self._within(lambda own: own.select(schema.facts, schema.facts.c.name == SUMMARY))
        with decoding(self.place, "summary"):
            return dict(json.loads(checked_text(kept[0]["value"]))) if kept else {}

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Replace the summary; the next commit of trials that brings none removes it."""
        if dict(summary) != self.summary():
            self._within(lambda own: own.keep(SUMMARY, rows.json_text(dict(summary))))

    def wait_for(self, patience: float, tell: Callable[[str], None]) -> None:
        """Wait up to `patience` seconds for passing faults from now on; call `tell` once with the fault."""
        self._patience, self._tell = patience, tell
        self._database.tell = tell

    def commit_generation(
        self,
        number: int,
        trials: Sequence[Trial],
        facts: Mapping[str, Any] | None = None,
        summary: Mapping[str, Any] | None = None,
    ) -> None:
        """Commit the next generation, durably and in one transaction; `facts` are a JSON mapping about its run.

        `summary` is the new summary of all trials. Committing the same generation again does nothing; with other
        content it is an error.

        Raises ValueError for a generation that is not the next one, or whose trials do not continue the numbering.
        """
        self._within(lambda own: own.add_generation(number, trials, facts or {}, summary))

    def replace_failed(self, trials: Sequence[Trial]) -> None:
        """Put trials in the places of failed ones with the same numbers and configs, in one transaction."""
        if trials:
            self._within(lambda own: own.replace_failed(trials))

    def generations(self) -> list[Generation]:
        """Return the committed generations, in order."""
        from tuner.store.ledger import schema

        listed = self._within(lambda own: own.select(schema.generations))
        with decoding(self.place, "generations"):
            return [Generation(**row | {"facts": _of_the_run(row["facts"])}) for row in listed]

    def count(self) -> int:
        """Count the committed trials."""
        return self._within(lambda own: own.ends())[1] + 1

    def trials(self) -> list[Trial]:
        """Return the committed trials in trial order, checked against the digests of their generations.

        Their curves `(R, E)` are read from this file on first access, and checked then.
        """
        from tuner.store.ledger import schema

        generations, listed = self._within(lambda own: (own.select(schema.generations), own.cells(schema.trials)))
        self._verify(generations, listed)
        cache = CurveCache(self.place, [str(cells[DIGEST]) for cells in listed], partial(curves_in, self.place))
        with decoding(self.place, "trials"), collector_paused():
            return rows.trials_of(listed, cache.curves)

    def curves(self, first: int, last: int) -> dict[int, list[dict[str, Any]]]:
        """Return the rows of the curves of trials `first` to `last`, by trial."""
        from tuner.store.ledger import schema

        table = schema.curves
        found = self._within(lambda own: own.select(table, table.c.trial.between(first, last)))
        return {int(number): list(group) for number, group in groupby(found, key=lambda row: row["trial"])}

    def commit_confirmations(self, confirmed: Sequence[ConfirmationRun]) -> None:
        """Commit confirmation runs in one transaction; known ones must have the same content."""
        self._within(lambda own: own.add_confirmations(confirmed))

    def confirmations(self) -> list[ConfirmationRun]:
        """Return the confirmation runs by trial and replicate."""
        from tuner.store.ledger import schema

        listed = self._within(lambda own: own.select(schema.confirmations))
        with decoding(self.place, "the confirmations"):
            return [rows.confirmed_of(row) for row in listed]

    def close(self) -> None:
        """Close the database; nothing that was committed is lost without it."""
        self._database.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _read_facts(self) -> None:
        from tuner.store.ledger import schema

        listed = self._within(lambda own: own.select(schema.facts))
        found = {str(row["name"]): str(row["value"]) for row in listed}
        version, seal, study = found.pop(SCHEMA, ""), found.pop(SEAL, ""), found.pop(STUDY, "")
        found.pop(SUMMARY, None)
        self._marked = found.pop(MARKED, "") != ""
        if version != str(schema.VERSION):
            known = f"this version of tuner reads schema {schema.VERSION}"
            newer = version.isdigit() and int(version) > schema.VERSION
            way = "update tuner" if newer else "begin anew with --fresh, or use the version that wrote it"
            what = f"has schema {version}, {known}; {way}" if version.isdigit() else "is no ledger, or damaged"
            raise LedgerError(f"{self.place}: {what}")
        if seal != rows.sealed(found):
            raise damaged(self.place, "facts of the study")
        self._runs_sealed = found.pop(RUNS_SEALED, "") != ""
        self._facts = found
        with decoding(self.place, "resolved study"):
            self._study = checked_text(study) if study else ""

    def _within(self, act: Callable[[Transaction], T]) -> T:
        """Run `act` in a transaction; retry passing faults until the patience is over."""
        pause, until = SHORTEST, time.monotonic() + self._patience
        while True:
            try:
                with self._database.transaction() as connection:
                    return act(Transaction(connection, self.place))
            except LedgerError as error:
                if not error.passing or time.monotonic() + pause > until:
                    raise
                if pause == SHORTEST:
                    self._tell(f"waiting, nothing is lost: {error}")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def _verify(self, generations: Sequence[Mapping[str, Any]], listed: Sequence[Sequence[Any]]) -> None:
        own: dict[int, list[Sequence[Any]]] = {row["number"]: [] for row in generations}
        for cells in listed:
            own.setdefault(cells[GENERATION], []).append(cells)
        known = {row["number"]: row for row in generations}
        for number, members in own.items():
            row = known.get(number)
            if row is None or rows.cells_digest(number, members) != row["digest"] or not self._sealed(row, members):
                raise damaged(self.place, f"generation {number}")

    def _sealed(self, row: Mapping[str, Any], members: Sequence[Sequence[Any]]) -> bool:
        """Return True if a run's facts are as committed, or if the ledger is too old to have kept their digest."""
        seal = dict(row["facts"]).get(rows.RUN_SEAL)
        return seal == rows.run_seal(row["facts"], members) if seal is not None else not self._runs_sealed


def curves_in(place: LedgerPlace, first: int, last: int) -> dict[int, list[dict[str, Any]]]:
    """Read the rows of the curves of trials `first` to `last` from the ledger at a place."""
    with Ledger.open(place, read_only=True) as ledger:
        return ledger.curves(first, last)


def _of_the_run(facts: Any) -> dict[str, Any]:
    """Return the facts of a generation's run, without the ledger's own entries."""
    return {name: value for name, value in dict(facts).items() if name != rows.RUN_SEAL}
