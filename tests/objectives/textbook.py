"""Update rules as a textbook prints them: one function a rule, whole vectors, nothing saved.

Each takes weights `(P,)` and a list of (gradient `(P,)`, learning rate) and returns the weights after every update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Steps = Sequence[tuple[Array, float]]


def sgd(p: Array, steps: Steps, weight_decay: float) -> list[Array]:
    path = []
    for g, lr in steps:
        p = p - lr * (g + weight_decay * p)
        path.append(p)
    return path


def momentum(p: Array, steps: Steps, momentum: float, weight_decay: float) -> list[Array]:
    path, b = [], None
    for gradient, lr in steps:
        g = gradient + weight_decay * p
        b = g if b is None else momentum * b + g
        p = p - lr * b
        path.append(p)
    return path


def nesterov(p: Array, steps: Steps, momentum: float, weight_decay: float) -> list[Array]:
    path, b = [], None
    for gradient, lr in steps:
        g = gradient + weight_decay * p
        b = g if b is None else momentum * b + g
        p = p - lr * (g + momentum * b)
        path.append(p)
    return path


def rmsprop(p: Array, steps: Steps, alpha: float, eps: float, weight_decay: float) -> list[Array]:
    path, v = [], np.zeros_like(p)
    for gradient, lr in steps:
        g = gradient + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        p = p - lr * g / (np.sqrt(v) + eps)
        path.append(p)
    return path


def adam(p: Array, steps: Steps, beta1: float, beta2: float, eps: float, weight_decay: float) -> list[Array]:
    decayed = [(gradient, lr, weight_decay) for gradient, lr in steps]
    return _adam(p, decayed, beta1, beta2, eps, lambda p, lr: p)


def adamw(p: Array, steps: Steps, beta1: float, beta2: float, eps: float, weight_decay: float) -> list[Array]:
    undecayed = [(gradient, lr, 0.0) for gradient, lr in steps]
    return _adam(p, undecayed, beta1, beta2, eps, lambda p, lr: p * (1 - lr * weight_decay))


def _adam(
    p: Array,
    steps: Sequence[tuple[Array, float, float]],
    beta1: float,
    beta2: float,
    eps: float,
    shrink: Callable[[Array, float], Array],
) -> list[Array]:
    path, m, v = [], np.zeros_like(p), np.zeros_like(p)
    for t, (gradient, lr, coupled) in enumerate(steps, start=1):
        g = gradient + coupled * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        p = shrink(p, lr) - lr * m_hat / (np.sqrt(v_hat) + eps)
        path.append(p)
    return path


RULES: dict[str, Callable[..., list[Array]]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
}
