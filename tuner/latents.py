"""Latents: the coordinates that samplers see, points of them, and the blocks of a grid over them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Block", "Latent", "Latents", "at"]

Latents = dict[str, float | str]


@dataclass(frozen=True)
class Latent:
    """One coordinate: kind "float" in [0, 1], or "categorical" out of `choices`."""

    name: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """Points of a grid that agree in `fixed` and take every combination along `axes`."""

    fixed: Mapping[str, float | str]
    axes: tuple[tuple[str, tuple[float | str, ...]], ...]

    @property
    def size(self) -> int:
        """How many points it has."""
        return math.prod(len(values) for _, values in self.axes)

    def point(self, i: int) -> Latents:
        """Point i, the last axis running fastest."""
        found = dict(self.fixed)
        for name, values in reversed(self.axes):
            i, place = divmod(i, len(values))
            found[name] = values[place]
        return found


def at(latents: Sequence[Latent], u: Sequence[float]) -> Latents:
    """Latents at a point of the unit cube; categorical choices have equal parts of their side."""
    return {
        latent.name: latent.choices[int(x * len(latent.choices))] if latent.kind == "categorical" else float(x)
        for latent, x in zip(latents, u, strict=True)
    }
