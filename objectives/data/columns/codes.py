"""Codes that look like numbers: postal codes and article numbers whose first digit is a zero, which numbers lose."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from objectives.data.raw import Raw, is_frame

__all__ = ["codes_read_as_numbers"]

CODE = re.compile(r"0\d{2,}")  # 07 may be a month
MOST_ROWS = 50_000  # that are read once more as texts
MOST_COLUMNS = 50


def codes_read_as_numbers(raw: Raw, known: Collection[str] = ()) -> list[str]:
    """Return a sentence for each column of whole numbers of a text file in which some begin with a zero.

    Columns that are `known` have been spoken of.
    """
    if raw.text is None or not is_frame(raw.x) or len(raw.x) > MOST_ROWS:
        return []
    frame: Any = raw.x
    whole = [name for i, name in enumerate(raw.features) if name not in known and _may_be_codes(frame.iloc[:, i])][
        :MOST_COLUMNS
    ]
    texts: Any = raw.text(whole) if whole else {}
    found = []
    for name in whole:
        code = next((text for text in texts[name] if CODE.fullmatch(text.strip())), None)
        if code is not None:
            hint = f'are they codes? [data] columns = {{ {name} = "category" }} takes them so'
            found.append(
                f"column {name!r}: {code.strip()!r} begins with 0 and is read as the number {int(code)}; {hint}"
            )
    return found


def _may_be_codes(column: Any) -> bool:
    """Return True for whole numbers of at least two digits that are not negative."""
    return column.dtype.kind in "iu" and len(column) > 0 and column.min() >= 0 and column.max() > 9
