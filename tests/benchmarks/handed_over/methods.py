"""The methods: each takes a division and a budget, and hands over what the 30 then judge. A row adds one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

import tuner
from tests.benchmarks.handed_over.divisions import EPOCHS, Division, curves, study_of
from tuner.orchestrator.callbacks import RunCallback
from tuner.result import Result

__all__ = ["Handed", "Method", "best_of", "laid_over", "ours", "random_search", "trainings_of"]

Tables = Mapping[str, Mapping[str, Any]]
NOTHING: Tables = MappingProxyType({})


@dataclass(frozen=True)
class Handed:
    """What a search hands over, what it took, and the losses `(5,)` that the 30 give it once it is over."""

    config: Mapping[str, Any]
    epochs: int
    trainings: float
    seconds: float
    score: Callable[[], list[float]]


@dataclass(frozen=True)
class Method:
    """A way to search with the budgets that it is measured at; `quick` are those of the quick form.

    Costly ones are measured on fewer `divisions`, and on tables of no more than so many `rows`. Of a method that is
    `ours` every version of the code is measured anew.
    """

    search: Callable[[Division, int], Handed]
    budgets: tuple[int, ...]
    quick: tuple[int, ...] = ()
    divisions: int = 10
    rows: int = 10**9
    ours: bool = False
    unit: str = field(default="configs")


def handed(division: Division, config: Mapping[str, Any], epochs: int, trainings: float, began: float) -> Handed:
    """What our own core trains and judges; the search is over now."""
    seconds = time.perf_counter() - began
    return Handed(dict(config), epochs, trainings, seconds, lambda: division.score(config, epochs))


def trainings_of(result: Result) -> float:
    """Full trainings of a study: the epochs of all trials on all of their splits, and of all confirmations."""
    shapes = [np.shape(trial.curves["valid_loss"]) for trial in result.all_trials if "valid_loss" in trial.curves]
    epochs = sum(int(np.prod(shape)) for shape in shapes) + sum(row.epoch for row in result.confirmed)
    return epochs / EPOCHS


def laid_over(study: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """Put keys of some tables in the place of a study's own."""
    return {**study, **{name: {**study.get(name, {}), **keys} for name, keys in tables.items()}}


def ours(division: Division, trials: int, tables: Tables = NOTHING) -> Handed:
    """Our study of so many trials, as a user runs it, with some keys of its tables set."""
    study = laid_over(study_of(division.task, trials, division.seed), tables)
    data, began = division.given, time.perf_counter()
    with tempfile.TemporaryDirectory() as home:
        result = tuner.run(study, data=data, jobs=1, home=home, baselines=False, callback=RunCallback())
        best = result.best()
        config = dict(best) | {"epochs": best["horizon"]}
        return handed(division, config, best.epochs, trainings_of(result), began)


def default(optimizer: str) -> Callable[[Division, int], Handed]:
    """An optimizer as it comes, for all epochs: nothing is searched."""

    def search(division: Division, budget: int) -> Handed:
        del budget
        began = time.perf_counter()
        points = division.space.defaults()
        (config,) = [c for c in map(division.space.config, points) if c["optimizer"] == optimizer]
        return handed(division, config, EPOCHS, 0.0, began)

    return search


def best_of(losses: Any) -> tuple[int, int]:
    """The config and the number of epochs where mean curves `(configs, R, epochs)` are lowest."""
    mean = np.nan_to_num(losses.mean(axis=1), nan=np.inf)
    row, epoch = np.unravel_index(mean.argmin(), mean.shape)
    return int(row), int(epoch) + 1


def random_configs(division: Division, count: int, seed: int) -> list[dict[str, Any]]:
    """Configs at random from our space."""
    from tuner.records import at

    rng, latents = np.random.default_rng([seed, 77]), division.space.latents
    return [division.space.config(at(latents, rng.random(len(latents)).tolist())) for _ in range(count)]


def random_search(splits: int) -> Callable[[Division, int], Handed]:
    """Random configs, each on so many splits; the lowest point of a mean curve wins."""

    def search(division: Division, count: int) -> Handed:
        began = time.perf_counter()
        configs = random_configs(division, count, division.seed)
        row, epochs = best_of(curves(division.splits(splits, division.seed), configs))
        return handed(division, configs[row], epochs, count * splits, began)

    return search
