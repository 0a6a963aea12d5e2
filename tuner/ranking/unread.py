"""Custom objectives that never look at their split: all splits are then the same, and their spread is 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuner.records import Trial
from tuner.study import Study

__all__ = ["unread_note", "unread_splits"]

FEW = 3  # trials, below which equal curves may be chance


def unread_splits(study: Study, trials: Sequence[Trial]) -> int:
    """Return how many trials had the same goal on each of their splits, to the last bit; 0 unless all had.

    Seeds differ from split to split, so such an objective reads neither. One that uses its seed alone cannot be
    detected. Where all trials have the same value, it says nothing.
    """
    if not study.custom or study.splits == 1:
        return 0
    curves = [np.asarray(t.curves[study.metric]) for t in trials if study.metric in t.curves]
    # where a trial came to a new rung its first splits know more epochs than those that are new there
    ends = [curve[:, -1] for curve in curves if len(curve) > 1 and np.isfinite(curve[:, -1]).all()]
    if len(ends) < FEW or len({float(end[0]) for end in ends}) < 2:
        return 0
    return len(ends) if all((end == end[0]).all() for end in ends) else 0


def unread_note(study: Study, trials: Sequence[Trial]) -> str:
    """Return a warning if the objective never looks at its split; empty if it does, as far as is known."""
    count = unread_splits(study, trials)
    if not count:
        return ""
    way = (
        'divide the data by run.split or config["split"]'
        if study.custom and not study.custom.command
        else "use {split}"
    )
    same = f"all {count} trials with several splits have the same {study.metric} on each, to the last bit"
    return f"warning: {same}: the objective does not look at its split; {way}, or ask for one: splits = 1"
