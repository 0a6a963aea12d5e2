"""The counterpart of the training loop for whole-batch methods: an epoch is one iteration, in float64.

The runs of a pack are taken one after the other: each has a course of its own, and what it computes depends on its
config and its replicate alone. Every evaluation is counted, in passes over the train rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives import full_batch
from objectives.errors import Complaint, InvalidInput
from objectives.evaluation.predictions import evaluation_of
from objectives.evaluation.training_objective import objective_of, penalty_of
from objectives.full_batch import RUNNING, VERDICTS, Method, Objective, penalised
from objectives.optimizers import hyperparameters, row_of
from objectives.problem import Problem
from objectives.training.outcome import Outcome, State, freeze, in_range

__all__ = ["COUNTS", "iterate", "work"]

Array = NDArray[Any]
Config = Mapping[str, Any]
COUNTS = ("functions", "gradients", "hessians")
CODES = list(VERDICTS)  # a verdict travels as its place in this list


class _Run:
    """One run: a method on one replicate's objective, and where it stands."""

    def __init__(self, problem: Problem, config: Config, replicate: int) -> None:
        row = row_of(config)
        if row.method is None:
            raise InvalidInput(Complaint("optimizer", f"{row.name} goes by minibatches", "train it in another pack"))
        self.method: Method = row.method
        self.values = {**hyperparameters(config), **{f.name: float(config.get(f.name, False)) for f in row.flags}}
        self.decay = penalty_of(problem, config)
        self.objective: Objective = penalised(objective_of(problem, replicate=replicate), self.decay)
        if self.decay.any():
            self.objective = replace(self.objective, margin=None, recedes=None)

    def begin(self) -> full_batch.State:
        """Build the state before the first iteration."""
        return self.method.begin(self.objective, self.objective.start)

    def step(self, state: full_batch.State) -> full_batch.State:
        """Make one iteration; return a state that is not running unchanged."""
        return self.method.step(self.objective, state, self.values) if state.status == RUNNING else state

    def loss(self, state: full_batch.State) -> float:
        """Return the training loss without the penalty of weight decay."""
        return state.value - float(state.point * state.point @ self.decay) / 2


def iterate(problem: Problem, configs: Sequence[Config], epochs: int, state: State | None) -> Outcome:
    """Take `epochs` iterations of each config's method.

    Raises InvalidInput for a config that goes by minibatches, or that its method does not allow.
    """
    runs = [[_Run(problem, config, r) for config in configs] for r in range(len(problem.replicates))]
    evaluate, dtype = evaluation_of(problem, len(configs), "valid"), problem.data.train.x.dtype
    history: list[dict[str, Array]] = []
    with np.errstate(all="ignore"):
        now = state or _packed(0, runs, [[run.begin() for run in row] for row in runs])
        for _ in range(epochs):
            stepped = _stepped(runs, now)
            now = _packed(now.epoch + 1, runs, stepped, now.alive)
            values = {"train_loss": _table(runs, stepped, _Run.loss), "objective": now.marks["value"].copy()}
            values |= evaluate(now.weights.astype(dtype))
            now.alive[...] &= in_range(now.weights, values)
            values |= {name: now.marks[name].copy() for name in (*COUNTS, "verdict")}
            values["evaluations"] = work(problem, now.marks)
            freeze(now.weights, now.slots, values, ~now.alive)
            history.append(values)
    curves = {name: np.stack([values[name] for values in history], axis=-1) for name in history[0]} if history else {}
    return Outcome(curves, now)


def work(problem: Problem, counts: Mapping[str, Array]) -> Array:
    """Convert `counts (R, K)` of evaluations to the cost in gradients with their values, by the size of their products.

    A value alone is half of one. A Hessian of D inputs and C outputs is `C (C + 1) / 2` products of D x n x D, a
    gradient with its value two of D x n x C.
    """
    inputs, outputs = problem.shapes[0]
    values, gradients = counts["functions"] - counts["gradients"], counts["gradients"]
    return gradients + values / 2 + counts["hessians"] * inputs * (outputs + 1) / 4


def _stepped(runs: list[list[_Run]], now: State) -> list[list[full_batch.State]]:
    """Make one iteration in every run; diverged runs stay as they are."""
    places = [[_unpacked(run, now, r, k) for k, run in enumerate(row)] for r, row in enumerate(runs)]
    return [
        [run.step(place) if now.alive[r, k] else place for k, (run, place) in enumerate(zip(row, own, strict=True))]
        for r, (row, own) in enumerate(zip(runs, places, strict=True))
    ]


def _table(runs: list[list[_Run]], states: list[list[full_batch.State]], fact: Any) -> Array:
    """Collect `fact(run, state)` of every run in an array `(R, K)`."""
    return np.array(
        [[fact(run, s) for run, s in zip(row, own, strict=True)] for row, own in zip(runs, states, strict=True)]
    )


def _packed(
    epoch: int, runs: list[list[_Run]], states: list[list[full_batch.State]], alive: Array | None = None
) -> State:
    """Combine states of runs to the state of a pack: slot 0 is the gradient, the others hold the method's vectors."""
    weights = np.array([[s.point for s in own] for own in states])
    most = max(1 + run.method.vectors for row in runs for run in row)
    slots = np.zeros((most, *weights.shape))
    for r, own in enumerate(states):
        for k, s in enumerate(own):
            slots[0, r, k], slots[1 : 1 + len(s.vectors), r, k] = s.gradient, s.vectors
    marks = {name: _table(runs, states, lambda run, s, n=name: float(getattr(s, n))) for name in ("value", *COUNTS)}
    marks["verdict"] = _table(runs, states, lambda run, s: float(CODES.index(s.status)))
    for name in sorted({name for row in runs for run in row for name in run.method.numbers}):
        marks[name] = _table(runs, states, lambda run, s, n=name: float(s.numbers.get(n, 0.0)))
    return State(epoch, weights, slots, np.ones(weights.shape[:2], bool) if alive is None else alive.copy(), marks)


def _unpacked(run: _Run, now: State, r: int, k: int) -> full_batch.State:
    """Extract the state of one run from that of its pack."""
    marks = {name: float(mark[r, k]) for name, mark in now.marks.items()}
    return full_batch.State(
        now.epoch,
        now.weights[r, k],
        marks["value"],
        now.slots[0, r, k],
        int(marks["functions"]),
        int(marks["gradients"]),
        now.slots[1 : 1 + run.method.vectors, r, k],
        int(marks["hessians"]),
        CODES[int(marks["verdict"])],
        {name: marks[name] for name in run.method.numbers},
    )
