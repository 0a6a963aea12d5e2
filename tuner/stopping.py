"""When a search ends before its trials are used up.

Looked at when a generation is committed, so that a stopped table is the beginning of the one that was not stopped. All
but the time are functions of the committed trials: run again, a stopped study stays stopped until it is given more.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuner.goal import ranked, signed
from tuner.spec import Stop, Study
from tuner.trial import Trial

__all__ = ["reason_to_stop"]


def reason_to_stop(study: Study, trials: Sequence[Trial], seconds: float = 0.0) -> str:
    """Why a study with these trials, `seconds` into this run, ends now; empty where it does not."""
    stop = study.stop
    if stop == Stop():
        return ""
    best = next(iter(ranked(list(trials), study.direction)), None)
    value = best.value if best is not None else None
    if stop.target is not None and value is not None:
        ahead = signed(stop.target, study.direction) - signed(value, study.direction)
        if ahead >= 0:
            return f"the target {stop.target:g} is reached (stop.target)"
    since = len(trials) - 1 - best.number if best is not None else len(trials)
    if stop.no_gain is not None and since >= stop.no_gain:
        return f"no gain in the last {since} trials (stop.no_gain = {stop.no_gain})"
    spent = sum(trial.epochs for trial in trials)
    if stop.epochs is not None and spent >= stop.epochs:
        return f"{spent:,} epochs are spent (stop.epochs = {stop.epochs})"
    if stop.seconds is not None and seconds >= stop.seconds:
        return f"its {stop.seconds:g} seconds are over (stop.seconds)"
    return ""
