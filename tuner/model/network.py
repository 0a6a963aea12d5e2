"""The networks of an ensemble, run forward on prepared inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.losses import loss_of
from objectives.models import ACTIVATIONS, Layers, Model, Workspace, forward

__all__ = ["CHUNK", "Network"]

Array = NDArray[Any]
CHUNK = 128  # rows at once: few enough for the cache


@dataclass(frozen=True, eq=False)
class Network:
    """R networks of one shape: their layers' weights `(R, D, H)` and biases `(R, H)`, in the order of the layers."""

    task: str
    activation: str
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    @property
    def members(self) -> int:
        """Return R, how many there are."""
        return len(self.weights[0])

    @property
    def inputs(self) -> int:
        """Return D, without the column of ones."""
        return int(self.weights[0].shape[1])

    @property
    def outputs(self) -> int:
        """Return c."""
        return int(self.weights[-1].shape[2])

    @property
    def hidden(self) -> tuple[int, ...]:
        """Return sizes of the hidden layers."""
        return tuple(int(one.shape[2]) for one in self.weights[:-1])

    def of_members(self, x: Array) -> Array:
        """Return what each network says of inputs `x (n, D + 1)`: `(R, n, C)`.

        Probabilities (binary: one column, of the second class), or outputs for regression. In float64 whatever it was
        trained in: with float32 a row's last digits would depend on the rows beside it.
        """
        shapes = Model(self.hidden).shapes(self.inputs, self.outputs)
        stacked = [np.concatenate([w, b[:, None]], axis=1) for w, b in zip(self.weights, self.biases, strict=True)]
        flat = np.concatenate([one.reshape(self.members, -1) for one in stacked], axis=1).astype(np.float64)
        layers, link = Layers(flat[:, None], shapes), loss_of(self.task).link
        work = Workspace(shapes, self.members, 1, CHUNK, flat.dtype, back=False)
        rows = np.zeros((1, 1, CHUNK, self.inputs + 1), flat.dtype)
        found = np.empty((self.members, len(x), self.outputs))
        with np.errstate(all="ignore"):
            for start in range(0, len(x), CHUNK):
                some = x[start : start + CHUNK]
                rows[0, 0, : len(some)] = some
                z = forward(rows, layers, work, ACTIVATIONS[self.activation])
                found[:, start : start + len(some)] = link(z)[:, 0].swapaxes(-1, -2)[:, : len(some)]
        return found

    @staticmethod
    def of_buffer(task: str, model: Model, shapes: tuple[tuple[int, int], ...], weights: Array) -> Network:
        """Return the networks of training's buffer `(R, P)`."""
        views = Layers(np.ascontiguousarray(weights), shapes).views
        return Network(
            task, model.activation, tuple(view[:, :-1] for view in views), tuple(view[:, -1] for view in views)
        )

    def arrays(self) -> dict[str, Array]:
        """Return `W1 (R, D, H)`, `b1 (R, H)`, `W2`, ... by name."""
        found: dict[str, Array] = {}
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            found |= {f"W{i}": np.ascontiguousarray(w), f"b{i}": np.ascontiguousarray(b)}
        return found

    @staticmethod
    def of_arrays(task: str, activation: str, arrays: dict[str, Array]) -> Network:
        """Return the networks of arrays by name. Raises ValueError or KeyError where they do not fit together."""
        layers = sum(name[:1] == "W" for name in arrays)
        pairs = [(arrays[f"W{i}"], arrays[f"b{i}"]) for i in range(1, layers + 1)]
        if not pairs or activation not in ACTIVATIONS:
            raise ValueError(f"{layers} layers with activation {activation!r}")
        width = pairs[0][0].shape[1]
        for w, b in pairs:
            if w.ndim != 3 or b.shape != (w.shape[0], w.shape[2]) or w.shape[:2] != (len(pairs[0][0]), width):
                raise ValueError("layers whose shapes do not follow from each other")
            if (
                w.dtype != pairs[0][0].dtype
                or w.dtype.kind != "f"
                or not (np.isfinite(w).all() and np.isfinite(b).all())
            ):
                raise ValueError("weights that are no finite numbers of one type")
            width = w.shape[2]
        return Network(task, activation, tuple(w for w, _ in pairs), tuple(b for _, b in pairs))
