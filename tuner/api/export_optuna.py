"""A study as an ordinary Optuna study: natural values, distributions, learning curves, states.

A diverged trial is COMPLETE with a finite value below every other one, because Optuna's samplers ignore failed trials
and its plots cannot draw infinity; its attribute `capped` says so. Optuna's best trial is that of the ranking: trials
that ended far from their best epoch, and trials that only the search's own splits put before the confirmed best, are
marked infeasible. Trials have no times of day here: they follow each other from when the study was created.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from objectives.types import Direction
from tuner.enums import TrialState
from tuner.optuna_bridge.study import Distribution, OptunaStudy, OptunaTrial
from tuner.ranking.goal import ranked
from tuner.ranking.standings import ConfirmedTrial
from tuner.records import Trial
from tuner.result import Result
from tuner.space import Space, space_of
from tuner.study import Choices, Domain, Imported, Range, Study, is_searched, text_of
from tuner.text import interval

__all__ = ["optuna_study"]

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.DIVERGED: "complete",
    TrialState.FAILED: "fail",
}  # in the words of `tuner.optuna_bridge.study`


def optuna_study(result: Result, name: str | None = None) -> OptunaStudy:
    """Convert a result to an Optuna study; its trials lack the parameters that their optimizer does not have.

    They also lack parameters that a condition left at its default, which need not be in the distribution.
    """
    study = result.study
    space = space_of(study)
    axes = imported_axes(study.imported, result.all_trials) if study.imported else axes_of(study)
    standings = result.standings if result.is_confirmed else []
    extra, ahead, cap = attributes(standings), ahead_of_the_best(result, standings), worse_than_all(result)
    attrs = {"tuner": result.facts.get("tuner", ""), "metric": study.metric, "seed": study.seed}
    attrs |= {"data": result.facts.get("data", ""), "source": study.data.source or ""}
    attrs |= (
        {"best_trial": standings[0].trial, "confirmed": extra[standings[0].trial]["confirmed"]} if standings else {}
    )
    trials = []
    for trial in result.all_trials:
        left = resting(space, trial.config)
        own = {k: v for k, v in axes.items() if k not in left}
        made = optuna_trial(study, own, trial, extra.get(trial.number, {}), cap)
        trials.append(replace(made, feasible=made.feasible and trial.number not in ahead))
    began = result.facts.get("created")
    start = datetime.fromisoformat(began).replace(tzinfo=None) if began else OptunaStudy.began
    notes = {None: note(study, standings[0]), standings[0].trial: note(study, standings[0])} if standings else {}
    return OptunaStudy(name or study.name, str(study.direction), study.metric, axes, trials, attrs, start, notes)


def attributes(standings: Sequence[ConfirmedTrial]) -> dict[int, dict[str, Any]]:
    """Return what the confirmation says of each confirmed trial, as user attributes by trial number."""
    goals = [(standing, standing.goal) for standing in standings]
    return {
        standing.trial: {
            "confirmed": {"mean": goal.mean, "low": goal.low, "high": goal.high, "seeds": standing.seeds},
            "confirmed_rank": rank,
        }
        for rank, (standing, goal) in enumerate(goals, start=1)
    }


def ahead_of_the_best(result: Result, standings: Sequence[ConfirmedTrial]) -> set[int]:
    """Return the trials that the search puts before the confirmed best, none without a confirmation."""
    if not standings:
        return set()
    order = [trial.number for trial in ranked(result.all_trials, result.study.direction)]
    return set(order[: order.index(standings[0].trial)]) if standings[0].trial in order else set()


def worse_than_all(result: Result) -> float:
    """Return a finite value that is worse than every trial's by the span of their values, at least by one."""
    values = [t.value for t in result.all_trials if t.value is not None and math.isfinite(t.value)] or [0.0]
    margin = max(max(values) - min(values), 1.0)
    return max(values) + margin if result.study.direction == Direction.MINIMIZE else min(values) - margin


def note(study: Study, best: ConfirmedTrial) -> str:
    """Write the note that optuna-dashboard shows of a study and of its confirmed best trial, in Markdown."""
    final = best.report.goal if best.report else best.goal
    value = interval(final.mean, final.low, final.high)
    return (
        f"**Best: trial {best.trial}**, final {study.metric} {value} on splits that chose nothing. "
        "Trials that are marked infeasible with a better value were either not checked or did not hold on such splits."
    )


def optuna_trial(
    study: Study, axes: Mapping[str, Distribution], trial: Trial, extra: Mapping[str, Any], worst: float
) -> OptunaTrial:
    """Convert a trial to Optuna's; its config and what else is known of it become user attributes.

    A diverged trial gets the value `worst`, as do the epochs of a diverged curve that are worse or infinite.
    """
    curve = trial.curves.get(study.metric) if trial.curves else None
    means = [] if curve is None else [float(value) for value in curve.mean(axis=0)]
    if trial.state == TrialState.DIVERGED or not all(map(math.isfinite, means)):
        means = [capped(value, worst, study.direction) for value in means]
        extra = {**extra, "capped": True}
    attrs: dict[str, Any] = {
        "config": dict(trial.config),
        "metrics": finite(trial.metrics),
        "state": str(trial.state),
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
        state=STATES[TrialState(trial.state)],
        params={name: natural(axes[name], trial.config[name]) for name in axes if name in trial.config},
        value=worst if trial.state == TrialState.DIVERGED else trial.value,
        reports=dict(enumerate(means, start=1)),
        seconds=trial.seconds,
        feasible=trial.stable or trial.state != TrialState.COMPLETE,
        attrs={**attrs, **extra},
    )


def capped(value: float, worst: float, direction: str) -> float:
    """Return `worst` for a value that is worse or not finite, else the value."""
    if not math.isfinite(value):
        return worst
    return min(value, worst) if direction == Direction.MINIMIZE else max(value, worst)


def resting(space: Space, config: Mapping[str, Any]) -> set[str]:
    """Name the parameters that a condition of the study keeps from being searched beside a config's values."""
    optimizer = space.optimizer_of(config)
    own = space.parameters(optimizer) if optimizer in space.optimizers else ()
    return {p.name for p in own if not p.active(config)}


def finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Replace metrics that JSON cannot hold by None."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def axes_of(study: Study) -> dict[str, Distribution]:
    """Build the distribution of each searched parameter, shared by all optimizers: Optuna wants one for each name.

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


def imported_axes(origin: Imported, trials: Sequence[Trial]) -> dict[str, Distribution]:
    """Build the distribution of each parameter that another tool searched: its choices, or the range of its values."""
    axes = {}
    for name, kind in origin.columns.items():
        values = [trial.config[name] for trial in trials if name in trial.config]
        if isinstance(kind, tuple) or not values:
            axes[name] = Distribution("categorical", choices=tuple(dict.fromkeys(map(choice, values))) or ("",))
        else:
            axes[name] = Distribution("int" if kind == "Int64" else "float", min(values), max(values))
    return axes


def axis_of(domains: Sequence[Domain]) -> Distribution:
    """Merge a parameter's domains to one distribution."""
    if all(isinstance(domain, Choices) for domain in domains):
        values = dict.fromkeys(value for domain in domains for value in domain.values)  # type: ignore[union-attr]
        return Distribution("categorical", choices=tuple(map(choice, values)))
    ends = [end for domain in domains for end in ends_of(domain)]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        return Distribution("categorical", choices=tuple(dict.fromkeys(map(choice, ends))))
    log = all(isinstance(domain, Range) and domain.scale == "log" for domain in domains)
    return Distribution("float", float(min(ends)), float(max(ends)), log)


def ends_of(domain: Domain) -> tuple[Any, ...]:
    """Return the ends of a range, or all values of another domain."""
    if isinstance(domain, Range):
        return domain.low, domain.high
    return domain.values if isinstance(domain, Choices) else (domain,)


def choice(value: Any) -> Any:
    """Convert a choice to one that Optuna can store: layer sizes become 64x32."""
    return text_of(value) if isinstance(value, list | tuple) else value


def natural(axis: Distribution, value: Any) -> Any:
    """Convert a config's value to the type of its distribution."""
    return float(value) if axis.kind == "float" else choice(value)
