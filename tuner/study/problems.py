"""Where a problem is, in the user's terms: the file and the key, or the setting that overrode it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.study.hints import shown

__all__ = ["BARE", "MOST", "InvalidValue", "Key", "ProblemCollector", "dotted"]

Key = tuple[str, ...]
MOST = 50  # complaints of one study that are worth reading
BARE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class InvalidValue(ValueError):
    """One value that cannot be used: what is wrong with it, and a hint."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint
        super().__init__(what, hint)


@dataclass
class ProblemCollector:
    """Collects complaints about one study. `flags` are the overridden keys, each with the setting's own words."""

    label: str
    flags: Mapping[Key, str] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def add(self, key: Sequence[str], what: str, hint: str = "") -> None:
        """Add a complaint about a key."""
        self.complaints.append(Complaint(self._where(tuple(key)), what, hint))

    def _where(self, key: Key) -> str:
        for path, words in self.flags.items():
            short = min(len(path), len(key))
            if short >= 2 and path[:short] == key[:short]:
                return f"{words}: {dotted(key)}" if words else dotted(key)
        return ": ".join(part for part in (self.label, dotted(key)) if part)

    def check(self) -> None:
        """Raise StudyError with every complaint so far, if there are any."""
        if not self.complaints:
            return
        rest = len(self.complaints) - MOST
        more = [Complaint(self.label or "study", f"has {rest} more problems", "mend these first")] if rest > 0 else []
        raise StudyError(*self.complaints[:MOST], *more)


def dotted(key: Sequence[str]) -> str:
    """Write a key path as TOML does; parts that need quotes are escaped."""
    return ".".join(part if BARE.fullmatch(part) else shown(part) for part in key)
