"""From a study with its data and its best config to the model that it ships."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from objectives.data import Prepared, Table, place_in, prepare_whole, save_prepared
from objectives.data.preparation import Preparation
from objectives.data.prepare import Room, in_memory
from objectives.data.store import on_disk
from objectives.metrics import DECISIONS
from tuner.best import Best
from tuner.engines import Engine, Failure
from tuner.errors import TunerError
from tuner.model.network import Network
from tuner.model.refit import Refit, key_of
from tuner.model.trained import TrainedModel
from tuner.store.directory import StudyDirectory
from tuner.study import Study
from tuner.trainables.builtin.baselines import BASELINES, baselines
from tuner.trainables.builtin.packs import ReplicateSource, problem_of
from tuner.trainables.builtin.prepared_study import PreparedStudy, split_of
from tuner.trainables.builtin.refitting import (
    CARRY,
    FIRST_SEED,
    FIRST_SPLIT,
    Fit,
    Members,
    carried,
    config_of,
    judge,
    noise_of,
    residuals_of,
    threshold_of,
    train,
)

__all__ = ["shipped"]

SPLITS = 3  # fresh ones, to measure the distance of targets from predictions,
TOGETHER = 3  # with ensembles of so many: intervals of single networks, on five splits, held 95 % in the place of 90


@dataclass(frozen=True)
class Shipping:
    """What a refit works with; `source` puts the data of a replicate on disk."""

    question: PreparedStudy
    study: Study
    best: Best
    directory: StudyDirectory
    engine: Engine
    refit: Refit
    source: Callable[[int], ReplicateSource]

    def start(self, task: Callable[[Any], Any], given: Any) -> Future[Any]:
        """Give a task to a worker."""
        limit = self.study.limits.seconds_per_trial
        trainings = len(given.sources) if isinstance(given, Fit) else len(BASELINES)
        return self.engine.submit(task, given, seconds=limit and limit * trainings)

    def run(self, task: Callable[[Any], Any], given: Any) -> Any:
        """Run a task to its end; raises TunerError where it fails."""
        found = self.start(task, given).result()
        if isinstance(found, Failure):
            what = f"the best config, trial {self.best.trial}, could not be trained on all rows: {found}"
            raise TunerError(f"{what}; mend that, or allow more in [limits], then: tuner refit {self.study.name}")
        return found

    def placed(self, data: Prepared) -> ReplicateSource:
        """Return the data of all rows, on disk for whoever trains."""
        place = place_in(self.directory.cache, data.digest)
        save_prepared(data, place)
        self.engine.share(place)
        return ReplicateSource(place, self.study.seed, FIRST_SEED, self.study.followed)


def shipped(  # noqa: PLR0913
    question: PreparedStudy,
    study: Study,
    best: Best,
    directory: StudyDirectory,
    engine: Engine,
    refit: Refit,
    source: Callable[[int], ReplicateSource],
) -> TrainedModel:
    """Train the best config of a study on all rows but the test rows, and say what it is worth on those.

    Raises TunerError where it cannot be trained, or where each of its seeds diverges.
    """
    if not isinstance(question.table, Table):
        raise ValueError("a surface has no model")
    work = Shipping(question, study, best, directory, engine, refit, source)
    data, preparation = _whole(work, question.table)
    before = len(question.first.train)
    epochs, horizon = carried(best.epochs, int(best["horizon"]), before, len(data.train), CARRY)
    config = config_of(best.params, horizon)
    place = work.placed(data)
    try:
        beside = work.start(baselines, place) if refit.baselines and not refit.all_rows else None  # trains meanwhile
        model, alive = _trained(work, preparation, place, config, epochs)
        if data.task == "regression":
            model = replace(model, noise=_noise(work, model, data))
        facts = _facts(work, data, alive, epochs, horizon)
        if data.task == "binary" and work.study.metric.removeprefix("valid_") in DECISIONS:
            facts |= _threshold(work, data)
            model = replace(model, facts=facts)
        facts |= {} if refit.all_rows else {"metrics": judge(model, data, place.metrics), "test_rows": len(data.test)}
        if beside is not None:
            facts |= _baselines(beside, facts["notes"])
    finally:
        _forget(work, place)
    return replace(model, facts=facts)


def _whole(work: Shipping, table: Table) -> tuple[Prepared, Preparation]:
    """Prepare all rows; large tables in files, so that they are never in memory as a whole."""
    fitted: list[Preparation] = []

    def make(room: Room = in_memory) -> Prepared:
        study = work.study
        data, preparation = prepare_whole(table, split_of(study), study.seed, study.dtype, work.refit.all_rows, room)
        fitted.append(preparation)
        return data

    data = on_disk(make, work.directory.cache) if table.large else make()
    return data, fitted[0]


def _trained(
    work: Shipping, preparation: Preparation, place: ReplicateSource, config: Mapping[str, Any], epochs: int
) -> tuple[TrainedModel, list[int]]:
    """Return the ensemble, and the numbers of the seeds that have stayed finite."""
    seeds = range(FIRST_SEED, FIRST_SEED + work.refit.seeds)
    fit = Fit(tuple(replace(place, replicate=number) for number in seeds), config, epochs)
    members: Members = work.run(train, fit)
    if not members.alive.any():
        what = f"the best config, trial {work.best.trial}, diverged on all rows with each of {len(seeds)} seeds"
        raise TunerError(f"{what}; take another one: tuner best {work.study.name} --rank 2")
    problem = problem_of(fit.sources[:1], config)
    network = Network.of_buffer(preparation.task, problem.model, problem.shapes, members.weights[members.alive])
    return TrainedModel(preparation, network), [n for n, kept in zip(seeds, members.alive, strict=True) if kept]


def _noise(work: Shipping, model: TrainedModel, data: Prepared) -> Any:
    """Return what intervals are made of: residuals on fresh splits, trained for as long as the search chose."""
    return noise_of(model, data, _on_splits(work, data, residuals_of))


def _threshold(work: Shipping, data: Prepared) -> dict[str, float]:
    """Return the threshold at which the goal is best on validation rows of fresh splits; none where all diverged."""
    found = _on_splits(work, data, partial(threshold_of, name=work.study.metric.removeprefix("valid_")))
    return {} if found is None else {"threshold": found}


def _on_splits(work: Shipping, data: Prepared, task: Callable[[Fit], Any]) -> Any:
    """Run a task that trains on fresh splits, for as long as the search chose, with ensembles on each."""
    splits = 1 if data.large else SPLITS  # of large data one has rows enough, and each is written to the disk
    places = [work.source(number) for number in range(FIRST_SPLIT, FIRST_SPLIT + splits)]
    seeds = range(FIRST_SPLIT, FIRST_SPLIT + TOGETHER)
    sources = tuple(replace(place, replicate=number) for place in places for number in seeds)
    own = config_of(work.best.params, int(work.best["horizon"]))
    try:
        return work.run(task, Fit(sources, own, work.best.epochs))
    finally:
        for source in places:
            _forget(work, source)


def _baselines(started: Future[Any], notes: list[str]) -> dict[str, Any]:
    """Wait for the metrics of the baselines; a model without them is better than none."""
    found = started.result()
    if isinstance(found, Failure):
        return {"notes": [*notes, f"no baselines stand beside it: {found}"]}
    return {"baselines": found}


def _forget(work: Shipping, source: ReplicateSource) -> None:
    """Remove the data of a source, but those of the search."""
    if source.directory != place_in(work.directory.cache, work.question.first.digest):
        shutil.rmtree(source.directory, ignore_errors=True)


def _facts(work: Shipping, data: Prepared, seeds: list[int], epochs: int, horizon: int) -> dict[str, Any]:
    """Return what the bundle says of itself."""
    best, known = work.best, work.best.provenance
    return {
        "study": work.study.name,
        "trial": best.trial,
        "key": key_of(best),
        "goal": work.study.metric,
        "config": {**best.params, "epochs": epochs, "horizon": horizon},
        "training": {
            "rows": len(data.train),
            "rows_of": "all, the test rows too" if work.refit.all_rows else "all but the test rows",
            "searched_on": len(work.question.first.train),
            "carried": CARRY,
            "seed": work.study.seed,
            "seeds": seeds,
            "diverged": work.refit.seeds - len(seeds),
        },
        "data": {"source": str(work.study.data.source or "given in Python"), "digest": known.get("data", "")},
        "made_with": {"tuner": version("tuner"), "numpy": np.__version__},
        "notes": list(work.question.notes),
        **({"weight": work.study.data.weight} if work.study.data.weight else {}),
        **({"followed": list(work.study.followed)} if work.study.followed else {}),
    }
