"""Packs: trials that train in lockstep, as the task that travels to a worker, and what comes back.

Trials share a pack when they share model, loss and batch size. Neither who stands beside whom nor the width matters to
what a trial computes, so packs are cut for speed alone, as wide as the lanes in which they train: wide enough to spread
the cost of a step, narrow enough to stay in the cache.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from objectives.criterion import criterion_key, criterion_of
from objectives.data import Prepared, open_prepared
from objectives.errors import DataError
from objectives.models import model_of
from objectives.problem import Problem, Replicate
from objectives.training.descent import State, descend
from objectives.training.lanes import lane_width
from objectives.training.parameter_groups import slots_of
from objectives.types import Array, Config
from tuner.engines import Lost, of_machine
from tuner.engines.remote_paths import MOVED
from tuner.store.cache import DiskCache
from tuner.trainables.protocols import Member

__all__ = [
    "Pack",
    "PackOutcome",
    "ReplicateSource",
    "cut",
    "even",
    "let_go",
    "opened",
    "problem_of",
    "run_pack",
    "run_remembered",
    "shape_key",
]


WHOLE = 1  # a whole-batch method's place among batch sizes, to start the longest packs first: its length is not known
OPEN = 24  # prepared data at once, up to six files each, where a process may have 256
WORTH_KEEPING = 0.5  # seconds: shorter packs are trained again sooner than they are written and found


@dataclass(frozen=True)
class ReplicateSource:
    """Where a replicate comes from: the directory of its prepared data, the study's seed and its number.

    `metrics` are names of those that are followed beside those that always are.
    """

    directory: Path
    seed: int
    replicate: int
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pack:
    """A task: train these trials for so many more epochs."""

    sources: tuple[ReplicateSource, ...]
    trials: tuple[int, ...]
    configs: tuple[Config, ...]
    epochs: int
    state: State | None

    @property
    def work(self) -> float:
        """Estimate its size, to start the longest packs first: the updates, as a few more runs cost little."""
        return self.epochs * (4 + len(self.trials) * len(self.sources)) / int(self.configs[0].get("batch_size", WHOLE))

    def apart(self) -> list[Pack]:
        """Split the pack into one for each trial."""
        return [
            Pack(self.sources, (number,), (config,), self.epochs, None if self.state is None else self.state.take([i]))
            for i, (number, config) in enumerate(zip(self.trials, self.configs, strict=True))
        ]

    @property
    def key(self) -> str:
        """Return what decides the outcome: data, seeds, configs and epochs. The state follows from these."""
        start = self.state.epoch if self.state else 0
        sources = [(one.directory.name, one.seed, one.replicate, *one.metrics) for one in self.sources]
        return json.dumps([version("tuner"), np.__version__, sources, self.configs, start, self.epochs], sort_keys=True)


@dataclass(frozen=True)
class PackOutcome:
    """Curves `(R, K, E)` of the epochs just trained, the state after them, and the seconds it took."""

    curves: Mapping[str, Array]
    state: State
    seconds: float


def problem_of(sources: Sequence[ReplicateSource], config: Config) -> Problem:
    """Build the problem that a config trains on; prepared data are memory-mapped once in each process."""
    replicates = tuple(Replicate(source.seed, source.replicate, opened(source.directory)) for source in sources)
    criterion = criterion_of(config, replicates[0].data.task)
    return Problem(replicates, model_of(config), criterion, sources[0].metrics)


@lru_cache(maxsize=OPEN)
def opened(directory: Path) -> Prepared:
    """Open prepared data, memory-mapped once in each process.

    Raises Lost where somebody has removed or damaged them, which is no trial's fault. A DataError that the machine
    caused, such as too many open files, passes through: the task is tried again.
    """
    try:
        return open_prepared(MOVED.get(directory, directory))
    except DataError as error:
        if of_machine(error):
            raise
        raise Lost(str(error)) from error


def let_go(problem: Problem) -> None:
    """Give back the memory of large data, and the disk that they keep although their files may be removed by now."""
    problem.release()
    if problem.data.large:
        opened.cache_clear()


def run_pack(pack: Pack) -> PackOutcome:
    """Train a pack: all that a worker does."""
    started = time.perf_counter()
    problem = problem_of(pack.sources, pack.configs[0])
    outcome = descend(problem, pack.configs, pack.epochs, pack.state)
    problem.release()
    return PackOutcome(outcome.curves, outcome.state, time.perf_counter() - started)


def run_remembered(pack: Pack, memo: DiskCache) -> PackOutcome:
    """Run a pack, or load its outcome from disk: long ones are kept for a run that was killed meanwhile."""
    found = memo.get(pack.key)
    if found is not None:
        arrays, meta = found
        state = State(meta["epoch"], arrays["weights"], arrays["slots"], arrays["alive"], _under("mark", arrays))
        return PackOutcome(_under("curve", arrays), state, meta["seconds"])
    outcome = run_pack(pack)
    if outcome.seconds >= WORTH_KEEPING:
        state = outcome.state
        arrays = {f"curve {name}": curve for name, curve in outcome.curves.items()}
        arrays |= {f"mark {name}": mark for name, mark in state.marks.items()}
        arrays |= {"weights": state.weights, "slots": state.slots, "alive": state.alive}
        memo.put(pack.key, arrays, {"epoch": state.epoch, "seconds": outcome.seconds})
    return outcome


def _under(kind: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of one kind by their original names."""
    return {name.removeprefix(f"{kind} "): array for name, array in arrays.items() if name.startswith(f"{kind} ")}


def shape_key(config: Config) -> tuple[Any, ...]:
    """Return what trials of a pack must share; a whole-batch method has no batch size."""
    return model_of(config), config.get("batch_size"), criterion_key(config)


def width(configs: Sequence[Config], sources: tuple[ReplicateSource, ...]) -> int:
    """Return how many trials like these a pack should hold; whole-batch runs are spread over the workers."""
    size = configs[0].get("batch_size")
    return 1 if size is None else lane_width(problem_of(sources, configs[0]), int(size), slots_of(configs))


def cut(
    members: Sequence[Member], sources: tuple[ReplicateSource, ...], epochs: int | Callable[[Config], int]
) -> list[Pack]:
    """Cut the members into packs, those with the most work first; members of one batch size are at the same epoch.

    `epochs` are those to train, or a function from a batch size's config to them.
    """
    alike: dict[tuple[Any, ...], list[Member]] = {}
    for member in members:
        alike.setdefault(shape_key(member.config), []).append(member)
    packs = []
    for group in alike.values():
        most = width([member.config for member in group], sources)
        pieces = -(-len(group) // most)
        more = epochs(group[0].config) if callable(epochs) else epochs
        packs += [_pack(part, sources, more) for part in even(group, pieces)]
    return sorted(packs, key=lambda pack: -pack.work)


def even(items: Sequence[Any], pieces: int) -> list[Sequence[Any]]:
    """Split into consecutive pieces of about equal length, as many as asked for."""
    edges = [len(items) * i // pieces for i in range(pieces + 1)]
    return [items[a:b] for a, b in pairwise(edges)]


def _pack(members: Sequence[Member], sources: tuple[ReplicateSource, ...], epochs: int) -> Pack:
    states = [member.state for member in members if member.state is not None]
    return Pack(
        sources,
        tuple(member.trial for member in members),
        tuple(member.config for member in members),
        epochs,
        State.join(states) if states else None,
    )
