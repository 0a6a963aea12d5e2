"""Failed trials of a study: their errors, the most common first, and the settings that they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tuner.records import Trial
from tuner.report.parameters import Parameter
from tuner.report.report_data import Frames
from tuner.text import short

__all__ = ["failures", "in_common"]

MOST_ERRORS = 20
ENOUGH = 3  # failed trials, and others, before a shared setting is more than chance


def failures(frames: Frames) -> dict[str, Any]:
    """Collect the number of failed trials, their distinct errors and what they have in common.

    Each error has its first line, its count and the first trial that ended with it.
    """
    failed = [trial for trial in frames.found.all_trials if trial.state == "failed"]
    counts = Counter(headline(trial) for trial in failed)
    first = {line: next(trial for trial in failed if headline(trial) == line) for line in counts}
    errors = [
        {"line": line, "count": count, "trial": first[line].number} for line, count in counts.most_common(MOST_ERRORS)
    ]
    others = [trial for trial in frames.found.all_trials if trial.state != "failed"]
    return {
        "failed": len(failed),
        "trials": len(failed) + len(others),
        "errors": errors,
        "common": in_common(frames.parameters, failed, others),
    }


def headline(trial: Trial) -> str:
    """Return the first line of a trial's error."""
    return (trial.error.splitlines() or ["no error was recorded"])[0]


def in_common(parameters: Sequence[Parameter], failed: Sequence[Trial], others: Sequence[Trial]) -> list[str]:
    """Describe the searched settings that separate all failed trials from all others: "lr above 0.3"."""
    if min(len(failed), len(others)) < ENOUGH:
        return []
    names = dict.fromkeys(["optimizer", *(p.name for p in parameters)])
    return [words for name in names if (words := _separation(name, failed, others))]


def _separation(name: str, failed: Sequence[Trial], others: Sequence[Trial]) -> str:
    bad = [trial.config[name] for trial in failed if name in trial.config]
    good = [trial.config[name] for trial in others if name in trial.config]
    if len(bad) < len(failed) or not good:
        return ""
    if all(value == bad[0] for value in bad) and bad[0] not in good:
        return f"{name} {short(bad[0])}"
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in [*bad, *good]):
        return ""
    if min(bad) > max(good):
        return f"{name} above {short(max(good))}"
    return f"{name} below {short(min(good))}" if max(bad) < min(good) else ""
