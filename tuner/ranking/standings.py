"""Standings: the results of the search's best configs on fresh splits.

There are two sets of fresh seeds. The leaders race on the first, and are ranked by their means over the splits of the
search and the fresh ones. But the best of several is lucky in just the scores that it was chosen by. So it is trained
again on the second set, which chose nothing, and its reported value comes from those alone: that interval is what a
config named beforehand would have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from tuner.enums import TrialState
from tuner.ranking.confirmation_race import Race, finalists, paired_of, safe
from tuner.ranking.goal import signed
from tuner.ranking.intervals import Sizes, metric_interval, sizes_of
from tuner.ranking.retrainings import by_trial, on, rank_seeds, report_seeds
from tuner.ranking.statistics import Interval, leader_groups
from tuner.records import ConfirmationRun, Trial
from tuner.study import Study

__all__ = ["HeldOutScores", "ConfirmedTrial", "best_chances", "standings"]

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class HeldOutScores:
    """Goal and test metrics over seeds that chose nothing."""

    goal: Interval
    test: Mapping[str, Interval]


@dataclass(frozen=True)
class ConfirmedTrial:
    """The result of a confirmed trial, and its place among the others.

    `goal` is over the splits of the search and `seeds` fresh ones, `test` over the fresh ones. `p_best` is the
    probability that its true mean is the best of all; `tie` the rank of the first trial that it is statistically tied
    with at 95 %, by its mean and its worst seed (its own rank where there is none); `optimism` by how much the search's
    value was better than `goal`. `report` is there for the best alone, once its reporting seeds are done. `lost` is
    "failed" or "diverged" where one of its trainings did: then there is no mean.
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
    report: HeldOutScores | None = None
    lost: str = ""
    seeds: int = 0


def standings(
    study: Study, trials: Sequence[Trial], rows: Sequence[ConfirmationRun], facts: Mapping[str, str] = NOTHING
) -> list[ConfirmedTrial]:
    """Rank the trials that have all of the ranking seeds, best mean first; ties by search rank.

    Trials that came further in the race rank before those that dropped out. An optimizer's defaults rank before a
    config that is not better with the probability `BETTER`. Intervals need the sizes of the study's parts from the
    ledger's `facts`; the order does not.
    """
    found = finalists(study, facts, trials, rows)
    if not found:
        return []
    sizes, race = sizes_of(study, facts), Race(study, facts, found)
    shares = race.shares()
    means = [metric_interval(study, sizes, one.rows, study.metric) for one in found]
    order = safe(race, sorted(range(len(found)), key=lambda i: (-found[i].round, race.mean(i), found[i].place)))
    leaders = leader_groups(len(order), lambda a, b: not race.apart(order[a], order[b]))
    listed = []
    for rank, (i, leader) in enumerate(zip(order, leaders, strict=True), start=1):
        one = found[i]
        optimism = signed(means[i].mean - one.value, study.direction)
        ends = {row.state for row in one.rows}
        lost = next((state for state in (TrialState.FAILED, TrialState.DIVERGED) if state in ends), "")
        place = (one.trial.number, one.place, rank, leader + 1)
        test = tested(study, sizes, one.fresh)
        listed.append(
            ConfirmedTrial(*place, one.value, means[i], test, optimism, shares[i], lost=lost, seeds=len(one.fresh))
        )
    return [replace(listed[0], report=report_of(study, sizes, by_trial(rows)[listed[0].trial])), *listed[1:]]


def best_chances(
    study: Study, rows: Sequence[ConfirmationRun], trials: Sequence[int], facts: Mapping[str, str] = NOTHING
) -> dict[int, float]:
    """Compute the probability of each of some trials to have the best true mean, for those with all of the first round.

    Uses the scores on that round's fresh seeds, whether or not a trial raced on.
    """
    every = by_trial(rows)
    own = {number: mine for number in trials if (mine := on(rank_seeds(study), every.get(number, [])))}
    return dict(zip(own, paired_of(study, facts, list(own.values())).shares(), strict=True)) if own else {}


def report_of(study: Study, sizes: Sizes, rows: Sequence[ConfirmationRun]) -> HeldOutScores | None:
    """Summarise the reporting seeds of a trial; None until all of them are done."""
    own = on(report_seeds(study), rows)
    if not own:
        return None
    return HeldOutScores(metric_interval(study, sizes, own, study.metric), tested(study, sizes, own))


def tested(study: Study, sizes: Sizes, rows: Sequence[ConfirmationRun]) -> dict[str, Interval]:
    """Name the test metrics that any of some runs has; one that failed may have none."""
    names = dict.fromkeys(name for row in rows for name in row.metrics if name.startswith("test_"))
    return {name: metric_interval(study, sizes, rows, name) for name in names}
