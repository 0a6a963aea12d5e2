"""Where a pack of trials stands, and what training it for some epochs has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.training.early_stopping import STOPPED

__all__ = ["LARGEST", "Outcome", "State", "freeze", "in_range"]

Array = NDArray[Any]
LARGEST = 1e19  # of a training loss: squares of larger numbers are no float32


@dataclass(frozen=True)
class State:
    """Where a pack stands after `epoch` epochs: all that the next epoch needs.

    `weights` are `(R, K, P)`, `slots` `(S, R, K, P)` with S the most that any of the rules keeps, `alive` `(R, K)`.
    `marks` are further numbers of each run by name, `(R, K)` in float64; 0 where a trial has none of that name.
    """

    epoch: int
    weights: Array
    slots: Array
    alive: Array
    marks: Mapping[str, Array] = field(default_factory=dict)

    def take(self, trials: Sequence[int]) -> State:
        """Select the state of some trials, in the given order."""
        rows = list(trials)
        marks = {name: mark[:, rows] for name, mark in self.marks.items()}
        return State(self.epoch, self.weights[:, rows], self.slots[:, :, rows], self.alive[:, rows], marks)

    @staticmethod
    def join(states: Sequence[State]) -> State:
        """Join packs at the same epoch along trials; rules with fewer slots get empty slots."""
        return _concatenated(states, 1)

    @staticmethod
    def stack(states: Sequence[State]) -> State:
        """Join packs of the same trials at the same epoch along replicates."""
        return _concatenated(states, 0)


@dataclass(frozen=True)
class Outcome:
    """What `descend` returns: `curves[name]` is `(R, K, E)` for the epochs just run, in float64.

    Curves: `train_loss` (mean over the epoch's minibatches as they were met), `valid_loss` and `valid_*` metrics. From
    the epoch in which a trial diverges its losses are inf and its metrics nan.
    """

    curves: dict[str, Array]
    state: State

    @property
    def diverged(self) -> Array:
        """Return the mask `(R, K)` of trials whose numbers are no longer finite."""
        return ~self.state.alive

    @property
    def stopped(self) -> Array:
        """Return the mask `(R, K)` of runs that stopped early and keep the weights of that epoch."""
        stopped: Array = self.state.marks.get(STOPPED, np.zeros(self.state.alive.shape)) > 0
        return stopped

    @staticmethod
    def join(outcomes: Sequence[Outcome]) -> Outcome:
        """Join outcomes over the same epochs along trials."""
        names = outcomes[0].curves
        curves = {name: np.concatenate([outcome.curves[name] for outcome in outcomes], axis=1) for name in names}
        return Outcome(curves, State.join([outcome.state for outcome in outcomes]))


def _concatenated(states: Sequence[State], axis: int) -> State:
    """Concatenate states along axis 0 (replicates) or 1 (trials); missing slots and marks become zeros."""
    most = max(len(state.slots) for state in states)
    padded = [
        np.concatenate([s.slots, np.zeros((most - len(s.slots), *s.weights.shape), s.slots.dtype)]) for s in states
    ]
    names = sorted({name for s in states for name in s.marks})
    return State(
        states[0].epoch,
        np.concatenate([s.weights for s in states], axis=axis),
        np.concatenate(padded, axis=axis + 1),
        np.concatenate([s.alive for s in states], axis=axis),
        {name: np.concatenate([s.marks.get(name, np.zeros(s.alive.shape)) for s in states], axis) for name in names},
    )


def in_range(weights: Array, values: Mapping[str, Array]) -> Array:
    """Return the mask `(R, K)` of runs that can continue after an epoch: finite numbers within the allowed range.

    Only training values are bounded. Validation loss is not: one wrong target among the validation rows makes it huge
    whatever the weights are, and rows of a single class have a constant loss of zero.
    """
    finite = np.isfinite(values["valid_loss"]) & np.isfinite(weights).all(axis=-1)
    sound: Array = finite & (values["train_loss"] <= LARGEST)
    return sound


def freeze(weights: Array, slots: Array, values: Mapping[str, Array], dead: Array) -> None:
    """Put diverged runs, `dead (R, K)`, to zero, where nothing overflows, and say so in an epoch's `values (R, K)`."""
    if dead.any():
        weights[dead] = 0
        slots[:, dead] = 0
        for name, value in values.items():
            value[dead] = np.inf if name.endswith("_loss") or name == "objective" else np.nan
