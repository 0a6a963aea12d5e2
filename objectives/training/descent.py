"""The training loop: `descend` advances a pack of trials in lockstep, as a pure function.

    descend(problem, configs, epochs, state=None) -> Outcome(curves, state)

Every array has the axes (R, K, ...): replicates, then trials. The trials of a replicate see the same minibatches, whose
order is a pure function of (seed, epoch), and start from the same weights. What a trial computes depends on its config
and the replicate alone, bit for bit: neither on the pack it runs in nor on where a run was cut. A trial whose loss or
weights leave the finite numbers is frozen, with its weights at zero, and the pack goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objectives.buffers import aligned, aligned_copy, passes
from objectives.criterion import CRITERION_KEYS, criterion_of
from objectives.dropout import Dropout, dropout_of
from objectives.errors import Complaint, InvalidInput
from objectives.evaluation.predictions import evaluation_of
from objectives.evaluation.training_objective import TRACKED, TrainingObjective
from objectives.losses import Scratch
from objectives.models import ACTIVATIONS, Layers, Workspace, backward, forward
from objectives.optimizers import row_of
from objectives.problem import Problem
from objectives.training.early_stopping import Stopping
from objectives.training.full_batch_loop import iterate
from objectives.training.lanes import lane_edges
from objectives.training.minibatches import Minibatches
from objectives.training.outcome import Outcome, State, freeze, in_range
from objectives.training.parameter_groups import Stepper, groups_of, row_order, slots_of
from objectives.training.surface_loop import SurfaceEpoch
from objectives.types import Array, Config

__all__ = ["Outcome", "State", "descend"]


def descend(problem: Problem, configs: Sequence[Config], epochs: int, state: State | None = None) -> Outcome:
    """Advance `configs` by `epochs` epochs from `state`, or from their initial weights.

    The configs share one batch size, or are all of whole-batch methods: an epoch of theirs is an iteration.
    `config["epochs"]` is the horizon of the schedule, whatever `epochs` is. With `config["track_objective"]` true, the
    curve `objective` follows the loss of all train rows with its weight decay.
    Raises InvalidInput where the configs cannot train together or a value is out of its range.
    """
    if row_of(configs[0]).whole:
        return iterate(problem, configs, epochs, state)
    _check(problem, configs)
    order = row_order(configs)
    ordered = [configs[i] for i in order]
    with passes():
        start = state.take(order) if state else _initial(problem, ordered)
        edges = lane_edges(problem, len(ordered), int(ordered[0]["batch_size"]), len(start.slots))
        outcome = Outcome.join([_run(problem, ordered[a:b], epochs, start.take(range(a, b))) for a, b in edges])
    back = [int(i) for i in np.argsort(order)]
    return Outcome({name: curve[:, back] for name, curve in outcome.curves.items()}, outcome.state.take(back))


def _check(problem: Problem, configs: Sequence[Config]) -> None:
    whole = [row_of(config).name for config in configs if row_of(config).whole]
    if whole:
        raise InvalidInput(Complaint("optimizer", f"{whole[0]} sees all rows at once", "train it in a pack of its own"))
    sizes = {int(config["batch_size"]) for config in configs}
    if len(sizes) != 1:
        raise InvalidInput(Complaint("batch_size", f"a pack has one, but got {sorted(sizes)}"))
    size, rows = sizes.pop(), len(problem.data.train)
    if not 1 <= size <= rows:
        raise InvalidInput(Complaint("batch_size", f"must lie in [1, {rows}], the train rows, but got {size}"))
    if not problem.model.hidden and any(dropout_of(config) for config in configs):
        raise InvalidInput(Complaint("dropout", "the model has no hidden layer to drop units of"))
    named = [config for config in configs if any(key in config for key in CRITERION_KEYS)]
    if any(criterion_of(config, problem.data.task) is not problem.criterion for config in named):
        what = f"a pack has one, that of its problem: {problem.criterion.name}"
        raise InvalidInput(Complaint("loss", what, "Problem(..., trains_on=criterion_of(config, task))"))


def _initial(problem: Problem, configs: Sequence[Config]) -> State:
    """Draw the initial weights: one draw for each replicate, shared by all of its trials."""
    dtype = problem.data.train.x.dtype
    draws = [problem.initial(replicate) for replicate in problem.replicates]
    first = np.stack(draws).astype(dtype)[:, None, :]
    weights = np.repeat(first, len(configs), axis=1)
    slots = np.zeros((slots_of(configs), *weights.shape), dtype)
    return State(0, weights, slots, np.ones(weights.shape[:2], bool))


def _run(problem: Problem, configs: Sequence[Config], epochs: int, start: State) -> Outcome:
    weights, slots, alive = aligned_copy(start.weights), aligned_copy(start.slots), start.alive.copy()
    stopping = Stopping(configs, start.marks, len(alive))
    history: list[dict[str, Array]] = []
    crew: _ActiveTrials | None = None
    for epoch in range(start.epoch, start.epoch + epochs):
        moving = alive & ~stopping.stopped
        rows = np.flatnonzero(moving.any(axis=0)).tolist()
        if crew is None or crew.rows != rows:
            crew = _ActiveTrials(problem, configs, weights, slots, rows)
        values = crew(epoch, moving, {name: stopping.last(name) for name in crew.names})
        alive &= ~moving | in_range(weights, values)
        freeze(weights, slots, values, ~alive)
        stopping.see(values, moving)
        history.append(values)
    curves = {name: np.stack([values[name] for values in history], axis=-1) for name in history[0]} if history else {}
    return Outcome(curves, State(start.epoch + epochs, weights, slots, alive, stopping.marks))


class _ActiveTrials:
    """The trials of a pack that still move, in any of their replicates: the others cost nothing.

    While all move they train where the pack's weights are; fewer train in a copy and are written back every epoch.
    """

    def __init__(
        self, problem: Problem, configs: Sequence[Config], weights: Array, slots: Array, rows: list[int]
    ) -> None:
        self.rows, self.weights, self.slots = rows, weights, slots
        self.whole = len(rows) == len(configs)
        self.p = weights if self.whole else np.empty_like(weights[:, : len(rows)])
        self.s = slots if self.whole else np.empty_like(slots[:, :, : len(rows)])
        tracked = bool(configs[0].get("track_objective"))
        own = (*(f"valid_{metric.name}" for metric in problem.metrics), *(TRACKED if tracked else ()))
        path = ("distance", *(f"x{i + 1}" for i in range(problem.surface.size))) if problem.surface else ()
        self.names = ("train_loss", "valid_loss", *path, *own)
        if rows:
            members = [configs[i] for i in rows]
            epoch_of = SurfaceEpoch if problem.surface else NetworkEpoch
            self.epoch = epoch_of(problem, members, self.p, self.s, int(members[0]["batch_size"]))
            self.evaluate = evaluation_of(problem, len(rows), "valid")
            self.track = TrainingObjective(problem, members) if tracked else None

    def __call__(self, epoch: int, moving: Array, values: dict[str, Array]) -> dict[str, Array]:
        """Train one epoch; returns `values (R, K)` with those of the runs that are `moving` put in."""
        if not self.rows:
            return values
        if not self.whole:
            np.take(self.weights, self.rows, axis=1, out=self.p)
            np.take(self.slots, self.rows, axis=2, out=self.s)
        still = ~moving[:, self.rows]
        kept = self.p[still], self.s[:, still]
        found = {"train_loss": self.epoch(epoch)}
        self.p[still], self.s[:, still] = kept
        found |= self.evaluate(self.p)
        if self.track:
            found |= self.track(self.p, epoch + 1)
        if not self.whole:
            self.weights[:, self.rows], self.slots[:, :, self.rows] = self.p, self.s
        if self.whole and not still.any():
            return found
        for name, value in found.items():
            values[name][moving] = value[~still]
        return values


class NetworkEpoch:
    """One epoch of a pack: all buffers are made once, and every operation of a step writes into one."""

    def __init__(self, problem: Problem, configs: Sequence[Config], weights: Array, slots: Array, size: int) -> None:
        shapes = problem.model.shapes(problem.inputs, problem.outputs)
        replicates, trials = weights.shape[:2]
        gradients = aligned(weights.shape, weights.dtype)
        self.layers, self.gradients = Layers(weights, shapes), Layers(gradients, shapes)
        self.activation, self.loss = ACTIVATIONS[problem.model.activation], problem.minimised()
        self.steps = problem.steps_per_epoch(size)
        self.batches = Minibatches(problem.replicates, size, self.loss.target)
        self.steppers = [Stepper(g, shapes, weights, gradients, slots) for g in groups_of(configs, self.steps)]
        self.n = len(problem.data.train)
        self.buffers = {
            rows: (
                Workspace(shapes, replicates, trials, rows, weights.dtype),
                Scratch(replicates, trials, problem.outputs, rows, weights.dtype),
            )
            for rows in {size, self.n % size} - {0}
        }
        rates = [rate for config in configs if (rate := dropout_of(config))]
        self.replicates, self.hidden = problem.replicates, len(problem.model.hidden) if rates else 0
        self.dropouts = {
            rows: Dropout(rates, work.active, work.delta, self.activation.recalls)
            for rows, (work, _) in (self.buffers.items() if rates else ())
        }

    def __call__(self, epoch: int) -> Array:
        """Train one epoch; returns the mean loss of its rows `(R, K)` as their minibatches were met."""
        for stepper in self.steppers:
            stepper.begin(epoch * self.steps, self.steps)
        total = np.zeros(self.layers.views[0].shape[:2])
        streams = [[r.dropout_stream(epoch, i) for i in range(self.hidden)] for r in self.replicates]
        for i, (x, y, weights) in enumerate(self.batches.epoch(epoch)):
            work, scratch = self.buffers[x.shape[2]]
            dropout = self.dropouts.get(x.shape[2])
            if dropout:
                dropout.draw(streams)
            z = forward(x, self.layers, work, self.activation, dropout)
            scratch.weigh(weights)
            self.loss.gradient(z, y, scratch)
            scratch.scale(z)
            total += scratch.total[..., 0, 0]
            backward(x, self.layers, self.gradients, work, self.activation, dropout)
            for stepper in self.steppers:
                stepper.step(i)
        return total / self.n
