"""Minibatches of an epoch: every row once, in an order that is a pure function of (seed, epoch).

Rows are gathered in blocks of about a megabyte that stay in the cache while their steps run, so that a memory-mapped
data set is never copied whole and a step takes a view instead of a gather.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from objectives.buffers import aligned
from objectives.problem import Replicate
from objectives.types import Array

__all__ = ["Minibatches"]

BLOCK_BYTES = 1 << 20


class Minibatches:
    """The minibatches of R replicates for one batch size; the last, partial one counts.

    `target` takes targets `(n, C)` of the data to those of a minibatch.
    """

    def __init__(
        self, replicates: Sequence[Replicate], batch_size: int, target: Callable[[Array], Array] = lambda y: y
    ) -> None:
        self.replicates = replicates
        self.batch_size = batch_size
        self.target = target
        train, first = replicates[0].data.train, target(replicates[0].data.train.y[:1])
        self.n = len(train)
        width, outputs = train.x.shape[1], first.shape[1]
        row_bytes = len(replicates) * (width + 2 * train.y.shape[1]) * train.x.dtype.itemsize
        self.steps = max(1, min(BLOCK_BYTES // (row_bytes * batch_size), -(-self.n // batch_size)))
        rows = self.steps * batch_size
        self._x = aligned((len(replicates), 1, rows, width), train.x.dtype)
        self._y = aligned((len(replicates), 1, outputs * rows), first.dtype)
        self._w = None if train.weights is None else aligned((len(replicates), 1, 1, rows), train.x.dtype)
        self._gathered = np.empty((rows, train.y.shape[1]), train.y.dtype)
        self._views = {count: list(self._slices(count)) for count in {min(rows, self.n), self.n % rows} - {0}}

    def epoch(self, epoch: int) -> Iterator[tuple[Array, Array, Array | None]]:
        """Yield `x (R, 1, B, D + 1)`, `y (R, 1, C or 1, B)` and weights `(R, 1, 1, B)`, None where rows count alike.

        They are views of buffers that the next ones overwrite.
        """
        orders = [replicate.order(epoch) for replicate in self.replicates]
        block = self.steps * self.batch_size
        for start in range(0, self.n, block):
            rows = min(block, self.n - start)
            for r, order in enumerate(orders):
                self._gather(r, order[start : start + rows])
            yield from self._views[rows]

    def _gather(self, r: int, rows: Array) -> None:
        """Copy the rows of one replicate in; targets turn to features first, a minibatch after the other."""
        train = self.replicates[r].data.train
        count = len(rows)
        np.take(train.x, rows, axis=0, out=self._x[r, 0, :count], mode="clip")
        if self._w is not None and train.weights is not None:
            self._w[r, 0, 0, :count] = train.weights[rows, 0]
        y = self.target(np.take(train.y, rows, axis=0, out=self._gathered[:count], mode="clip"))
        outputs = y.shape[1]
        whole = count // self.batch_size * self.batch_size
        target = self._y[r, 0]
        turned = y[:whole].reshape(-1, self.batch_size, outputs).swapaxes(-1, -2)
        target[: whole * outputs].reshape(turned.shape)[...] = turned
        target[whole * outputs : count * outputs].reshape(outputs, count - whole)[...] = y[whole:].T

    def _slices(self, rows: int) -> Iterator[tuple[Array, Array, Array | None]]:
        replicates, outputs = len(self.replicates), self.target(self._gathered[:1]).shape[1]
        for start in range(0, rows, self.batch_size):
            stop = min(start + self.batch_size, rows)
            y = self._y[..., start * outputs : stop * outputs]
            weights = None if self._w is None else self._w[..., start:stop]
            yield self._x[:, :, start:stop], y.reshape(replicates, 1, outputs, stop - start), weights
