"""Rungs: the value, the epoch and the scores of every config after so many epochs on so many splits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.unseen.views import View

__all__ = ["Reading", "Rung", "epochs_by", "rung_of", "scores_at", "smoothed", "width_of"]

Array = np.ndarray[Any, Any]
FAR = 1e6  # beyond any loss that counts


@dataclass(frozen=True)
class Reading:
    """How curves are read.

    `rule` chooses the epoch: "best", "smooth 5", "last", or the earliest within "one error" or "one paired error" of
    the best. `errors` standard errors are added to the mean. Configs that are not `steady` go behind the others:
    "constant" for those worse than a constant prediction on any split, "constant or median" for those that are also
    worse than twice their median. Without `common` splits every config has an order of its own.
    """

    rule: str = "smooth 5"
    errors: float = 0.0
    steady: str = "none"
    common: bool = True


@dataclass(frozen=True)
class Rung:
    """`values` `(configs,)` rank, lower first; `epochs` `(configs,)` from 0; `scores` `(configs, splits)` there."""

    values: Array
    epochs: Array
    scores: Array


def rung_of(view: View, reading: Reading, epochs: int, splits: int) -> Rung:
    """What a search knows of every config at a rung."""
    key = reading, epochs, splits
    if key not in view.memo:
        losses = (view.seen if reading.common else own_splits(view))[:, :splits, :epochs]
        width = width_of(reading.rule)
        curve = smoothed(losses.mean(axis=1), width)
        chosen = epochs_by(reading.rule, curve, losses)
        scores = scores_at(losses, chosen, width)
        values = curve[np.arange(len(curve)), chosen] + reading.errors * standard_errors(scores)
        late = unsteady(reading.steady, scores, view.constants[:splits])
        view.memo[key] = Rung(np.where(late, FAR + values, values), chosen, scores)
    return view.memo[key]


def own_splits(view: View) -> Array:
    """The losses with an order of the splits for each config."""
    if "own" not in view.memo:
        order = view.rng.permuted(np.tile(np.arange(view.seen.shape[1]), (len(view.seen), 1)), axis=1)
        view.memo["own"] = np.take_along_axis(view.seen, order[..., None], axis=1)
    return view.memo["own"]


def smoothed(curves: Array, width: int) -> Array:
    """Means over `width` epochs around each, fewer at the ends; `(..., epochs)` as before."""
    size = curves.shape[-1]
    half = min(width // 2, size - 1)
    total, count = np.zeros_like(curves), np.zeros(size)
    for d in range(-half, half + 1):
        to, source = slice(max(0, -d), size - max(0, d)), slice(max(0, d), size - max(0, -d))
        total[..., to] += curves[..., source]
        count[to] += 1
    return total / count


def scores_at(losses: Array, epochs: Array, width: int) -> Array:
    """Losses `(configs, splits)` around the epoch of each config, smoothed as its mean curve was."""
    rows, last = np.arange(len(losses)), losses.shape[-1] - 1
    half = min(width // 2, last)
    shifted = [epochs + d for d in range(-half, half + 1)]
    weights = np.array([(at >= 0) & (at <= last) for at in shifted], float)[..., None]
    values = np.array([losses[rows, :, np.clip(at, 0, last)] for at in shifted])
    return np.where(weights > 0, values, 0.0).sum(axis=0) / weights.sum(axis=0)


def width_of(rule: str) -> int:
    """Over how many epochs a rule smooths."""
    return int(rule.split()[1]) if rule.startswith("smooth") else 3 if rule.startswith("one") else 1


def epochs_by(rule: str, curve: Array, losses: Array) -> Array:
    """The epoch `(configs,)` that a rule chooses by mean curves `(configs, epochs)` and what they are means of."""
    best, rows = curve.argmin(axis=-1), np.arange(len(curve))
    if rule == "last":
        return np.full(len(curve), curve.shape[-1] - 1)
    if not rule.startswith("one"):
        return best
    at_best = losses[rows, :, best][..., None]
    with np.errstate(invalid="ignore"):
        error = standard_errors(np.moveaxis(losses - at_best if "paired" in rule else at_best, 1, -1))
        near = curve <= curve[rows, best][:, None] + error
    near[rows, best] = True
    return near.argmax(axis=-1)


def standard_errors(scores: Array) -> Array:
    """Standard errors of means over the last axis; 0 where there is one value, or one that is not finite."""
    count = scores.shape[-1]
    if count < 2:
        return np.zeros(scores.shape[:-1])
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(scores.std(axis=-1, ddof=1)) / math.sqrt(count)


def unsteady(rule: str, scores: Array, constants: Array) -> Array:
    """Whether a config `(configs,)` goes behind the steady ones, for what happened on one of its splits."""
    if rule == "none":
        return np.zeros(len(scores), bool)
    bound = constants[None, :]
    if rule.endswith("median"):
        bound = np.maximum(bound, 2 * np.median(scores, axis=1, keepdims=True))
    return (scores > bound).any(axis=1)
