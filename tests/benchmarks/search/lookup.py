"""A search of ours, looking results up: the same proposals, generations and cuts as in a run, and nothing trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.benchmarks.search.tables import Results
from tuner.live import LiveGeneration, LiveTrial
from tuner.search import bars, generation_size, ladder, propose, rungs
from tuner.spec import Study
from tuner.trial import Trial

__all__ = ["Found", "search"]


@dataclass(frozen=True)
class Found:
    """A fully trained config: the epochs spent when it was, and its row in the table."""

    spent: int
    row: int


def search(study: Study, results: Results, splits: tuple[int, ...], epochs: int) -> list[Found]:
    """What a search of so many epochs trains to the end, in order, and when; it sees these splits, as replicates.

    Within a rung trials are paid for one by one, in trial order: a search may be stopped anywhere.
    """
    study = replace(study, rows=1000)
    space, constant = results.space, float(np.mean([results.constants[split] for split in splits]))
    history: list[Trial] = []
    found: list[Found] = []
    spent = number = 0
    while spent < epochs:
        size, first = generation_size(study, number), len(history)
        points = propose(study, space, number, first, size, history)
        trials = [LiveTrial(first + i, space.config(point), point) for i, point in enumerate(points)]
        steps = ladder(study, number)
        generation = LiveGeneration(number, trials, steps, len(rungs(study)) - len(steps), bars(study, number, history))
        while running := generation.running:
            spent = _rung(generation, running, results, splits, spent, found)
            generation.cut(study, constant)
        history += [trial.record(study, number, 1000, constant) for trial in trials]
        number += 1
    return [one for one in found if one.spent <= epochs]


def _rung(
    generation: LiveGeneration,
    running: list[LiveTrial],
    results: Results,
    splits: tuple[int, ...],
    spent: int,
    found: list[Found],
) -> int:
    """Advance the running trials to the next rung; returns the epochs spent by then."""
    done = generation.ladder[generation.rung - 1] if generation.rung else 0
    to = generation.ladder[generation.rung]
    for trial in running:
        row = results.row(trial.latents)
        curves = results.losses[row, splits, done:to]
        trial.rung = generation.before + generation.rung
        trial.parts.setdefault("valid_loss", []).append(curves)
        if not np.isfinite(curves).all():
            trial.ended = "diverged"
            spent += int(np.isfinite(curves).all(axis=0).sum()) + 1
            continue
        spent += to - done
        if to == generation.ladder[-1] and np.isfinite(results.value(row, splits)):
            found.append(Found(spent, row))
    return spent
