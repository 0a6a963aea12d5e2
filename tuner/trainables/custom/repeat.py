"""One config, run again and again on the same seed: whether an objective is a function of config and seed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.engines import Failure
from tuner.records import START
from tuner.search import rungs
from tuner.space import space_of
from tuner.store.directory import StudyDirectory
from tuner.study import Study
from tuner.trainables.base import Member
from tuner.trainables.custom.tasks import OwnOutcome, run_own
from tuner.trainables.custom.trainable import OwnSubject, own_subject

__all__ = ["Repeated", "repeated_runs"]


@dataclass(frozen=True)
class Repeated:
    """A config, what each run of it came to, the first difference between two, and what the first run printed."""

    config: dict[str, Any]
    outcomes: list[OwnOutcome | Failure]
    difference: str
    printed: str


def repeated_runs(asked: Study, times: int) -> Repeated:
    """Run the first config of a study up to the first rung, so many times.

    Each run is in a worker of its own. Raises StudyError for an objective that cannot be used.
    """
    subject = own_subject(asked)
    config = space_of(subject.study).config(space_of(subject.study).defaults()[0])
    runs = [_once(subject, config) for _ in range(times)]
    outcomes = [outcome for outcome, _ in runs]
    said = [_difference(outcomes[0], other) for other in outcomes[1:]]
    unlike = [f"run {i} differs from run 1: {what}" for i, what in enumerate(said, start=2) if what]
    return Repeated(config, outcomes, unlike[0] if unlike else "", runs[0][1])


def _once(subject: OwnSubject, config: dict[str, Any]) -> tuple[OwnOutcome | Failure, str]:
    """A run from the start to the first rung, with nothing left of the one before; and what it printed."""
    study = subject.study
    with tempfile.TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
        place = StudyDirectory(Path(folder))
        with subject.engine(study, 1, None) as engine:
            (task,) = subject.training(study, place, engine).tasks([Member(0, config)], START, rungs(study)[0])
            task = replace(task, folder=Path(folder) / "flight")
            outcome: OwnOutcome | Failure = engine.submit(
                run_own, task, seconds=study.limits.seconds_per_trial
            ).result()
        (printed,) = task.printed
        return outcome, printed.read_bytes().decode("utf-8", "replace") if printed.exists() else ""


def _difference(a: OwnOutcome | Failure, b: OwnOutcome | Failure) -> str:
    """Where two runs differ first, in words; empty where they do not."""
    if isinstance(a, Failure) or isinstance(b, Failure):
        return "" if str(a) == str(b) else f"{_came_to(a)}, then {_came_to(b)}"
    if list(a.curves) != list(b.curves):
        return f"metrics {', '.join(a.curves)}, then {', '.join(b.curves)}"
    for name, one in a.curves.items():
        other = b.curves[name]
        if one.shape != other.shape:
            return f"{one.shape[-1]} epochs of {name}, then {other.shape[-1]}"
        unlike = ~((one == other) | (np.isnan(one) & np.isnan(other)))
        if unlike.any():
            r, k, epoch = (int(i) for i in np.argwhere(unlike)[0])
            return f"{name} at epoch {epoch + 1} is {one[r, k, epoch]!r}, then {other[r, k, epoch]!r}"
    return ""


def _came_to(outcome: OwnOutcome | Failure) -> str:
    return str(outcome) if isinstance(outcome, Failure) else "metrics"
