"""What a generation proposes: given configs first, then what the study's sampler says, for all optimizers or each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuner.algorithms.cmaes import population
from tuner.algorithms.samplers import SAMPLERS, Ask
from tuner.optuna_bridge.models import Observation
from tuner.records import Latents, Trial
from tuner.search.history import observed, populations
from tuner.search.rungs import lag_of
from tuner.space import Space
from tuner.study import Study

__all__ = ["propose"]


def propose(
    study: Study,
    space: Space,
    generation: int,
    first: int,
    count: int,
    history: Sequence[Trial],
    warm: Sequence[Trial] = (),
) -> list[Latents]:
    """Latents of the `count` trials of a generation; `first` is the number of its first trial.

    `warm` are trials of other studies that a model may learn from.
    """
    given = [space.completed(space.latents_of(config)) for config in study.search.enqueue]
    begun = given[first : first + count]
    seen = [*warm, *(trial for trial in history if trial.generation < generation - lag_of(study))]
    own, left = max(0, first - len(given)), count - len(begun)
    if not left:
        return begun
    if study.search.allocation == "best" or len(space.optimizers) == 1:
        return begun + _asked(study, space, generation, own, left, seen)
    return begun + _each(study, space, generation, own, left, seen)


def _each(study: Study, space: Space, generation: int, first: int, count: int, seen: Sequence[Trial]) -> list[Latents]:
    """The optimizers in turn, each with a sampler of its own that sees its own trials."""
    names, points = tuple(space.optimizers), {}
    for k, name in enumerate(names):
        start, end = (-(-(number - k) // len(names)) for number in (first, first + count))
        mine = [trial for trial in seen if trial.config["optimizer"] == name]
        points[name] = iter(_asked(study, space.only(name), generation, start, end - start, mine))
    turns = [names[i % len(names)] for i in range(first, first + count)]
    return [space.completed({**next(points[name]), "optimizer": name}) for name in turns]


def _asked(study: Study, space: Space, generation: int, first: int, count: int, seen: Sequence[Trial]) -> list[Latents]:
    if count <= 0:
        return []
    sampler, names = SAMPLERS[study.search.sampler], [latent.name for latent in space.latents]

    def here(latents: Latents) -> Latents:
        return {name: latents[name] for name in names}

    ask = Ask(
        seed=study.seed,
        generation=generation,
        first=first,
        count=count,
        latents=space.latents,
        start=tuple(_starts(study, space)),
        random_share=study.search.random_share,
    )
    if sampler.learns == "observations":
        told = observed(study, seen)
        ask = replace(ask, observations=tuple(Observation(here(one.latents), one.value) for one in told))
    elif sampler.learns == "populations":
        whole = populations(study, seen, population(len(names)))
        ask = replace(ask, populations=tuple(tuple(here(dict(trial.latents)) for trial in some) for some in whole))
    elif sampler.exhaustive:
        ask = replace(ask, blocks=space.blocks(study.search.grid_points))
    points = [space.completed(point) for point in sampler.propose(ask)]
    return points if sampler.exhaustive else _moved_on(space, first, points)


def _starts(study: Study, space: Space) -> list[Latents]:
    """The optimizers' defaults, but for those that were given."""
    if space.settled:
        return list(space.defaults())
    configs = [config for config in study.search.enqueue if space.optimizer_of(config) in space.optimizers]
    given = [space.completed(space.latents_of(config)) for config in configs]
    return [point for point in space.defaults() if point not in given]


def _moved_on(space: Space, first: int, points: list[Latents]) -> list[Latents]:
    """The points, with every optimizer once, then none of which nothing is searched: others have its turns."""
    settled, names = space.settled, tuple(space.optimizers)
    others = [name for name in names if name not in settled]
    if not settled or not others:
        return points

    def turn(number: int, drawn: float | str) -> float | str:
        if number < len(names):
            return names[number]
        return others[number % len(others)] if drawn in settled else drawn

    return [{**point, "optimizer": turn(i, point["optimizer"])} for i, point in enumerate(points, start=first)]
