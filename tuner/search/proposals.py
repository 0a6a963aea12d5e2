"""What a generation proposes: given configs first, then the sampler's, for all optimizers together or for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.algorithms.cmaes import population
from tuner.algorithms.samplers import SAMPLERS, Ask
from tuner.optuna_bridge.sampler_models import Observation
from tuner.records import Latents, Trial
from tuner.search.feasible import allowed_by, feasible
from tuner.search.history import estimated, observed, populations
from tuner.search.repeats import without_repeats
from tuner.search.rungs import lag_of
from tuner.space import Space
from tuner.study import Study

__all__ = ["propose"]


@dataclass(frozen=True)
class SamplerInput:
    """What a sampler gets: trials to learn from, and points whose trials have not finished."""

    seen: Sequence[Trial]
    pending: Sequence[Latents]


def propose(  # noqa: PLR0913
    study: Study,
    space: Space,
    generation: int,
    first: int,
    count: int,
    history: Sequence[Trial],
    warm: Sequence[Trial] = (),
    in_flight: Sequence[Latents] = (),
) -> list[Latents]:
    """Propose latents for the `count` trials of a generation; `first` is the number of its first trial.

    `warm` are trials of other studies that a model may learn from. `in_flight` are the points of earlier generations
    that are not in the history; where trials are proposed one by one, the model gets all points that may be open.
    Returns fewer than `count` where `auto` has tried every config.
    """
    given = [space.completed(space.latents_of(config)) for config in study.search.enqueue]
    begun = given[first : first + count]
    visible = generation - lag_of(study)  # trials of this generation and later ones may still train
    seen = [*warm, *(trial for trial in history if trial.generation < visible)]
    open_now = [*(dict(trial.latents) for trial in history if trial.generation >= visible), *in_flight]
    known = SamplerInput(seen, open_now if study.search.parallel else [])
    own, left = max(0, first - len(given)), count - len(begun)
    if not left:
        return begun
    if study.search.allocation == "best" or len(space.optimizers) == 1:
        points = begun + _asked(study, space, generation, own, left, known)
        if SAMPLERS[study.search.sampler].learns != "estimates":
            return points
        tried = [*(trial.config for trial in history), *map(space.config, in_flight), *map(space.config, begun)]
        return begun + without_repeats(space, points[len(begun) :], tried, study.seed, generation, allowed_by(study))
    return begun + _each(study, space, generation, own, left, known)


def _each(study: Study, space: Space, generation: int, first: int, count: int, known: SamplerInput) -> list[Latents]:
    """Propose for the optimizers in turn, each with its own sampler that sees its own trials."""
    names, points = tuple(space.optimizers), {}
    for k, name in enumerate(names):
        start, end = (-(-(number - k) // len(names)) for number in (first, first + count))
        mine = SamplerInput(
            [trial for trial in known.seen if trial.config["optimizer"] == name],
            [point for point in known.pending if point["optimizer"] == name],
        )
        points[name] = iter(_asked(study, space.only(name), generation, start, end - start, mine))
    turns = [names[i % len(names)] for i in range(first, first + count)]
    return [space.completed({**next(points[name]), "optimizer": name}) for name in turns]


def _asked(study: Study, space: Space, generation: int, first: int, count: int, known: SamplerInput) -> list[Latents]:
    if count <= 0:
        return []
    sampler, names = SAMPLERS[study.search.sampler], [latent.name for latent in space.latents]
    seen = known.seen

    def here(latents: Latents) -> Latents:
        some = {name: latents[name] for name in names}
        return space.completed(space.latents_of(space.config(some))) if sampler.learns == "estimates" else some

    ask = Ask(
        seed=study.seed,
        generation=generation,
        first=first,
        count=count,
        latents=space.latents,
        start=tuple(_starts(study, space)),
        random_share=study.search.random_share,
    )
    if sampler.learns in ("observations", "estimates"):
        learned = (observed if sampler.learns == "observations" else estimated)(study, seen)
        observations = tuple(Observation(here(one.latents), one.value) for one in learned)
        ask = replace(ask, observations=observations, pending=tuple(map(here, known.pending)))
    elif sampler.learns == "populations":
        whole = populations(study, seen, population(len(names)))
        ask = replace(ask, populations=tuple(tuple(here(dict(trial.latents)) for trial in some) for some in whole))
    elif sampler.exhaustive:
        ask = replace(ask, blocks=space.blocks(study.search.grid_points))
    points = [space.completed(point) for point in sampler.propose(ask)]
    if sampler.exhaustive:
        return points
    return feasible(space, _moved_on(space, first, points), allowed_by(study), study.seed, generation)


def _starts(study: Study, space: Space) -> list[Latents]:
    """Return the optimizers' defaults, except for those that were given."""
    if space.settled:
        return list(space.defaults())
    configs = [config for config in study.search.enqueue if space.optimizer_of(config) in space.optimizers]
    given = [space.completed(space.latents_of(config)) for config in configs]
    return [point for point in space.defaults() if point not in given]


def _moved_on(space: Space, first: int, points: list[Latents]) -> list[Latents]:
    """Replace the optimizers of points: each optimizer comes once, and then only those with searched parameters."""
    settled, names = space.settled, tuple(space.optimizers)
    others = [name for name in names if name not in settled]
    if not settled or not others:
        return points

    def turn(number: int, drawn: float | str) -> float | str:
        if number < len(names):
            return names[number]
        return others[number % len(others)] if drawn in settled else drawn

    return [{**point, "optimizer": turn(i, point["optimizer"])} for i, point in enumerate(points, start=first)]
