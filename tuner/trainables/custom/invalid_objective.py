"""What is wrong with somebody's code, in words."""

from __future__ import annotations

__all__ = ["InvalidObjective"]


class InvalidObjective(Exception):
    """An objective, or something it did, that cannot be used: what, and what to do; where the `machine` did it, how."""

    def __init__(self, what: str, hint: str = "", machine: str = "") -> None:
        self.what, self.hint, self.machine = what, hint, machine
        super().__init__(f"{what}; {hint}" if hint else what)
