"""Configs that meet [constraints]: a proposal that does not is replaced by one nearby that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from objectives.errors import Complaint, nearest
from objectives.rng import Stream, stream
from tuner.errors import StudyError
from tuner.records import Latents, at
from tuner.search.repeats import near_points
from tuner.space import Space
from tuner.study import Study, expression_of

__all__ = ["Allowed", "allowed_by", "constraint_problems", "feasible"]

Allowed = Callable[[Mapping[str, Any]], bool]
LOOKED = 4_000  # points that are looked at before a search, to find one that is allowed
MORE = 65_536  # points anywhere, after those nearby


def allowed_by(study: Study) -> Allowed | None:
    """Return whether a config meets all constraints of a study, as a function; None where there are none."""
    if not study.constraints:
        return None
    expressions = [expression_of(text) for text in study.constraints.values()]
    return lambda config: all(expression.holds(config) for expression in expressions)


def feasible(
    space: Space, points: Sequence[Latents], allowed: Allowed | None, seed: int, generation: int
) -> list[Latents]:
    """Return the points; one whose config is not `allowed` is replaced by the first nearby that is.

    The draws depend on seed and generation alone. Raises StudyError where none is found.
    """
    if allowed is None:
        return list(points)
    rng, found = stream(seed, Stream.FEASIBLE, generation), list[Latents]()
    for point in points:
        anywhere = (at(space.latents, rng.random(len(space.latents)).tolist()) for _ in range(MORE))
        tried = chain(near_points(space, point, rng), anywhere)
        chosen = next((one for one in tried if allowed(space.config(one))), None)
        if chosen is None:
            raise StudyError(Complaint("constraints", "hardly any config meets them", "widen ranges, or loosen one"))
        found.append(space.completed(chosen))
    return found


def constraint_problems(study: Study, space: Space) -> list[Complaint]:
    """Return complaints about constraints: unknown names, values that cannot be compared, no config that meets all."""
    found: list[Complaint] = []
    rng = stream(study.seed, Stream.FEASIBLE)
    draws = (at(space.latents, rng.random(len(space.latents)).tolist()) for _ in range(LOOKED))
    configs = [space.config(point) for point in [*space.defaults(), *draws]] if study.constraints else []
    known = sorted({name for config in configs for name in config})
    for name, text in study.constraints.items():
        expression, where = expression_of(text), f"constraints.{name}"
        unknown = sorted(expression.names - set(known))
        found += [Complaint(where, f"{one!r} is no parameter", nearest(one, known)) for one in unknown]
        if unknown:
            continue
        try:
            met = sum(expression.holds(config) for config in configs)
        except TypeError as error:
            found.append(Complaint(where, f"{text!r} cannot be computed: {error}", "compare numbers with numbers"))
            continue
        if not met:
            found.append(Complaint(where, f"{text!r} holds for none of {LOOKED:,} configs", "turn it round?"))
    allowed = allowed_by(study)
    if not found and allowed is not None:
        if not any(map(allowed, configs)):
            found.append(Complaint("constraints", f"none of {LOOKED:,} configs meets all", "loosen one of them"))
        for i, config in enumerate(study.search.enqueue):
            if not space.problems_of(config) and not allowed(space.config(space.latents_of(config))):
                found.append(Complaint(f"search.enqueue[{i}]", "does not meet [constraints]", "change it"))
    return found
