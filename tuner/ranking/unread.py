"""Splits that an objective of somebody's own never looks at: all of them are one then, and their spread is 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuner.records import Trial
from tuner.study import Study

__all__ = ["unread_note", "unread_splits"]

FEW = 3  # trials, below which equal curves may be chance


def unread_splits(study: Study, trials: Sequence[Trial]) -> int:
    """Return how many trials had the same goal on each of their splits, to the last bit; 0 unless every one had.

    Seeds differ from split to split, so that such an objective reads neither. One that differs by its seed alone cannot
    be told. Where all trials are alike, all that is known is that the goal is the same everywhere.
    """
    if not study.own or study.splits == 1:
        return 0
    curves = [np.asarray(t.curves[study.metric]) for t in trials if study.metric in t.curves]
    # where a trial came to a new rung its first splits know more epochs than those that are new there
    ends = [curve[:, -1] for curve in curves if len(curve) > 1 and np.isfinite(curve[:, -1]).all()]
    if len(ends) < FEW or len({float(end[0]) for end in ends}) < 2:
        return 0
    return len(ends) if all((end == end[0]).all() for end in ends) else 0


def unread_note(study: Study, trials: Sequence[Trial]) -> str:
    """Return a warning where the objective never looks at its split; empty where it does, as far as can be told."""
    count = unread_splits(study, trials)
    if not count:
        return ""
    way = 'divide the data by run.split or config["split"]' if study.own and not study.own.command else "use {split}"
    same = f"all {count} trials with several splits have the same {study.metric} on each, to the last bit"
    return f"warning: {same}: the objective does not look at its split; {way}, or ask for one: splits = 1"
