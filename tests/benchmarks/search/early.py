"""How early the first rung may be: where the best of a grid stand after a few epochs."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tests.benchmarks.search.problems import PROBLEMS
from tests.benchmarks.search.tables import SCHEDULES, config_of, grid, losses_of, results

__all__ = ["early"]

Array = np.ndarray[Any, Any]
BEST = 15
PART = 4  # one in so many goes on
AFTER = (1, 2, 3, 6, 9, 14)
SIZE = 64  # rows of a minibatch in the grids of one-cycle


def early(given: argparse.Namespace) -> None:
    """A table: a row for each problem, a column for each schedule."""
    del given
    print(f"of the {BEST} best configs of a grid, how many are in its best quarter after {AFTER} epochs of 27;")
    print(f"one_cycle: of the configs of batch size {SIZE} alone\n")
    print(f"| | {' | '.join((*SCHEDULES, 'one_cycle'))} |\n|{'---|' * (2 + len(SCHEDULES))}")
    for name in PROBLEMS:
        curves = [fixed(name, schedule) for schedule in SCHEDULES] + [one_cycle(name)]
        print(f"| {name} | {' | '.join(', '.join(map(str, standing(each))) for each in curves)} |", flush=True)


def fixed(name: str, schedule: str) -> Array:
    """The losses of a grid's configs of one schedule, mean over splits."""
    rows = [i for i, cell in enumerate(grid()) if SCHEDULES[cell[-1]] == schedule]
    return results(name).losses[rows].mean(axis=1)


def one_cycle(name: str) -> Array:
    """The losses of one batch size's part of a grid, under a rate that rises first."""
    configs = [config_of(cell, results(name).space) for cell in grid() if cell[-1] == 0]
    some = [config | {"schedule": "one_cycle"} for config in configs if config["batch_size"] == SIZE]
    return losses_of(name, some).mean(axis=1)


def standing(curves: Array) -> list[int]:
    """How many of the best are in the best part after so many epochs, the best epoch so far counting."""
    so_far = np.minimum.accumulate(curves, axis=1)
    best = set(so_far[:, -1].argsort(kind="stable")[:BEST].tolist())
    return [len(best & set(so_far[:, n - 1].argsort(kind="stable")[: len(curves) // PART].tolist())) for n in AFTER]
