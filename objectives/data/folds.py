"""Folds: parts of the rows beside the test rows that validate in turn, drawn anew for every repetition.

Two ways, from simple to complex: rows stratified by class, whole groups. All folds of all repetitions have the same
sizes, so that they can be stacked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["fold_of_groups", "fold_of_rows", "fold_sizes"]

Codes = npt.NDArray[np.int64]


def fold_of_rows(rows: Codes, strata: Codes, folds: int, fold: int, generator: np.random.Generator) -> Codes:
    """Draw the fold of a permutation of `rows (n,)` that has as many rows of each class as every other fold, ascending.

    `strata` are the class codes of all rows. What is left over of a class is in no fold.
    """
    chosen = []
    for stratum in range(int(strata.max()) + 1):
        members = generator.permutation(rows[strata[rows] == stratum])
        size = len(members) // folds
        chosen.append(members[fold * size : (fold + 1) * size])
    return np.sort(np.concatenate(chosen))


def fold_sizes(sizes: Codes, folds: int) -> tuple[int, int]:
    """Return how many rows at least and at most a fold of whole groups has, whatever the repetition.

    `sizes (G,)` are the rows of the groups. Dealt largest first, each fold gets one group of every round.
    """
    rounds = [sizes[members] for members in _rounds(sizes, folds, np.arange(len(sizes)))]
    return sum(int(some.min()) for some in rounds), sum(int(some.max()) for some in rounds)


def fold_of_groups(
    groups: Codes, sizes: Codes, folds: int, fold: int, generator: np.random.Generator
) -> tuple[Codes, Codes]:
    """Draw the rows that train and the rows of the fold that validate, ascending; no group has rows in both.

    `groups (n,)` are the group codes of all rows and `sizes (G,)` the rows of each group, 0 where it is not to be
    dealt. Where groups differ in size, some rows are in neither part, so that both have the same size in every fold.
    """
    least, most = fold_sizes(sizes, folds)
    validates = np.zeros(len(sizes), dtype=np.bool_)
    for members in _rounds(sizes, folds, generator.permutation(len(sizes))):
        validates[generator.permutation(members)[fold]] = True
    dealt = np.flatnonzero(sizes[groups] > 0)
    inside = validates[groups[dealt]]
    train = generator.permutation(dealt[~inside])[: len(dealt) - most]
    valid = generator.permutation(dealt[inside])[:least]
    return np.sort(train), np.sort(valid)


def _rounds(sizes: Codes, folds: int, order: Codes) -> Iterator[Codes]:
    """Yield the groups of each round of dealing `(folds,)`, largest first, those of one size in the order given.

    What is left over is in no fold.
    """
    dealt = order[np.argsort(-sizes[order], kind="stable")][: np.count_nonzero(sizes)]
    for first in range(0, len(dealt) // folds * folds, folds):
        yield dealt[first : first + folds]
