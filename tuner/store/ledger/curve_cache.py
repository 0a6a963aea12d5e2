"""Curves of trials, read from the ledger when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tuner.errors import LedgerError
from tuner.store.ledger import rows

__all__ = ["CurveCache", "damaged"]

BLOCK = 512  # trials whose curves are read together
Read = Callable[[int, int], dict[int, list[dict[str, Any]]]]  # first and last trial -> rows of curves, by trial


class CurveCache:
    """The curves of a ledger's trials, which `read` reads a block of trials at a time, when one of them is asked for.

    `digests` are those that the curves of trial 0, 1, ... must have; `place` is the ledger's, for messages.
    """

    def __init__(self, place: object, digests: Sequence[str], read: Read) -> None:
        self.place, self.digests, self.read = place, digests, read
        self._blocks: dict[int, dict[int, list[dict[str, Any]]]] = {}

    def curves(self, number: int) -> dict[str, Any]:
        """Return the curves `(R, E)` of a trial. Raises LedgerError where they differ from those that were
        committed.
        """
        first = number - number % BLOCK
        if first not in self._blocks:
            self._blocks[first] = self.read(first, first + BLOCK - 1)
        own = self._blocks[first].pop(number, [])
        try:
            if rows.curves_digest(own) == self.digests[number]:
                return rows.curves_of(own)
        except (ValueError, TypeError) as error:
            raise damaged(self.place, f"curves of trial {number}") from error
        raise damaged(self.place, f"curves of trial {number}")


def damaged(place: object, what: str) -> LedgerError:
    """Build the error of a record that differs from what was committed."""
    return LedgerError(
        f"{place}: {what} cannot be trusted, the file was changed or damaged; "
        "`tuner doctor` recovers what can be read, or begin anew with --fresh"
    )
