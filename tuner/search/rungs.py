"""Rungs: where a generation is compared, in the unit of the study's budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from tuner.goal import goal_at
from tuner.pruners import PRUNERS, Ladder, cost
from tuner.spec import Study, values_of
from tuner.trial import Trial

__all__ = ["LAG", "bars", "generation_size", "ladder", "mean_cost", "reached", "rungs", "value_at"]

LAG = 1
FEW = 8  # trials at a rung, below which their median says nothing


def rungs(study: Study) -> Ladder:
    """All rungs of a study, the last of which is the full length: what it says, or from its length and reduction.

    The full length divided by the reduction again and again, down to about 2 epochs. With a schedule that moves, down
    to about a fifth of the length: before that, the order of the trials says little about the order at the end. Within
    a warmup it says nothing.
    """
    budget, reduction = study.budget, study.search.reduction
    if study.search.pruner == "none":
        return (budget.amount,)
    if study.search.rungs:
        return tuple(sorted({*study.search.rungs, budget.amount}))
    smallest = {"batch_size": min(values_of(study.train.batch_size))}
    epochs = budget.epochs(smallest)  # the fewest that a config has
    warm = math.floor(epochs * max(values_of(study.train.warmup))) + 1
    first = max(2, warm, 2 if study.train.schedule == "constant" else math.ceil(epochs / 5))
    steps = [budget.amount]
    while round(steps[0] / reduction) * epochs / budget.amount >= first:
        steps.insert(0, round(steps[0] / reduction))
    return tuple(steps)


def ladders(study: Study) -> tuple[Ladder, ...]:
    """The ladders that generations take in turn."""
    return PRUNERS[study.search.pruner].ladders(rungs(study))


def ladder(study: Study, generation: int) -> Ladder:
    """The rungs of one generation: a later part of the study's."""
    found = ladders(study)
    return found[generation % len(found)]


def generation_size(study: Study, generation: int) -> int:
    """Trials of a generation. Where ladders differ, those that prune less have fewer: each costs about the same."""
    found, reduction = ladders(study), study.search.reduction
    share = cost(found[0], reduction) / cost(ladder(study, generation), reduction)
    return max(1, round(study.search.generation_size * share))


def mean_cost(study: Study) -> float:
    """What a trial takes on average, as a share of full training."""
    sizes = [generation_size(study, g) for g in range(len(ladders(study)))]
    spent = [size * cost(ladder(study, g), study.search.reduction) for g, size in enumerate(sizes)]
    return sum(spent) / sum(sizes) / study.budget.amount


def reached(study: Study, trial: Trial, amount: int) -> bool:
    """Whether a trial has trained to a rung, or diverged, which says as much."""
    if trial.state == "diverged" or trial.epochs >= study.budget.epochs(trial.config, amount):
        return True
    return trial.rung >= rungs(study).index(
        amount
    )  # one that stopped early goes through rungs that it did not train to


def value_at(study: Study, trial: Trial, amount: int) -> float:
    """What a trial had come to at a rung, lower is better; inf for one that diverged or ended far from its best."""
    if trial.state == "diverged" or not trial.stable:
        return math.inf
    epochs = study.budget.epochs(trial.config, amount)
    return goal_at(trial.curves[study.metric], study.direction, epochs)[0]


def bars(study: Study, generation: int, history: Sequence[Trial]) -> dict[int, float]:
    """For a pruner that looks back: the median of what trials had come to at each rung that enough of them reached."""
    found: dict[int, float] = {}
    if not PRUNERS[study.search.pruner].looks_back:
        return found
    seen = [trial for trial in history if trial.generation < generation - LAG]
    for amount in rungs(study)[:-1]:
        values = [value_at(study, t, amount) for t in seen if t.state != "failed" and reached(study, t, amount)]
        if len(values) >= FEW:
            found[amount] = median(values)
    return found
