"""Declared parameters <-> latents: coordinates in [0, 1] on each parameter's own scale, which is what a sampler sees.

Every trial has the same latents. Hyperparameters of one role share a latent (the momentum of SGD and the beta1 of Adam;
every optimizer's own range of learning rates), so that one model can learn across optimizers; a latent is ignored where
it does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.optimizers import OPTIMIZERS
from tuner.records import Block, Latent, Latents
from tuner.space.parameter import (
    ABSENT,
    UNUSED,
    Parameter,
    coordinate_of,
    count_of,
    grid_of,
    latent_of,
    middle_of,
    nearest_in,
    problem_with,
    value_at,
)
from tuner.study import is_searched, text_of, values_of
from tuner.study.budget import RUN, Budget

__all__ = ["Space", "latents_for"]


@dataclass(frozen=True)
class Space:
    """What a study searches. `constants` are the same in every config; parameters are `shared` or of one optimizer."""

    latents: tuple[Latent, ...]
    constants: tuple[tuple[str, Any], ...]
    shared: tuple[Parameter, ...]
    optimizers: Mapping[str, tuple[Parameter, ...]]
    budget: Budget

    def config(self, latents: Mapping[str, float | str]) -> dict[str, Any]:
        """Build the full config at `latents`: tuned, fixed and default values in natural units.

        Raises InvalidInput for a latent that is missing or out of bounds.
        """
        self._check(latents)
        names = tuple(self.optimizers)
        optimizer = str(latents["optimizer"]) if len(names) > 1 else names[0]
        params = self.parameters(optimizer)
        every = {"optimizer": optimizer, **{p.name: value_at(p, latents) for p in params}}
        settled = settle(params, every)
        values = {p.name: settled[p.name] for p in params if p.applies(settled) and settled[p.name] is not ABSENT}
        config = {"optimizer": optimizer, **values} if optimizer else values
        long = (
            {}
            if self.budget.unit == RUN
            else {self.budget.unit if self.budget.plain else "epochs": self.budget.epochs(config)}
        )
        return {**config, **long, **dict(self.constants)}

    def parameters(self, optimizer: str) -> tuple[Parameter, ...]:
        """Return an optimizer's own parameters, and the shared ones that apply to it."""
        whole = optimizer in OPTIMIZERS and OPTIMIZERS[optimizer].whole
        return *self.optimizers[optimizer], *(p for p in self.shared if not (p.minibatch and whole))

    def optimizer_of(self, config: Mapping[str, Any]) -> Any:
        """Return the optimizer that a config names, or the only one there is; None if it has to name one and does
        not.
        """
        return config.get("optimizer", next(iter(self.optimizers)) if len(self.optimizers) == 1 else None)

    @property
    def settled(self) -> frozenset[str]:
        """Return the optimizers without searched parameters: one trial each is enough."""
        return frozenset(n for n in self.optimizers if not any(is_searched(p.domain) for p in self.parameters(n)))

    def latents_of(self, config: Mapping[str, Any]) -> dict[str, float | str]:
        """Return the latents of `config`, the inverse of `config`; numbers out of range are clipped to the nearer end.

        Raises InvalidInput for an optimizer or a category that the study does not have.
        """
        optimizer = self.optimizer_of(config)
        if optimizer not in self.optimizers:
            hint = nearest(optimizer, self.optimizers)
            raise InvalidInput(Complaint("optimizer", f"{optimizer!r} is not searched", hint))
        found: dict[str, float | str] = {"optimizer": str(optimizer)} if len(self.optimizers) > 1 else {}
        filled = self._filled(config, str(optimizer))
        for p in self.parameters(str(optimizer)):
            if p.searched(filled):
                found[p.latent] = coordinate_of(p, filled[p.name])
        return {latent.name: found[latent.name] for latent in self.latents if latent.name in found}

    def _filled(self, config: Mapping[str, Any], optimizer: str) -> dict[str, Any]:
        """Fill in what the config leaves out: each parameter's allowed value nearest to its default."""
        known = self.parameters(optimizer)
        starts = {p.name: middle_of(p.domain) if p.default is ABSENT else p.default for p in known}
        values = {p.name: config.get(p.name, nearest_in(p.domain, starts[p.name])) for p in known}
        filled = {**values, "optimizer": optimizer}
        # What does not exist decides nothing: only what is left out can be found not to.
        return {**filled, **{n: v for n, v in settle(known, filled).items() if v is ABSENT and n not in config}}

    def defaults(self) -> list[dict[str, float | str]]:
        """Return the latents of each optimizer at its defaults, or at the nearest values that the study allows."""
        start = {p.name: nearest_in(p.domain, p.default) for p in self.shared if p.default is not ABSENT}
        points = []
        for name, own in self.optimizers.items():
            points.append(
                self.completed(self.latents_of({"optimizer": name, **start, **{p.name: p.default for p in own}}))
            )
        return points

    def completed(self, latents: Mapping[str, float | str]) -> Latents:
        """Complete the latents: those that do not apply get their middle or first choice."""
        return {
            latent.name: latents.get(latent.name, UNUSED if latent.kind == "float" else latent.choices[0])
            for latent in self.latents
        }

    def only(self, optimizer: str) -> Space:
        """Return the part of the space that belongs to one optimizer."""
        own = {optimizer: self.optimizers[optimizer]}
        return replace(self, latents=latents_for(own, self.shared), optimizers=own)

    def blocks(self, points: int) -> tuple[Block, ...]:
        """Build the grid of all distinct configs, with `points` points for each range."""
        several = len(self.optimizers) > 1
        return tuple(
            Block(
                ({"optimizer": name} if several else {}) | fixed,
                tuple((p.latent, grid_of(p.domain, points)) for p in moved),
            )
            for name, fixed, moved in self._branches()
        )

    @property
    def size(self) -> float:
        """Count the distinct configs: infinity if a range without steps is searched."""
        return sum(prod(count_of(p.domain) for p in moved) for _, _, moved in self._branches())

    def _branches(self) -> Iterator[tuple[str, dict[str, float | str], list[Parameter]]]:
        """Yield each optimizer with each value that others depend on, as latents, and the parameters searched there."""
        for name in self.optimizers:
            params = self.parameters(name)
            deciders = [p for p in params if p.name in set().union(*(other.deciders for other in params))]
            for decided in decisions(in_order(deciders), {"optimizer": name}):
                searched = [p for p in deciders if p.searched(decided)]
                fixed = {p.latent: coordinate_of(p, decided[p.name]) for p in searched}
                yield name, fixed, [p for p in params if p.searched(decided) and p not in deciders]

    def problems_of(self, config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """List what keeps `config` from being one of the study's: (key, what, hint). Keys with a default may be
        missing.
        """
        name = self.optimizer_of(config)
        if name is None:
            return [("optimizer", "is missing", f"choose one of: {', '.join(self.optimizers)}")]
        if not isinstance(name, str) or name not in self.optimizers:
            return [("optimizer", f"{name!r} is not searched", nearest(name, self.optimizers))]
        known, filled = {p.name: p for p in self.parameters(name)}, self._filled(config, name)
        fixed = {**dict(self.constants), **({"epochs": self.budget.amount} if self.budget.unit == "epochs" else {})}
        found = []
        for key, value in config.items():
            if key == "optimizer":
                continue
            if key in known:
                problem = _unused(known[key], value, filled) or problem_with(known[key].domain, value)
            elif key in fixed:
                problem = None if fixed[key] == value else (f"is {fixed[key]} in every config here", "leave it out")
            else:
                problem = f"is not a parameter {f'of {name} ' if name else ''}here", nearest(key, known)
            if problem:
                found.append((key, *problem))
        return found

    def _check(self, latents: Mapping[str, float | str]) -> None:
        wrong = []
        for latent in self.latents:
            value = latents.get(latent.name)
            if latent.kind == "categorical" and value not in latent.choices:
                wrong.append(
                    Complaint(f"latent {latent.name}", f"{value!r} is not known", nearest(value, latent.choices))
                )
            elif latent.kind == "float" and not (isinstance(value, float | int) and 0 <= value <= 1):
                wrong.append(Complaint(f"latent {latent.name}", f"must lie in [0, 1], but got {value!r}"))
        if wrong:
            raise InvalidInput(*wrong)


def in_order(params: Sequence[Parameter]) -> list[Parameter]:
    """Return parameters so that each comes after those that decide whether it exists; else as they are."""
    found: list[Parameter] = []
    left = list(params)
    while left:
        waiting = {p.name for p in left}
        ready = [p for p in left if not (p.deciders & waiting) - {p.name}] or left
        found += ready
        left = [p for p in left if p not in ready]
    return found


def settle(params: Sequence[Parameter], every: Mapping[str, Any]) -> dict[str, Any]:
    """Return values where each parameter whose condition does not hold has its default, ABSENT for one without.

    What is at its default, or absent, decides as such on what depends on it.
    """
    values = dict(every)
    for p in in_order(params):
        if not p.active(values):
            values[p.name] = p.default
    return values


def decisions(deciders: Sequence[Parameter], given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all combinations of values of parameters in order, those that do not exist left out."""
    if not deciders:
        yield dict(given)
        return
    first, *rest = deciders
    values = values_of(first.domain) if first.active(given) else (first.default,)
    for value in values:
        yield from decisions(rest, given if value is ABSENT else {**given, first.name: value})


def _unused(p: Parameter, value: Any, config: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong with a value that has no effect beside the config's other values, unless it is the
    default.
    """
    if (p.applies(config) and p.active(config)) or value == p.default:
        return None
    needs = [*([(p.owner, p.owners)] if p.owner else []), *p.when]
    told = " and ".join(f"{name} is {' or '.join(map(text_of, values))}" for name, values in needs)
    return f"means nothing unless {told}", "leave it out, or choose that"


def latents_for(optimizers: Mapping[str, tuple[Parameter, ...]], shared: tuple[Parameter, ...]) -> tuple[Latent, ...]:
    """Build one latent for each role that any optimizer searches, and for each shared parameter that is searched."""
    rows = OPTIMIZERS.values()
    roles = dict.fromkeys([hyper.role for row in rows for hyper in row.hypers])
    flags = dict.fromkeys([flag.name for row in rows for flag in row.flags])
    searched = {p.latent: p for own in optimizers.values() for p in own if is_searched(p.domain)}
    choice = [Latent("optimizer", "categorical", tuple(optimizers))] if len(optimizers) > 1 else []
    own = [Latent(role, "float") for role in roles if role in searched]
    own += [latent_of(searched[flag]) for flag in flags if flag in searched]
    return (*choice, *own, *(latent_of(p) for p in shared if is_searched(p.domain)))
