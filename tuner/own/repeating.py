"""One config, run again and again on the same seed: whether an objective is a function of config and seed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.dispatch import Failure
from tuner.home import StudyDirectory
from tuner.own.subject import OwnSubject, own_subject
from tuner.own.tasks import OwnOutcome, run_own
from tuner.search import rungs
from tuner.space import space_of
from tuner.spec import Study
from tuner.training import Member

__all__ = ["repeated_runs"]


def repeated_runs(asked: Study, times: int) -> tuple[dict[str, Any], list[OwnOutcome | Failure], str]:
    """The first config of a study, what each run of it came to, up to the first rung, and their first difference.

    Each run is in a worker of its own. Raises StudyError for an objective that cannot be used.
    """
    subject = own_subject(asked)
    config = space_of(subject.study).config(space_of(subject.study).defaults()[0])
    outcomes = [_once(subject, config) for _ in range(times)]
    first = outcomes[0]
    for i, other in enumerate(outcomes[1:], start=2):
        if said := _difference(first, other):
            return config, outcomes, f"run {i} differs from run 1: {said}"
    return config, outcomes, ""


def _once(subject: OwnSubject, config: dict[str, Any]) -> OwnOutcome | Failure:
    """A run from the start to the first rung, with nothing left of the one before."""
    study = subject.study
    with tempfile.TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
        place = StudyDirectory(Path(folder))
        with subject.engine(study, 1, None) as engine:
            (task,) = subject.training(study, place, engine).tasks([Member(0, config)], 0, rungs(study)[0])
            task = replace(task, folder=Path(folder) / "flight", failures=Path(folder) / "failures")
            outcome: OwnOutcome | Failure = engine.submit(
                run_own, task, seconds=study.limits.seconds_per_trial
            ).result()
            return outcome


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
