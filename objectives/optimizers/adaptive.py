"""Steps divided by the size that each weight's gradients had: adagrad, rmsprop, adadelta."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np

from objectives.optimizers.definition import Array, Columns, Convention, Rule, column

__all__ = ["adadelta_rule", "adagrad_rule", "rmsprop_rule"]


def adagrad_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose Adagrad's rule: eps outside or inside the root.

    An initial accumulator above zero costs an extra pass only where eps is outside.
    """
    if convention.eps == "inside":
        return Rule(1, _adagrad_inside_coefficients, adagrad_inside)
    if "initial_accumulator" in on:
        return Rule(1, _adagrad_coefficients, adagrad_from)
    return Rule(1, _adagrad_coefficients, adagrad)


def _adagrad_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del t
    return lr, column(h["eps"], lr), column(h["initial_accumulator"], lr)


def _adagrad_inside_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del t
    return lr, column(h["eps"] + h["initial_accumulator"], lr)


def adagrad(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `G = G + g^2; p -= lr g / (sqrt(G) + eps)`. Source: Duchi et al. 2011."""
    (total,), (lr, eps, _) = slots, c
    np.multiply(g, g, out=scratch)
    np.add(total, scratch, out=total)
    np.sqrt(total, out=scratch)
    np.add(scratch, eps, out=scratch)
    _divided(p, g, scratch, lr)


def adagrad_from(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update as `adagrad`, adding `initial_accumulator` to the sum on use: slots start at zero."""
    (total,), (lr, eps, initial) = slots, c
    np.multiply(g, g, out=scratch)
    np.add(total, scratch, out=total)
    np.add(total, initial, out=scratch)
    np.sqrt(scratch, out=scratch)
    np.add(scratch, eps, out=scratch)
    _divided(p, g, scratch, lr)


def adagrad_inside(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `G = G + g^2; p -= lr g / sqrt(G + eps)`: Keras and optax."""
    (total,), (lr, more) = slots, c
    np.multiply(g, g, out=scratch)
    np.add(total, scratch, out=total)
    np.add(total, more, out=scratch)
    np.sqrt(scratch, out=scratch)
    _divided(p, g, scratch, lr)


def _divided(p: Array, g: Array, scratch: Array, rate: Array) -> None:
    """Update `p -= rate g / scratch`."""
    np.divide(g, scratch, out=scratch)
    np.multiply(scratch, rate, out=scratch)
    np.subtract(p, scratch, out=p)


def rmsprop_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose RMSprop's rule: centered or not, with or without momentum, eps outside or inside the root."""
    centered, moving, inside = "centered" in on, "momentum" in on, convention.eps == "inside"
    update = partial(rmsprop, centered=centered, moving=moving, inside=inside, buffered=convention.buffered)
    return Rule(1 + centered + moving, partial(_rmsprop_coefficients, inside=inside), update)


def _rmsprop_coefficients(h: Columns, lr: Array, t: Array, *, inside: bool) -> tuple[Array, ...]:
    del t
    share = 1 - h["alpha"]
    root = np.sqrt(share)
    eps = h["eps"] / (share if inside else root)
    return lr / root, column(h["alpha"], lr), column(eps, lr), column(h["momentum"], lr), column(share, lr)


def rmsprop(  # noqa: PLR0913
    p: Array,
    g: Array,
    slots: Sequence[Array],
    c: Sequence[Array],
    scratch: Array,
    *,
    centered: bool,
    moving: bool,
    inside: bool,
    buffered: bool,
) -> None:
    """Update `v = alpha v + (1 - alpha) g^2; q = g / (sqrt(v) + eps)` without bias correction; `V = v / (1 - alpha)`.

    Then `p -= lr q`, or with momentum `b = mu b + q; p -= lr b` (`b = mu b + lr q; p -= b` where the buffer holds
    steps). Centered: `a = alpha a + (1 - alpha) g`, and the variance `v - a^2` replaces `v`. Rounding can make it
    negative: torch then gives nan, here it counts as zero.
    """
    v, (rate, alpha, eps, mu, share) = slots[0], c
    np.multiply(v, alpha, out=v)
    np.multiply(g, g, out=scratch)
    np.add(v, scratch, out=v)
    size = v
    if centered:
        size = _variance(v, slots[-1], g, alpha, share, scratch)
    if inside:
        np.add(size, eps, out=scratch)
        np.sqrt(scratch, out=scratch)
    else:
        np.sqrt(size, out=scratch)
        np.add(scratch, eps, out=scratch)
    if not moving:
        _divided(p, g, scratch, rate)
        return
    b = slots[1]
    np.divide(g, scratch, out=scratch)
    np.multiply(b, mu, out=b)
    if buffered:
        np.multiply(scratch, rate, out=scratch)
        np.add(b, scratch, out=b)
        np.subtract(p, b, out=p)
    else:
        np.add(b, scratch, out=b)
        np.multiply(b, rate, out=scratch)
        np.subtract(p, scratch, out=p)


def _variance(v: Array, a: Array, g: Array, alpha: Array, share: Array, scratch: Array) -> Array:
    """Compute `max(V - (1 - alpha) A^2, 0)` in `scratch` after updating `A = a / (1 - alpha)`."""
    np.multiply(a, alpha, out=a)
    np.add(a, g, out=a)
    np.multiply(a, a, out=scratch)
    np.multiply(scratch, share, out=scratch)
    np.subtract(v, scratch, out=scratch)
    np.maximum(scratch, 0, out=scratch)
    return scratch


def adadelta_rule(convention: Convention, on: Collection[str]) -> Rule:
    """Choose Adadelta's rule, which is the same in every framework."""
    del convention, on
    return Rule(2, _adadelta_coefficients, adadelta)


def _adadelta_coefficients(h: Columns, lr: Array, t: Array) -> tuple[Array, ...]:
    del t
    return lr, column(h["rho"], lr), column(h["eps"] / (1 - h["rho"]), lr)


def adadelta(p: Array, g: Array, slots: Sequence[Array], c: Sequence[Array], scratch: Array) -> None:
    """Update `v = rho v + (1 - rho) g^2; d = g sqrt(u + eps) / sqrt(v + eps); u = rho u + (1 - rho) d^2; p -= lr d`.

    Stored as `V = v / (1 - rho)`, `U = u / (1 - rho)` with `eps / (1 - rho)`, so that the factor cancels.
    Source: Zeiler 2012.
    """
    (v, u), (lr, rho, eps) = slots, c
    np.multiply(v, rho, out=v)
    np.multiply(g, g, out=scratch)
    np.add(v, scratch, out=v)
    np.add(u, eps, out=scratch)
    np.sqrt(scratch, out=scratch)
    np.multiply(g, scratch, out=g)
    np.add(v, eps, out=scratch)
    np.sqrt(scratch, out=scratch)
    np.divide(g, scratch, out=g)
    np.multiply(u, rho, out=u)
    np.multiply(g, g, out=scratch)
    np.add(u, scratch, out=u)
    np.multiply(g, lr, out=g)
    np.subtract(p, g, out=p)
