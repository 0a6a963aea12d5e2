"""What a table may hide: gaps written as numbers, columns that give the target away, rows that are not independent.

Each is a sentence with the line of a study file that mends it; a table has few of them. None of them changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from objectives.data.features import Features
from objectives.data.splits import SplitSpec
from objectives.data.target import Target
from objectives.types import Floats

__all__ = ["suspicions"]

MOST = 8  # sentences that a person reads
MOST_LOOKED_AT = 200  # columns
FIRST, MANY = 1000, 50_000  # rows that tell most columns, and whether there are copies
SENTINELS = (-9999.0, -999.0, -99.0, -200.0, -1.0, 99.0, 999.0, 9999.0, 99999.0)
OFTEN = 0.01  # of the rows have a value that stands for a gap
AWAY = 3.0  # widths of the other values that lie between them and it
RARE = 0.02  # share of a class that accuracy hardly sees
ENTITY = re.compile(
    r"(?i)(?:.*[_\W])?(?:patient|subject|user|customer|person|client|member|player|student|participant|household|device|"
    r"machine|session|animal|store|hospital)s?(?:[_\W]?(?:id|no|nr|code|number))?"
)


def suspicions(features: Features, goal: Target, split: SplitSpec) -> list[str]:
    """Return sentences on what may be wrong with a table, the gravest first."""
    found = [*_revealing(features, goal), *_sentinels(features), *_entities(features, split)]
    found += [*_dates(features, split), *_targets(goal)]
    found += _duplicates(features, goal) if len(features.names) > 1 else []
    more = [f"{len(found) - MOST} more such remarks"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _numbers(features: Features) -> Iterator[tuple[str, Floats]]:
    for name in list(features.names)[:MOST_LOOKED_AT]:
        column = features.columns[name]
        if name not in features.texts and len(column):
            yield name, column


def _revealing(features: Features, goal: Target) -> Iterator[str]:
    """Yield columns from which the target follows by themselves: each value, or a rank, says it."""
    for name in list(features.names)[:MOST_LOOKED_AT]:
        column = features.columns[name]
        if len(column) and _follows(column, goal, name in features.texts):
            hint = f'unless it is known before the target is, leave it out: [data] drop = ["{name}"]'
            yield f"column {name!r} gives the target away: {hint}"


def _follows(column: Any, goal: Target, texts: bool) -> bool:
    y = goal.y if goal.task != "regression" else goal.y[:, 0]
    if goal.task == "regression":
        if texts or len(goal.y) < 10 or goal.y.shape[1] > 1 or np.isnan(column).any() or np.ptp(column) == 0:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(abs(np.corrcoef(column, y)[0, 1]) > 1 - 1e-9)
    most = min(2 * len(goal.classes), len(y) // 5)
    if len(set(column[:FIRST].tolist())) > most:
        return False
    levels, codes = np.unique(column.astype(str) if texts else column, return_inverse=True)
    if not 2 <= len(levels) <= most:
        return False
    counts = np.zeros((len(levels), len(goal.classes)), np.int64)
    np.add.at(counts, (codes, y), 1)
    told = counts.max(axis=1).sum() / len(y)
    return bool(told > 0.999 and len(np.unique(counts.argmax(axis=1))) == len(goal.classes))


def _sentinels(features: Features) -> Iterator[str]:
    for name, column in _numbers(features):
        there = column[~np.isnan(column)]
        ends = {float(there.min()), float(there.max())} if len(there) else set()
        for value in sorted(ends & {*SENTINELS}):
            count, others = int((there == value).sum()), there[there != value]
            width = float(np.ptp(others)) if len(others) else 0.0
            far = len(others) and min(abs(others.min() - value), abs(others.max() - value)) > AWAY * width > 0
            if count >= max(2, OFTEN * len(column)) and (far or _alone(value, others)):
                line = f'[data] missing = ["{value:g}"]'
                yield f"column {name!r}: {value:g} in {count} rows seems to stand for a gap; if so write {line}"


def _alone(value: float, others: Floats) -> bool:
    """Return True for a value of 99 or more in size that lies farther from the others than these from each other."""
    gap = min(abs(others.min() - value), abs(others.max() - value)) if len(others) else 0.0
    return abs(value) >= 99 and gap > float(np.ptp(others)) > 0 if len(others) else False


def _entities(features: Features, split: SplitSpec) -> Iterator[str]:
    """Yield names of what several rows belong to, which a random split puts on both sides."""
    if split.group is not None or split.column is not None:
        return
    for name in features.names:
        column = features.columns[name]
        if not ENTITY.fullmatch(name) or not len(column):
            continue
        distinct = len(set(column.tolist()))
        if 5 <= distinct <= 0.9 * len(column):
            line = f'[data] split = {{ group = "{name}" }}'
            yield f"column {name!r} repeats: rows of one {name} are in train and valid; {line} keeps them together"


def _dates(features: Features, split: SplitSpec) -> Iterator[str]:
    if split.order is not None or split.column is not None or not features.dates:
        return
    name = features.dates[0]
    column = features.columns[name]
    if np.isfinite(column).all() and (np.diff(column) >= 0).all() and np.ptp(column) > 0:
        line = f'[data] split = {{ order = "{name}" }}'
        yield f"rows are in order of {name!r}, and a random split mixes past and future; {line} tests on what follows"


def _targets(goal: Target) -> Iterator[str]:
    if goal.task == "regression":
        return
    counts = np.bincount(goal.y, minlength=len(goal.classes))
    least = int(counts.argmin())
    if len(goal.classes) == 2 and counts[least] < RARE * len(goal.y):
        share = counts[least] / len(goal.y)
        what = f"target: only {share:.2g} of the rows are {goal.classes[least]!r}"
        hint = "minimize valid_loss, and write [confirm] metrics = ['average_precision', 'roc_auc']"
        yield f"{what}, so a constant has accuracy {1 - share:.3g}; {hint}"
    whole = all(isinstance(label, int) and not isinstance(label, bool) for label in goal.labels)
    first = int(goal.labels[0]) if whole and goal.labels else 0
    if whole and len(counts) > 4 and goal.labels == tuple(range(first, first + len(counts))):
        hint = "for grades write [data] task = 'regression', for counts [train] loss = 'poisson'"
        yield f"target: whole numbers in a row are taken as classes; {hint}"


def _duplicates(features: Features, goal: Target) -> Iterator[str]:
    """Yield that rows occur several times: a random split puts one in train and its copy in valid."""
    if features.matrix is not None or not len(next(iter(features.columns.values()))):
        return
    import pandas as pd

    frame = pd.DataFrame({**features.columns, "\0target": np.asarray(goal.y).reshape(len(goal.y), -1)[:, 0]})
    frame = frame.head(MANY)
    copies = int(frame.duplicated().sum())
    varied = frame.head(FIRST).nunique().max() > 20  # of few categories rows are bound to be alike
    if copies > 0.01 * len(frame) and varied:
        yield f"{copies} rows occur more than once with their target: copies in train and valid flatter; remove them"
