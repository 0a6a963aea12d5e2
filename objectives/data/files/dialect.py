"""How a file of text is written: its separators, its marks and where its rows are; as asked, and as found."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["ASKED", "BLANKS", "GAPS", "MARKS", "Dialect"]

BLANKS = "blanks"  # the separator of columns that are set apart by any number of spaces
MARKS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", BLANKS: "blanks"}
# Texts that stand for a value that is not there, in lower case; pandas reads most of them so in columns of numbers.
GAPS = frozenset(
    [
        *("", "?", "-", "--", ".", "n/a", "na", "n.a.", "nan", "-nan", "null", "none", "nil", "missing", "(missing)"),
        *("unknown", "#n/a", "#na", "<na>", "#value!", "#div/0!", "nat"),
    ]
)


@dataclass(frozen=True)
class Dialect:
    """What a user says of a file; None and () are guessed.

    `header` has the numbers of the lines that hold the names of columns, as an editor counts them; () is a guess and
    (0,) is none. `missing` are texts that stand for gaps, beside the usual ones. `sheet` is a name, or a number from 1.
    `names` are columns that must be there: they tell which line has names, and what divides it.
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: tuple[int, ...] = ()
    comment: str | None = None
    missing: tuple[str, ...] = ()
    sheet: str | int | None = None
    names: tuple[str, ...] = ()

    def said(self) -> tuple[str, ...]:
        """Return the names of what is not left to a guess."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) not in (None, ()))

    def is_gap(self, text: str) -> bool:
        """Return True if a text stands for a value that is not there."""
        return text.strip().lower() in GAPS or text.strip() in self.missing


ASKED = Dialect()
