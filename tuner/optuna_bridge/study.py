"""A study and its trials as Optuna keeps them, as plain values, and the way there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

__all__ = ["STATES", "Distribution", "OptunaStudy", "OptunaTrial", "axes_of", "frozen_trials", "plain_trial"]

STATES = ("complete", "pruned", "fail", "running", "waiting")


@dataclass(frozen=True)
class Distribution:
    """What one parameter may be: kind "float" or "int" from `low` to `high`, or "categorical" out of `choices`."""

    kind: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class OptunaTrial:
    """A trial as Optuna keeps it; `state` is one of `STATES`, `reports` are its intermediate values by step."""

    number: int
    state: str
    params: Mapping[str, Any]
    value: float | None
    reports: Mapping[int, float]
    seconds: float = 0.0
    feasible: bool = True
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OptunaStudy:
    """A study as Optuna stores it; `metric` is "" where it has no name, `began` the start of its first trial.

    `notes` are what optuna-dashboard shows, by trial number; None is the key of the study's own note.
    """

    name: str
    direction: str
    metric: str
    axes: Mapping[str, Distribution]
    trials: Sequence[OptunaTrial]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    began: datetime = datetime(2000, 1, 1)
    notes: Mapping[int | None, str] = field(default_factory=dict)


def axes_of(trials: Sequence[Any]) -> dict[str, Distribution]:
    """Collect each parameter's domain over all trials that have it: the widest range, or every choice."""
    found: dict[str, Distribution] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            found[name] = _wider(found.get(name), _axis(distribution))
    return found


def _axis(distribution: Any) -> Distribution:
    if hasattr(distribution, "choices"):
        return Distribution("categorical", choices=tuple(distribution.choices))
    kind = "int" if type(distribution).__name__ == "IntDistribution" else "float"
    return Distribution(kind, distribution.low, distribution.high, distribution.log)


def _wider(old: Distribution | None, new: Distribution) -> Distribution:
    if old is None or old == new:
        return new
    if "categorical" in (old.kind, new.kind):
        return Distribution("categorical", choices=tuple(dict.fromkeys((*old.choices, *new.choices))))
    kind = "float" if "float" in (old.kind, new.kind) else "int"
    return Distribution(kind, min(old.low, new.low), max(old.high, new.high), old.log and new.log)


def plain_trial(trial: Any) -> OptunaTrial:
    """Convert an Optuna trial to plain values."""
    took = max(0.0, trial.duration.total_seconds()) if trial.duration else 0.0  # a clock may have been set back
    return OptunaTrial(
        number=trial.number,
        state=trial.state.name.lower(),
        params=dict(trial.params),
        value=None if trial.values is None else float(trial.values[0]),
        reports=dict(sorted(trial.intermediate_values.items())),
        seconds=took,
        feasible=all(value <= 0 for value in trial.system_attrs.get("constraints") or ()),
        attrs=dict(trial.user_attrs),
    )


def frozen_trials(study: OptunaStudy) -> list[Any]:
    """Convert a study's trials to Optuna's, one after another in time, each for its own seconds."""
    began = accumulate((trial.seconds for trial in study.trials), initial=0.0)
    return [
        _frozen(study, trial, study.began + timedelta(seconds=at))
        for trial, at in zip(study.trials, began, strict=False)
    ]


def _frozen(study: OptunaStudy, trial: OptunaTrial, began: datetime) -> Any:
    import optuna

    return optuna.trial.FrozenTrial(
        number=trial.number,
        trial_id=trial.number,
        state=optuna.trial.TrialState[trial.state.upper()],
        value=trial.value,
        values=None,
        datetime_start=began,
        datetime_complete=began + timedelta(seconds=trial.seconds),
        params=dict(trial.params),
        distributions={name: _distribution(study.axes[name]) for name in trial.params},
        user_attrs=dict(trial.attrs),
        system_attrs={} if trial.feasible else {"constraints": [1.0]},
        intermediate_values=dict(trial.reports),
    )


def _distribution(axis: Distribution) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if axis.kind == "categorical":
        return CategoricalDistribution(axis.choices)
    made: Callable[..., Any] = IntDistribution if axis.kind == "int" else FloatDistribution
    low, high = (int(axis.low), int(axis.high)) if axis.kind == "int" else (axis.low, axis.high)
    return made(low, high, log=axis.log)
