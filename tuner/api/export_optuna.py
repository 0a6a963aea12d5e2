"""A study as an ordinary Optuna study: natural values, distributions, learning curves, states.

A diverged trial is COMPLETE with the worst value there is, because Optuna's samplers look away from a failed one and
would go there again. A trial that ended far from its best epoch is marked infeasible, so that Optuna's best trial is
the search's own. Trials have no times of day here: they follow each other from when the study was created.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tuner.optuna_bridge.study import Axis, OptunaStudy, OptunaTrial
from tuner.records import Trial
from tuner.result import Result
from tuner.space import Space, space_of
from tuner.study import Choices, Domain, Imported, Range, Study, is_searched, text_of

__all__ = ["optuna_study"]

STATES = {"complete": "complete", "pruned": "pruned", "diverged": "complete", "failed": "fail"}


def optuna_study(result: Result, name: str | None = None) -> OptunaStudy:
    """The study of a result as Optuna keeps one; what an optimizer does not have is absent in its trials.

    So is what a condition left at its default: it need not be in the distribution.
    """
    study = result.study
    space = space_of(study)
    axes = imported_axes(study.imported, result.all_trials) if study.imported else axes_of(study)
    confirmed = {standing.trial: standing for standing in result.standings}
    attrs = {"tuner": result.facts.get("tuner", ""), "metric": study.metric, "seed": study.seed}
    attrs |= {"data": result.facts.get("data", ""), "source": study.data.source or ""}
    trials = []
    for trial in result.all_trials:
        extra = {}
        if standing := confirmed.get(trial.number):
            goal = standing.goal
            extra["confirmed"] = {"mean": goal.mean, "low": goal.low, "high": goal.high, "seeds": standing.seeds}
        left = resting(space, trial.config)
        trials.append(optuna_trial(study, {k: v for k, v in axes.items() if k not in left}, trial, extra))
    began = result.facts.get("created")
    start = datetime.fromisoformat(began).replace(tzinfo=None) if began else OptunaStudy.began
    return OptunaStudy(name or study.name, study.direction, study.metric, axes, trials, attrs, start)


def optuna_trial(study: Study, axes: Mapping[str, Axis], trial: Trial, extra: Mapping[str, Any]) -> OptunaTrial:
    """A trial as Optuna keeps one; its whole config and what else is known of it are user attributes."""
    curve = trial.curves.get(study.metric) if trial.curves else None
    means = [] if curve is None else [float(value) for value in curve.mean(axis=0)]
    worst = math.inf if study.direction == "minimize" else -math.inf
    attrs: dict[str, Any] = {
        "config": dict(trial.config),
        "metrics": finite(trial.metrics),
        "state": trial.state,
        "epoch": trial.epoch,
        "epochs": trial.epochs,
        "steps": trial.steps,
        "seconds": trial.seconds,
        "seed": study.seed,
        "replicates": study.train.replicates,
        "framework": study.train.framework,
        "generation": trial.generation,
        "rung": trial.rung,
        "stable": trial.stable,
    }
    attrs |= {"error": trial.error} if trial.error else {}
    return OptunaTrial(
        number=trial.number,
        state=STATES[trial.state],
        params={name: natural(axes[name], trial.config[name]) for name in axes if name in trial.config},
        value=worst if trial.state == "diverged" else trial.value,
        reports=dict(enumerate(means, start=1)),
        seconds=trial.seconds,
        feasible=trial.stable or trial.state != "complete",
        attrs={**attrs, **extra},
    )


def resting(space: Space, config: Mapping[str, Any]) -> set[str]:
    """Names of the parameters that a condition of the study keeps from being searched beside a config's values."""
    optimizer = space.optimizer_of(config)
    own = space.parameters(optimizer) if optimizer in space.optimizers else ()
    return {p.name for p in own if not p.active(config)}


def finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Metrics as JSON can hold them."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def axes_of(study: Study) -> dict[str, Axis]:
    """The distribution of each searched parameter, one for all optimizers that have it: Optuna wants one a name.

    A number is a float over the widest range that any optimizer searches, logarithmic where all of them are.
    """
    domains: dict[str, list[Domain]] = {}
    if len(study.optimizers) > 1:
        domains["optimizer"] = [Choices(tuple(study.optimizers))]
    space = space_of(study)
    for parameter in (*(p for own in space.optimizers.values() for p in own), *space.shared):
        domains.setdefault(parameter.name, []).append(parameter.domain)
    searched = {name: found for name, found in domains.items() if any(map(is_searched, found))}
    return {name: axis_of(found) for name, found in searched.items()}


def imported_axes(origin: Imported, trials: Sequence[Trial]) -> dict[str, Axis]:
    """The distribution of each parameter that another tool searched: its choices, or from its least to its greatest."""
    axes = {}
    for name, kind in origin.columns.items():
        values = [trial.config[name] for trial in trials if name in trial.config]
        if isinstance(kind, tuple) or not values:
            axes[name] = Axis("categorical", choices=tuple(dict.fromkeys(map(choice, values))) or ("",))
        else:
            axes[name] = Axis("int" if kind == "Int64" else "float", min(values), max(values))
    return axes


def axis_of(domains: Sequence[Domain]) -> Axis:
    """One distribution for a parameter's domains."""
    if all(isinstance(domain, Choices) for domain in domains):
        values = dict.fromkeys(value for domain in domains for value in domain.values)  # type: ignore[union-attr]
        return Axis("categorical", choices=tuple(map(choice, values)))
    ends = [end for domain in domains for end in ends_of(domain)]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        return Axis("categorical", choices=tuple(dict.fromkeys(map(choice, ends))))
    log = all(isinstance(domain, Range) and domain.scale == "log" for domain in domains)
    return Axis("float", float(min(ends)), float(max(ends)), log)


def ends_of(domain: Domain) -> tuple[Any, ...]:
    """The ends of a range, else all values."""
    if isinstance(domain, Range):
        return domain.low, domain.high
    return domain.values if isinstance(domain, Choices) else (domain,)


def choice(value: Any) -> Any:
    """A choice as Optuna can hold it: sizes of layers as 64x32."""
    return text_of(value) if isinstance(value, list | tuple) else value


def natural(axis: Axis, value: Any) -> Any:
    """A config's value on its axis."""
    return float(value) if axis.kind == "float" else choice(value)
