"""Contenders: who is confirmed, and on how many seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.ranking.goal import ranked
from tuner.ranking.standings import standings
from tuner.spec import Confirm, Study
from tuner.trial import Confirmed, Trial

__all__ = ["contenders", "widened"]


def contenders(before: Study, now: Study, trials: Sequence[Trial], known: Sequence[Confirmed]) -> list[Trial]:
    """The trials to confirm, best first: the first `confirm.top` complete ones, and all that stand confirmed already.

    Where the optimizers had equal budgets to be compared, the first of each is there too. A config that was tried twice
    is one contender: no seed would tell its trials apart. `before` is the study as its
    confirmation stands, `now` as it is asked for.
    """
    standing = {standing.trial for standing in standings(before, trials, known)}
    order = ranked(list(trials), now.direction)
    first: dict[Any, int] = {}
    for trial in order:
        first.setdefault(_key(trial.config), trial.number)
    leaders = set(list(first.values())[: now.confirm.top])
    if now.search.allocation == "equal":
        leaders |= {trial.number for trial in {t.config.get("optimizer"): t for t in reversed(order)}.values()}
    return [trial for trial in order if trial.number in leaders or trial.number in standing]


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
