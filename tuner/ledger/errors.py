"""What can be wrong with a ledger."""

from __future__ import annotations

from tuner.errors import TunerError

__all__ = ["LedgerError"]


class LedgerError(TunerError):
    """The ledger cannot be read or written; the message names its file, the reason and what to do."""

    exit_code = 1
