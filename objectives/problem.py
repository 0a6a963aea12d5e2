"""A problem is what is descended: prepared data, a model, a loss and metrics.

The data come as replicates. A replicate is one random seed, which names the stream of initial weights and minibatch
orders, and the prepared data that it trains on: replicates may share one split (noise of retraining) or have a split
each (confirmation). Their arrays must agree in shape, so that they stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.data import Part, Prepared, named_surface
from objectives.errors import Complaint, InvalidInput
from objectives.losses import Loss, loss_of
from objectives.metrics import Metric, Rows, metrics_of
from objectives.models import Model
from objectives.rng import Stream, stream
from objectives.surfaces import Surface

__all__ = ["Problem", "Replicate", "constant_loss", "rows_of", "updates_per_epoch"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Replicate:
    """One random seed (a seed and the replicate's number under it) and the data it trains on."""

    seed: int
    number: int
    data: Prepared

    def weights_stream(self) -> np.random.Generator:
        """The generator of the initial weights."""
        return stream(self.seed, Stream.WEIGHTS, self.number)

    def dropout_stream(self, epoch: int, layer: int) -> np.random.Generator:
        """The generator of an epoch's dropout masks in a hidden layer."""
        return stream(self.seed, Stream.DROPOUT, self.number, epoch, layer)

    def order(self, epoch: int) -> Array:
        """The order `(n,)` in which an epoch meets the train rows."""
        return stream(self.seed, Stream.ORDER, self.number, epoch).permutation(len(self.data.train))


@dataclass(frozen=True)
class Problem:
    """Replicates of prepared data, the model that is fitted to them, and what else its loss is, if not the task's.

    Raises InvalidInput where shapes differ, or for a loss that belongs to another task.
    """

    replicates: tuple[Replicate, ...]
    model: Model
    trains_on: Loss | None = None

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

    @property
    def data(self) -> Prepared:
        """The data of the first replicate, whose shapes are everybody's."""
        return self.replicates[0].data

    @property
    def inputs(self) -> int:
        """D, without the column of ones."""
        return int(self.data.train.x.shape[1]) - 1

    @property
    def outputs(self) -> int:
        """C."""
        return int(self.data.train.y.shape[1])

    @property
    def surface(self) -> Surface | None:
        """The surface that takes the place of data and model, where one does."""
        return named_surface(self.data.surface) if self.data.surface else None

    def need_surface(self) -> Surface:
        """The surface. Raises InvalidInput for a problem that has data."""
        if self.surface is None:
            raise InvalidInput(Complaint("problem", "is not a surface", 'load it with load_surface("surface:NAME")'))
        return self.surface

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes `(D + 1, H)` of the layers; a surface has one of a single row, `(1, P)`."""
        if self.surface:
            return ((1, self.surface.size),)
        return self.model.shapes(self.inputs, self.outputs)

    def initial(self, replicate: Replicate) -> Array:
        """A replicate's first weights `(P,)` in float64; on a surface where descents customarily begin."""
        if self.surface:
            return self.surface.start
        return self.model.initial(replicate.weights_stream(), self.inputs, self.outputs)

    @property
    def loss(self) -> Loss:
        """The loss that the task is judged by: `valid_loss` and `test_loss`, whatever is trained on."""
        return loss_of(self.data.task)

    @property
    def criterion(self) -> Loss:
        """The loss that training makes small."""
        return self.trains_on or self.loss

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that are followed every epoch."""
        return metrics_of(self.data.task)

    def release(self, *parts: str) -> None:
        """Give back the memory of large data that are mapped from files, of some parts or all, until they are read."""
        for replicate in self.replicates:
            replicate.data.release(*parts)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Updates in one epoch; the last partial batch counts."""
        return -(-len(self.data.train) // batch_size)


def updates_per_epoch(config: Mapping[str, Any], rows: int) -> int:
    """Updates of one epoch over `rows` train rows; a method that sees them all has no batch size and makes one."""
    return -(-rows // int(config["batch_size"])) if "batch_size" in config else 1


def shape_of(data: Prepared) -> tuple[Any, ...]:
    """What must agree for data to stack: task, dtype and the shapes of every part."""
    parts = (data.train, data.valid, data.test)
    return (
        data.task,
        data.surface,
        str(data.train.x.dtype),
        *(array.shape for part in parts for array in (part.x, part.y)),
    )


def rows_of(parts: Iterable[Part], scales: Iterable[Array]) -> Rows:
    """What metrics need to know of one part of every replicate."""
    parts = list(parts)
    targets = [np.asarray(part.y, dtype=np.float64) for part in parts]
    sst = np.stack([((y - y.mean(axis=0)) ** 2).sum(axis=0) for y in targets])[:, None, :]
    return Rows(len(parts[0]), sst, np.stack([np.asarray(scale, dtype=np.float64) for scale in scales])[:, None, :])


def constant_loss(data: Prepared, part: Part) -> float:
    """The loss on a part of the best constant prediction of the train rows: what any trained model must beat.

    On a surface, the value where descents begin.
    """
    if data.surface:
        surface = named_surface(data.surface)
        return float(surface.value(surface.start))
    mean = np.asarray(data.train.y, dtype=np.float64).mean(axis=0)
    y = np.asarray(part.y, dtype=np.float64)
    if data.task == "regression":
        return float(((y - mean) ** 2).mean())
    mean = np.clip(mean, 1e-12, 1.0)
    if data.task == "binary":
        return float(-(y * np.log(mean) + (1 - y) * np.log1p(-np.minimum(mean, 1 - 1e-12))).mean())
    return float(-(y * np.log(mean)).sum(axis=1).mean())
