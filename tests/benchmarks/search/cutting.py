"""How to cut trials that cannot go on where they stood: started over at each rung, or run through under thresholds.

    python -m tests.benchmarks.search cutting

Searches look results up. A threshold is fixed when a trial is sent: what a quarter of all trials of committed
generations were better than at a rung. Worker time is that of eight workers whose epochs take 1 to 5 units, as the
batch size is large or small, idle time included; a generation begins when the one before the last is committed.
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import numpy as np

from tests.benchmarks.search.efficiency import BUDGETS
from tests.benchmarks.search.lookup import Lookup
from tests.benchmarks.search.problems import HELD_OUT, PROBLEMS
from tests.benchmarks.search.tables import BATCHES, EPOCHS, asked, results
from tuner.orchestrator.live import LiveGeneration, LiveTrial
from tuner.records import Trial
from tuner.search import generation_size, lag_of, propose, rungs
from tuner.search.rungs import at_rung, value_at
from tuner.study import Study

__all__ = ["cutting"]

WORKERS = 8
SPLITS = (0, 1)
MEAN = (1 + len(BATCHES)) / 2  # units of an epoch
FEW = 8  # trials at a rung, below which there is no threshold


@dataclass(frozen=True)
class Way:
    """A way to cut: "on", "over" or "fixed", with settings of [search]."""

    name: str
    cut: str
    search: Mapping[str, Any] = field(default_factory=dict)


WAYS = (
    Way("goes on at a rung (third form)", "on"),
    Way("starts over at a rung", "over"),
    Way("the same, generations of 16", "over", {"generation_size": 16}),
    Way("runs through, fixed thresholds", "fixed"),
    Way("the same, generations of 16", "fixed", {"generation_size": 16}),
    Way("the same, generations of 8", "fixed", {"generation_size": 8}),
    Way("never cut", "on", {"pruner": "none"}),
)


@dataclass(frozen=True)
class Part:
    """A task of a search: how long it takes, the epochs that it trains, and the row of a trial that it completes."""

    units: float
    epochs: int
    row: int = -1


Parts = list[list[list[Part]]]  # of each generation, of each of its rungs


def searched(way: Way, problem: str, seed: int) -> Parts:
    """The tasks of one search, up to the largest budget."""
    study = asked(seed=seed, **way.search)
    known = results(problem)
    lookup, history, found, spent = Lookup(known, SPLITS), [], Parts(), 0
    while spent < BUDGETS[-1] * EPOCHS:
        number = len(found)
        points = propose(study, known.space, number, len(history), generation_size(study, number), history)
        trials = [LiveTrial(i, known.space.config(point), point) for i, point in enumerate(points, start=len(history))]
        generation = LiveGeneration(number, trials, rungs(study))
        run = run_through if way.cut == "fixed" else run_by_rungs
        found.append(run(study, generation, lookup, history, way.cut == "over"))
        spent += sum(part.epochs for rung in found[-1] for part in rung)
        history += [trial.record(study, number, lookup) for trial in trials]
    return found


def run_by_rungs(
    study: Study, generation: LiveGeneration, lookup: Lookup, history: Sequence[Trial], over: bool
) -> list[list[Part]]:
    """A generation cut at rungs together; where trials start `over`, what was trained before is trained again."""
    del history
    parts = []
    steps = [stage.amount for stage in generation.ladder]
    for done, to in zip((0, *steps), steps, strict=False):
        parts.append([part_of(trial, lookup, done, to, over) for trial in generation.running])
        for trial in generation.running:
            trial.rung = generation.rung
        generation.cut(study, lookup)
    return parts


def run_through(
    study: Study, generation: LiveGeneration, lookup: Lookup, history: Sequence[Trial], over: bool
) -> list[list[Part]]:
    """A generation whose trials each run until they are above a threshold."""
    del over
    bars, parts = thresholds(study, generation.number, history), []
    steps = [stage.amount for stage in generation.ladder]
    for trial in generation.trials:
        own = []
        for rung, (done, to) in enumerate(zip((0, *steps), steps, strict=False)):
            own.append(part_of(trial, lookup, done, to, False))
            trial.rung = rung
            if not trial.ended and (trial.goal(study) > bars.get(to, np.inf) or not lookup.steady(trial.curves)):
                trial.ended = "pruned" if to in bars else ""
            if trial.ended:
                break
        trial.ended = trial.ended or "complete"
        row = own[-1].row
        parts.append(Part(sum(part.units for part in own), sum(part.epochs for part in own), row))
    return [parts]


def thresholds(study: Study, number: int, history: Sequence[Trial]) -> dict[int, float]:
    """What the best of every `reduction` of earlier trials had come to at each rung, those that enough reached."""
    seen, found = [trial for trial in history if trial.generation < number - lag_of(study)], {}
    for rung, stage in enumerate(rungs(study)[:-1]):
        values = sorted(value_at(study, trial, stage) for trial in at_rung(study, seen, rung, stage))
        if len(values) >= FEW:
            found[stage.amount] = values[-(-len(values) // study.search.reduction) - 1]
    return found


def part_of(trial: LiveTrial, lookup: Lookup, done: int, to: int, over: bool) -> Part:
    """Train a trial to the next rung."""
    advance, epochs = lookup.advance(trial, done, to)
    trial.take(advance)
    epochs += done if over else 0
    row = lookup.results.row(trial.latents)
    whole = to == EPOCHS and np.isfinite(lookup.results.value(row, lookup.splits))
    unit = len(BATCHES) - min(int(float(trial.latents["batch_size"]) * len(BATCHES)), len(BATCHES) - 1)
    return Part(epochs * unit / MEAN, epochs, row if whole else -1)


def by_epochs(found: Parts) -> Iterator[tuple[float, int]]:
    """Epochs spent until each trial was complete, and its row; tasks are paid for one by one."""
    spent = 0
    for generation in found:
        for part in [part for rung in generation for part in rung]:
            spent += part.epochs
            if part.row >= 0:
                yield spent, part.row


def by_time(found: Parts) -> Iterator[tuple[float, int]]:
    """The same in worker time: of eight workers, who do what is ready of the oldest generation first."""
    rung = [0] * len(found)
    left = [len(generation[0]) for generation in found]
    ready = [(g, i) for g in range(min(2, len(found))) for i in range(left[g])]
    running: list[tuple[float, int, int]] = []
    now, begun = 0.0, min(2, len(found))
    while ready or running:
        heapq.heapify(ready)
        while ready and len(running) < WORKERS:
            g, i = heapq.heappop(ready)
            heapq.heappush(running, (now + found[g][rung[g]][i].units, g, i))
        now, g, i = heapq.heappop(running)
        if (row := found[g][rung[g]][i].row) >= 0:
            yield now * WORKERS, row
        left[g] -= 1
        if not left[g] and rung[g] < len(found[g]) - 1:
            rung[g] += 1
            left[g] = len(found[g][rung[g]])
            ready += [(g, j) for j in range(left[g])]
        while begun < len(found) and all(over(found, rung, left, h) for h in range(begun - 1)):
            ready += [(begun, j) for j in range(left[begun])]
            begun += 1


def over(found: Parts, rung: Sequence[int], left: Sequence[int], g: int) -> bool:
    """Whether a generation is done."""
    return not left[g] and rung[g] == len(found[g]) - 1


def shares(task: tuple[Way, str, int]) -> list[list[float]]:
    """Percent of the grid better than the config found, at each budget: of epochs, and of worker time."""
    way, problem, seed = task
    known, found = results(problem), searched(way, problem, seed)
    rows = []
    for order in (by_epochs, by_time):
        listed, own = list(order(found)), []
        for budget in BUDGETS:
            there = [row for spent, row in listed if spent <= budget * EPOCHS]
            best = min(there, key=lambda row: known.value(row, SPLITS)) if there else None
            own.append(100.0 if best is None else float(known.shares[best]))
        rows.append(own)
    return rows


def cutting(given: argparse.Namespace) -> None:
    """Print a table for epochs and one for worker time."""
    problems = [name for name in PROBLEMS if name not in HELD_OUT]
    tasks = [(way, problem, seed) for way in WAYS for problem in problems for seed in range(given.seeds)]
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        found = np.array(list(pool.map(shares, tasks, chunksize=2)))
    found = found.reshape(len(WAYS), -1, 2, len(BUDGETS))
    print(f"percent of the grid better than the config found, median/mean of {given.seeds} seeds on each of")
    print(f"{', '.join(problems)}")
    for which, title in enumerate(("epochs spent", f"time of {WORKERS} workers")):
        print(f"\n{title}, in full trainings{'':18}" + "".join(f"{budget:>14}" for budget in BUDGETS))
        for way, values in zip(WAYS, found[:, :, which], strict=True):
            cells = [f"{np.median(column):.2f}/{column.mean():.2f}" for column in values.T]
            print(f"{way.name:48}" + "".join(f"{cell:>14}" for cell in cells))
