"""How a table is understood where a guess is wrong, and by which rules it is understood at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from objectives.data.files.dialect import ASKED, Dialect

__all__ = ["FIRST_RULES", "PLAIN", "RULES", "UNLABELLED", "Reading"]

FIRST_RULES, RULES = 1, 2  # texts are categories as they stand; texts are what they look like
UNLABELLED = ("refuse", "drop")


@dataclass(frozen=True)
class Reading:
    """What a user says of a table. `columns` has the kinds of some of them, by name; see `columns.kinds.KINDS`.

    Studies that began under the first rules keep them, so that they find the same inputs when they go on.
    """

    dialect: Dialect = ASKED
    columns: Mapping[str, str] = field(default_factory=dict)
    rules: int = RULES
    unlabelled: str = "refuse"
    look: bool = False  # whether a view of each column is kept


PLAIN = Reading()
