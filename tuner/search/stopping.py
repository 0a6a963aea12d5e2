"""When a search ends before its trials are used up.

Decided when a generation is committed, so that the table of a stopped study is the beginning of the full one. All
conditions but the time are functions of the committed trials: a stopped study that is run again stays stopped until its
settings change. A study whose first trials all fail for one reason is given up at once, in the middle of its
generation, which is not committed: once the cause is fixed, the search starts where it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tuner.enums import TrialState
from tuner.ranking.goal import ranked, signed
from tuner.records import Trial, epochs_of
from tuner.study import StopTable, Study

__all__ = ["LOOSEN", "error_pattern", "reason_to_give_up", "reason_to_stop"]

# Errors that no other config avoids: an option that the program does not know, a metric that it never prints.
SURE = re.compile(
    r"unrecognized arguments|no such option|unknown option|unrecognized option|arguments are required|can't open file"
    r"|ignored explicit argument|does not take a value|invalid \w+ value: '\["
    r"|printed no line with| never came: | and not before \d+, where trials are|not \S+, which is the goal"
    r"|there is no such program"
)
HOPELESS = 10  # trials, from the first one on
ENDED = ("TimedOut", "WorkerDied", "MemoryError")  # ended from outside, at a random place
VARIES = re.compile(r"""'[^']*'|"[^"]*"|\bnan\b|\binf\b|0x[0-9a-f]+|[-+]?\d[\d.,]*(?:e[-+]?\d+)?""")
LOOSEN = "loosen or remove that to go on"


def reason_to_stop(study: Study, trials: Sequence[Trial], seconds: float = 0.0) -> str:
    """Say why a study with these trials, `seconds` into this run, ends now, and how it continues; "" where it does
    not.
    """
    stop = study.stop
    if stop == StopTable():
        return ""
    best = next(iter(ranked(list(trials), study.direction)), None)
    value = best.value if best is not None else None
    if stop.target is not None and value is not None:
        ahead = signed(stop.target, study.direction) - signed(value, study.direction)
        if ahead >= 0:
            return f"the target {stop.target:g} is reached (stop.target); {LOOSEN}"
    since = len(trials) - 1 - best.number if best is not None else len(trials)
    if stop.no_gain is not None and since >= stop.no_gain:
        return f"no gain in the last {since} trials (stop.no_gain = {stop.no_gain}); {LOOSEN}"
    spent = sum(map(epochs_of, trials))
    if stop.epochs is not None and spent >= stop.epochs:
        return f"{spent:,} epochs are spent (stop.epochs = {stop.epochs}); {LOOSEN}"
    if stop.seconds is not None and seconds >= stop.seconds:
        return f"its {stop.seconds:g} seconds are over (stop.seconds); run it again to go on"
    return ""


def reason_to_give_up(ends: Sequence[tuple[str, str]], planned: int) -> str:
    """Return why to give up a search with these ended trials, in trial order, as `(state, error)`; "" to go on.

    Of the first ten, or all that are `planned`, each has failed with the same error, apart from values in it; or the
    first one has failed in a way that no other config would avoid.
    """
    if ends and ends[0][0] == TrialState.FAILED and planned > 1 and SURE.search(ends[0][1]):
        return f"trial 0 failed with {ends[0][1]}; no other config would mend that: once it is mended, run this again"
    first = ends[: min(HOPELESS, planned)]
    if len(first) < min(HOPELESS, planned) or any(state != TrialState.FAILED for state, _ in first):
        return ""
    if len({error_pattern(error) for _, error in first}) > 1:
        return ""
    head = f"all of the first {len(first)} trials failed alike" if len(first) > 1 else "the only trial failed"
    limited = first[0][1].startswith(("TimedOut", "MemoryError"))
    way = "once that is mended, or [limits] allow more," if limited else "once that is mended,"
    return f"{head}, trial 0 with {first[0][1]}; {way} run this again"


def error_pattern(error: str) -> str:
    """Remove from an error what differs between configs: numbers, and quoted text."""
    line = error.partition("\n")[0]
    kind = line.partition(":")[0]
    return kind if kind in ENDED else VARIES.sub("#", line)
