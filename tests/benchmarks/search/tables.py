"""The grid, trained once: a table of validation losses for every config, split and epoch, kept for the next run.

The grid is that of a study's latents: an optimizer, 16 learning rates on its own range, 6 values of its momentum or
beta1, 5 batch sizes and 2 schedules. A search looks up the cell that its latents fall into.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from objectives.models import Model
from objectives.problem import Problem, Replicate, constant_loss
from objectives.training.descent import descend
from tests.benchmarks.search.problems import SPLITS, splits_of
from tuner.ranking.goal import UNSTABLE
from tuner.space import Space, space_of
from tuner.study import Study, read_study

__all__ = ["EPOCHS", "SCHEDULES", "Cell", "Results", "asked", "config_of", "grid", "losses_of", "results"]

Array = np.ndarray[Any, Any]
Cell = tuple[int, ...]
EPOCHS = 27
OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")
BATCHES = (16, 32, 64, 128, 256)
SCHEDULES = ("constant", "cosine")
SIDES = {"optimizer": len(OPTIMIZERS), "lr": 16, "momentum": 6, "batch_size": len(BATCHES), "schedule": len(SCHEDULES)}
TOGETHER = 16  # configs in a pack
CACHE = Path(__file__).parent / ".cache"


def asked(batches: tuple[int, ...] = BATCHES, seed: int = 0, trials: int = 10**6, **search: Any) -> Study:
    """The study whose grid it is, with settings of its [search]."""
    momentum = {"momentum": {"low": 0.5, "high": 0.995}}
    return read_study(
        {
            "study": {"name": "benchmark", "trials": trials, "seed": seed},
            "model": {"hidden": [32]},
            "train": {"epochs": EPOCHS, "batch_size": list(batches), "schedule": list(SCHEDULES)},
            "optimizers": {name: momentum if name == "rmsprop" else {} for name in OPTIMIZERS},
            "search": search,
        },
        needs_data=False,
    )


@dataclass(frozen=True)
class Results:
    """Losses `(cells, splits, epochs)` of a problem's grid, inf where a run had diverged; `cells[i]` is config i."""

    name: str
    losses: Array
    constants: tuple[float, ...]
    space: Space

    @cached_property
    def cells(self) -> dict[Cell, int]:
        """Row of each cell; those of an optimizer without momentum are one whatever the momentum."""
        return {cell: i for i, cell in enumerate(grid())}

    def row(self, latents: Mapping[str, Any]) -> int:
        """The row that latents fall into."""
        return self.cells[cell_of(latents)]

    def value(self, row: int, splits: tuple[int, ...]) -> float:
        """What a config comes to in the eyes of a search that sees these splits."""
        return float(self.values[row, splits].mean())

    @cached_property
    def values(self) -> Array:
        """`(cells, splits)`: what full training comes to, the best epoch's loss; inf for runs that do not count."""
        last, best = self.losses[..., -1], self.losses.min(axis=-1)
        steady = (last <= UNSTABLE * best) | (last <= np.array(self.constants))
        return np.where(np.isfinite(last) & steady, best, np.inf)

    @cached_property
    def shares(self) -> Array:
        """`(cells,)`: percent of the grid better than each config by its mean over both splits, ties aside."""
        score = self.values.mean(axis=1)
        order = np.sort(score)
        near = np.where(np.isfinite(score), score * (1 - 4 * np.finfo(np.float32).eps), score)
        return 100 * np.searchsorted(order, near, side="left") / len(order)


def grid() -> list[Cell]:
    """Every cell that is another config."""
    cells = product(*map(range, SIDES.values()))
    return [cell for cell in cells if OPTIMIZERS[cell[0]] != "sgd" or cell[2] == 0]


def cell_of(latents: Mapping[str, Any]) -> Cell:
    """The cell that latents fall into."""
    optimizer = OPTIMIZERS.index(latents["optimizer"])
    lr, momentum, batch = (
        min(int(float(latents[k]) * SIDES[k]), SIDES[k] - 1) for k in ("lr", "momentum", "batch_size")
    )
    return optimizer, lr, momentum if OPTIMIZERS[optimizer] != "sgd" else 0, batch, SCHEDULES.index(latents["schedule"])


def config_of(cell: Cell, space: Space) -> dict[str, Any]:
    """The config in the middle of a cell."""
    lr, momentum, batch = ((cell[i] + 0.5) / side for i, side in ((1, 16), (2, 6), (3, SIDES["batch_size"])))
    point = {"optimizer": OPTIMIZERS[cell[0]], "lr": lr, "momentum": momentum, "batch_size": batch}
    return space.config(point | {"schedule": SCHEDULES[cell[4]]})


@lru_cache(maxsize=8)
def results(name: str) -> Results:
    """The table of a problem."""
    space, data = space_of(asked()), splits_of(name)
    losses = losses_of(name, [config_of(cell, space) for cell in grid()])
    return Results(name, losses, tuple(constant_loss(d, d.valid) for d in data), space)


def losses_of(name: str, configs: list[dict[str, Any]]) -> Array:
    """Validation losses `(configs, splits, epochs)`: found in the cache, or trained, which takes minutes for a grid."""
    data = splits_of(name)
    digest = hashlib.sha256(json.dumps([[d.digest for d in data], EPOCHS, configs]).encode()).hexdigest()[:16]
    path = CACHE / "tables" / f"{name}-{digest}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        problem = Problem(tuple(Replicate(0, split, d) for split, d in zip(SPLITS, data, strict=True)), Model((32,)))
        draft = path.with_suffix(".part.npy")
        np.save(draft, trained(problem, configs))
        draft.replace(path)
    return np.load(path).astype(np.float64)


def trained(problem: Problem, configs: list[dict[str, Any]]) -> Array:
    """Validation losses in float32."""
    losses = np.empty((len(configs), len(problem.replicates), EPOCHS), np.float32)
    for batch in BATCHES:
        own = [i for i, config in enumerate(configs) if config["batch_size"] == batch]
        for start in range(0, len(own), TOGETHER):
            rows = own[start : start + TOGETHER]
            outcome = descend(problem, [configs[i] for i in rows], EPOCHS)
            losses[rows] = outcome.curves["valid_loss"].swapaxes(0, 1)
    return losses
