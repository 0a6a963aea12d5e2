"""Configs that were tried already: proposals of them are replaced by untried configs nearby, while there are some."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from objectives.rng import Stream, stream
from tuner.records import Latents, at
from tuner.space import Space

__all__ = ["near_points", "without_repeats"]

WIDTHS, EACH = (0.02, 0.05, 0.1, 0.2, 0.4), 16  # of steps away from a point, and how many of each
DRAWS = 4096  # anywhere, after those


def without_repeats(
    space: Space,
    points: Sequence[Latents],
    tried: Sequence[Mapping[str, Any]],
    seed: int,
    generation: int,
    allowed: Callable[[Mapping[str, Any]], bool] | None = None,
) -> list[Latents]:
    """Return the points; one whose config is among those `tried`, or repeats an earlier point, is replaced.

    Where every config of the space that is `allowed` has been tried, fewer points are returned than were given.
    """
    known, found = list(tried), []
    rng = stream(seed, Stream.REPEATS, generation)
    for point in points:
        if _exhausted(space, known):
            break
        untried = (p for p in near_points(space, point, rng) if space.config(p) not in known)
        fresh: Latents | None = None
        if allowed is None:
            fresh = next(untried, point)
        else:
            few = math.isfinite(space.size)  # then nothing new may be left, as not all of them are allowed
            fresh = next((p for p in untried if allowed(space.config(p))), None if few else point)
        if fresh is None:
            break
        found.append(fresh)
        known.append(space.config(fresh))
    return found


def _exhausted(space: Space, known: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if all configs of a space have been tried."""
    if not math.isfinite(space.size) or len(known) < space.size:
        return False
    return len({json.dumps(dict(config), sort_keys=True, default=str) for config in known}) >= space.size


def near_points(space: Space, point: Latents, rng: np.random.Generator) -> Iterator[Latents]:
    """Yield the point itself, then points at growing distances from it, then some anywhere."""
    yield point
    for width in WIDTHS:
        for _ in range(EACH):
            anywhere = at(space.latents, rng.random(len(space.latents)).tolist())
            moved = rng.random(len(space.latents)) < max(width, 1 / len(space.latents))
            steps = width * rng.standard_normal(len(space.latents))
            yield {
                latent.name: point[latent.name] if not move
                else anywhere[latent.name] if latent.kind == "categorical"
                else float(np.clip(float(point[latent.name]) + step, 0, 1))
                for latent, move, step in zip(space.latents, moved.tolist(), steps.tolist(), strict=True)
            }  # fmt: skip
    for _ in range(DRAWS):
        yield at(space.latents, rng.random(len(space.latents)).tolist())
