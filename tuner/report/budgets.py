"""Optimizers at equal budgets: what the best of n trials comes to, and who is ahead then, from the trials there are.

The best of n drawn without replacement from m sorted values is the i-th or better with probability
`1 - C(m - i, n) / C(m, n)`; with replacement, `1 - (1 - i / m)^n` (Dodge et al. 2019, "Show your work").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.ranking.goal import signed

if TYPE_CHECKING:
    import pandas as pd

    from tuner.report.report_data import Frames

__all__ = ["best_of", "chances", "distribution", "worth"]

BAND = (0.1, 0.5, 0.9)
MOST_STEPS = 200  # points of a curve


def worth(frames: Frames, optimizer: str) -> Any:
    """Sort the values of an optimizer's trials so that lower is better `(m,)`; trials without a value count as inf."""
    direction = frames.study.direction
    values = [
        signed(trial.value, direction) if trial.value is not None and trial.stable else np.inf
        for trial in frames.own(optimizer)
    ]
    return np.sort(np.array(values, dtype=np.float64))


def distribution(m: int, n: int) -> Any:
    """Compute the probability `(m,)` that the best of n draws from m values is the i-th or better."""
    # C(m - i, n) / C(m, n) as a running product: no factorial overflows
    i = np.arange(m)
    with np.errstate(divide="ignore"):
        missed = np.cumprod(np.maximum(m - i - n, 0) / (m - i))
    return 1 - missed


def best_of(frames: Frames, optimizer: str, budget: int | None = None) -> pd.DataFrame:
    """Compute the best of n trials for n = 1, 2, ..., or for `budget`: trials, low, value, high (quantiles .1, .5,
    .9).
    """
    import pandas as pd

    values = worth(frames, optimizer)
    rows = []
    every = np.linspace(1, len(values), min(len(values), MOST_STEPS)).round().astype(int)
    for n in np.unique(every) if budget is None else [budget]:
        chance = distribution(len(values), int(n))
        at = [float(values[int(np.searchsorted(chance, q - 1e-12))]) for q in BAND]
        rows.append([int(n), *(signed(v, frames.study.direction) if np.isfinite(v) else np.nan for v in at)])
    frame = pd.DataFrame(rows, columns=["trials", "low", "value", "high"])
    # a band whose far end has no value ends where values do
    return frame.assign(high=frame["high"].fillna(frame["value"]))


def chances(frames: Frames) -> dict[str, float]:
    """Compute each optimizer's chance to have the best trial if all had the smallest budget of any; they add up to 1.

    Trials are drawn with replacement, since a search run again would draw others. Ties are shared.
    """
    values = {name: worth(frames, name) for name in frames.optimizers if len(frames.own(name))}
    if not values:
        return {}
    n = min(len(own) for own in values.values())
    every = np.unique(np.concatenate(list(values.values())))
    below = {name: 1 - (1 - np.searchsorted(own, every, side="right") / len(own)) ** n for name, own in values.items()}
    found = {}
    for name in values:
        mass = np.diff(below[name], prepend=0.0)
        others = [below[other] for other in values if other != name]
        found[name] = float((mass * _share(others)).sum())
    total = sum(found.values())
    return {name: value / total for name, value in found.items()} if total else found


def _share(others: list[Any]) -> Any:
    """Compute how much of a value's mass wins: 1 where all others are worse, a part where they tie."""
    share = 1.0
    for below in others:
        equal = np.diff(below, prepend=0.0)
        share = share * (1 - below + equal / 2)
    return share
