"""Exact tables: validation losses of random configs on many fresh splits, every epoch, trained once and kept.

The first configs of a table are the defaults of its optimizers. Half of the tables are there to choose by; the others
are shown apart. Files are kept in `.cache` beside this one, or where the environment variable UNSEEN_CACHE says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from objectives.data import SplitSpec, Table, load_table, prepare, table_from
from objectives.models import Model
from objectives.problem import Problem, Replicate, constant_loss
from objectives.training.descent import descend
from tuner.records import at
from tuner.space import Space, space_of
from tuner.study import read_study

__all__ = ["EPOCHS", "OPTIMIZERS", "SOURCES", "Results", "results"]

Array = np.ndarray[Any, Any]
EPOCHS = 27
OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")
BATCHES = (16, 32, 64, 128, 256)
CACHE = Path(os.environ.get("UNSEEN_CACHE", Path(__file__).parent / ".cache"))


@dataclass(frozen=True)
class Source:
    """A table of rows, how many configs are trained on it and on how many splits; `held_out` ones decide nothing."""

    table: Callable[[], Table]
    configs: int
    splits: int
    held_out: bool = False


@dataclass(frozen=True)
class Results:
    """Losses `(configs, splits, epochs)`, inf where a run had diverged, and what designs may know beside them.

    `constants` `(splits,)` are the losses of a constant prediction, `points` `(configs, 4 + latents)` the configs as
    one column for each optimizer and the latents.
    """

    name: str
    losses: Array
    constants: Array
    points: Array
    train_rows: int
    valid_rows: int

    @property
    def rows(self) -> int:
        """Rows of the whole table, test rows included."""
        return round((self.train_rows + self.valid_rows) / 0.8)

    @property
    def ratio(self) -> float:
        """Validation rows for each train row: how far the errors of two splits go together."""
        return self.valid_rows / self.train_rows


def named(name: str) -> Table:
    """A table that comes with scikit-learn."""
    return load_table(f"sklearn:{name}")


def made(rows: int, noise: float, classes: int, columns: int = 20) -> Table:
    """Clusters of classes, some labels drawn at random."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        rows, columns, n_informative=columns // 2, n_classes=classes, flip_y=noise, random_state=rows
    )
    return table_from(x, y, task="binary" if classes == 2 else "multiclass", split=SplitSpec())


def tails(rows: int) -> Table:
    """A curved regression, its noise drawn from Student's t with 2 degrees of freedom."""
    rng = np.random.default_rng(rows)
    x = rng.random((rows, 8))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return table_from(x, y + 1.5 * rng.standard_t(2, rows), task="regression", split=SplitSpec())


SOURCES: dict[str, Source] = {
    "iris": Source(partial(named, "iris"), 800, 64),
    "wine": Source(partial(named, "wine"), 800, 64, held_out=True),
    "diabetes": Source(partial(named, "diabetes"), 600, 64, held_out=True),
    "breast_cancer": Source(partial(named, "breast_cancer"), 600, 64),
    "made_300": Source(partial(made, 300, 0.15, 3), 600, 64, held_out=True),
    "tails_600": Source(partial(tails, 600), 500, 64),
    "made_1000": Source(partial(made, 1000, 0.05, 2), 400, 56),
    "digits": Source(partial(named, "digits"), 250, 48, held_out=True),
    "made_3000": Source(partial(made, 3000, 0.3, 5), 160, 40),
    "made_8000": Source(partial(made, 8000, 0.15, 4), 80, 32, held_out=True),
}


def results(name: str) -> Results:
    """The exact table of a source: found in the cache, or trained, which takes a minute or five."""
    path = CACHE / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part.npz")
        np.savez(draft, **measured(SOURCES[name]))
        draft.replace(path)
    with np.load(path) as kept:
        losses, rows = kept["losses"].astype(np.float64), kept["rows"].tolist()
        losses = np.where(np.isfinite(losses), losses, np.inf)
        return Results(name, losses, kept["constants"], kept["points"], *rows)


def measured(source: Source) -> dict[str, Array]:
    """Everything that is kept of a source."""
    table = source.table()
    data = [prepare(table, SplitSpec(), 0, replicate) for replicate in range(1, source.splits + 1)]
    rows = len(data[0].train), len(data[0].valid)
    space, points = drawn(source.configs, rows[0])
    configs = [space.config(point) for point in points]
    losses = np.empty((len(configs), len(data), EPOCHS), np.float32)
    for i, split in enumerate(data):
        losses[:, i] = trained(Problem((Replicate(0, i + 1, split),), Model((64,))), configs)
    return {
        "losses": losses,
        "constants": np.array([constant_loss(split, split.valid) for split in data]),
        "points": np.array([coordinates(point) for point in points]),
        "rows": np.array(rows),
    }


def drawn(count: int, rows: int) -> tuple[Space, list[dict[str, Any]]]:
    """The space of the presets, and latents in it: the defaults, then random ones."""
    sizes = [size for size in BATCHES if size <= rows]
    space = space_of(
        read_study(
            {
                "study": {"name": "unseen", "trials": 10**6},
                "model": {"hidden": [64]},
                "train": {"epochs": EPOCHS, "batch_size": sizes, "schedule": "constant"},
                "optimizers": {name: {} for name in OPTIMIZERS},
            },
            needs_data=False,
        )
    )
    rng = np.random.default_rng(0)
    chance = [at(space.latents, rng.random(len(space.latents)).tolist()) for _ in range(count)]
    return space, [*space.defaults(), *chance]


def coordinates(point: dict[str, Any]) -> list[float]:
    """A point in numbers: one for each optimizer, then its latents."""
    own = [float(point["optimizer"] == name) for name in OPTIMIZERS]
    return own + [float(value) for name, value in point.items() if name != "optimizer"]


def trained(problem: Problem, configs: list[dict[str, Any]]) -> Array:
    """Validation losses `(configs, epochs)` on one split."""
    losses = np.empty((len(configs), EPOCHS), np.float32)
    for size in BATCHES:
        own = [i for i, config in enumerate(configs) if config["batch_size"] == size]
        if own:
            outcome = descend(problem, [configs[i] for i in own], EPOCHS)
            losses[own] = outcome.curves["valid_loss"][0]
    return losses
