"""A table divided 70 / 30: what a method may see, splits of that, and the score that the 30 give a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from objectives.data import Prepared, SplitSpec, Table, prepare, table_from
from objectives.data.splits import SplitRows
from objectives.models import Model
from objectives.problem import Problem, Replicate, constant_loss
from objectives.training.descent import descend
from tests.benchmarks.handed_over.tables import TABLES
from tuner.space import Space, space_of
from tuner.trainables.builtin.prepared_study import prepare_study

__all__ = ["EPOCHS", "OPTIMIZERS", "SEEDS", "Division", "capped", "curves", "division_of", "parted", "study_of"]

Array = np.ndarray[Any, Any]
Config = Mapping[str, Any]
EPOCHS = 27
SEEDS = 5
JUDGES = 8  # divisions that judge what a changed piece of the search hands over
HELD = 0.3
VALID = 0.2  # of what a method sees, in the splits that rivals are given
OPTIMIZERS = ("sgd", "momentum", "adam", "rmsprop")
LOST = 10.0  # times the loss of a constant: what a training counts as at most, one that diverged too
PARTS = SplitSpec(column="part")


def study_of(task: str, trials: int, seed: int) -> dict[str, Any]:
    """The study that a user would write."""
    return {
        "study": {"name": "handed-over", "trials": trials, "seed": seed},
        "data": {"task": task},
        "model": {"hidden": [64]},
        "train": {"epochs": EPOCHS},
        "optimizers": {name: {} for name in OPTIMIZERS},
    }


def rows_of(x: Any, rows: Array) -> Any:
    """Some rows of an array or a frame."""
    return x.iloc[rows].reset_index(drop=True) if hasattr(x, "iloc") else x[rows]


def drawn(y: Array, task: str, share: float, count: int, seed: int) -> list[tuple[Array, Array]]:
    """Row numbers of `count` random divisions of targets `(n,)`, stratified by class."""
    kind = ShuffleSplit if task == "regression" else StratifiedShuffleSplit
    return list(kind(count, test_size=share, random_state=seed).split(np.zeros(len(y)), y))


def parted(table: Table, train: Array, valid: Array) -> Prepared:
    """The data whose train and validation rows are these; all others stand in the test part, at which nobody looks."""
    parts = np.full(len(table), 2)
    parts[train], parts[valid] = 0, 1
    return prepare(replace(table, rows=SplitRows(len(table), parts=parts)), PARTS)


def curves(data: Sequence[Prepared], configs: Sequence[Config], epochs: int = EPOCHS, seed: int = 0) -> Array:
    """Validation losses `(configs, R, epochs)` on R data; configs of one batch size train together."""
    replicates = tuple(Replicate(seed, number, one) for number, one in enumerate(data))
    problem = Problem(replicates, Model((64,)))
    found = np.empty((len(configs), len(data), epochs))
    for size in {config["batch_size"] for config in configs}:
        own = [i for i, config in enumerate(configs) if config["batch_size"] == size]
        outcome = descend(problem, [configs[i] for i in own], epochs)
        found[own] = outcome.curves["valid_loss"].swapaxes(0, 1)
    return found


def capped(losses: Array, constant: float) -> list[float]:
    """Losses, none of them larger than a fixed number of times that of a constant prediction: there, all is lost."""
    return np.nan_to_num(losses, nan=np.inf).clip(max=LOST * constant).tolist()


@dataclass(frozen=True)
class Division:
    """A table under its division number `seed`; the last of the table's rows is a spare, in neither part."""

    name: str
    seed: int
    task: str
    x: Any  # (n, D)
    y: Array  # (n,)
    table: Table  # of n + 1 rows
    seen: Array
    held: Array

    @property
    def given(self) -> tuple[Any, Array]:
        """The inputs and targets that a method sees."""
        return rows_of(self.x, self.seen), self.y[self.seen]

    @cached_property
    def space(self) -> Space:
        """What our study would search here, batch sizes that fit included."""
        return space_of(prepare_study(study_of(self.task, 1, self.seed), self.given).study)

    def splits(self, count: int, seed: int) -> list[Prepared]:
        """Fresh splits of the rows that are seen."""
        some = drawn(self.y[self.seen], self.task, VALID, count, seed)
        return [parted(self.table, self.seen[train], self.seen[valid]) for train, valid in some]

    @cached_property
    def judged(self) -> Prepared:
        """All rows that are seen to train on, and the others to judge by."""
        return parted(self.table, self.seen, self.held)

    def score(self, config: Config, epochs: int) -> list[float]:
        """Losses of a config trained on all that is seen, for each of the seeds."""
        ends = curves([self.judged] * SEEDS, [config], epochs, seed=1000 + self.seed)[0, :, -1]
        return self.counted(ends)

    def score_on_others(self, config: Config, epochs: int) -> list[float]:
        """Losses of a config on several divisions, trained on the 70 of each: how good it is, with little luck of rows.

        Rows that chose it judge it in other divisions, which favours no change of the search.
        """
        data = [division_of(self.name, other).judged for other in range(JUDGES) for _ in range(2)]
        return self.counted(curves(data, [config], epochs, seed=2000)[0, :, -1])

    def counted(self, losses: Any) -> list[float]:
        """Losses on the rows that judge, as they count."""
        return capped(np.asarray(losses), constant_loss(self.judged, self.judged.valid))


@lru_cache(maxsize=JUDGES + 2)
def division_of(name: str, seed: int) -> Division:
    """A division of a table by its name."""
    source = TABLES[name]
    x, y = source.make()
    spare = np.append(np.arange(len(y)), 0)
    table = table_from(rows_of(x, spare), y[spare], task=source.task)
    ((seen, held),) = drawn(y, source.task, HELD, 1, seed)
    return Division(name, seed, source.task, x, y, table, np.sort(seen), np.sort(held))
