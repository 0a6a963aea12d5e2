"""Momentum divided by the size of recent gradients: adam, amsgrad, adamax, nadam."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np

from objectives.optimizers.definition import Array, Columns, Convention, Rule, column

__all__ = ["adam_rule", "adamax_rule", "amsgrad_rule", "nadam_rule"]

NOTHING = 1e-20  # a product below it leaves 1 - product at 1


def adam_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose Adam's rule for a framework; only a coefficient depends on the position of eps."""
    del on
    return Rule(2, partial(_adam_coefficients, hat=convention.eps == "hat"), adam)


def amsgrad_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose AMSGrad's rule: the maximum of the running averages, or of the corrected ones."""
    del on
    if convention.eps == "corrected":
        return Rule(3, _corrected_coefficients, amsgrad_corrected)
    return Rule(3, partial(_adam_coefficients, hat=convention.eps == "hat"), amsgrad)


def adamax_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose AdaMax's rule: eps inside the maximum, or added to it."""
    del on
    return Rule(2, _adamax_coefficients, adamax_hat if convention.eps == "hat" else adamax)


def nadam_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose NAdam's rule; frameworks differ only in `momentum_decay`."""
    del convention, on
    return Rule(2, _nadam_coefficients, nadam)


def _powers(beta: Array, t: Array) -> Array:
    """Compute `beta^t (T, K)` for columns `beta (K,)` and counts `t (T, 1)`, one trial at a time.

    np.power rounds differently for many trials than for one, because its inner loop differs; a trial's bits must not
    depend on the pack. A beta that all trials share gives a single column `(T, 1)`.
    """
    counts = np.ascontiguousarray(t[:, 0])
    different = beta[:1] if (beta == beta[0]).all() else beta
    return np.stack([np.power(float(b), counts) for b in different], axis=1)


def _adam_coefficients(h: Columns, lr: Array, t: Array, *, hat: bool) -> tuple[Array, ...]:
    b1, b2 = h["beta1"], h["beta2"]
    correction = np.sqrt(1 - _powers(b2, t))
    root = np.sqrt(1 - b2)
    rate = lr * (1 - b1) * correction / ((1 - _powers(b1, t)) * root)
    eps = column(h["eps"] / root, lr) if hat else h["eps"] * correction / root
    return rate, column(b1, lr), column(b2, lr), eps


def _averages(m: Array, v: Array, g: Array, b1: Array, b2: Array, scratch: Array) -> None:
    """Update `M = b1 M + g; V = b2 V + g^2`."""
    np.multiply(m, b1, out=m)
    np.add(m, g, out=m)
    np.multiply(v, b2, out=v)
    np.multiply(g, g, out=scratch)
    np.add(v, scratch, out=v)


def _divided(p: Array, m: Array, size: Array, eps: Array, rate: Array, scratch: Array) -> None:
    """Update `p -= rate m / (sqrt(size) + eps)`."""
    np.sqrt(size, out=scratch)
    np.add(scratch, eps, out=scratch)
    np.divide(m, scratch, out=scratch)
    np.multiply(scratch, rate, out=scratch)
    np.subtract(p, scratch, out=p)


def adam(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.

    Stores `M = m / (1 - b1)`, `V = v / (1 - b2)`. As in torch and optax, eps is added outside the root, after the bias
    correction; Keras and scikit-learn add it before: `p -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)`.
    Source: Kingma and Ba 2015, torch.optim.Adam 2.13.
    """
    (m, v), (rate, b1, b2, eps) = slots, c
    _averages(m, v, g, b1, b2, scratch)
    _divided(p, m, v, eps, rate, scratch)


def amsgrad(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update as `adam`, with the largest `v` so far before its bias correction. Source: Reddi et al. 2018."""
    (m, v, most), (rate, b1, b2, eps) = slots, c
    _averages(m, v, g, b1, b2, scratch)
    np.maximum(most, v, out=most)
    _divided(p, m, most, eps, rate, scratch)


def _corrected_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    b1, b2 = h["beta1"], h["beta2"]
    rate, scale = lr * (1 - b1) / (1 - _powers(b1, t)), (1 - b2) / (1 - _powers(b2, t))
    return rate, column(b1, lr), column(b2, lr), column(h["eps"], lr), scale


def amsgrad_corrected(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update as `adam`, with the largest `v / (1 - b2^t)` so far: optax."""
    (m, v, most), (rate, b1, b2, eps, scale) = slots, c
    _averages(m, v, g, b1, b2, scratch)
    np.multiply(v, scale, out=scratch)
    np.maximum(most, scratch, out=most)
    _divided(p, m, most, eps, rate, scratch)


def _adamax_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    b1 = h["beta1"]
    rate = lr * (1 - b1) / (1 - _powers(b1, t))
    return rate, column(b1, lr), column(h["beta2"], lr), column(h["eps"], lr)


def adamax(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `m = b1 m + (1 - b1) g; u = max(b2 u, |g| + eps); p -= lr / (1 - b1^t) m / u`; `M = m / (1 - b1)`.

    Source: Kingma and Ba 2015, section 7; eps as in torch and optax.
    """
    (m, u), (rate, b1, b2, eps) = slots, c
    np.multiply(m, b1, out=m)
    np.add(m, g, out=m)
    np.multiply(u, b2, out=u)
    np.abs(g, out=scratch)
    np.add(scratch, eps, out=scratch)
    np.maximum(u, scratch, out=u)
    np.divide(m, u, out=scratch)
    np.multiply(scratch, rate, out=scratch)
    np.subtract(p, scratch, out=p)


def adamax_hat(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `u = max(b2 u, |g|); p -= lr / (1 - b1^t) m / (u + eps)`, else as `adamax`: Keras."""
    (m, u), (rate, b1, b2, eps) = slots, c
    np.multiply(m, b1, out=m)
    np.add(m, g, out=m)
    np.multiply(u, b2, out=u)
    np.abs(g, out=scratch)
    np.maximum(u, scratch, out=u)
    np.add(u, eps, out=scratch)
    np.divide(m, scratch, out=scratch)
    np.multiply(scratch, rate, out=scratch)
    np.subtract(p, scratch, out=p)


def _shares(beta: float, decay: float, t: Array) -> tuple[Array, Array]:
    """Compute NAdam's shares `(T,)` of gradient and momentum: `(1 - mu_t) / (1 - P_t)`, `mu_t+1 / (1 - P_t+1)`.

    The product `P_t` of `mu_1 ... mu_t` always starts at the first update, also in a resumed run. As `mu < beta`, it
    vanishes before `beta^t` does.
    """
    last = int(t[-1]) + 1
    counts = np.arange(1, last + 1)
    mu = beta * (1 - 0.5 * np.power(0.96, counts * decay))
    vanished = last if beta == 0 else min(last, 2 + int(np.log(NOTHING) / np.log(beta)))
    product = np.zeros(last)
    product[:vanished] = np.cumprod(mu[:vanished])
    now = t.astype(int) - 1
    return (1 - mu[now]) / (1 - product[now]), mu[now + 1] / (1 - product[now + 1])


def _nadam_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    b1, b2 = h["beta1"], h["beta2"]
    pairs = [_shares(float(b), float(d), t[:, 0]) for b, d in zip(b1, h["momentum_decay"], strict=True)]
    gradient, moment = (np.stack(shares, axis=1) for shares in zip(*pairs, strict=True))
    scale = np.sqrt(1 - _powers(b2, t)) / np.sqrt(1 - b2)
    return lr * scale * gradient, column(b1, lr), column(b2, lr), h["eps"] * scale, (1 - b1) * moment / gradient


def nadam(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `p -= lr ((1 - mu_t) / (1 - P_t) g + mu_t+1 / (1 - P_t+1) m) / (sqrt(v / (1 - b2^t)) + eps)`, else as
    `adam`.

    `mu_t = b1 (1 - 0.96^(t momentum_decay) / 2)`, `P_t` their product. torch keeps the product in float32.
    Source: Dozat 2016, torch.optim.NAdam 2.13.
    """
    (m, v), (rate, b1, b2, eps, ratio) = slots, c
    _averages(m, v, g, b1, b2, scratch)
    np.multiply(m, ratio, out=scratch)
    np.add(g, scratch, out=g)
    _divided(p, g, v, eps, rate, scratch)
