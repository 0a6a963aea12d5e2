"""What tuning gained: the winner beside the best of the optimizers' defaults, on the splits that both ran on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.ranking.confirmation_race import Race, finalists, is_default
from tuner.ranking.goal import signed
from tuner.ranking.standings import ConfirmedTrial
from tuner.ranking.statistics import t_quantile
from tuner.records import ConfirmationRun, Trial
from tuner.study import Study

__all__ = ["TuningGain", "gain_of"]


@dataclass(frozen=True)
class TuningGain:
    """By how much the winner's goal is better than that of `trial`, the defaults; negative where it is worse.

    `low` and `high` are the ends of its 95 % interval, over `splits` that both were checked on; nan where unknown.
    `default` and `winner` are the means of the goal there.
    """

    trial: int
    default: float
    winner: float
    mean: float
    low: float
    high: float
    splits: int

    @property
    def sure(self) -> bool:
        """Return True if chance alone does not make such a difference at 95 %."""
        return self.low > 0


def gain_of(
    study: Study,
    facts: Mapping[str, str],
    trials: Sequence[Trial],
    rows: Sequence[ConfirmationRun],
    standings: Sequence[ConfirmedTrial],
) -> TuningGain | None:
    """Compare the first of the standings with the best of the defaults; None where no defaults were checked.

    Where the defaults themselves are first, the gain is 0.
    """
    known = {trial.number: trial for trial in trials}
    default = next((one for one in standings if is_default(study, known[one.trial])), None)
    if default is None:
        return None
    first = standings[0]
    if default is first:
        mean = first.goal.mean
        return TuningGain(first.trial, mean, mean, 0.0, 0.0, 0.0, first.goal.n)
    found = finalists(study, facts, trials, rows)
    numbers = [one.trial.number for one in found]
    paired, a, b = Race(study, facts, found).between(numbers.index(first.trial), numbers.index(default.trial))
    if not (paired.known(a) and paired.known(b)):
        return None
    behind, reach = paired.behind(a, b), math.nan
    if paired.seeds > 1:
        reach = t_quantile(0.975, paired.seeds - 1) * math.sqrt(paired.variance(a, b))
    means = [signed(float(paired.scores[:, k].mean()), study.direction) for k in (b, a)]
    return TuningGain(default.trial, means[0], means[1], behind, behind - reach, behind + reach, paired.seeds)
