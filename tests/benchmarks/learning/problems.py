"""Problems with a known optimum: bowls, textbook surfaces and a conditional one, their noise and their curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["EPOCHS", "PROBLEMS", "Problem"]

EPOCHS = 27
Values = Mapping[str, Any]
HARTMANN_A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14],
                       [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])  # fmt: skip
HARTMANN_P = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])  # fmt: skip
HARTMANN_C = np.array([1.0, 1.2, 3.0, 3.2])


@dataclass(frozen=True)
class Problem:
    """A loss over parameters, 0 at its optimum.

    `loss(values, seed)` may move its optimum with the seed, so that no design is lucky. `noise` is the deviation of
    what a training shows; curves fall to the loss as 1 / epoch, and where they `cross`, some configs start slow.
    """

    name: str
    parameters: Mapping[str, Mapping[str, Any]]
    loss: Callable[[Values, int], float]
    noise: float = 0.0
    cross: bool = False

    def curve(self, values: Values, seed: int, trial: int) -> Any:
        """Return what is seen after each of the epochs `(E,)`."""
        end = self.loss(values, seed)
        epochs = np.arange(1, EPOCHS + 1)
        speed = slowness(values) if self.cross else 1.0
        chance = self.noise * np.random.default_rng([seed, trial]).standard_normal()
        return end + chance + (speed / epochs - speed / EPOCHS)


def slowness(values: Values) -> float:
    """Return how far above its end a config starts: between a half and three."""
    first = float(values["x0"])
    return 0.5 + 2.5 * (0.5 + 0.5 * math.sin(11 * first))


def cube(d: int) -> dict[str, dict[str, Any]]:
    """Return `d` numbers from 0 to 1."""
    return {f"x{i}": {"low": 0.0, "high": 1.0} for i in range(d)}


def point(values: Values, d: int) -> Any:
    """Return the first `d` numbers as an array."""
    return np.array([float(values[f"x{i}"]) for i in range(d)])


def bowl(d: int) -> Callable[[Values, int], float]:
    """Return the squared distance from a point that the seed draws."""

    def loss(values: Values, seed: int) -> float:
        optimum = 0.15 + 0.7 * np.random.default_rng([7, seed]).random(d)
        return float(((point(values, d) - optimum) ** 2).sum())

    return loss


def branin(values: Values, seed: int) -> float:
    """Return Branin's surface, less its minimum, as a share of its mean."""
    del seed
    a, b = 15 * float(values["x0"]) - 5, 15 * float(values["x1"])
    level = (b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6) ** 2
    return (level + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10 - 0.39788735773) / 54


def hartmann(values: Values, seed: int) -> float:
    """Return Hartmann's surface in six dimensions, less its minimum."""
    del seed
    squares = (HARTMANN_A * (point(values, 6) - HARTMANN_P) ** 2).sum(axis=1)
    return 3.32236801 - float((HARTMANN_C * np.exp(-squares)).sum())


def rosenbrock(values: Values, seed: int) -> float:
    """Return Rosenbrock's valley in four dimensions from -2 to 2, as a share of its mean."""
    del seed
    z = -2 + 4 * point(values, 4)
    return float((100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2).sum()) / 1300


def mixed(values: Values, seed: int) -> float:
    """Return a loss with a choice of three, an integer, and a number that counts for one choice alone."""
    optimum = 0.2 + 0.6 * np.random.default_rng([8, seed]).random(3)
    kind = values["kind"]
    common = (float(values["x0"]) - optimum[0]) ** 2 + (float(values["x1"]) - optimum[1]) ** 2
    layers = 0.02 * (int(values["layers"]) - 4) ** 2
    own = {"plain": 0.1, "wide": 0.05, "tuned": 0.0}[kind]
    extra = 3 * (float(values.get("depth", 0.0)) - optimum[2]) ** 2 if kind == "tuned" else 0.0
    return common + layers + own + extra


MIXED = {
    **cube(2),
    "layers": {"low": 1, "high": 8},
    "kind": {"choices": ["plain", "wide", "tuned"]},
    "depth": {"low": 0.0, "high": 1.0, "when": {"kind": ["tuned"]}},
}
_ALL = (
    *(Problem(f"bowl {d}", cube(d), bowl(d)) for d in (2, 4, 6, 10)),
    *(Problem(f"bowl {d}, noise", cube(d), bowl(d), noise=0.05) for d in (2, 6)),
    *(Problem(f"bowl {d}, curves cross", cube(d), bowl(d), cross=True) for d in (2, 6)),
    Problem("Branin", cube(2), branin),
    Problem("Hartmann 6", cube(6), hartmann),
    Problem("Rosenbrock 4", cube(4), rosenbrock),
    Problem("mixed", MIXED, mixed),
)
PROBLEMS = {problem.name: problem for problem in _ALL}
