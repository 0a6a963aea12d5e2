"""Where a process on another machine has the directories of the one that sends it tasks."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MOVED"]

MOVED: dict[Path, Path] = {}
