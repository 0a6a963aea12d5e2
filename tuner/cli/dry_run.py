"""`tuner run --dry-run`: what would run, three of its configs, and about how long; nothing is written."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from objectives.criterion import criterion_of
from objectives.data import Prepared
from objectives.models import model_of
from objectives.problem import Problem, Replicate, updates_per_epoch
from objectives.training.descent import descend
from tuner.algorithms.pruners import reduction_at
from tuner.cli.terminal import hint
from tuner.engines import Failure, open_engine
from tuner.search import generation_size, ladder, propose
from tuner.space import space_of
from tuner.study import Study
from tuner.text import clean
from tuner.trainables.builtin.prepared_study import PreparedStudy, prepare_study
from tuner.trainables.builtin.workload import default_jobs

__all__ = ["described", "rehearse", "samples", "search_seconds"]

TOGETHER = 8  # trials of the wider of the two packs that are timed
LONG = 0.5  # seconds after which an epoch is not timed again


def rehearse(asked: Study, jobs: int | None) -> None:
    """Print the resolved study, and as comments three configs and an estimate."""
    if asked.custom:
        return tell_own(asked)
    with TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
        return tell(prepare_study(asked, room=Path(folder)), jobs)


def tell_own(asked: Study) -> None:
    """Print a study of somebody's own objective, which is imported and not called, and the epochs that it takes."""
    from tuner.trainables.custom.introduction import custom_trainable

    trainable = custom_trainable(asked)
    study = trainable.study
    for note in trainable.notes:
        hint(note)
    sys.stdout.write(clean(study.to_toml(), lines=True))
    print("\n" + "\n".join(f"# trial {n}: {described(config)}" for n, config in samples(study, first_configs(study))))
    print(f"# {clean(trainable.cost)}")


def tell(question: PreparedStudy, jobs: int | None) -> None:
    """Print what is known of a study with its data, and time a few steps on them."""
    study = question.study
    for note in question.notes:
        hint(note)
    sys.stdout.write(clean(study.to_toml(), lines=True))
    configs = first_configs(study)
    lines = [f"# trial {number}: {described(config)}" for number, config in samples(study, configs)]
    print("\n" + "\n".join(lines))
    with open_engine(1) as engine:
        timed = next((config for config in configs if "batch_size" in config), configs[0])
        costs = engine.submit(step_costs, study, question.first, timed).result()
    if isinstance(costs, Failure):
        print(f"# a trial could not be trained: {clean(costs)}")
        return
    workers = jobs or default_jobs(study, question.first, study.trials)
    where = "in this process" if workers == 1 else f"with {workers} workers"
    rows = len(question.first.train)
    seconds = search_seconds(study, [steps_of(config, rows) for config in configs], costs) / workers
    print(f"# about {seconds:.2g} s of training {where}; start-up and confirmation come on top")


def steps_of(config: Mapping[str, Any], rows: int) -> int:
    """Return the updates of full training."""
    return int(config["epochs"]) * updates_per_epoch(config, rows)


def first_configs(study: Study) -> list[dict[str, Any]]:
    """Return the configs of the first generation, or of the first trials where they are proposed one by one."""
    space, one_by_one = space_of(study), study.search.parallel is not None
    several = min(study.trials, max(1, len(study.optimizers)) + 2 if one_by_one else generation_size(study, 0))
    asked = [(number, 1) for number in range(several)] if one_by_one else [(0, several)]
    return [space.config(point) for first, count in asked for point in propose(study, space, first, first, count, [])]


def samples(study: Study, configs: Sequence[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Choose three of the first configs: an optimizer's defaults, then points of the spread."""
    start = max(1, len(study.optimizers))
    picked = [0, start, start + 1] if len(configs) > start + 1 else [0, 1, 2]
    return [(number, configs[number]) for number in picked if number < len(configs)]


def described(config: Mapping[str, Any]) -> str:
    """Write a config in a line, at full precision."""
    return clean(", ".join(f"{name} = {value!r}" for name, value in config.items()))


def step_costs(study: Study, data: Prepared, config: Mapping[str, Any]) -> tuple[float, float]:
    """Measure the seconds of one step, for a pack and for each trial in it, by timing a trial alone and in a pack."""
    problem = Problem((Replicate(study.seed, 0, data),), model_of(config), criterion_of(config, data.task))
    steps = updates_per_epoch(config, len(data.train))
    alone, together = (seconds_of(problem, [dict(config)] * width) / steps for width in (1, TOGETHER))
    each = max((together - alone) / (TOGETHER - 1), 0.0)
    return max(alone - each, 0.0), each


def seconds_of(problem: Problem, pack: Sequence[Mapping[str, Any]]) -> float:
    """Measure the seconds of one epoch of a pack: the quickest of a few, the first of which warms up."""
    times = []
    for _ in range(4):
        started = time.perf_counter()
        descend(problem, pack, 1)
        times.append(time.perf_counter() - started)
        if times[-1] > LONG:
            break
    return min(times)


def search_seconds(study: Study, steps: Sequence[int], costs: tuple[float, float]) -> float:
    """Estimate the training seconds of a search on one worker; `steps` are those of full training, for typical configs.

    At a rung, trials of one batch size share a pack; what a pack costs once is paid for each batch size.
    """
    pack, each = costs
    sizes, trials, work = len(set(steps)), 0, 0.0
    for number in count():
        going = min(generation_size(study, number), study.trials - trials)
        if going <= 0:
            break
        trials, done = trials + going, 0
        steps_here = ladder(study, number)
        for rung, stage in enumerate(steps_here):
            once = pack * min(going, sizes) / stage.splits + each * going  # of a split: all of them share a pack
            work += (stage.work - done) * once
            done, going = stage.work, -(-going // reduction_at(steps_here, rung, study.search.reduction))
    return work * sum(steps) / len(steps) / study.budget.amount
