"""One config, run again and again on the same seed: whether an objective is a function of config and seed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
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
from tuner.trainables.custom.introduction import custom_trainable
from tuner.trainables.custom.tasks import CustomOutcome, run_custom
from tuner.trainables.custom.trainable import CustomTrainable
from tuner.trainables.protocols import Member

__all__ = ["RepeatedRuns", "run_repeatedly"]


ELSEWHERE = 0.2  # the coordinates of the other config
Ran = tuple[CustomOutcome | Failure, str]  # what a run came to, and what it printed


@dataclass(frozen=True)
class RepeatedRuns:
    """A config, what each run of it came to, the first difference between two, and what the first run printed."""

    config: dict[str, Any]
    outcomes: list[CustomOutcome | Failure]
    difference: str
    printed: str


def run_repeatedly(asked: Study, times: int) -> RepeatedRuns:
    """Run the first config of a study up to the first rung, so many times, and another one after and before it.

    Each run is in a worker of its own; then two workers run both configs, each in another order, as the workers of a
    study do: code that keeps something from call to call differs there. Raises StudyError for an objective that cannot
    be used.
    """
    trainable = custom_trainable(asked)
    config, other = two_configs(trainable.study)
    runs = [_in_order(trainable, {0: config}) for _ in range(times)]
    outcomes = [ran[0][0] for ran in runs]
    said = [_difference(outcomes[0], one) for one in outcomes[1:]]
    unlike = [f"run {i} differs from run 1: {what}" for i, what in enumerate(said, start=2) if what]
    if not unlike and other is not None:
        one, two = _in_order(trainable, {0: config, 1: other}), _in_order(trainable, {1: other, 0: config})
        found = [_difference(one[number][0], two[number][0]) for number in (0, 1)]
        unlike = [f"a config differs by what its worker ran before: {what}" for what in found if what]
    return RepeatedRuns(config, outcomes, unlike[0] if unlike else "", runs[0][0][1])


def two_configs(study: Study) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the first config of a study and another one; None where there is no other."""
    space = space_of(study)
    config = space.config(space.defaults()[0])
    elsewhere = {
        latent.name: latent.choices[-1] if latent.kind == "categorical" else ELSEWHERE for latent in space.latents
    }
    other = space.config(elsewhere)
    return config, other if other != config else None


def _in_order(trainable: CustomTrainable, configs: Mapping[int, dict[str, Any]]) -> dict[int, Ran]:
    """Run configs by their numbers, one after the other in one worker, from the start to the first rung."""
    study = trainable.study
    with tempfile.TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
        place, found = StudyDirectory(Path(folder)), dict[int, Ran]()
        with trainable.engine(study, 1, None) as engine:
            for number, config in configs.items():
                members = [Member(number, config)]
                (task,) = trainable.trainer(study, place, engine).tasks(members, START, rungs(study)[0])
                task = replace(task, folder=Path(folder) / "flight")
                came = engine.submit(run_custom, task, seconds=study.limits.seconds_per_trial).result()
                (printed,) = task.printed
                text = printed.read_bytes().decode("utf-8", "replace") if printed.exists() else ""
                found[number] = (came, text)
        return found


def _difference(a: CustomOutcome | Failure, b: CustomOutcome | Failure) -> str:
    """Describe where two runs differ first; "" where they do not."""
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


def _came_to(outcome: CustomOutcome | Failure) -> str:
    return str(outcome) if isinstance(outcome, Failure) else "metrics"
