"""An analytic surface in place of data: rows are noise on its gradient, so that a batch size means something.

A train row holds a vector drawn from a normal distribution, centred over all rows. A minibatch adds the mean of its
rows to the gradient: batches of B rows see noise of `noise / sqrt(B)`, and all rows together see none.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from objectives.data.prepare import Part, Prepared
from objectives.errors import Complaint, DataError, nearest
from objectives.rng import Stream, stream
from objectives.surfaces import SURFACES, Surface, quadratic, surface_of

__all__ = ["PREFIX", "SurfaceTable", "load_surface", "named_surface", "prepare_surface"]

PREFIX = "surface:"
ROWS = 256  # of noise: an epoch is 256 / B updates
CONDITIONED = re.compile(r"quadratic\((.+)\)")


@dataclass(frozen=True)
class SurfaceTable:
    """A surface by its name, and the standard deviation of the noise that a row adds to each partial derivative."""

    name: str
    noise: float = 0.0

    large = False

    @property
    def surface(self) -> Surface:
        """Return the surface itself."""
        return named_surface(self.name)


def load_surface(source: str, noise: float = 0.0, condition: float | None = None) -> SurfaceTable:
    """Build the surface that a source such as "surface:rosenbrock" names; `condition` applies to the quadratic.

    Raises DataError for an unknown surface, or noise that is negative or not finite.
    """
    name = source.removeprefix(PREFIX)
    found = []
    if name not in SURFACES:
        found.append(Complaint(source, "is no surface", nearest(name, SURFACES)))
    if not 0 <= noise < np.inf:
        found.append(Complaint(source, f"noise must be finite and at least 0, but is {noise}"))
    if condition is not None and name != "quadratic":
        found.append(Complaint(source, "has no condition number to choose", "that is the quadratic's"))
    if found:
        raise DataError(*found)
    return SurfaceTable(name if condition is None else f"quadratic({condition!r})", noise)


def named_surface(name: str) -> Surface:
    """Build the surface of a name, "quadratic(1000.0)" included. Raises InvalidInput."""
    conditioned = CONDITIONED.fullmatch(name)
    return quadratic(float(conditioned[1])) if conditioned else surface_of(name)


def prepare_surface(table: SurfaceTable, seed: int = 0, replicate: int = 0, dtype: str = "float32") -> Prepared:
    """Draw train rows of noise, new ones for each replicate; rows for evaluation have no noise."""
    size = table.surface.size
    drawn = stream(seed, Stream.NOISE, replicate).normal(size=(ROWS, size))
    noise = table.noise * (drawn - drawn.mean(axis=0))
    train, still = _part(noise, dtype), _part(np.zeros((1, size)), dtype)
    digest = hashlib.sha256(table.name.encode() + train.x.tobytes()).hexdigest()
    said = f"surface: {table.name}, noise {table.noise:g} on the gradient of a row, {ROWS} rows an epoch"
    features, zero, one = tuple(f"x{i + 1}" for i in range(size)), np.zeros(1), np.ones(1)
    return Prepared("surface", train, still, still, features, (), zero, one, digest, (said,), table.name)


def _part(noise: np.ndarray[tuple[int, int], np.dtype[np.float64]], dtype: str) -> Part:
    x, y = np.c_[noise, np.ones(len(noise))].astype(dtype), np.zeros((len(noise), 1), dtype)
    for array in (x, y):
        array.flags.writeable = False
    return Part(x, y)
