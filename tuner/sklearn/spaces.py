"""What RandomizedSearchCV samples from, as parameters of a study: lists, scipy's distributions, several spaces."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterSampler

from tuner.parameter_names import OWN_NAMES
from tuner.study import MOST_CHOICES

__all__ = ["EstimatorSpace", "space_from"]

BRANCH = "space"  # the parameter that chooses one of several spaces
TAIL = 1e-3  # of a distribution without ends that is left out on either side
DRAWS = 128  # from what can only be drawn from
LONGEST = 40  # characters of a label
MOST_WHOLE = 2**53  # beyond, whole numbers are labels


@dataclass(frozen=True)
class Dimension:
    """A parameter of an estimator: its key in the study, what the study writes, and the way from there to a value.

    `size` counts its values, inf for a range.
    """

    name: str
    key: str
    written: Any
    value: Callable[[Any], Any]
    size: float


@dataclass(frozen=True)
class EstimatorSpace:
    """One or several spaces of an estimator's parameters, as the table [parameters] of a study."""

    branches: tuple[tuple[Dimension, ...], ...]
    table: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> float:
        """Count the points, inf where there is a range."""
        return sum(math.prod(one.size for one in branch) for branch in self.branches)

    def parameters(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the estimator's parameters of a config of the study, values as they were given."""
        branch = self.branches[int(config[BRANCH]) if len(self.branches) > 1 else 0]
        return {one.name: one.value(config[one.key]) for one in branch}


def space_from(given: Any, now: Mapping[str, Any], seed: int) -> EstimatorSpace:
    """Return the space of `given`, a mapping of names to lists and distributions or a list of such.

    `now` are the estimator's own values: where they lie in the space, they are tried first. `seed` draws from what has
    no quantiles. Raises what scikit-learn raises for what it does not sample from.
    """
    spaces = ParameterSampler(given, 1).param_distributions
    keys: dict[str, str] = {}
    branches, table = [], dict[str, Any]()
    for i, space in enumerate(spaces):
        mark = f".{i}" if len(spaces) > 1 else ""
        found = []
        for name, values in space.items():
            key = _key(name, mark, keys)
            read = _listed if _is_list(values) else _distributed
            written, value, size = read(values, now.get(name, _NOTHING), seed)
            found.append(Dimension(name, key, written, value, size))
            table[key] = {**written, "when": {BRANCH: [str(i)]}} if mark else written
        branches.append(tuple(found))
    if len(spaces) > 1 or not table:
        table[BRANCH] = {"choices": [str(i) for i in range(len(spaces))]}
    return EstimatorSpace(tuple(branches), table)


_NOTHING = object()
DimensionParts = tuple[dict[str, Any], Callable[[Any], Any], float]


def _key(name: str, mark: str, keys: dict[str, str]) -> str:
    """Return a name that a study can have for an estimator's parameter, another one for each."""
    plain = re.sub(r"[^\w.]", "_", name, flags=re.ASCII).strip(".") or "_"
    plain = plain if plain[0].isalpha() or plain[0] == "_" else f"_{plain}"
    key = plain[:80] + mark
    while key in keys or key in OWN_NAMES or key == BRANCH:
        key = f"{key}_"
    keys[key] = name
    return key


def _is_list(values: Any) -> bool:
    return not hasattr(values, "rvs")


def _listed(values: Any, now: Any, seed: int) -> DimensionParts:
    """Read a list: numbers, texts or flags alone as they are, all else under labels, very long ones by place."""
    del seed
    every = list(values)
    coded = _coded(every)
    own = dict(zip(reversed(coded), reversed(every), strict=True))  # of two alike the first one
    start = next((code for code, value in zip(coded, every, strict=True) if _same(value, now)), None)
    begun = {} if start is None else {"default": start}
    if len(own) > MOST_CHOICES:
        several = list(own.values())
        return {"low": 0, "high": len(several) - 1}, lambda place: several[place], len(several)
    return {"choices": list(dict.fromkeys(coded))} | begun, lambda code: own[code], len(own)


def _coded(values: Sequence[Any]) -> list[Any]:
    """Return what the study calls each value: itself, if all are numbers, texts or flags, else a label of its own."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if all(isinstance(one, bool) for one in plain) or all(isinstance(one, str) for one in plain):
        return plain
    if all(_is_number(one) for one in plain):
        return plain
    found: list[Any] = []
    for i, one in enumerate(plain):
        label = one if isinstance(one, str) else re.sub(r"\s+", " ", repr(one))
        found.append(label if len(label) <= LONGEST and label not in found else f"{type(one).__name__} {i}")
    return found


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= (MOST_WHOLE if isinstance(value, int) else float("1e300"))


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same, of whatever kind they are."""
    if one is other:
        return True
    plain = bool | int | float | str | np.generic | None
    return isinstance(one, plain) and isinstance(other, plain) and type(one) is type(other) and bool(one == other)


def _distributed(given: Any, now: Any, seed: int) -> DimensionParts:
    """Read a distribution: a uniform one as a range, another one by its quantiles, else some draws of it."""
    low, high, scale = _ends(given)
    if scale == "whole":
        if high - low < 2:
            return _listed(range(int(low), int(high) + 1), now, seed)
        return {"low": int(low), "high": int(high)} | _start(now, int, low, high), lambda value: value, math.inf
    if scale and low < high:
        written = {"low": float(low), "high": float(high), "log": scale == "log"}
        return written | _start(now, float, low, high), lambda value: value, math.inf
    if scale:
        return {"choices": [float(low)]}, lambda value: value, 1
    if not hasattr(given, "ppf"):
        return *_listed(_drawn(given, seed), now, seed)[:2], math.inf
    whole = hasattr(given, "pmf")
    return {"low": TAIL, "high": 1 - TAIL}, lambda share: _quantile(given, share, whole), math.inf


def _start(now: Any, kind: type, low: float, high: float) -> dict[str, Any]:
    """Return the default of a range, where the estimator's own value lies in it."""
    fits = isinstance(now, int | float) and not isinstance(now, bool) and low <= now <= high
    return {"default": kind(now)} if fits and (kind is float or isinstance(now, int)) else {}


def _ends(given: Any) -> tuple[float, float, str]:
    """Return the ends of one of scipy's uniform distributions and its scale: "linear", "log", "whole"; else ""."""
    kind = getattr(getattr(given, "dist", None), "name", "")
    if kind not in ("uniform", "loguniform", "reciprocal", "randint"):
        return 0.0, 0.0, ""
    low, high = given.support()
    if np.ndim(low) or np.ndim(high) or not np.isfinite([low, high]).all():
        return 0.0, 0.0, ""
    if kind == "randint":
        return low, high, "whole"
    if kind == "uniform":
        return low, high, "linear"
    even = low > 0 and math.isclose(float(given.ppf(0.5)), math.sqrt(low * high), rel_tol=1e-6)
    return low, high, "log" if even else ""


def _quantile(given: Any, share: float, whole: bool) -> Any:
    """Return a distribution's value below which lies a share of it."""
    found = given.ppf(share)
    return found if np.ndim(found) else int(found) if whole else float(found)


def _drawn(given: Any, seed: int) -> list[Any]:
    """Return some draws from what can only be drawn from, in their order where they are numbers."""
    random = np.random.RandomState(seed % 2**32)
    draws = [given.rvs(random_state=random) for _ in range(DRAWS)]
    return (
        sorted(draws) if all(np.ndim(one) == 0 and isinstance(one, float | int | np.number) for one in draws) else draws
    )
