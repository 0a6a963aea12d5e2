"""The criterion of a config: the loss that its training minimises, which may be another than it is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objectives.class_weights import CLASS_WEIGHT, UNWEIGHTED, given_weights, named
from objectives.errors import Complaint, InvalidInput, nearest
from objectives.hyperparameter import ASKED, POSITIVE, Bounds, Hyper
from objectives.losses import LOSSES, Loss, huber, losses_for, quantile, smoothed

__all__ = ["CLASSES", "CRITERION_KEYS", "HUBER_DELTA", "LABEL_SMOOTHING", "QUANTILE", "criterion_key", "criterion_of"]

CLASSES = ("binary", "multiclass")  # tasks whose targets are classes
HUBER_DELTA = Hyper(
    "huber_delta", "huber_delta", 1.0, 0.1, 10.0, "log", POSITIVE, ASKED,
    "where Huber's loss turns linear, in standard deviations of the target",
)  # fmt: skip
LABEL_SMOOTHING = Hyper(
    "label_smoothing", "label_smoothing", 0.0, 0.01, 0.3, "linear", Bounds(0.0, 1.0), ASKED,
    "share of each target that is spread evenly over all classes in training; 0 is off",
)  # fmt: skip
QUANTILE = Hyper(
    "quantile", "quantile", 0.5, 0.05, 0.95, "linear", Bounds(0.0, 1.0, open_low=True), ASKED,
    "which quantile of the target is predicted, 0.9 for one that a tenth of the rows exceed",
)  # fmt: skip
CRITERION_KEYS = ("loss", HUBER_DELTA.name, QUANTILE.name, LABEL_SMOOTHING.name, CLASS_WEIGHT)


def criterion_key(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what decides a config's criterion: configs with the same key minimise the same loss."""
    return tuple(config.get(name) for name in CRITERION_KEYS)


def criterion_of(config: Mapping[str, Any], task: str) -> Loss:
    """Return the loss that a config trains on, by default that of its task. Raises InvalidInput."""
    known = losses_for(task)
    name = config.get("loss", known[0])
    if name not in known:
        raise InvalidInput(Complaint("loss", f"{name!r} does not belong to a {task} task", nearest(name, known)))
    smoothing = _valid(config, LABEL_SMOOTHING)
    if smoothing and task not in CLASSES:
        hint = "leave it out: it mixes the targets of classes"
        raise InvalidInput(Complaint(LABEL_SMOOTHING.name, f"does not fit a {task} task", hint))
    weights = str(config.get(CLASS_WEIGHT, UNWEIGHTED))
    if weights != UNWEIGHTED:
        _check_weights(weights, smoothing, task)
        return named(LOSSES[name], weights)
    if smoothing:
        return smoothed(name, smoothing)
    if name == "quantile":
        return quantile(_valid(config, QUANTILE))
    return huber(_valid(config, HUBER_DELTA)) if name == "huber" else LOSSES[name]


def _check_weights(weights: str, smoothing: float, task: str) -> None:
    """Raise InvalidInput for class weights that are none, or beside what they do not go with."""
    if task not in CLASSES:
        raise InvalidInput(Complaint(CLASS_WEIGHT, f"does not fit a {task} task", "leave it out: it weighs classes"))
    if smoothing:
        raise InvalidInput(Complaint(CLASS_WEIGHT, "does not go with label_smoothing", "keep one of them"))
    given_weights(weights)


def _valid(config: Mapping[str, Any], hyper: Hyper) -> float:
    """Return a hyperparameter's value in a config. Raises InvalidInput."""
    value = float(config.get(hyper.name, hyper.default))
    if value not in hyper.valid:
        raise InvalidInput(Complaint(hyper.name, f"must lie in {hyper.valid}, but got {value!r}"))
    return value
