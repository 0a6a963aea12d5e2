"""`tuner run --dry-run`: what would run, three of its configs, and about how long; nothing is written."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from objectives.data import Prepared
from objectives.descent import descend
from objectives.models import model_of
from objectives.problem import Problem, Replicate
from tuner.cli.progress import duration
from tuner.cli.text import clean, hint
from tuner.dispatch import Failure, open_engine
from tuner.runner import ask
from tuner.search import propose, rungs
from tuner.space import space_of
from tuner.spec import Study

__all__ = ["epochs_of_search", "rehearse", "samples"]

TOGETHER = 8  # trials of a pack that is timed: about what a generation fills


def rehearse(asked: Study, jobs: int | None) -> None:
    """Print the resolved study, and as comments three configs and an estimate."""
    question = ask(asked)
    study = question.study
    for note in question.notes:
        hint(note)
    sys.stdout.write(clean(study.to_toml(), lines=True))
    configs = first_configs(study)
    lines = [f"# trial {number}: {described(config)}" for number, config in samples(study, configs)]
    print("\n" + "\n".join(lines))
    with open_engine(1) as engine:
        seconds = engine.submit(seconds_each, study, question.first, configs).result()
    if isinstance(seconds, Failure):
        print(f"# a trial could not be trained: {clean(seconds)}")
        return
    workers = jobs or len(os.sched_getaffinity(0))
    total = seconds * epochs_of_search(study) / workers
    print(f"# about {duration(total)} of training with {workers} workers, confirmation and start-up aside")


def first_configs(study: Study) -> list[dict[str, Any]]:
    """The configs of the first generation."""
    space, count = space_of(study), min(study.trials, study.search.generation_size)
    return [space.config(point) for point in propose(study, space, 0, 0, count, [])]


def samples(study: Study, configs: Sequence[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Three of the first configs: an optimizer's defaults, then points of the spread."""
    start = len(study.optimizers)
    picked = [0, start, start + 1] if len(configs) > start + 1 else [0, 1, 2]
    return [(number, configs[number]) for number in picked if number < len(configs)]


def described(config: Mapping[str, Any]) -> str:
    """A config in a line, at full precision."""
    return clean(", ".join(f"{name} = {value!r}" for name, value in config.items()))


def seconds_each(study: Study, data: Prepared, configs: Sequence[Mapping[str, Any]]) -> float:
    """Seconds of one trial for one epoch, the mean over the first generation's batch sizes, from timing one pack."""
    config = dict(configs[0])
    problem = Problem((Replicate(study.seed, 0, data),), model_of(config))
    pack = [config] * min(TOGETHER, len(configs))
    started = time.perf_counter()
    descend(problem, pack, 1)
    first = time.perf_counter() - started
    rounds = max(1, min(study.train.epochs, int(0.3 / max(first, 1e-6))))
    started = time.perf_counter()
    descend(problem, pack, rounds)
    step = (time.perf_counter() - started) / rounds / len(pack) / problem.steps_per_epoch(int(config["batch_size"]))
    steps = [problem.steps_per_epoch(int(each["batch_size"])) for each in configs]
    return step * sum(steps) / len(steps)


def epochs_of_search(study: Study) -> int:
    """Epochs that all trials train together, those that rungs cut short included."""
    total, left = 0, study.trials
    while left > 0:
        going = min(study.search.generation_size, left)
        left -= going
        done = 0
        for epochs in rungs(study):
            total += going * (epochs - done)
            done, going = epochs, -(-going // study.search.reduction)
    return total
