"""The race of a confirmation: its finalists, the comparisons of each round, and the resulting order.

A trial is compared by its mean over the splits of the search and over the fresh ones of all rounds that it finished.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.metrics import bounds_of
from objectives.types import Direction
from tuner.ranking.goal import ranked, signed
from tuner.ranking.intervals import sizes_of
from tuner.ranking.probability import Paired
from tuner.ranking.retrainings import SEARCHED, by_trial, on, raced, rank_seeds, round_sizes
from tuner.ranking.statistics import HUGE, t_quantile
from tuner.records import ConfirmationRun, Trial
from tuner.space import space_of
from tuner.study import Study

__all__ = ["Finalist", "Race", "default_points", "finalists", "is_default", "paired_of", "replay", "safe", "why_safe"]

# Measured in tests/benchmarks/unseen: stopping at 0.8 or 0.95, or never, chooses as well; the first is the cheapest.
DROPPED = 0.8  # probability, one-sided, to be behind the leader, from which a contender is out of the race
BETTER = 0.6  # probability to be better than an optimizer's defaults, from which on a config ranks before them


@dataclass(frozen=True)
class Finalist:
    """A confirmed trial: its rank and value in the search, the last round that it finished, and its rows on fresh
    splits.
    """

    trial: Trial
    place: int
    value: float
    round: int
    fresh: list[ConfirmationRun]
    rows: list[ConfirmationRun]


def replay(
    study: Study, facts: Mapping[str, str], entrants: Sequence[Trial], every: Mapping[int, list[ConfirmationRun]]
) -> tuple[list[list[Trial]], list[Trial]]:
    """Return who finished each round, and who is left after the last one.

    A round counts once all remaining contenders have finished it, whatever else was trained: one that joins later
    begins with the first round, and so do those that it is compared with.
    """
    rounds: list[list[Trial]] = []
    left = list(entrants)
    for count in round_sizes(study):
        seeds = range(1, count + 1)
        if not left or not all(on(seeds, every.get(trial.number, [])) for trial in left):
            break
        rounds.append(left)
        left = still_in(study, facts, left, every, seeds)
        if len(left) < 2:
            break
    return rounds, left


def still_in(
    study: Study,
    facts: Mapping[str, str],
    left: Sequence[Trial],
    every: Mapping[int, list[ConfirmationRun]],
    seeds: range,
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


def finalists(
    study: Study, facts: Mapping[str, str], trials: Sequence[Trial], rows: Sequence[ConfirmationRun]
) -> list[Finalist]:
    """Return the complete trials that have finished the first round, in the order of the search."""
    every, first = by_trial(rows), rank_seeds(study)
    placed = list(enumerate(ranked(list(trials), study.direction), start=1))
    there = [(place, t) for place, t in placed if t.value is not None and on(first, every.get(t.number, []))]
    rounds, _ = replay(study, facts, [trial for _, trial in there], every)
    finished = Counter(trial.number for round_ in rounds for trial in round_)
    found = []
    for place, trial in there:
        round_ = finished[trial.number]
        fresh = on(range(1, round_sizes(study)[round_ - 1] + 1), every[trial.number])
        found.append(Finalist(trial, place, float(trial.value or 0.0), round_, fresh, raced(study, trial, fresh)))
    return found


@dataclass(frozen=True)
class Race:
    """The comparisons of a race: the finalists of each round are compared on its splits."""

    study: Study
    facts: Mapping[str, str]
    found: Sequence[Finalist]

    @cached_property
    def rounds(self) -> list[tuple[list[int], Paired]]:
        """Return, for each round, its participants and their scores on its splits."""
        listed = []
        for round_ in range(1, max(one.round for one in self.found) + 1):
            there = [i for i, one in enumerate(self.found) if one.round >= round_]
            count = round_sizes(self.study)[round_ - 1]
            rows = [raced(self.study, self.found[i].trial, self.found[i].fresh[:count]) for i in there]
            listed.append((there, paired_of(self.study, self.facts, rows)))
        return listed

    def mean(self, i: int) -> float:
        """Return the mean of all scores, lower is better; inf for a trial that diverged or failed."""
        values = [row.metrics[self.study.metric] for row in self.found[i].rows]
        if not all(abs(value) < HUGE for value in values):
            return math.inf
        return signed(math.fsum(values) / len(values), self.study.direction)

    def between(self, a: int, b: int) -> tuple[Paired, int, int]:
        """Return the scores of the last round that both were in, and their two columns."""
        there, paired = self.rounds[min(self.found[a].round, self.found[b].round) - 1]
        return paired, there.index(a), there.index(b)

    def apart(self, leader: int, other: int) -> bool:
        """Return True if a finalist is worse than another one at 95 %."""
        paired, a, b = self.between(leader, other)
        return paired.apart(a, b)

    def better(self, a: int, b: int) -> float:
        """Return the probability that a finalist's true mean is lower than another one's."""
        paired, first, second = self.between(a, b)
        return paired.shares_of([first, second])[0]

    def shares(self) -> list[float]:
        """Return the probability of each to be the best: in its last round, of those that were left by then."""
        found, mass = [0.0] * len(self.found), 1.0
        for round_, (there, paired) in enumerate(self.rounds, start=1):
            shares = dict(zip(there, paired.shares(), strict=True))
            out = [i for i in there if self.found[i].round == round_]
            for i in out:
                found[i] = mass * shares[i]
            mass -= sum(found[i] for i in out)
        return found


def safe(race: Race, order: list[int]) -> list[int]:
    """Return the order with the best of the optimizers' defaults moved ahead of all that are probably no better.

    So the result is never worse than no tuning, as far as can be known.
    """
    points = default_points(race.study)
    default = next((i for i in order if dict(race.found[i].trial.latents) in points), None)
    if default is None or not math.isfinite(race.mean(default)):
        return order
    at = order.index(default)
    ahead = [i for i in order[:at] if race.better(i, default) >= BETTER]
    return [*ahead, default, *(i for i in order if i not in ahead and i != default)]


def why_safe() -> str:
    """Return the reason why an optimizer's defaults rank first although another config has a better mean."""
    return f"nothing is better with a probability of {BETTER}"


def paired_of(study: Study, facts: Mapping[str, str], rows: Sequence[Sequence[ConfirmationRun]]) -> Paired:
    """Pair some trials' confirmation runs by seed, with what is known of their noise and their tails.

    Only a goal without a worst value has a tail, and only one with a best value has distances from it.
    """
    scores = scores_of(study, rows)
    low, high = bounds_of(study.metric)
    best, worst = (low, high) if study.direction == Direction.MINIMIZE else (-high, -low)
    gaps = scores - best if math.isfinite(best) and not math.isfinite(worst) else None
    constant = (
        float(facts.get("constant_loss", "inf")) if study.metric == "valid_loss" and not study.custom else math.inf
    )
    blocks = [[row.blocks for row in own if row.state != SEARCHED] for own in rows]
    return Paired(scores, sizes_of(study, facts).overlap, study.fresh_splits, blocks, gaps, constant)


def scores_of(study: Study, rows: Sequence[Sequence[ConfirmationRun]]) -> NDArray[Any]:
    """Return the goals of some trials on the same seeds, `(seeds, trials)`, lower is better."""
    return np.array([[signed(row.metrics[study.metric], study.direction) for row in own] for own in rows]).T


def is_default(study: Study, trial: Trial) -> bool:
    """Return True if a trial has an optimizer's defaults."""
    points = default_points(study)
    return bool(points) and dict(trial.latents) in points


def default_points(study: Study) -> list[Mapping[str, Any]]:
    """Return the latents of the optimizers' defaults, for studies of the builtin models with several splits.

    For a custom objective the middle of its ranges is nobody's default.
    """
    return list(space_of(study).defaults()) if study.splits > 1 and not study.custom else []
