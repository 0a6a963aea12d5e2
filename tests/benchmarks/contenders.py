"""Ways to do the same work, each a function or an object that is called with a number of epochs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from objectives.data import SplitSpec, load_table, prepare
from objectives.models import Model
from objectives.problem import Problem, Replicate
from objectives.training.descent import descend

try:
    import torch
except ImportError:
    torch = None

__all__ = ["Bare", "Case", "Hand", "run_ours", "run_sklearn", "run_torch", "torch"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """What is trained: `hidden` units or none, with a rule, in minibatches, on a data set."""

    hidden: int
    rule: str
    batch: int
    data: str = "digits"

    @property
    def problem(self) -> Problem:
        """The data in float32 and the model."""
        return problem_of(self.data, self.hidden)

    def config(self, lr: float = 1e-3) -> dict[str, Any]:
        return {"optimizer": self.rule, "lr": lr, "batch_size": self.batch, "epochs": 100}


@cache
def problem_of(data: str, hidden: int) -> Problem:
    prepared = prepare(load_table(f"sklearn:{data}", base=Path()), SplitSpec(), 0)
    return Problem((Replicate(0, 0, prepared),), Model((hidden,) if hidden else ()))


def rates(pack: int) -> list[float]:
    return [1e-3 * (1 + k / pack) for k in range(pack)]


def run_ours(case: Case, pack: int, epochs: int) -> None:
    """`descend`; loss and accuracy on the validation rows after every epoch included, as in all that follow."""
    descend(case.problem, [case.config(lr) for lr in rates(pack)], epochs)


class Bare:
    """The products of ours and nothing else, into buffers made beforehand: for a network with a hidden layer five for
    each minibatch, and two for the validation rows after every epoch.
    """

    def __init__(self, case: Case, pack: int) -> None:
        rng, problem = np.random.default_rng(0), case.problem
        inputs, outputs, n = problem.inputs, problem.outputs, len(problem.data.train)
        shapes = ((inputs, case.hidden), (case.hidden, outputs))
        w1, w2 = (rng.normal(size=(pack, *shape)).astype("float32") for shape in shapes)
        self.sizes = [case.batch] * (n // case.batch) + [n % case.batch] * bool(n % case.batch)
        self.products = {
            rows: self._products(rng.normal(size=(1, rows, inputs)).astype("float32"), w1, w2)
            for rows in set(self.sizes)
        }
        valid = rng.normal(size=(1, len(problem.data.valid), inputs)).astype("float32")
        self.evaluation = self._products(valid, w1, w2)[:2]

    @staticmethod
    def _products(x: Array, w1: Array, w2: Array) -> list[tuple[Array, Array, Array]]:
        (pack, _, hidden), outputs, rows = w1.shape, w2.shape[2], x.shape[1]
        a, delta_a = (np.ones((pack, rows, hidden), "float32") for _ in range(2))
        z = np.ones((pack, rows, outputs), "float32")
        return [
            (x, w1, a),
            (a, w2, z),
            (a.swapaxes(1, 2), z, np.empty_like(w2)),
            (z, w2.swapaxes(1, 2), delta_a),
            (x.swapaxes(1, 2), delta_a, np.empty_like(w1)),
        ]

    def __call__(self, epochs: int) -> None:
        for _ in range(epochs):
            for rows in self.sizes:
                for left, right, out in self.products[rows]:
                    np.matmul(left, right, out=out)
            for left, right, out in self.evaluation:
                np.matmul(left, right, out=out)


class Hand:
    """A loop of one trial as one writes it in NumPy: weights and biases apart, a gather and fresh arrays every step."""

    def __init__(self, case: Case) -> None:
        train, valid = case.problem.data.train, case.problem.data.valid
        self.case, self.replicate = case, case.problem.replicates[0]
        self.x, self.y = np.ascontiguousarray(train.x[:, :-1]), train.y.argmax(axis=1)
        self.valid_x, self.valid_y = np.ascontiguousarray(valid.x[:, :-1]), valid.y.argmax(axis=1)

    def __call__(self, epochs: int) -> None:
        rng, hidden, classes = np.random.default_rng(0), self.case.hidden, self.case.problem.outputs
        weights = []
        for inputs, outputs in ((self.x.shape[1], hidden), (hidden, classes)):
            bound = np.float32(1 / np.sqrt(inputs))
            weights += [rng.uniform(-bound, bound, size).astype("float32") for size in ((inputs, outputs), outputs)]
        slots = [[np.zeros_like(w) for w in weights] for _ in range(2)]
        t = 0
        for epoch in range(epochs):
            order, total = self.replicate.order(epoch), 0.0
            for start in range(0, len(order), self.case.batch):
                rows, t = order[start : start + self.case.batch], t + 1
                loss, gradients = self._gradients(weights, self.x[rows], self.y[rows])
                total += loss * len(rows)
                getattr(self, f"_{self.case.rule}")(weights, gradients, slots, t)
            z = np.maximum(self.valid_x @ weights[0] + weights[1], 0) @ weights[2] + weights[3]
            self._loss(z, self.valid_y)
            (z.argmax(axis=1) == self.valid_y).mean()

    @staticmethod
    def _loss(z: Array, y: Array) -> tuple[float, Array]:
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        rows = np.arange(len(y))
        loss = float((np.log(total[:, 0]) - z[rows, y]).mean())
        return loss, e / total

    def _gradients(self, weights: list[Array], x: Array, y: Array) -> tuple[float, list[Array]]:
        w1, b1, w2, b2 = weights
        a = np.maximum(x @ w1 + b1, 0)
        loss, delta = self._loss(a @ w2 + b2, y)
        delta[np.arange(len(y)), y] -= 1
        delta /= len(y)
        back = delta @ w2.T
        back[a == 0] = 0
        return loss, [x.T @ back, back.sum(axis=0), a.T @ delta, delta.sum(axis=0)]

    @staticmethod
    def _momentum(weights: list[Array], gradients: list[Array], slots: list[list[Array]], t: int) -> None:
        for w, g, b in zip(weights, gradients, slots[0], strict=True):
            b *= 0.9
            b += g
            w -= 1e-3 * b

    @staticmethod
    def _adam(weights: list[Array], gradients: list[Array], slots: list[list[Array]], t: int) -> None:
        for w, g, m, v in zip(weights, gradients, *slots, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * g**2
            w -= 1e-3 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def run_sklearn(case: Case, epochs: int) -> None:
    """MLPClassifier of the same sizes, training only."""
    train = case.problem.data.train
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        MLPClassifier(
            (case.hidden,),
            solver={"momentum": "sgd", "adam": "adam"}[case.rule],
            alpha=0.0,
            batch_size=case.batch,
            learning_rate_init=1e-3,
            momentum=0.9,
            nesterovs_momentum=False,
            max_iter=epochs,
            n_iter_no_change=epochs + 1,
            random_state=0,
        ).fit(train.x[:, :-1], train.y.argmax(axis=1))


def run_torch(problem: Problem, config: Mapping[str, Any], epochs: int) -> None:
    """An eager loop of one trial with torch.optim."""
    parts = (problem.data.train, problem.data.valid)
    train, valid = ([torch.tensor(a) for a in (p.x[:, :-1], p.y.argmax(axis=1))] for p in parts)
    hidden = problem.model.hidden[0]
    model = torch.nn.Sequential(
        torch.nn.Linear(problem.inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, problem.outputs)
    )
    criterion = torch.nn.CrossEntropyLoss()
    lr, optim = config["lr"], torch.optim
    optimizer = {
        "momentum": lambda: optim.SGD(model.parameters(), lr=lr, momentum=0.9),
        "nesterov": lambda: optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True),
        "rmsprop": lambda: optim.RMSprop(model.parameters(), lr=lr),
        "adam": lambda: optim.Adam(model.parameters(), lr=lr),
    }[config["optimizer"]]()
    for epoch in range(epochs):
        for rows in torch.tensor(problem.replicates[0].order(epoch)).split(config["batch_size"]):
            optimizer.zero_grad()
            criterion(model(train[0][rows]), train[1][rows]).backward()
            optimizer.step()
        with torch.no_grad():
            z = model(valid[0])
            criterion(z, valid[1]).item()
            (z.argmax(dim=1) == valid[1]).float().mean().item()
