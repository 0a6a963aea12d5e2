"""Draws whole groups at random so that their rows add up to the same number every time.

Groups differ in size, yet all replicates must have equally large parts: which totals can be reached, and by which
groups, is a subset-sum problem. Groups of one size are interchangeable, and there are at most sqrt(2 n) sizes, so a
bit set of reachable totals per size (a Python integer) stays small: 0.02 s for 10,000 groups in
100,000 rows, 2 s for ten times both.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["draw_groups"]


def draw_groups(sizes: npt.NDArray[np.int64], wanted: int, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw a mask (G,) of groups whose `sizes` (G,) add up as near to `wanted` as possible; ignore groups of size 0.

    The total depends on the sizes and `wanted` alone, the choice of groups on the generator. At least one group is
    drawn and at least one is left; two are left where there are three or more.
    """
    distinct, counts = np.unique(sizes[sizes > 0], return_counts=True)
    total, largest = int(distinct @ counts), int(distinct[-1])
    # More rows left than the largest group has: at least two groups are left.
    most = total - largest - 1 if counts.sum() > 2 else total - 1
    order = generator.permutation(len(distinct))
    reachable = _reachable([(int(distinct[i]), int(counts[i])) for i in order], most)
    goal = _nearest_bit(reachable[-1], min(wanted, most))
    marked = np.zeros(len(sizes), dtype=np.bool_)
    left = total
    for step in reversed(range(len(order))):
        size, count = int(distinct[order[step]]), int(counts[order[step]])
        likely = int(generator.binomial(count, goal / left)) if left else 0
        taken = _feasible(reachable[step], goal, size, count, likely)
        marked[generator.permutation(np.flatnonzero(sizes == size))[:taken]] = True
        goal -= taken * size
        left -= count * size
    return marked


def _reachable(stock: list[tuple[int, int]], most: int) -> list[int]:
    """Return bit sets: bit t of entry i is set if the first i kinds of (size, count) can add up to t, up to `most`."""
    mask = (1 << (most + 1)) - 1
    totals = [1]
    for size, count in stock:
        bits, step = totals[-1], 1
        # Any number up to `count` is a sum of these chunks: 1, 2, 4, ... and what is left.
        while count > 0:
            chunk = min(step, count)
            bits |= (bits << (size * chunk)) & mask
            count -= chunk
            step *= 2
        totals.append(bits)
    return totals


def _nearest_bit(bits: int, wanted: int) -> int:
    """Return the position above 0 of the set bit nearest to `wanted`, the lower of two."""
    below = (bits & ((1 << (wanted + 1)) - 1)).bit_length() - 1
    higher = bits >> (wanted + 1)
    above = wanted + (higher & -higher).bit_length() if higher else None
    if below <= 0:
        return above or 0
    return below if above is None or wanted - below <= above - wanted else above


def _feasible(before: int, goal: int, size: int, count: int, likely: int) -> int:
    """Return how many groups of `size` to take, as near to `likely` as leaves a total that `before` can reach."""
    most = min(count, goal // size)
    return min(
        (taken for taken in range(most + 1) if before >> (goal - taken * size) & 1),
        key=lambda taken: (abs(taken - likely), taken),
    )
