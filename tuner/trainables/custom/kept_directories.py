"""Directories of the best trials, which outlive the search: what a trial had in its own when it came to its end."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tuner.trainables.custom.tasks import KEPT

__all__ = ["drop_others", "take_over"]

TRIAL = re.compile(r"trial-(\d+)(?:-seed-\d+)?")


def take_over(flight: Path, number: int, kept: Path) -> None:
    """Move a trial's directories, one for each seed, from below `flight` to where they stay, if there are any.

    The first seed's is `trial-N`, those of others are `trial-N-seed-S`. Each is moved in one step.
    """
    found = [place for place in flight.glob(f"*/{number}-*") if any(place.glob(f"{KEPT}-*"))]
    for i, place in enumerate(sorted(found, key=lambda place: int(place.name.rpartition("-")[2]))):
        last = max(place.glob(f"{KEPT}-*"), key=lambda at: int(at.name.rpartition("-")[2]))
        seed = place.name.rpartition("-")[2]
        target = kept / (f"trial-{number}-seed-{seed}" if i else f"trial-{number}")
        if not any(last.iterdir()):
            continue  # its code has left nothing there
        kept.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(last, target)


def drop_others(kept: Path, wanted: Sequence[int]) -> None:
    """Remove directories of trials that are not wanted any more."""
    with suppress(FileNotFoundError):
        for place in list(kept.iterdir()):
            found = TRIAL.fullmatch(place.name)
            if found and int(found[1]) not in wanted:
                shutil.rmtree(place, ignore_errors=True)
        if not any(kept.iterdir()):
            kept.rmdir()
