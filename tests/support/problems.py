"""Small random problems and configs for the tests of the descent core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from objectives.data import Part, Prepared
from objectives.losses import huber
from objectives.models import ACTIVATIONS, INITS, Model
from objectives.optimizers import RULES, Hyper
from objectives.problem import Problem, Replicate
from objectives.schedules import SCHEDULES

Array = np.ndarray[Any, Any]
Config = Mapping[str, Any]
TASKS = ("binary", "multiclass", "regression")


@dataclass(frozen=True)
class Sizes:
    """What fixes the shapes of a problem."""

    task: str = "multiclass"
    outputs: int = 3
    features: int = 4
    train: int = 24
    valid: int = 9
    dtype: str = "float64"


def targets(rng: np.random.Generator, x: Array, task: str, outputs: int) -> Array:
    """Targets `(n, C)` that a linear model can nearly learn from `x (n, D)`."""
    scores = x @ rng.normal(size=(x.shape[1], outputs)) + 0.1 * rng.normal(size=(len(x), outputs))
    if task == "binary":
        return (scores > 0).astype(float)
    if task == "multiclass":
        return np.eye(outputs)[scores.argmax(axis=1)]
    return scores


def prepared(sizes: Sizes, seed: int = 0) -> Prepared:
    """Random data of these sizes; read-only, so that a write into them raises."""
    rng = np.random.default_rng(seed)
    counts = (sizes.train, sizes.valid, 3)
    x = rng.normal(size=(sum(counts), sizes.features))
    y = targets(rng, x, sizes.task, sizes.outputs)
    regression = sizes.task == "regression"
    mean, scale = (y.mean(axis=0), y.std(axis=0)) if regression else (np.zeros(sizes.outputs), np.ones(sizes.outputs))
    x, y = np.c_[x, np.ones(len(x))].astype(sizes.dtype), ((y - mean) / scale).astype(sizes.dtype)
    for array in (x, y):
        array.flags.writeable = False
    cuts = np.cumsum((0, *counts))
    parts = [Part(x[a:b], y[a:b]) for a, b in pairwise(cuts)]
    classes = () if regression else tuple(map(str, range(max(2, sizes.outputs))))
    return Prepared(sizes.task, *parts, tuple(f"x{i}" for i in range(sizes.features)), classes, mean, scale, "", ())


def problem(sizes: Sizes, model: Model, replicates: int = 1, own_splits: bool = False) -> Problem:
    """A problem whose replicates share their data or have their own."""
    data = [prepared(sizes, seed if own_splits else 0) for seed in range(replicates)]
    return Problem(tuple(Replicate(7, number, d) for number, d in enumerate(data)), model)


def one_replicate(whole: Problem, r: int) -> Problem:
    """The problem of replicate `r` alone."""
    return Problem((whole.replicates[r],), whole.model, whole.trains_on)


def config(optimizer: str, **values: Any) -> dict[str, Any]:
    """A flat config with what every trial needs."""
    return {"optimizer": optimizer, "batch_size": 5, "epochs": 4, "schedule": "constant", **values}


def same_bits(left: Array, right: Array) -> bool:
    """Equal shape, dtype and bytes: tells 0 from -0 and one nan from another."""
    return left.shape == right.shape and left.dtype == right.dtype and left.tobytes() == right.tobytes()


def natural(hyper: Hyper, place: float) -> float:
    """The value at `place` in [0, 1] of a hyperparameter's preset range, on its own scale."""
    if hyper.scale == "linear":
        return hyper.low + place * (hyper.high - hyper.low)
    if hyper.scale == "log1m":
        return 1 - float(np.exp(np.log1p(-hyper.low) + place * (np.log1p(-hyper.high) - np.log1p(-hyper.low))))
    return float(np.exp(np.log(hyper.low) + place * (np.log(hyper.high) - np.log(hyper.low))))


@st.composite
def hyperparameters(draw: st.DrawFn) -> dict[str, Any]:
    """A rule with values from its preset ranges: some given, some left at their defaults."""
    rule = draw(st.sampled_from(sorted(RULES)))
    place = st.one_of(st.none(), st.floats(0, 1))
    drawn = {hyper.name: (hyper, draw(place)) for hyper in RULES[rule].hypers}
    flags = {flag.name: draw(st.booleans()) for flag in RULES[rule].flags}
    return {"optimizer": rule, **{name: natural(h, p) for name, (h, p) in drawn.items() if p is not None}, **flags}


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, Any]:
    """A schedule with its values, some given, some left at their defaults, and a warmup or none."""
    row = SCHEDULES[draw(st.sampled_from(sorted(SCHEDULES)))]
    place = st.one_of(st.none(), st.floats(0, 1))
    drawn = {hyper: draw(place) for hyper in row.hypers}
    values = {hyper.name: natural(hyper, at) for hyper, at in drawn.items() if at is not None}
    warmup = draw(st.sampled_from((0.0, 0.1, 0.4)))
    return {"schedule": row.name, **values, **({"warmup": warmup} if warmup else {})}


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """What a trial may have around its rule: clipping, the scope of its decay, dropout, early stopping."""
    ways = (
        st.sampled_from(({}, {}, {"clip_norm": 0.0}, {"clip_norm": 0.05}, {"clip_norm": 1.0})),
        st.sampled_from(({}, {"decay": "all"}, {"decay": "weights"})),
        st.sampled_from(({}, {}, {"dropout": 0.0}, {"dropout": 0.1}, {"dropout": 0.5}, {"dropout": 0.9})),
        st.sampled_from(({}, {}, {"patience": 1}, {"patience": 1, "min_delta": 0.05}, {"patience": 2})),
    )
    return {key: value for way in ways for key, value in draw(way).items()}


@st.composite
def packs(draw: st.DrawFn, most: int = 7) -> list[dict[str, Any]]:
    """Configs of one batch size, 1 to `most` of them, of any rules; batch sizes up to 24 rows."""
    batch_size, horizon = draw(st.sampled_from((1, 2, 5, 7, 8, 16, 23, 24))), draw(st.integers(1, 5))
    members = draw(st.lists(hyperparameters(), min_size=1, max_size=most))
    shared = {"batch_size": batch_size, "epochs": horizon}
    return [{**member, **shared, **draw(schedules()), **draw(options())} for member in members]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Problems of every task, with sizes down to 1: one feature, one hidden unit, one row to validate on."""
    task = draw(st.sampled_from(TASKS))
    outputs = {"binary": st.just(1), "multiclass": st.integers(2, 11), "regression": st.integers(1, 3)}[task]
    sizes = Sizes(
        task=task,
        outputs=draw(outputs),
        features=draw(st.sampled_from((1, 2, 3, 8, 17))),
        train=draw(st.sampled_from((24, 25, 31, 40))),
        valid=draw(st.sampled_from((1, 2, 9, 33))),
        dtype=draw(st.sampled_from(("float32", "float64"))),
    )
    hidden = draw(st.lists(st.sampled_from((1, 2, 3, 8, 16, 19)), max_size=2))
    model = Model(tuple(hidden), draw(st.sampled_from(sorted(ACTIVATIONS))), draw(st.sampled_from(sorted(INITS))))
    whole = problem(sizes, model, draw(st.integers(1, 3)), draw(st.booleans()))
    criterion = draw(st.sampled_from((None, huber(0.3), huber(1.0)))) if task == "regression" else None
    return Problem(whole.replicates, whole.model, criterion)


def fitting(whole: Problem, configs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The configs, without dropout where the model has no layer for it."""
    left_out = () if whole.model.hidden else ("dropout",)
    return [{key: value for key, value in member.items() if key not in left_out} for member in configs]
