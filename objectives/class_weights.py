"""Class weights: rows of some classes count more in training, as in torch's and scikit-learn's losses.

A config names them by a text: "none", "balanced", or a JSON object from classes to weights. Validation and test are
judged without them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.losses import Loss, Scratch
from objectives.types import Array

__all__ = ["BALANCED", "CLASS_WEIGHT", "UNWEIGHTED", "given_weights", "named", "weighted", "weights_of", "written"]

CLASS_WEIGHT = "class_weight"
UNWEIGHTED, BALANCED = "none", "balanced"


def written(weights: Mapping[str, float]) -> str:
    """Return the text of given weights, the same for the same weights."""
    return json.dumps({name: float(weights[name]) for name in sorted(weights)}, ensure_ascii=False)


def given_weights(text: str) -> dict[str, float] | None:
    """Return the weights by class that a text gives; None for "none" and "balanced". Raises InvalidInput."""
    if text in (UNWEIGHTED, BALANCED):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found:
        hint = f"{nearest(text, (UNWEIGHTED, BALANCED))} or give a table: {{ rare = 5.0 }}"
        raise InvalidInput(Complaint(CLASS_WEIGHT, f"{text!r} is not known", hint))
    for name, weight in found.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
            raise InvalidInput(Complaint(CLASS_WEIGHT, f"{name!r} has {weight!r}", "give a number above 0"))
    return {name: float(weight) for name, weight in found.items()}


def weights_of(text: str, counts: Array, classes: Sequence[str]) -> Array:
    """Compute the weight of each class `(C,)` from the train rows of each, `counts (C,)`; those rows' mean is one.

    "balanced" are `n / (C n_c)`, as scikit-learn's; a class without rows has none. Given weights are 1 for classes that
    they do not name. Raises InvalidInput for a class that is not there.
    """
    given = given_weights(text)
    if given is None:
        there = np.count_nonzero(counts)
        found = np.divide(counts.sum() / there, counts, out=np.zeros(len(counts)), where=counts > 0)
        return np.asarray(found)
    for name in [name for name in given if name not in classes]:
        raise InvalidInput(Complaint(CLASS_WEIGHT, f"there is no class {name!r}", nearest(name, classes)))
    found = np.array([given.get(name, 1.0) for name in classes])
    return np.asarray(found * counts.sum() / (found * counts).sum())


@cache
def named(plain: Loss, text: str) -> Loss:
    """Return a loss that says which class weights it has; the same object each time."""
    return replace(plain, class_weight=text)


def weighted(plain: Loss, table: Array, together: bool) -> Loss:
    """Build a loss whose rows count by their class, with the weights `table (R, C)` of each replicate.

    Where rows stand `together` as a minibatch, the loss is divided by the sum of their weights, as
    torch.nn.CrossEntropyLoss(weight=...) does. Otherwise they are a part of all rows, and divided by their number.
    """

    def of_rows(y: Array, s: Scratch) -> Array:
        codes = y[:, 0, 0].astype(np.intp)
        found = np.take_along_axis(table, codes, axis=1)
        if together:
            found *= found.shape[1] / found.sum(axis=1, keepdims=True)
        return found.astype(s.ones.dtype)

    def summed(z: Array, y: Array, s: Scratch, own: Array, gradient: bool) -> None:
        ones, s.ones = s.ones, np.ascontiguousarray(own[:, None, :, None])
        (plain.gradient if gradient else plain.value)(z, y, s)
        s.ones = ones

    def value(z: Array, y: Array, s: Scratch) -> None:
        summed(z, y, s, of_rows(y, s), gradient=False)

    def gradient(z: Array, y: Array, s: Scratch) -> None:
        own = of_rows(y, s)
        summed(z, y, s, own, gradient=True)
        np.multiply(z, own[:, None, None, :], out=z)

    def curvature(q: Array, y: Array) -> Array:
        codes = y[:, 0].astype(np.intp) if y.shape[1] == 1 else y.argmax(axis=1)
        return np.asarray(plain.curvature(q, y) * table[0][codes][:, None, None])

    return replace(plain, value=value, gradient=gradient, curvature=curvature)
