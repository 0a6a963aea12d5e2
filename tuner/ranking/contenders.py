"""Contenders: who is confirmed, on which fresh splits, and who is out of the race for the best.

The leaders of the search and the best of the optimizers' defaults are trained again on fresh splits, in rounds that
double their number. After each round a contender that is probably behind the leader drops out. Rounds end when one is
left, or when the next one would take the race beyond its share of the search's training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.ranking.goal import ranked
from tuner.ranking.race import default_points, paired_of
from tuner.ranking.retrained import by_trial, on, raced, round_sizes
from tuner.ranking.standings import standings
from tuner.ranking.statistics import t_quantile
from tuner.spec import Confirm, Study
from tuner.trial import Confirmed, Trial

__all__ = ["contenders", "next_round", "widened"]

# Measured in tests/benchmarks/unseen: stopping at 0.8 or 0.95, or never, chooses as well; the first is the cheapest.
DROPPED = 0.8  # probability, one-sided, to be behind the leader
SHARE = 0.15  # of the search's training that the race may take, its first round aside


def contenders(before: Study, now: Study, trials: Sequence[Trial], known: Sequence[Confirmed]) -> list[Trial]:
    """The trials to confirm, best first: the first `confirm.top` complete ones, and all that stand confirmed already.

    The best of the optimizers' defaults that is complete is always there; where the optimizers had equal budgets to be
    compared, the first of each is. A config that was tried twice is one contender: no seed would tell its trials apart.
    `before` is the study as its confirmation stands, `now` as it is asked for.
    """
    standing = {standing.trial for standing in standings(before, trials, known)}
    order = ranked(list(trials), now.direction)
    first: dict[Any, int] = {}
    for trial in order:
        first.setdefault(_key(trial.config), trial.number)
    leaders = set(list(first.values())[: now.confirm.top])
    points = default_points(now)
    leaders |= {trial.number for trial in [t for t in order if points and dict(t.latents) in points][:1]}
    if now.search.allocation == "equal":
        leaders |= {trial.number for trial in {t.config.get("optimizer"): t for t in reversed(order)}.values()}
    return [trial for trial in order if trial.number in leaders or trial.number in standing]


def next_round(
    study: Study, wanted: Sequence[Trial], trials: Sequence[Trial], rows: Sequence[Confirmed], facts: Mapping[str, str]
) -> tuple[list[Trial], range] | None:
    """Return who of `wanted` trains next on which splits; None when the race is over.

    It follows from what is committed alone, so that a race that was cut short goes on as if it had not been.
    """
    every, left = by_trial(rows), list(wanted)
    for round_, count in enumerate(round_sizes(study)):
        seeds = range(1, count + 1)
        missing = [trial for trial in left if not on(seeds, every.get(trial.number, []))]
        if missing:
            affordable = round_ == 0 or cost_of(left, count, wanted, every) <= SHARE * search_cost(trials)
            return (left, seeds) if affordable else None
        left = still_in(study, left, every, seeds, facts)
        if len(left) < 2:
            return None
    return None


def still_in(
    study: Study, left: Sequence[Trial], every: Mapping[int, list[Confirmed]], seeds: range, facts: Mapping[str, str]
) -> list[Trial]:
    """Return the contenders that are not behind the leader with the probability `DROPPED`, by all of their splits."""
    paired = paired_of(study, facts, [raced(study, trial, on(seeds, every[trial.number])) for trial in left])
    known = [k for k in range(len(left)) if paired.known(k)]
    if not known:
        return []
    leader = min(known, key=lambda k: float(paired.scores[:, k].mean()))
    reach = t_quantile(DROPPED, paired.seeds - 1)

    def close(k: int) -> bool:
        if k == leader:
            return True
        lost = k not in known or paired.gone(leader, k)
        return not lost and paired.behind(leader, k) <= reach * math.sqrt(paired.variance(leader, k))

    return [trial for k, trial in enumerate(left) if close(k)]


def cost_of(left: Sequence[Trial], count: int, wanted: Sequence[Trial], every: Mapping[int, list[Confirmed]]) -> float:
    """Return the epochs of the race so far, and of a round that brings those that are left to `count` splits."""
    spent = {trial.number: len(every.get(trial.number, [])) * (trial.epoch or 0) for trial in wanted}
    return sum(spent.values()) + sum(count * (t.epoch or 0) - spent[t.number] for t in left)


def search_cost(trials: Sequence[Trial]) -> float:
    """Return the epochs of a search on all of its splits; of a trial without a value, those of one split."""
    return sum(trial.epochs * trial.metrics.get("splits", 1) for trial in trials)


def _key(config: Mapping[str, Any]) -> Any:
    """Equal for equal configs."""
    return tuple(sorted((name, repr(value)) for name, value in config.items()))


def widened(known: Confirm, asked: Confirm) -> Confirm:
    """What to confirm where `known` is done and `asked` wanted: never fewer, on never fewer seeds, so that all that
    were ever confirmed keep being compared on the same ones. Where nothing was to be confirmed, what is asked for.
    """
    if not known.enabled:
        return asked.model_copy(update={"enabled": True})
    return known.model_copy(update={"top": max(known.top, asked.top), "seeds": max(known.seeds, asked.seeds)})
