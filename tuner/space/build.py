"""The parameters that a study declares: of optimizers, training and model, or of somebody's own objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from objectives.optimizers import OPTIMIZERS
from objectives.training.early_stopping import MIN_DELTA
from objectives.training.hypers import Entry
from tuner.space.parameter import (
    ABSENT,
    DEFAULTS,
    Parameter,
    middle_of,
)
from tuner.space.space import Space, latents_for
from tuner.study import CustomObjective, Domain, Study, used_hypers

__all__ = ["space_of"]


def space_of(study: Study) -> Space:
    """Build the space of a study; the order of its latents does not depend on the order of the file.

    An imported study cannot be searched here: its space holds only the optimizers.
    """
    if study.imported:
        return Space((), (), (), dict.fromkeys(study.optimizers, ()) or {"": ()}, study.budget)
    optimizers = {
        name: tuple(
            _conditional(p, study, [f"optimizers.{name}.{p.name}"])
            for p in (
                *(Parameter(x.name, x.role, study.optimizers[name][x.name], x.default) for x in row.hypers),
                *(Parameter(x.name, x.name, study.optimizers[name][x.name], False) for x in row.flags),
            )
        )
        for name, row in OPTIMIZERS.items()
        if name in study.optimizers
    }
    if study.custom:
        shared = (*_trained(study, study.custom), *_declared(study, study.custom))
        every = optimizers or {"": ()}
        return Space(latents_for(every, shared), _constants(study) if optimizers else (), shared, every, study.budget)
    model = study.model
    layers = {"hidden": model.hidden, "activation": model.activation} if model.kind == "mlp" else {}
    start = {} if model.kind == "surface" else {"init": model.init}
    described = [Parameter(n, n, domain, DEFAULTS[n]) for n, domain in {**layers, **start}.items()]
    steps = [] if all(OPTIMIZERS[name].whole for name in optimizers) else _minibatch(study)
    shared = (*steps, *_loss(study), *described)
    shared = tuple(_conditional(p, study, [f"train.{p.name}", f"model.{p.name}"]) for p in shared)
    return Space(latents_for(optimizers, shared), _constants(study), shared, optimizers, study.budget)


def _conditional(p: Parameter, study: Study, keys: Sequence[str]) -> Parameter:
    """Add the study's condition on one of the parameter's keys to the parameter."""
    when = next((study.conditions[key] for key in keys if key in study.conditions), {})
    return replace(p, when=tuple(when.items()))


def _constants(study: Study) -> tuple[tuple[str, Any], ...]:
    """Return the settings that are the same in every config, without those that are off."""
    train = study.train
    decay = (("decay", train.decay),) if train.decay != "all" else ()
    # Beside a whole-batch method everybody shows what that method lowers, and at what cost.
    tracked = (("track_objective", True),) if any(OPTIMIZERS[name].whole for name in study.optimizers) else ()
    described = () if study.custom else (("model", study.model.kind),)
    return ("framework", train.framework), *decay, *tracked, *described


def _trained(study: Study, own: CustomObjective) -> list[Parameter]:
    """List the parameters of [train] that apply to training code of the user's own."""
    known = {p.name: p for p in _minibatch(study)}
    found = [known[name] for name in own.trained if name in known]
    return [_conditional(replace(p, minibatch=False), study, [f"train.{p.name}"]) for p in found]


def _declared(study: Study, own: CustomObjective) -> list[Parameter]:
    """List the study's own parameters; a config lacks those whose condition does not hold."""
    found = []
    for name, domain in own.parameters.items():
        start = own.starts.get(name, middle_of(domain))
        p = _conditional(Parameter(name, name, domain, start), study, [f"parameters.{name}"])
        found.append(replace(p, default=ABSENT) if p.when else p)
    return found


def _minibatch(study: Study) -> list[Parameter]:
    """List the parameters that apply only to training by minibatches."""
    train = study.train
    domains: dict[str, Domain] = {"batch_size": train.batch_size, "schedule": train.schedule}
    found = [Parameter(name, name, domain, DEFAULTS[name]) for name, domain in domains.items()]
    found += [*_hypers(study, Entry.STEP), *_hypers(study, Entry.LAYERS)]
    if train.patience:
        found.append(Parameter("patience", "patience", train.patience, 0))
        found.append(Parameter(MIN_DELTA.name, MIN_DELTA.name, train.min_delta, MIN_DELTA.default))
    return [replace(p, minibatch=True) for p in found]


def _hypers(study: Study, entry: Entry) -> list[Parameter]:
    """List the hyperparameters of training that a study uses and that enter at `entry`."""
    return [
        Parameter(row.name, row.name, domain, row.hyper.default, row.owner, row.owners)
        for row, domain in used_hypers(study.model, study.train, entry).values()
    ]


def _loss(study: Study) -> list[Parameter]:
    """List the loss, if the study names it, and the settings of losses."""
    domains = {name: study.train.domain(name) for name in ("loss", "class_weight")}
    named = [Parameter(name, name, domain, DEFAULTS[name]) for name, domain in domains.items() if domain is not None]
    return [*named, *_hypers(study, Entry.LOSS)]
