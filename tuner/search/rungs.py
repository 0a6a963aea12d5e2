"""Rungs: where a generation is compared, in the unit of the study's budget."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from statistics import median
from typing import Any
from weakref import WeakKeyDictionary

from objectives.schedules import PEAK
from tuner.algorithms.pruners import PRUNERS, Ladder, cost, reduction_at
from tuner.enums import TrialState
from tuner.ranking.goal import goal_at, signed
from tuner.records import START, Stage, Trial
from tuner.study import Study, highest, values_of

__all__ = [
    "LAG",
    "amounts",
    "at_rung",
    "bars",
    "generation_size",
    "group_of",
    "ladder",
    "lag_of",
    "mean_cost",
    "repeated",
    "rungs",
    "uncut",
    "value_at",
]

LAG = 1
# defaults.md has the measurements behind these and behind the defaults of [search]
SPACING = 3  # from one rung to the next
EARLIEST = 0.1  # of the full length, with a schedule that moves
USUAL = 27  # epochs
WIDER, FEW_SPLITS = 4, 4  # a full length is first trained on a fourth of the splits, or on four, or on half of them
FEW = 8  # trials at a rung, below which their median says nothing
_VALUES: WeakKeyDictionary[Trial, dict[tuple[str, Stage, str, str], float]] = WeakKeyDictionary()


def lag_of(study: Study) -> int:
    """Return how many previous generations a new one ignores, because they may still train."""
    return study.search.parallel - 1 if study.search.parallel else study.search.lag or LAG


def rungs(study: Study) -> Ladder:
    """Return all rungs of a study: how long, on how many splits; the last one is the full length on all splits.

    First the length grows, on a few splits, and more of them from rung to rung. Then the best of the trials that
    trained to the full length are judged on all splits, which decides how well the best of all is chosen.
    """
    far, most = amounts(study), study.splits
    if study.search.pruner == "none":
        return (Stage(study.budget.amount, most),)
    few = max(most // WIDER, min(FEW_SPLITS, most // 2))
    stages = [Stage(amount, max(1, few >> (len(far) - 1 - rung))) for rung, amount in enumerate(far)]
    return (*stages, Stage(far[-1], most)) if most > few > 0 else tuple(stages)


def amounts(study: Study) -> tuple[int, ...]:
    """Return how long trials train before they are compared: what the study says, or from its length and schedules.

    By default a third of the full length, a third of that and so on, down to about 2 epochs. With a schedule that
    changes the rate, no less than a tenth of the length, and with one that rises first, no less than up to its peak:
    earlier, the order of the trials says little about the order at the end. Within a warmup it says nothing.
    """
    budget = study.budget
    if study.search.rungs:
        return tuple(sorted({*study.search.rungs, budget.amount}))
    epochs = budget.epochs({"batch_size": min(values_of(study.train.batch_size))})  # the fewest that a config has
    if budget.plain and budget.unit != "epochs":
        epochs = min(epochs, USUAL)  # nobody knows how many steps are an epoch's worth
    schedules = set(values_of(study.train.schedule))
    settled = PEAK if "one_cycle" in schedules else EARLIEST if schedules != {"constant"} else 0.0
    warm = math.floor(epochs * highest(study.train.domain("warmup"))) + 1
    first = max(2, warm, math.ceil(epochs * settled))
    steps = [budget.amount]
    while round(steps[0] / SPACING) * epochs / budget.amount >= first:
        steps.insert(0, round(steps[0] / SPACING))
    return tuple(steps)


def ladders(study: Study) -> tuple[Ladder, ...]:
    """Return the ladders that generations use in turn."""
    return PRUNERS[study.search.pruner].ladders(rungs(study))


def ladder(study: Study, generation: int) -> Ladder:
    """Return the rungs of one generation: a later part of the study's."""
    found = ladders(study)
    return found[generation % len(found)]


def generation_size(study: Study, generation: int) -> int:
    """Return the trials of a generation. Where ladders differ, those that prune less have fewer: each costs about
    the same.
    """
    if study.search.parallel:
        return 1
    found, reduction = ladders(study), study.search.reduction
    share = cost(found[0], reduction) / cost(ladder(study, generation), reduction)
    return max(1, round(study.search.generation_size * share))


def uncut(study: Study, generation: int, after: int, history: Sequence[Trial]) -> int:
    """Return how many trials of a generation are to be complete, so that the study has `confirm.top` of them at least.

    `after` trials are left to be proposed after it. Only trials count that were complete when it was proposed. The last
    ones are spared, as they are the best proposals: sparing the first ones takes a search twice its epochs. Where
    trials are proposed in generations, an optimizer's defaults are spared in place of these.
    """
    if not study.search.parallel:
        return 0
    known = [trial for trial in history if trial.generation < generation - lag_of(study)]
    complete = sum(trial.state == TrialState.COMPLETE for trial in known)
    return max(0, study.confirm.top - complete - after)


def repeated(study: Study) -> float:
    """Return the share of all epochs that is trained again where each trial starts over at every rung."""
    once = again = 0.0
    for g in range(len(ladders(study))):
        steps, going = ladder(study, g), float(study.trials if study.search.parallel else generation_size(study, g))
        for rung, (before, after) in enumerate(zip((START, *steps), steps, strict=False)):
            repeats = before.work if after.amount > before.amount else 0  # more splits alone repeat nothing
            once, again = once + going * (after.work - before.work + repeats), again + going * repeats
            going = math.ceil(going / reduction_at(steps, rung, study.search.reduction))
    return again / once


def mean_cost(study: Study) -> float:
    """Return a trial's average cost on all of its splits, as a share of full training on one."""
    sizes = [generation_size(study, g) for g in range(len(ladders(study)))]
    spent = [size * cost(ladder(study, g), study.search.reduction) for g, size in enumerate(sizes)]
    return sum(spent) / sum(sizes) / study.budget.amount


def at_rung(study: Study, seen: Iterable[Trial], rung: int, stage: Stage) -> list[Trial]:
    """Return the trials that reached a rung: by training so long, by stopping early beyond it, or by diverging."""
    budget = study.budget
    in_epochs = stage.amount if budget.unit == "epochs" else None

    def there(trial: Trial) -> bool:
        if trial.state in (TrialState.DIVERGED, TrialState.FAILED) or trial.rung >= rung:
            return trial.state != TrialState.FAILED
        wide = trial.metrics.get("splits", math.inf) >= stage.splits
        return wide and trial.epochs >= (in_epochs or budget.epochs(trial.config, stage.amount))

    return [trial for trial in seen if there(trial)]


def value_at(study: Study, trial: Trial, stage: Stage) -> float:
    """Return a trial's value at a rung, lower is better; inf for one that diverged or ended far from its best.

    The value is over the splits that every trial is judged on at that rung, so that all are compared on the same ones.
    A trial that went no further has its final value there, and no curve is read: that took a third of the time of a
    resume. Values from curves are cached with the trial, as each generation needs them again.
    """
    if trial.state == TrialState.DIVERGED or not trial.stable:
        return math.inf
    epochs = study.budget.epochs(trial.config, stage.amount)
    further = trial.epochs > epochs or trial.metrics.get("splits", 1) > stage.splits
    if not further and trial.value is not None and math.isfinite(trial.value):
        return signed(trial.value, study.direction)
    known = _VALUES.setdefault(trial, {})
    key = (study.budget.unit, stage, study.metric, study.direction)
    if key not in known:
        curve = trial.curves[study.metric][: stage.splits * study.train.replicates]
        known[key] = goal_at(curve, study.direction, epochs, study.window)[0]
    return known[key]


def group_of(study: Study, config: Mapping[str, Any]) -> str:
    """Return the group that a trial is compared with at a rung: its optimizer's where each has the same budget, else
    all.
    """
    return str(config.get("optimizer", "")) if study.search.allocation == "equal" else ""


def bars(study: Study, generation: int, history: Sequence[Trial]) -> dict[tuple[str, int], float]:
    """Return, for a pruner that looks back, the median of a group's values at each rung that enough trials reached."""
    found: dict[tuple[str, int], float] = {}
    if not PRUNERS[study.search.pruner].looks_back:
        return found

    def group(trial: Trial) -> str:
        return group_of(study, trial.config)

    seen = sorted((trial for trial in history if trial.generation < generation - lag_of(study)), key=group)
    for name, members in groupby(seen, key=group):
        own = list(members)
        for rung, stage in enumerate(rungs(study)[:-1]):
            values = [value_at(study, trial, stage) for trial in at_rung(study, own, rung, stage)]
            if len(values) >= FEW:
                found[name, rung] = median(values)
    return found
