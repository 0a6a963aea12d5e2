"""Steps along the gradient or a decaying sum of it: sgd, momentum, nesterov."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from objectives.optimizers.definition import Array, Columns, Convention, Rule, column

__all__ = ["momentum_rule", "nesterov_rule", "sgd_rule"]


def sgd_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose the rule of gradient descent, which is the same in every framework."""
    del convention, on
    return Rule(0, _rate, sgd)


def momentum_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose the heavy-ball rule: learning rate outside the buffer or inside."""
    del on
    return Rule(1, _coefficients, momentum_of_steps if convention.buffered else momentum)


def nesterov_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose Nesterov's rule: learning rate outside the buffer or inside."""
    del on
    return Rule(1, _coefficients, nesterov_of_steps if convention.buffered else nesterov)


def _rate(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del h, t
    return (lr,)


def _coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del t
    return lr, column(h["momentum"], lr)


def sgd(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `p -= lr g`. Source: torch.optim.SGD 2.13."""
    del slots, scratch
    np.multiply(g, c[0], out=g)
    np.subtract(p, g, out=p)


def momentum(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `b = mu b + g; p -= lr b`: the rate stays outside the buffer, the first step is `b = g`.

    Source: Polyak 1964, torch.optim.SGD 2.13.
    """
    (b,), (lr, mu) = slots, c
    np.multiply(b, mu, out=b)
    np.add(b, g, out=b)
    np.multiply(b, lr, out=scratch)
    np.subtract(p, scratch, out=p)


def nesterov(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `b = mu b + g; p -= lr (g + mu b)` with the updated `b`. Source: Nesterov 1983, torch.optim.SGD 2.13."""
    (b,), (lr, mu) = slots, c
    np.multiply(b, mu, out=b)
    np.add(b, g, out=b)
    np.multiply(b, mu, out=scratch)
    np.add(scratch, g, out=scratch)
    np.multiply(scratch, lr, out=scratch)
    np.subtract(p, scratch, out=p)


def momentum_of_steps(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `b = mu b + lr g; p -= b`: Keras and scikit-learn. Equals `momentum` while the rate is constant."""
    (b,), (lr, mu) = slots, c
    del scratch
    np.multiply(b, mu, out=b)
    np.multiply(g, lr, out=g)
    np.add(b, g, out=b)
    np.subtract(p, b, out=p)


def nesterov_of_steps(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `b = mu b + lr g; p -= lr g + mu b` with the updated `b`: Keras and scikit-learn."""
    (b,), (lr, mu) = slots, c
    np.multiply(b, mu, out=b)
    np.multiply(g, lr, out=g)
    np.add(b, g, out=b)
    np.multiply(b, mu, out=scratch)
    np.add(scratch, g, out=scratch)
    np.subtract(p, scratch, out=p)
