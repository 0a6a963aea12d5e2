"""Learning-rate schedules: the factor on the base rate at update `k = 0, 1, ...` of a horizon of `T` updates.

Where a schedule has lengths, they are fractions of its horizon, so that a config means the same for other data, batch
sizes and epochs. A warmup of `W = round(warmup T)` updates comes first, `(k + 1) / W`; the schedule then starts at
`k = 0` and has the remaining `T - W` for its horizon, as torch's SequentialLR(milestones=[W]) has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.hyperparameter import ASKED, POSITIVE, Bounds, Hyper
from objectives.types import Array, Values

__all__ = [
    "END",
    "PEAK",
    "SCHEDULES",
    "SCHEDULE_HYPERS",
    "START",
    "WARMUP",
    "Plan",
    "Schedule",
    "plan_of",
    "warmup_updates",
]

PEAK, START, END = 0.3, 1 / 25, 1e-4  # of a one-cycle: when it peaks, its first factor, its last part of the first
BELOW_ONE = Bounds(0.0, 1.0)
SHARE = Bounds(0.0, 1.0, open_low=True, open_high=False)
_WARMUP = "share of all updates over which the learning rate rises at first"
_FINAL = "last factor of cosine, linear and polynomial"
_GAMMA = "factor of step and exponential"
_STEP_SIZE = "share of the length after which step and exponential apply gamma once"
WARMUP = Hyper("warmup", "warmup", 0.0, 0.01, 0.1, "log", BELOW_ONE, ASKED, _WARMUP)
FINAL = Hyper("final", "final", 0.0, 1e-3, 0.1, "log", BELOW_ONE, ASKED, _FINAL)
GAMMA = Hyper("gamma", "gamma", 0.1, 0.01, 0.5, "log", SHARE, ASKED, _GAMMA)
STEP_SIZE = Hyper("step_size", "step_size", 1 / 3, 0.1, 0.5, "linear", SHARE, ASKED, _STEP_SIZE)
POWER = Hyper("power", "power", 2.0, 0.5, 4.0, "log", POSITIVE, ASKED, "exponent of polynomial")
SCHEDULE_HYPERS: dict[str, Hyper] = {hyper.name: hyper for hyper in (FINAL, GAMMA, STEP_SIZE, POWER)}


@dataclass(frozen=True)
class Schedule:
    """One row: `factors(k, T, W, values)` takes updates `k (n,)` after the warmup's W, to factors `(n,)`."""

    name: str
    summary: str
    factors: Callable[[Array, int, int, Values], Array]
    hypers: tuple[Hyper, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A schedule with its values, its horizon and the warmup before it, both in updates."""

    schedule: Schedule
    values: Values
    horizon: int
    warmup: int

    def __call__(self, k: Array) -> Array:
        """Compute factors `(n,)` of the learning rate at updates `k (n,)`, counted from the start of the warmup."""
        late = np.maximum(k - self.warmup, 0)
        factors = self.schedule.factors(late, self.horizon, self.warmup, self.values)
        return np.where(k < self.warmup, (k + 1) / self.warmup, factors) if self.warmup else factors


def constant(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Return the factor `1`."""
    del horizon, warmup, values
    return np.ones(k.shape)


def step(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Compute `gamma^floor(k / s)`, `s = step_size T` in whole updates, at least one: torch's StepLR(s, gamma)."""
    del warmup
    return _power(values["gamma"], k // max(1, round(values["step_size"] * horizon)))


def exponential(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Compute `gamma^(k / s)`, `s = step_size T`: torch's ExponentialLR with the factor `gamma^(1 / s)` of one
    update.
    """
    del warmup
    return _power(values["gamma"], k / (values["step_size"] * horizon))


def cosine(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Compute `final + (1 - final) (1 + cos(pi k / T)) / 2`, constant at `final` from T on.

    torch's CosineAnnealingLR(T_max=T, eta_min=final lr) rises again after T.
    """
    del warmup
    return _fading((1 + np.cos(np.pi * np.minimum(k, horizon) / horizon)) / 2, values)


def linear(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Compute `final + (1 - final) (1 - min(k, T) / T)`: torch's LinearLR(1, final, T); PolynomialLR(T, 1) for
    final 0.
    """
    del warmup
    return _fading(1 - np.minimum(k, horizon) / horizon, values)


def polynomial(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Compute `final + (1 - final) (1 - min(k, T) / T)^power`: torch's PolynomialLR(T, power), which ends at 0."""
    del warmup
    return _fading(_power(1 - np.minimum(k, horizon) / horizon, values["power"]), values)


def one_cycle(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Compute a cosine up from 1/25 to 1 at `k = .3 T - 1`, then down to 1/25 of 1e-4 at `k = T - 1`, constant
    from there.

    `lr` is the peak. torch's OneCycleLR(max_lr=lr, total_steps=T, cycle_momentum=False) raises an error from T on and
    where `.3 T <= 1`; here the second case has no rise. optax peaks one update later and ends higher.
    """
    del warmup, values
    peak = max(PEAK * horizon - 1, 0.0)
    up = np.minimum(k / peak, 1) if peak else np.ones(k.shape)
    down = np.clip((k - peak) / max(horizon - 1 - peak, 1e-9), 0, 1)
    rising, falling = _turn(START, 1, up), _turn(1, START * END, down)
    return np.where(k <= peak, rising, falling)


def inverse_sqrt(k: Array, horizon: int, warmup: int, values: Values) -> Array:
    """Compute `sqrt(W / (k + W + 1))` from the end of the warmup on, with `W = 1` where there is no warmup.

    Over all updates n this is `min((n + 1) / W, sqrt(W / (n + 1)))`. torch: LambdaLR. Source: Vaswani et al. 2017.
    """
    del horizon, values
    return np.sqrt(max(warmup, 1) / (k + warmup + 1))


def _fading(share: Array, values: Values) -> Array:
    return values["final"] + (1 - values["final"]) * share


def _turn(start: float, end: float, place: Array) -> Array:
    """Compute half a cosine from `start` to `end`."""
    return end + (start - end) / 2 * (1 + np.cos(np.pi * place))


def _power(base: Array | float, exponent: Array | float) -> Array:
    power: Array = np.power(base, exponent, dtype=np.float64)
    return power


_ROWS = (
    Schedule("constant", "the rate stays", constant),
    Schedule("step", "the rate falls by a factor every so often", step, (GAMMA, STEP_SIZE)),
    Schedule("exponential", "the rate falls by the same factor all the time", exponential, (GAMMA, STEP_SIZE)),
    Schedule("cosine", "the rate falls along half a cosine", cosine, (FINAL,)),
    Schedule("linear", "the rate falls along a line", linear, (FINAL,)),
    Schedule("polynomial", "the rate falls along a power of what is left", polynomial, (FINAL, POWER)),
    Schedule("one_cycle", "the rate rises for a third and falls for the rest", one_cycle),
    Schedule("inverse_sqrt", "the rate falls with the root of the updates made", inverse_sqrt),
)
SCHEDULES: dict[str, Schedule] = {row.name: row for row in _ROWS}


def warmup_updates(share: float, horizon: int) -> int:
    """Return W, the number of warmup updates for a share of the horizon."""
    return round(share * horizon)


def plan_of(config: Mapping[str, Any], horizon: int) -> Plan:
    """Build a config's schedule over `horizon` updates, with defaults for what the config leaves out.

    Raises InvalidInput for an unknown schedule, values outside their intervals, or a warmup that leaves nothing.
    """
    name = config.get("schedule", "constant")
    if name not in SCHEDULES:
        raise InvalidInput(Complaint("schedule", f"{name!r} is not known", nearest(name, SCHEDULES)))
    row = SCHEDULES[name]
    values = {hyper.name: float(config.get(hyper.name, hyper.default)) for hyper in (WARMUP, *row.hypers)}
    wrong = [
        Complaint(hyper.name, f"must lie in {hyper.valid}, but got {values[hyper.name]!r}")
        for hyper in (WARMUP, *row.hypers)
        if values[hyper.name] not in hyper.valid
    ]
    warm = 0 if wrong else warmup_updates(values["warmup"], horizon)
    if warm >= horizon:
        wrong.append(Complaint("warmup", f"{values['warmup']:g} of {horizon} updates leaves none after it"))
    if wrong:
        raise InvalidInput(*wrong)
    return Plan(row, values, horizon - warm, warm)
