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


def adagrad(p: Array, steps: Steps, initial_accumulator: float, eps: float, weight_decay: float) -> list[Array]:
    path, total = [], np.full_like(p, initial_accumulator)
    for gradient, lr in steps:
        g = gradient + weight_decay * p
        total = total + g**2
        p = p - lr * g / (np.sqrt(total) + eps)
        path.append(p)
    return path


def rmsprop(
    p: Array, steps: Steps, alpha: float, eps: float, momentum: float, weight_decay: float, centered: bool
) -> list[Array]:
    path, v, a, b = [], np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    for gradient, lr in steps:
        g = gradient + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        a = alpha * a + (1 - alpha) * g
        b = momentum * b + g / (np.sqrt(v - a**2 if centered else v) + eps)
        p = p - lr * b
        path.append(p)
    return path


def adadelta(p: Array, steps: Steps, rho: float, eps: float, weight_decay: float) -> list[Array]:
    path, v, u = [], np.zeros_like(p), np.zeros_like(p)
    for gradient, lr in steps:
        g = gradient + weight_decay * p
        v = rho * v + (1 - rho) * g**2
        d = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * d**2
        p = p - lr * d
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


def amsgrad(p: Array, steps: Steps, beta1: float, beta2: float, eps: float, weight_decay: float) -> list[Array]:
    path, m, v, most = [], np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    for t, (gradient, lr) in enumerate(steps, start=1):
        g = gradient + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        most = np.maximum(most, v)
        p = p - lr * m / (1 - beta1**t) / (np.sqrt(most / (1 - beta2**t)) + eps)
        path.append(p)
    return path


def adamax(p: Array, steps: Steps, beta1: float, beta2: float, eps: float, weight_decay: float) -> list[Array]:
    path, m, u = [], np.zeros_like(p), np.zeros_like(p)
    for t, (gradient, lr) in enumerate(steps, start=1):
        g = gradient + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g) + eps)
        p = p - lr / (1 - beta1**t) * m / u
        path.append(p)
    return path


def nadam(
    p: Array, steps: Steps, beta1: float, beta2: float, eps: float, momentum_decay: float, weight_decay: float
) -> list[Array]:
    def mu(t: int) -> float:
        return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    path, m, v, product = [], np.zeros_like(p), np.zeros_like(p), 1.0
    for t, (gradient, lr) in enumerate(steps, start=1):
        g = gradient + weight_decay * p
        product *= mu(t)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step = (1 - mu(t)) / (1 - product) * g + mu(t + 1) / (1 - product * mu(t + 1)) * m
        p = p - lr * step / (np.sqrt(v / (1 - beta2**t)) + eps)
        path.append(p)
    return path


RULES: dict[str, Callable[..., list[Array]]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adamw,
    "amsgrad": amsgrad,
    "adamax": adamax,
    "nadam": nadam,
}
