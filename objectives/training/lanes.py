"""Lanes: the trials of a pack that train together, as many as the cache holds.

A step is a few products and many passes over weights, slots and activations. As long as these stay in the second-level
cache, more trials beside each other share the cost of calling NumPy; beyond it every pass waits for memory. So a pack
is cut into lanes, each of which trains for all the epochs asked before the next one starts.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from objectives.problem import Problem

__all__ = ["lane_edges", "lane_width"]

# Measured on 2 MiB of second-level cache a core, MLP 64-64-10 and 64-256-10, batch 16 to 256: a trial's share of a step
# is within 5 % of its best at 2 to 4 MB, and 15 to 30 % worse at 16. Below four trials the calls cost more than memory.
LANE_BYTES = 3 << 20
NARROWEST, WIDEST = 4, 32


def lane_width(problem: Problem, batch_size: int, slots: int) -> int:
    """Return how many trials with `slots` slots train together in a lane; each replicate counts as a run."""
    model = problem.model
    weights = model.size(problem.inputs, problem.outputs) * (3 + slots)
    active = batch_size * 3 * (sum(size + 1 for size in model.hidden) + problem.outputs)
    bytes_each = (weights + active) * problem.data.train.x.dtype.itemsize
    return max(1, int(np.clip(LANE_BYTES // bytes_each, NARROWEST, WIDEST)) // len(problem.replicates))


def lane_edges(problem: Problem, count: int, batch_size: int, slots: int) -> list[tuple[int, int]]:
    """Return the first and last trial (exclusive) of each lane in a pack of `count`, with widths as equal as
    possible.
    """
    lanes = -(-count // lane_width(problem, batch_size, slots))
    return list(pairwise(count * i // lanes for i in range(lanes + 1)))
