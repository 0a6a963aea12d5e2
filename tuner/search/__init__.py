"""What to try next, and who goes on: proposals of a generation, rungs, and the cut at a rung.

    rungs -> history -> repeats -> feasible -> proposals; search_checks, stopping

Everything here is a pure function. What generation g proposes depends on the study's seed, on g and on the committed
trials of generations up to g - LAG - 1 alone, in trial order: generation g can then be proposed while g - 1 trains,
and a run that was cut short proposes the same again.
"""

from __future__ import annotations

from tuner.search.history import BEST_MODELLED, ENOUGH, MODELLED, observed
from tuner.search.proposals import propose
from tuner.search.rungs import (
    LAG,
    amounts,
    at_rung,
    bars,
    generation_size,
    group_of,
    ladder,
    lag_of,
    mean_cost,
    repeated,
    rungs,
    uncut,
    value_at,
)
from tuner.search.search_checks import check_search, repeats_note

__all__ = [
    "BEST_MODELLED",
    "ENOUGH",
    "LAG",
    "MODELLED",
    "amounts",
    "at_rung",
    "bars",
    "check_search",
    "generation_size",
    "group_of",
    "ladder",
    "lag_of",
    "mean_cost",
    "observed",
    "propose",
    "repeated",
    "repeats_note",
    "rungs",
    "uncut",
    "value_at",
]
