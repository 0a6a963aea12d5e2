"""A problem is what is descended: prepared data, a model, a loss and metrics.

The data come as replicates. A replicate is one random seed, which names the stream of initial weights and minibatch
orders, and the prepared data that it trains on: replicates may share one split (noise of retraining) or have a split
each (confirmation). Their arrays must agree in shape, so that they stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from objectives.class_weights import UNWEIGHTED, weighted, weights_of
from objectives.data import Part, Prepared, named_surface
from objectives.data.transforms import LOG_LINK, losses_in_units
from objectives.errors import Complaint, InvalidInput
from objectives.losses import LOSSES, Loss, loss_of
from objectives.metrics import Metric, RowFacts, metrics_of
from objectives.models import Model
from objectives.rng import Stream, stream
from objectives.surfaces import Surface
from objectives.types import Array

__all__ = ["Problem", "Replicate", "constant_loss", "row_weights", "rows_of", "updates_per_epoch"]

POISSON = "poisson"


@dataclass(frozen=True)
class Replicate:
    """One random seed (a seed and the replicate's number under it) and the data it trains on."""

    seed: int
    number: int
    data: Prepared

    def weights_stream(self) -> np.random.Generator:
        """Return the random generator of the initial weights."""
        return stream(self.seed, Stream.WEIGHTS, self.number)

    def dropout_stream(self, epoch: int, layer: int) -> np.random.Generator:
        """Return the random generator of one epoch's dropout masks in a hidden layer."""
        return stream(self.seed, Stream.DROPOUT, self.number, epoch, layer)

    def order(self, epoch: int) -> Array:
        """Return the order `(n,)` of the train rows in an epoch."""
        return stream(self.seed, Stream.ORDER, self.number, epoch).permutation(len(self.data.train))


@dataclass(frozen=True)
class Problem:
    """Replicates of prepared data, the model that is fitted to them, and what else its loss is, if not the task's.

    `asked` are names of metrics that are followed beside those that always are. Raises InvalidInput where shapes
    differ, or for a loss that belongs to another task.
    """

    replicates: tuple[Replicate, ...]
    model: Model
    trains_on: Loss | None = None
    asked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.replicates:
            raise InvalidInput(Complaint("problem", "has no replicates"))
        shapes = {shape_of(replicate.data) for replicate in self.replicates}
        if len(shapes) > 1:
            raise InvalidInput(
                Complaint("problem", f"replicates differ in task, shape or dtype: {sorted(map(str, shapes))}")
            )
        if not self.surface and self.criterion.task != self.data.task:
            what = f"{self.criterion.name} is a loss of {self.criterion.task}, but the task is {self.data.task}"
            raise InvalidInput(Complaint("problem", what))
        if (self.criterion.name == POISSON) != (self.data.transform == LOG_LINK) and not self.surface:
            raise InvalidInput(
                Complaint("problem", f"{POISSON} needs a target with a log link, and no other loss has one")
            )
        if self.criterion.class_weight != UNWEIGHTED and self.data.train.weights is not None:
            raise InvalidInput(Complaint("class_weight", "does not go with weights of rows", "keep one of them"))

    @property
    def data(self) -> Prepared:
        """Return the data of the first replicate; all replicates have the same shapes."""
        return self.replicates[0].data

    @property
    def inputs(self) -> int:
        """Return D, the number of inputs without the column of ones."""
        return int(self.data.train.x.shape[1]) - 1

    @property
    def outputs(self) -> int:
        """Return C, the number of outputs."""
        return int(self.data.train.y.shape[1])

    @property
    def surface(self) -> Surface | None:
        """Return the surface that replaces data and model, or None."""
        return named_surface(self.data.surface) if self.data.surface else None

    def need_surface(self) -> Surface:
        """Return the surface. Raises InvalidInput for a problem with data."""
        if self.surface is None:
            raise InvalidInput(Complaint("problem", "is not a surface", 'load it with load_surface("surface:NAME")'))
        return self.surface

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Return the shapes `(D + 1, H)` of the layers; a surface has one of a single row, `(1, P)`."""
        if self.surface:
            return ((1, self.surface.size),)
        return self.model.shapes(self.inputs, self.outputs)

    def initial(self, replicate: Replicate) -> Array:
        """Return a replicate's initial weights `(P,)` in float64; on a surface, its customary starting point."""
        if self.surface:
            return self.surface.start
        return self.model.initial(replicate.weights_stream(), self.inputs, self.outputs)

    @property
    def loss(self) -> Loss:
        """Return the loss for evaluation (`valid_loss`, `test_loss`), whichever loss is trained on.

        Counts are judged by their own.
        """
        return LOSSES[POISSON] if self.data.transform == LOG_LINK else loss_of(self.data.task)

    @property
    def criterion(self) -> Loss:
        """Return the loss that training minimises."""
        return self.trains_on or self.loss

    @cached_property
    def class_weights(self) -> Array | None:
        """Return the weight of each class in the training of each replicate, `(R, classes)`; None where all are one."""
        if self.criterion.class_weight == UNWEIGHTED:
            return None
        return np.stack([_weights(self.criterion.class_weight, replicate.data) for replicate in self.replicates])

    def minimised(self, replicate: int | None = None) -> Loss:
        """Return the criterion with its class weights: of minibatches of all replicates, or of all rows of one."""
        if self.class_weights is None:
            return self.criterion
        table = self.class_weights if replicate is None else self.class_weights[[replicate]]
        return weighted(self.criterion, table, together=replicate is None)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Return the metrics that are recorded every epoch."""
        return metrics_of(self.data.task, self.asked)

    def release(self, *parts: str) -> None:
        """Give back the memory of large data that are mapped from files, of some parts or all, until they are read."""
        for replicate in self.replicates:
            replicate.data.release(*parts)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Return the number of updates in one epoch; the last, partial batch counts."""
        return -(-len(self.data.train) // batch_size)


def _weights(text: str, data: Prepared) -> Array:
    """Return the weight of each class `(classes,)` by the train rows of prepared data."""
    counts = np.asarray(data.train.y, dtype=np.float64).sum(axis=0)
    counts = np.array([len(data.train) - counts[0], counts[0]]) if data.task == "binary" else counts
    return weights_of(text, counts, data.classes)


def updates_per_epoch(config: Mapping[str, Any], rows: int) -> int:
    """Return the updates of one epoch over `rows` train rows; a whole-batch method makes one."""
    return -(-rows // int(config["batch_size"])) if "batch_size" in config else 1


def shape_of(data: Prepared) -> tuple[Any, ...]:
    """Return what must agree for data to be stacked: task, dtype and the shapes of every part."""
    parts = (data.train, data.valid, data.test)
    return (
        data.task,
        data.surface,
        data.transform,
        str(data.train.x.dtype),
        *(array.shape for part in parts for array in (part.x, part.y)),
        data.train.weights is None,
    )


def rows_of(replicates: Iterable[Prepared], part: str) -> RowFacts:
    """Collect what metrics need to know about one part ("train", "valid", "test") of every replicate."""
    data = list(replicates)
    parts = [getattr(one, part) for one in data]
    targets = [np.asarray(part.y, dtype=np.float64) for part in parts]
    units = data[0].transform  # metrics then see targets in their own units
    targets = [one.truth(y) for one, y in zip(data, targets, strict=True)] if units else targets
    weights = row_weights(data, part)
    if weights is None:
        sst = np.stack([((y - y.mean(axis=0)) ** 2).sum(axis=0) for y in targets])[:, None, :]
    else:
        pairs = list(zip(targets, weights.swapaxes(-1, -2), strict=True))
        sst = np.stack([(w * (y - (w * y).mean(axis=0)) ** 2).sum(axis=0) for y, w in pairs])[:, None, :]
    scale, mean = (
        np.stack([np.asarray(getattr(one, name), dtype=np.float64) for one in data])[:, None, :]
        for name in ("y_scale", "y_mean")
    )
    scale, mean = (np.ones_like(scale), np.zeros_like(mean)) if units else (scale, mean)
    return RowFacts(len(parts[0]), sst, scale, mean, weights)


def row_weights(replicates: Iterable[Prepared], part: str) -> Array | None:
    """Return the weights of a part's rows `(R, 1, n)`, with a mean of one; None where rows count alike."""
    every = [getattr(one, part).weights for one in replicates]
    return None if every[0] is None else np.stack(every).reshape(len(every), 1, -1)


def constant_loss(data: Prepared, part: Part) -> float:
    """Return the loss of the best constant prediction of the train rows on a part: a trained model must beat it.

    On a surface, return the value at the starting point.
    """
    if data.surface:
        surface = named_surface(data.surface)
        return float(surface.value(surface.start))
    own = np.asarray(data.train.y, dtype=np.float64)
    mean = (own if data.train.weights is None else own * data.train.weights).mean(axis=0)
    y = np.asarray(part.y, dtype=np.float64)
    if data.transform == LOG_LINK:
        losses = losses_in_units(LOG_LINK, mean, y, np.ones(1)).mean(axis=1, keepdims=True)
    elif data.task == "regression":
        losses = (y - mean) ** 2
    elif data.task == "binary":
        mean = np.clip(mean, 1e-12, 1.0)
        losses = -(y * np.log(mean) + (1 - y) * np.log1p(-np.minimum(mean, 1 - 1e-12)))
    else:
        losses = -(y * np.log(np.clip(mean, 1e-12, 1.0))).sum(axis=1, keepdims=True)
    return float((losses if part.weights is None else losses * part.weights).mean())
