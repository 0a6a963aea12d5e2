"""Tables of a ledger, in SQLAlchemy Core, for every database.

Floats are stored as text, as `repr` writes them: databases differ in how they store nan, inf and the last bits, and
text of 17 digits is exact everywhere. Mappings are JSON, as text for the same reason. `rows` writes and reads these
texts for trials, of which there may be many. Curves are the bytes of little-endian float64 in C order, blocks of
validation rows those of float32.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

from tuner.store.ledger.rows import json_text

__all__ = ["METADATA", "VERSION", "confirmations", "curves", "facts", "generations", "trials"]

VERSION = 3  # of this schema; a ledger says which one it has
METADATA = MetaData()


class ExactFloat(TypeDecorator[float]):
    """A float that comes back bit for bit, nan and inf included."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> str | None:
        """Convert the float to text."""
        del dialect
        return None if value is None else repr(float(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        """Convert the text to a float."""
        del dialect
        return None if value is None else float(value)


class Json(TypeDecorator[Any]):
    """Plain Python values as JSON text; nan and inf included, NUL and lone surrogates escaped."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Convert the value to text."""
        del dialect
        return json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Convert the text to a value."""
        del dialect
        return json.loads(value)


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, autoincrement=False, nullable=False)


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, METADATA, *columns)


facts = _table(
    "facts",
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
generations = _table(
    "generations",
    _number("number", key=True),
    _number("trials"),
    Column("digest", String(64), nullable=False),
    Column("facts", Json, nullable=False),
)
trials = _table(
    "trials",
    _number("number", key=True),
    _number("generation"),
    Column("state", String(16), nullable=False),
    Column("config", Text, nullable=False),
    Column("latents", Text, nullable=False),
    Column("rung", Integer, nullable=False),
    _number("epochs"),
    _number("steps"),
    Column("value", String(32)),
    Column("epoch", BigInteger),
    Column("stable", Boolean, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("curves_digest", String(64), nullable=False),
    Column("seconds", String(32), nullable=False),
    Column("error", Text, nullable=False),
)
curves = _table(
    "curves",
    _number("trial", key=True),
    _number("position", key=True),
    Column("name", String(128), nullable=False),
    _number("replicates"),
    _number("epochs"),
    Column("values", LargeBinary, nullable=False),
)
confirmations = _table(
    "confirmations",
    _number("trial", key=True),
    _number("replicate", key=True),
    _number("epoch"),
    Column("state", String(16), nullable=False),
    Column("metrics", Json, nullable=False),
    Column("seconds", ExactFloat, nullable=False),
    Column("blocks", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
)
