"""What one transaction reads and writes in the tables of a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.enums import TrialState
from tuner.errors import LedgerError
from tuner.records import ConfirmationRun, Trial
from tuner.store.ledger import rows
from tuner.store.ledger.curve_cache import damaged
from tuner.store.ledger.database import LedgerPlace
from tuner.store.signed import SUMMARY, signed

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

__all__ = ["Transaction", "decoding"]


@dataclass(frozen=True)
class Transaction:
    """A transaction on the ledger at `place`; it ends with the `connection` that it was opened on."""

    connection: Connection
    place: LedgerPlace

    def select(self, table: Table, *where: ColumnElement[bool]) -> list[dict[str, Any]]:
        """Return the rows of a table that fulfil all conditions, in the order of its key."""
        with decoding(self.place, table.name):
            found = self.connection.execute(table.select().where(*where).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]

    def cells(self, table: Table) -> list[Sequence[Any]]:
        """Return the rows of the trials, their cells in the order of `TRIAL`."""
        from sqlalchemy import select

        with decoding(self.place, table.name):
            asked = select(*(table.c[name] for name in rows.TRIAL)).order_by(table.c.number)
            return list(self.connection.execute(asked).fetchall())

    def ends(self) -> tuple[int, int]:
        """Return the number of the last generation and of the last trial, -1 where there is none."""
        from sqlalchemy import func, select

        from tuner.store.ledger import schema

        tables = (schema.generations, schema.trials)
        last = [self.connection.execute(select(func.max(table.c.number))).scalar() for table in tables]
        return -1 if last[0] is None else int(last[0]), -1 if last[1] is None else int(last[1])

    def keep(self, name: str, text: str | None) -> None:
        """Replace a text that the ledger keeps of the study as it goes on; None removes it."""
        from tuner.store.ledger import schema

        self.connection.execute(schema.facts.delete().where(schema.facts.c.name == name))
        if text is not None:
            self.connection.execute(schema.facts.insert(), [{"name": name, "value": signed(text)}])

    def add_generation(
        self,
        number: int,
        trials: Sequence[Trial],
        facts: Mapping[str, Any],
        summary: Mapping[str, Any] | None,
    ) -> None:
        """Add the next generation; see `Ledger.commit_generation`."""
        from tuner.store.ledger import schema

        listed = [rows.trial_row(trial) for trial in trials]
        curves = [row for trial in trials for row in rows.curve_rows(trial)]
        digest = rows.generation_digest(number, listed)
        if known := self.select(schema.generations, schema.generations.c.number == number):
            if known[0]["digest"] != digest:
                raise LedgerError(f"{self.place}: generation {number} is committed already, with other content")
            return
        _check_next(number, trials, *self.ends())
        kept = dict(facts)
        kept[rows.RUN_SEAL] = rows.run_seal(kept, _cells_of(listed))
        row = {"number": number, "trials": len(listed), "digest": digest, "facts": kept}
        self.connection.execute(schema.generations.insert(), [row])
        self.connection.execute(schema.trials.insert(), listed)
        if curves:
            self.connection.execute(schema.curves.insert(), curves)
        self.keep(SUMMARY, None if summary is None else rows.json_text(dict(summary)))

    def replace_failed(self, trials: Sequence[Trial]) -> None:
        """Put trials in the places of failed ones, and seal their generations anew. Raises LedgerError for others."""
        from tuner.store.ledger import schema

        new = {trial.number: rows.trial_row(trial) for trial in trials}
        generations = sorted({trial.generation for trial in trials})
        asked = schema.trials.c.generation.in_(generations)
        known = {row["number"]: row for row in self.select(schema.trials, asked)}
        for number, row in new.items():
            old = known.get(number)
            same = old is not None and all(old[name] == row[name] for name in ("generation", "config", "latents"))
            if old is None or not same or old["state"] != TrialState.FAILED:
                raise LedgerError(f"{self.place}: trial {number} did not fail, or has another config: it is kept")
        for table, column in ((schema.trials, schema.trials.c.number), (schema.curves, schema.curves.c.trial)):
            self.connection.execute(table.delete().where(column.in_(new)))
        self.connection.execute(schema.trials.insert(), list(new.values()))
        if curves := [row for trial in trials for row in rows.curve_rows(trial)]:
            self.connection.execute(schema.curves.insert(), curves)
        for generation in generations:
            where = schema.generations.c.number == generation
            listed = [row for row in (known | new).values() if row["generation"] == generation]
            (old_row,) = self.select(schema.generations, where)
            facts = {**old_row["facts"], rows.RUN_SEAL: rows.run_seal(old_row["facts"], _cells_of(listed))}
            changed = {"digest": rows.generation_digest(generation, listed), "facts": facts}
            self.connection.execute(schema.generations.update().where(where).values(changed))
        self.keep(SUMMARY, None)

    def add_confirmations(self, confirmed: Sequence[ConfirmationRun]) -> None:
        """Add those confirmation runs that are new. Raises LedgerError where a known one says something else."""
        from tuner.store.ledger import schema

        table = schema.confirmations
        names = (table.c.trial, table.c.replicate, table.c.digest)
        asked = table.select().with_only_columns(*names).where(table.c.trial.in_({row.trial for row in confirmed}))
        known = {(row[0], row[1]): row[2] for row in self.connection.execute(asked)}
        new = []
        for row in map(rows.confirmed_row, confirmed):
            digest = known.get((row["trial"], row["replicate"]))
            if digest is None:
                new.append(row)
            elif not rows.says_the_same(digest, row["digest"]):
                where = f"trial {row['trial']}, replicate {row['replicate']}"
                raise LedgerError(f"{self.place}: {where} is confirmed already, with other content")
        if new:
            self.connection.execute(schema.confirmations.insert(), new)


@contextmanager
def decoding(place: LedgerPlace, what: str) -> Iterator[None]:
    """Turn what Python raises for a value of the wrong kind, as damaged rows have them, into LedgerError."""
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise damaged(place, what) from error


def _check_next(number: int, trials: Sequence[Trial], generation: int, trial: int) -> None:
    """Raise ValueError unless a generation follows on the last one, and its trials on the last trial."""
    if number != generation + 1:
        raise ValueError(f"the next generation is {generation + 1}, but got {number}")
    numbers = [one.number for one in trials]
    if numbers != list(range(trial + 1, trial + 1 + len(trials))) or not trials:
        raise ValueError(f"the trials of generation {number} must go on from {trial + 1}, but got {numbers}")
    if any(one.generation != number for one in trials):
        raise ValueError(f"a trial of generation {number} says that it is of another one")


def _cells_of(listed: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Return the cells of trials' rows, in the order of `TRIAL`."""
    return [[row[name] for name in rows.TRIAL] for row in listed]
