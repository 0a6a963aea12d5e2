"""Proposals of a Gaussian process: the points at which the logarithm of the expected improvement is largest.

Source: Ament et al. 2023, "Unexpected Improvements to Expected Improvement for Bayesian Optimization"; points that are
not finished yet count as observed where they were expected (Ginsbourger, Le Riche, Carraro 2010, "kriging believer").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from tuner.algorithms.gaussian import Array, GaussianProcess, fitted
from tuner.optuna_bridge.sampler_models import Observation
from tuner.records import Latent, Latents

__all__ = ["gaussian", "log_improvement"]

RANDOM = 256  # candidates anywhere
LEADERS, EACH, WIDTHS = 4, 16, (0.2, 0.05, 0.01, 0.002)  # candidates around the best points
STARTS, APART, STEPS = 3, 0.05, 30  # from the best candidates uphill
SURE = math.log(1e-3)  # log expected improvement, of values with variance 1
MANY = 10  # observations, for each coordinate and one
NEAR = 0.75  # of proposals, once the process is sure
LEAST_REACH = 1e-4  # of what is near the best point
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
TINY = 1e-12


def gaussian(
    latents: Sequence[Latent],
    history: Sequence[Observation],
    count: int,
    seed: int,
    pending: Sequence[Latents] = (),
) -> list[Latents]:
    """Return `count` proposals; `pending` points, and those proposed before, count as observed where expected.

    Three of four proposals stay near the best point where no point promises more than a thousandth of the values'
    deviation, and once there are many observations: the process is then sure of where the best one is.
    """
    with _one_thread():
        rng = np.random.default_rng(seed)
        found = Acquisition.after(latents, history)
        for ahead in pending:
            found = found.expecting(np.array(coded(latents, ahead)))
        points: list[Array] = []
        for _ in range(count):
            gain, point = found.proposed(rng)
            sure = gain < SURE or len(history) >= MANY * (len(latents) + 1)
            if sure and rng.random() < NEAR:
                point = found.narrowed().proposed(rng)[1]
            points.append(point)
            found = found.expecting(point)
    return [decoded(latents, point) for point in points]


@dataclass(frozen=True)
class Acquisition:
    """A process, the means of its first `mean (N,)` points, and the box in which a point is looked for.

    A name is coded as one of `names (D,)`; 0 stands for a number.
    """

    process: GaussianProcess
    mean: Array
    names: Any
    low: Array
    high: Array

    @classmethod
    def after(cls, latents: Sequence[Latent], history: Sequence[Observation]) -> Acquisition:
        """Return the acquisition on the whole cube after observations."""
        x = np.array([coded(latents, one.latents) for one in history])
        y, unit = standardized(np.array([one.value for one in history]))
        names = np.array([len(latent.choices) for latent in latents])
        process = fitted(x, y, names == 0, np.array([one.noise for one in history]) / unit**2)
        return cls(process, process.predict(x)[0], names, np.zeros(len(names)), np.maximum(names - 1.0, names == 0))

    @property
    def leaders(self) -> Array:
        """Return the observed points with the best expected values, best first."""
        return self.process.x[np.argsort(self.mean, kind="stable")[:LEADERS]]

    def expecting(self, point: Array) -> Acquisition:
        """Return the acquisition after one point more, which counts as observed where it was expected."""
        return replace(self, process=self.process.expecting(point))

    def narrowed(self) -> Acquisition:
        """Return the acquisition near the best point, of its names: as far as some points around it are."""
        best, numbers = self.leaders[0], self.names == 0
        apart = np.abs(self.process.x[: len(self.mean)] - best)
        alike = apart[(apart[:, ~numbers] == 0).all(axis=1)]
        near = alike[np.argsort(alike.max(axis=1), kind="stable")[: len(best) + 2]].max(axis=0)
        reach = np.where(numbers, np.maximum(near, LEAST_REACH), 0.0)
        return replace(self, low=np.maximum(self.low, best - reach), high=np.minimum(self.high, best + reach))

    def proposed(self, rng: np.random.Generator) -> tuple[float, Array]:
        """Return the best log expected improvement found, and where: the best of some candidates, from there uphill."""
        best = float(self.mean.min())
        some = self.candidates(rng)
        gains = log_improvement(*self.process.predict(some), best)
        apart = APART * (self.high - self.low).max()
        starts: list[int] = []
        for i in np.argsort(-gains, kind="stable").tolist():
            if all(np.abs(some[i] - some[j]).max() > apart for j in starts):
                starts.append(i)
            if len(starts) == STARTS:
                break
        return max((self.climbed(some[i], best) for i in starts), key=lambda pair: pair[0])

    def candidates(self, rng: np.random.Generator) -> Array:
        """Return points `(M, D)` at random in the box, and near those with the best expected values."""
        numbers = self.names == 0
        centers = np.repeat(np.tile(self.leaders, (len(WIDTHS), 1)), EACH, axis=0)
        widths = np.repeat(WIDTHS, len(self.leaders) * EACH)[:, None]
        steps = widths * rng.standard_normal(centers.shape)
        moved = np.where(numbers, centers + steps, self.anywhere(len(centers), rng))
        chance = np.where(numbers, max(0.5, 1 / len(numbers)), 1 / (1 + len(numbers)))
        near = np.where(rng.random(centers.shape) < chance, moved, centers)
        return np.vstack([self.anywhere(RANDOM, rng), np.clip(near, self.low, self.high)])

    def anywhere(self, count: int, rng: np.random.Generator) -> Array:
        """Return points `(count, D)` at random in the box."""
        u = rng.random((count, len(self.names)))
        wide = self.high - self.low
        return np.asarray(np.where(self.names > 0, self.low + np.floor(u * (wide + 1)), self.low + u * wide))

    def climbed(self, start: Array, best: float) -> tuple[float, Array]:
        """Return the log expected improvement and the point where L-BFGS ends that begins at one."""
        from scipy.optimize import minimize

        low, high = (np.where(self.names > 0, start, side) for side in (self.low, self.high))
        found: Any = minimize(
            partial(improvement_at, self.process, best), start, jac=True, method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)), options={"maxiter": STEPS},
        )  # fmt: skip
        return -float(found.fun), np.clip(found.x, low, high)


def improvement_at(process: GaussianProcess, best: float, point: Array) -> tuple[float, Array]:
    """Return minus the log expected improvement at a point `(D,)`, and its gradient."""
    mean, variance, mean_slope, variance_slope = process.slopes(point)
    deviation = math.sqrt(variance)
    z = (best - mean) / deviation
    by_deviation = variance_slope / (2 * deviation)
    by_z = -(mean_slope + z * by_deviation) / deviation
    value = float(log_improvement(np.array([mean]), np.array([variance]), best)[0])
    return -value, -(_log_h_slope(z) * by_z + by_deviation / deviation)


def standardized(values: Array) -> tuple[Array, float]:
    """Return values with mean 0 and variance 1, and their unit; above the median they count by their logarithm, inf as
    the worst, so that a few very bad ones do not hide what differs among the good ones.
    """
    finite = values[np.isfinite(values)]
    best, worst = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    above = np.minimum(values, worst) - best
    middle = float(np.median(above))
    if middle > 0:
        above = np.where(above > middle, middle * (1 + np.log(np.maximum(above, middle) / middle)), above)
    unit = float(above.std()) or 1.0
    return np.asarray((above - above.mean()) / unit), unit


def log_improvement(mean: Array, variance: Array, best: float) -> Array:
    """Return the log of the expected improvement over `best`, `log(s h(z))` with `h(z) = phi(z) + z Phi(z)` and
    `z = (best - mean) / s`, without loss of precision far below it.
    """
    from scipy.special import erfcx, ndtr

    deviation = np.sqrt(variance)
    z = (best - mean) / deviation
    near = np.maximum(z, -1.0)
    plain = np.log(np.exp(-(near**2) / 2 - HALF_LOG_2PI) + near * ndtr(near))
    far = np.minimum(z, -1.0)
    ratio = -far * math.sqrt(math.pi / 2) * erfcx(-far / math.sqrt(2))  # |z| Phi(z) / phi(z), below 1
    deep = -(far**2) / 2 - HALF_LOG_2PI + np.log(np.maximum(1 - ratio, TINY / far**2))
    return np.asarray(np.where(z > -1, plain, deep) + np.log(deviation))


def _log_h_slope(z: float) -> float:
    """Return `Phi(z) / h(z)`, the derivative of `log h`; it tends to `-z` far below 0."""
    from scipy.special import erfcx, ndtr

    if z > -1:
        return float(ndtr(z) / (math.exp(-(z**2) / 2 - HALF_LOG_2PI) + z * ndtr(z)))
    ratio = math.sqrt(math.pi / 2) * float(erfcx(-z / math.sqrt(2)))  # Phi(z) / phi(z)
    rest = 1 + z * ratio
    return ratio / rest if z > -1e3 and rest > 0 else -z


def coded(latents: Sequence[Latent], point: Latents) -> list[float]:
    """Return a point as numbers: a name as its place among the choices."""
    return [
        float(latent.choices.index(str(point[latent.name])) if latent.choices else point[latent.name])
        for latent in latents
    ]


def decoded(latents: Sequence[Latent], point: Array) -> Latents:
    """Return latents at a point of numbers."""
    return {
        latent.name: latent.choices[int(at)] if latent.choices else float(at)
        for latent, at in zip(latents, point.tolist(), strict=True)
    }


@cache
def _blas() -> Any:
    import scipy.linalg  # noqa: F401  its BLAS is another one than NumPy's
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def _one_thread() -> Any:
    """Limit BLAS to one thread, so that sums have the same order whatever the machine."""
    return _blas().limit(limits=1)
