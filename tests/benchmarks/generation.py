"""A whole generation: 64 trials of four optimizers and five batch sizes, cut to a quarter at each rung, two workers."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from objectives.data import SplitSpec, load_table, prepare, save_prepared
from objectives.models import model_of
from objectives.problem import Problem, Replicate
from tests.benchmarks.contenders import run_torch, torch
from tuner.algorithms.points import even
from tuner.algorithms.pruners import survivors
from tuner.engines import Engine, open_engine
from tuner.search import amounts
from tuner.space import space_of
from tuner.study import read_study
from tuner.trainables.builtin import packs
from tuner.trainables.builtin.packs import ReplicateSource, cut, run_pack
from tuner.trainables.protocols import Member

__all__ = ["generation"]

TRIALS, JOBS = 64, 2
STUDY = {
    "data": {"source": "sklearn:digits"},
    "train": {"epochs": 27, "batch_size": [16, 32, 64, 128, 256]},
    "optimizers": {name: {} for name in ("momentum", "nesterov", "rmsprop", "adam")},
}


def members() -> list[Member]:
    """The trials, spread evenly over the study's space."""
    space = space_of(read_study(STUDY))
    return [Member(i, space.config(even(space.latents, 0, i))) for i in range(TRIALS)]


def train(engine: Engine, source: ReplicateSource, running: list[Member]) -> tuple[list[float], dict[int, int], float]:
    """Pack widths, epochs of each trial, and the seconds of training that all workers spent."""
    widths, epochs, seconds, done = [], {}, 0.0, 0
    for stop in amounts(read_study(STUDY)):
        packs = cut(running, (source,), stop - done)
        futures = [engine.submit(run_pack, pack) for pack in packs]
        values, states, done = {}, {}, stop
        for pack, future in zip(packs, futures, strict=True):
            outcome = future.result()
            seconds += outcome.seconds
            widths.append(len(pack.trials))
            for k, trial in enumerate(pack.trials):
                values[trial], epochs[trial] = float(outcome.curves["valid_loss"][0, k].min()), stop
                states[trial] = outcome.state.take([k])
        order = sorted(values)
        going = survivors([values[trial] for trial in order], [True] * len(order), 4)
        configs = {member.trial: member.config for member in running}
        running = [Member(order[i], configs[order[i]], states[order[i]]) for i in going]
    return widths, epochs, seconds


def generation(repetitions: int) -> Iterator[str]:
    """Lines on one generation; the workers are started beforehand."""
    everyone, walls, trainings = members(), [], []
    data = prepare(load_table("sklearn:digits"), SplitSpec(), 0)
    with tempfile.TemporaryDirectory() as folder, open_engine(JOBS, preload=(packs.__name__,)) as engine:
        source = ReplicateSource(Path(folder) / "data", 0, 0)
        save_prepared(data, source.directory)
        train(engine, source, everyone)
        for _ in range(repetitions):
            started = time.perf_counter()
            widths, epochs, seconds = train(engine, source, everyone)
            walls.append(time.perf_counter() - started)
            trainings.append(seconds)
    wall, total = statistics.median(walls), sum(epochs.values())
    yield f"A generation of {TRIALS} trials, {total} epochs, {JOBS} workers, wall time"
    yield f"  {wall:.2f} s, {wall / total * JOBS * 1e3:.2f} ms per trial, epoch and worker"
    yield f"  {len(widths)} packs, {sum(widths) / len(widths):.1f} trials wide on average"
    yield f"  {statistics.median(trainings) / wall / JOBS:.0%} of the workers' time is training"
    if torch:
        problem = Problem((Replicate(0, 0, data),), model_of(everyone[0].config))
        started = time.perf_counter()
        for member in everyone:
            run_torch(problem, member.config, epochs[member.trial])
        ratio = (time.perf_counter() - started) / JOBS / wall
        yield f"  {ratio:.1f} times as long in eager torch, a trial after the other on each of {JOBS} cores"
