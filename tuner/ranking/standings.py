"""Standings: what fresh seeds say of the configs that the search put first.

Two sets of fresh seeds. The first ranks the leaders, all on the same seeds and splits, and the best is the one with the
best mean there. But the best of several is lucky in just the scores that it was chosen by. So it is trained again on
seeds that chose nothing, and what is reported of it comes from those alone: its interval then is what an interval of a
config named beforehand would be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.metrics import bounds_of
from tuner.ranking.certainty import Paired
from tuner.ranking.goal import ranked, signed
from tuner.ranking.intervals import Sizes, metric_interval, sizes_of
from tuner.ranking.statistics import Interval, leader_groups
from tuner.spec import MOST_SEEDS, Study
from tuner.trial import Confirmed, Trial

__all__ = [
    "Report",
    "Standing",
    "best_chances",
    "by_trial",
    "on",
    "rank_seeds",
    "report_seeds",
    "search_seeds",
    "standings",
]

NOTHING: Mapping[str, str] = MappingProxyType({})
REPORTING = 2 * MOST_SEEDS  # the number before the first reporting seed; the search's own end well below


@dataclass(frozen=True)
class Report:
    """Goal and test metrics over seeds that chose nothing."""

    goal: Interval
    test: Mapping[str, Interval]


@dataclass(frozen=True)
class Standing:
    """How a confirmed trial did: goal and test metrics over the seeds that rank, and its place among the others.

    `p_best` is the probability that its true mean is the best of all, `tie` the rank of the first that it cannot be
    told from at 95 %, by its mean and its worst seed (its own where there is none), `optimism` by how much the search's
    value was better than the fresh mean. `report` is there for the best alone, once its reporting seeds are done.
    `lost` is "failed" or "diverged" where one of its trainings did: then there is no mean.
    """

    trial: int
    search_rank: int
    rank: int
    tie: int
    search_value: float
    goal: Interval
    test: Mapping[str, Interval]
    optimism: float
    p_best: float
    report: Report | None = None
    lost: str = ""


def search_seeds(study: Study) -> tuple[int, ...]:
    """Replicates on which the search trains each trial: so many for each of its splits.

    The first has number 0, so that one replicate is the start of several. The others are numbered beyond all that a
    confirmation may ever be widened to: on a random stream that the search had chosen by, it would not be fresh.
    """
    return 0, *range(MOST_SEEDS + 1, MOST_SEEDS + study.train.replicates * study.splits)


def rank_seeds(study: Study) -> range:
    """Replicates on which the leaders are ranked."""
    return range(1, study.confirm.seeds + 1)


def report_seeds(study: Study) -> range:
    """Replicates on which the best of them is reported; no widening of the others reaches them."""
    return range(REPORTING + 1, REPORTING + study.confirm.seeds + 1)


def standings(
    study: Study, trials: Sequence[Trial], rows: Sequence[Confirmed], facts: Mapping[str, str] = NOTHING
) -> list[Standing]:
    """Trials with all of the ranking seeds, best mean first; ties by search rank.

    Intervals need the sizes of the study's parts, which its ledger's `facts` tell; the order does not.
    """
    places = {trial.number: i for i, trial in enumerate(ranked(list(trials), study.direction), start=1)}
    values = {trial.number: trial.value for trial in trials if trial.value is not None}
    every = by_trial(rows)
    own = {number: on(rank_seeds(study), mine) for number, mine in every.items() if number in values}
    found = [number for number in places if own.get(number)]
    if not found:
        return []
    sizes = sizes_of(study, facts)
    paired = paired_of(study, facts, [own[number] for number in found])
    shares = dict(zip(found, paired.shares(), strict=True))
    means = [metric_interval(study, sizes, own[number], study.metric) for number in found]
    order = sorted(range(len(found)), key=lambda i: (_behind(means[i].mean, study.direction), places[found[i]]))
    leaders = leader_groups(len(order), lambda a, b: not paired.apart(order[a], order[b]))
    listed = []
    for rank, (i, leader) in enumerate(zip(order, leaders, strict=True), start=1):
        number, value = found[i], values[found[i]]
        optimism = signed(means[i].mean - value, study.direction)
        ends = {row.state for row in own[number]}
        lost = next((state for state in ("failed", "diverged") if state in ends), "")
        place = (number, places[number], rank, leader + 1)
        test = tested(study, sizes, own[number])
        listed.append(Standing(*place, value, means[i], test, optimism, shares[number], lost=lost))
    return [replace(listed[0], report=report_of(study, sizes, every[listed[0].trial])), *listed[1:]]


def best_chances(
    study: Study, rows: Sequence[Confirmed], trials: Sequence[int], facts: Mapping[str, str] = NOTHING
) -> dict[int, float]:
    """Probability of each of some trials to have the best true mean of them, for those with all of the ranking seeds.

    It is found as that of the standings is, and follows from their scores on the same seeds.
    """
    every = by_trial(rows)
    own = {number: mine for number in trials if (mine := on(rank_seeds(study), every.get(number, [])))}
    return dict(zip(own, paired_of(study, facts, list(own.values())).shares(), strict=True)) if own else {}


def paired_of(study: Study, facts: Mapping[str, str], rows: Sequence[Sequence[Confirmed]]) -> Paired:
    """Some trials' retrainings on the same seeds, with what is known of their noise and of their tails.

    Only a goal without an end on its bad side has a tail, and only one with a best value has distances from it.
    """
    scores = scores_of(study, rows)
    low, high = bounds_of(study.metric)
    best, worst = (low, high) if study.direction == "minimize" else (-high, -low)
    gaps = scores - best if math.isfinite(best) and not math.isfinite(worst) else None
    constant = float(facts.get("constant_loss", "inf")) if study.metric == "valid_loss" and not study.own else math.inf
    blocks = [[row.blocks for row in own] for own in rows]
    return Paired(scores, sizes_of(study, facts).overlap, study.fresh_splits, blocks, gaps, constant)


def scores_of(study: Study, rows: Sequence[Sequence[Confirmed]]) -> NDArray[Any]:
    """Goals of some trials' retrainings on the same seeds, `(seeds, trials)`, lower is better."""
    return np.array([[signed(row.metrics[study.metric], study.direction) for row in own] for own in rows]).T


def report_of(study: Study, sizes: Sizes, rows: Sequence[Confirmed]) -> Report | None:
    """What the reporting seeds say of a trial, from its retrainings; None until all of them are done."""
    own = on(report_seeds(study), rows)
    if not own:
        return None
    return Report(metric_interval(study, sizes, own, study.metric), tested(study, sizes, own))


def tested(study: Study, sizes: Sizes, rows: Sequence[Confirmed]) -> dict[str, Interval]:
    """The test metrics that any of some retrainings has; one that came to nothing may have none."""
    names = dict.fromkeys(name for row in rows for name in row.metrics if name.startswith("test_"))
    return {name: metric_interval(study, sizes, rows, name) for name in names}


def by_trial(rows: Sequence[Confirmed]) -> dict[int, list[Confirmed]]:
    """Retrainings by their trial, each in the order of its seeds."""
    found: dict[int, list[Confirmed]] = {}
    for row in sorted(rows, key=lambda row: row.replicate):
        found.setdefault(row.trial, []).append(row)
    return found


def on(seeds: range, rows: Sequence[Confirmed]) -> list[Confirmed]:
    """Those of one trial's retrainings that are on these seeds; empty where one is missing."""
    own = [row for row in rows if row.replicate in seeds]
    return own if len(own) == len(seeds) else []


def _behind(mean: float, direction: str) -> float:
    """Sorts means, best first; a config that diverged on a fresh seed comes last, whatever the direction."""
    return signed(mean, direction) if math.isfinite(mean) else math.inf
