"""Proposals of configs that were tried already: replaced by configs near them that were not, while there are some."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from objectives.rng import Stream, stream
from tuner.records import Latents, at
from tuner.space import Space

__all__ = ["without_repeats"]

WIDTHS, EACH = (0.02, 0.05, 0.1, 0.2, 0.4), 16  # of steps away from a point, and how many of each
DRAWS = 4096  # anywhere, after those


def without_repeats(
    space: Space, points: Sequence[Latents], tried: Sequence[Mapping[str, Any]], seed: int, generation: int
) -> list[Latents]:
    """Return the points, each whose config is among those `tried` or before it replaced by one that is not.

    Where every config of the space has been tried, there are fewer points than were given.
    """
    known, found = list(tried), []
    rng = stream(seed, Stream.REPEATS, generation)
    for point in points:
        if _exhausted(space, known):
            break
        fresh = next((p for p in _near(space, point, rng) if space.config(p) not in known), point)
        found.append(fresh)
        known.append(space.config(fresh))
    return found


def _exhausted(space: Space, known: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether all configs of a space are known."""
    if not math.isfinite(space.size) or len(known) < space.size:
        return False
    return len({json.dumps(dict(config), sort_keys=True, default=str) for config in known}) >= space.size


def _near(space: Space, point: Latents, rng: np.random.Generator) -> Iterator[Latents]:
    """Yield the point itself, others at growing distances from it, and then some anywhere."""
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
