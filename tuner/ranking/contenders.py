"""Contenders: who is confirmed, on which fresh splits, and who is out of the race for the best.

The leaders of the search and the best of the optimizers' defaults are trained again on fresh splits, in rounds that
double their number. After each round a contender that is probably behind the leader drops out. Rounds end when one is
left, or when the next one would take the race beyond its share of the search's training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.ranking.confirmation_race import default_points, replay
from tuner.ranking.goal import ranked
from tuner.ranking.retrainings import by_trial, follows_curves, on, rank_seeds, round_sizes
from tuner.records import ConfirmationRun, Trial, epochs_of
from tuner.study import MOST_SEEDS, ConfirmTable, Study

__all__ = ["SHARE", "contenders", "next_round", "widened"]

SHARE = 0.15  # of the search's training that the race may take, its first round aside, where nothing else was settled


def contenders(before: Study, now: Study, trials: Sequence[Trial], known: Sequence[ConfirmationRun]) -> list[Trial]:
    """Choose the trials to confirm, best first: the first `confirm.top` complete ones, and all that are confirmed
    already.

    The best of the optimizers' defaults that is complete is always there; where the optimizers had equal budgets to be
    compared, the first of each is. A config that was tried twice is one contender: no seed would tell its trials apart.
    `before` is the study as its confirmation stands, `now` as it is asked for.
    """
    order, every = ranked(list(trials), now.direction), by_trial(known)
    standing = {trial.number for trial in order if on(rank_seeds(before), every.get(trial.number, []))}
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
    study: Study,
    wanted: Sequence[Trial],
    trials: Sequence[Trial],
    rows: Sequence[ConfirmationRun],
    facts: Mapping[str, str],
) -> tuple[list[Trial], range] | None:
    """Return which of `wanted` train next on which splits; None when the race is over.

    Depends on what is committed alone, so that an interrupted race goes on as if it had not been interrupted.
    """
    every, sizes = by_trial(rows), round_sizes(study)
    rounds, left = replay(study, facts, wanted, every)
    over = rounds and (len(left) < 2 or len(rounds) == len(sizes))
    if over or not left:
        return None
    count = sizes[len(rounds)]
    share = SHARE if study.confirm.share is None else study.confirm.share
    if rounds and cost_of(study, left, count, wanted, every) > share * search_cost(study, trials):
        return None
    return left, range(1, count + 1)


def cost_of(
    study: Study, left: Sequence[Trial], count: int, wanted: Sequence[Trial], every: Mapping[int, list[ConfirmationRun]]
) -> float:
    """Return the epochs of the race so far, and of a round that brings the remaining contenders to `count` splits."""
    whole = follows_curves(study)

    def long(trial: Trial) -> int:
        return trial.epochs if whole else trial.epoch or 0

    def spent(trial: Trial) -> int:
        return long(trial) * sum(row.replicate <= MOST_SEEDS for row in every.get(trial.number, []))

    return sum(map(spent, wanted)) + sum(max(0, count * long(trial) - spent(trial)) for trial in left)


def search_cost(study: Study, trials: Sequence[Trial]) -> float:
    """Return the epochs of a search on all of its splits and replicates."""
    return study.train.replicates * sum(map(epochs_of, trials))


def _key(config: Mapping[str, Any]) -> Any:
    """Return a key that is equal for equal configs."""
    return tuple(sorted((name, repr(value)) for name, value in config.items()))


def widened(known: ConfirmTable, asked: ConfirmTable) -> ConfirmTable:
    """Widen the `known` confirmation to what is `asked`: never fewer trials and never fewer seeds.

    So all trials that were ever confirmed stay compared on the same seeds. Returns `asked` where nothing was confirmed.
    """
    if not known.enabled:
        return asked.model_copy(update={"enabled": True})
    shares = [share for share in (known.share, asked.share) if share is not None]
    wider = {"top": max(known.top, asked.top), "seeds": max(known.seeds, asked.seeds)}
    return known.model_copy(update=wider | {"share": max(shares, default=None)})
