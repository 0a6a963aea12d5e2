"""A pack in JAX: `jit(vmap(epoch))` over the trials, minibatches in a `lax.scan`, compiled before it is timed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.benchmarks.contenders import Case, rates

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None

__all__ = ["Jax", "jax"]


class Jax:
    """Trains a pack from the initial weights; `compiling` is how many seconds that took."""

    def __init__(self, case: Case, pack: int) -> None:
        problem = case.problem
        self.case, self.replicate = case, problem.replicates[0]
        self.binary = problem.data.task == "binary"
        self.data = [jnp.asarray(np.ascontiguousarray(a)) for p in _parts(problem) for a in (p.x[:, :-1], p.y)]
        first, start = problem.model.initial(self.replicate.weights_stream(), problem.inputs, problem.outputs), 0
        self.weights = []
        for rows, columns in problem.model.shapes(problem.inputs, problem.outputs):
            layer = first[start : start + rows * columns].reshape(rows, columns).astype("float32")
            self.weights += [jnp.asarray(np.repeat(part[None], pack, axis=0)) for part in (layer[:-1], layer[-1])]
            start += rows * columns
        zeros = [jnp.zeros_like(w) for w in self.weights]
        self.slots = [zeros, zeros] if case.rule == "adam" else [zeros]
        self.rates = jnp.asarray(rates(pack), "float32")
        epoch = jax.jit(jax.vmap(self._epoch, (0, 0, None, 0, *[None] * 5), (0, 0, None, 0, 0, 0)))
        started = time.perf_counter()
        self.epoch = epoch.lower(*self._arguments(self.weights, self.slots, jnp.float32(0), 0)).compile()
        self.compiling = time.perf_counter() - started

    def __call__(self, epochs: int) -> list[Any]:
        """Curves of the last epoch: train loss, validation loss, accuracy, `(K,)` each."""
        weights, slots, t, curves = self.weights, self.slots, jnp.float32(0), []
        for epoch in range(epochs):
            weights, slots, t, *curves = self.epoch(*self._arguments(weights, slots, t, epoch))
            curves = [np.asarray(curve) for curve in curves]
        return curves

    def _arguments(self, weights: Any, slots: Any, t: Any, epoch: int) -> tuple[Any, ...]:
        return weights, slots, t, self.rates, jnp.asarray(self.replicate.order(epoch)), *self.data

    def _epoch(self, weights: Any, slots: Any, t: Any, lr: Any, order: Any, x: Any, y: Any, vx: Any, vy: Any) -> Any:
        batch, n = self.case.batch, len(order)
        full = n // batch * batch

        def step(carry: Any, rows: Any) -> Any:
            weights, slots, t = carry
            (loss, _), gradients = jax.value_and_grad(self._loss, has_aux=True)(weights, x[rows], y[rows])
            return (*self._update(weights, gradients, slots, t + 1, lr), t + 1), loss * len(rows)

        carry, losses = jax.lax.scan(step, (weights, slots, t), order[:full].reshape(-1, batch))
        total = losses.sum()
        if full < n:
            carry, last = step(carry, order[full:])
            total += last
        loss, z = self._loss(carry[0], vx, vy)
        hits = (z > 0) == (vy > 0.5) if self.binary else z.argmax(axis=1) == vy.argmax(axis=1)
        return *carry, total / n, loss, hits.mean()

    def _loss(self, weights: Any, x: Any, y: Any) -> tuple[Any, Any]:
        for i in range(0, len(weights) - 2, 2):
            x = jax.nn.relu(x @ weights[i] + weights[i + 1])
        z = x @ weights[-2] + weights[-1]
        if self.binary:
            return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))), z
        return -jnp.mean(jnp.sum(jax.nn.log_softmax(z) * y, axis=1)), z

    def _update(self, weights: Any, gradients: Any, slots: Any, t: Any, lr: Any) -> Any:
        if self.case.rule == "momentum":
            (buffer,) = slots
            buffer = [0.9 * b + g for b, g in zip(buffer, gradients, strict=True)]
            return [w - lr * b for w, b in zip(weights, buffer, strict=True)], [buffer]
        m, v = slots
        m = [0.9 * m + 0.1 * g for m, g in zip(m, gradients, strict=True)]
        v = [0.999 * v + 0.001 * g * g for v, g in zip(v, gradients, strict=True)]
        rate, root = lr / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        moved = [w - rate * m / (jnp.sqrt(v) / root + 1e-8) for w, m, v in zip(weights, m, v, strict=True)]
        return moved, [m, v]


def _parts(problem: Any) -> tuple[Any, Any]:
    return problem.data.train, problem.data.valid
