"""The trials of a pack sorted by update rule: a group is a run of rows that one rule moves at once.

Trials with and without weight decay or clipping, and whatever else costs a rule passes of its own, stand in different
groups, so that the passes a trial goes through, and with them its bits, depend on its own config alone. Those with
dropout stand last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.buffers import aligned
from objectives.dropout import dropout_of
from objectives.optimizers import Rule, convention_of, hyperparameters, rule_of, switches
from objectives.schedules import Plan, plan_of
from objectives.training.clipping import Clip, clip_of, guard_of
from objectives.weight_decay import Decay, decayed_of, stretches

__all__ = ["Group", "Stepper", "groups_of", "kind_of", "row_order", "slots_of"]

Array = NDArray[Any]
Config = Mapping[str, Any]


def kind_of(config: Config) -> tuple[bool, str, str, tuple[str, ...]]:
    """Return what trials must share to go through the same passes: dropout, optimizer, framework and active
    switches.
    """
    scope, on = decayed_of(config), switches(config)
    decay = (f"decay of {scope}",) if "weight_decay" in on else ()
    clip = ("clip_norm",) if clip_of(config) else ()
    return dropout_of(config) > 0, str(config["optimizer"]), str(config.get("framework", "torch")), (*on, *decay, *clip)


def row_order(configs: Sequence[Config]) -> list[int]:
    """Sort the configs' indices so that each group is one contiguous run."""
    return sorted(range(len(configs)), key=lambda i: kind_of(configs[i]))


def slots_of(configs: Sequence[Config]) -> int:
    """Return S, the largest number of slots that the rule of any config keeps."""
    return max(rule_of(config).slots for config in configs)


@dataclass(frozen=True)
class Group:
    """Rows `start` to `stop` of a pack: one rule, its hyperparameters as columns `(K,)`, decay of a scope or none.

    `clip` are the norms `(K,)` to clip to, zeros where nothing is clipped, `guard` what is added to a norm.
    """

    start: int
    stop: int
    rule: Rule
    decayed: str
    decoupled: bool
    h: Mapping[str, Array]
    plans: tuple[Plan, ...]
    clip: Array
    guard: float

    def rates(self, k: Array) -> Array:
        """Compute the scheduled learning rates `(T, K)` of updates `k (T,)`; a schedule that all share is computed
        once.
        """
        shared = all(plan == self.plans[0] for plan in self.plans)
        factors = [plan(k) for plan in (self.plans[:1] if shared else self.plans)]
        rates: Array = np.stack(factors, axis=1) * self.h["lr"]
        return rates


def groups_of(configs: Sequence[Config], steps_per_epoch: int) -> list[Group]:
    """Build the groups of configs that are sorted by `row_order`."""
    groups = []
    for (*_, on), rows in groupby(range(len(configs)), key=lambda i: kind_of(configs[i])):
        indices = list(rows)
        members = [configs[i] for i in indices]
        full = [hyperparameters(config) for config in members]
        groups.append(
            Group(
                indices[0],
                indices[-1] + 1,
                rule_of(members[0]),
                decayed_of(members[0]) if "weight_decay" in on else "",
                convention_of(members[0]).decoupled,
                {key: np.array([values[key] for values in full]) for key in full[0]},
                tuple(plan_of(config, int(config["epochs"]) * steps_per_epoch) for config in members),
                np.array([clip_of(config) for config in members]),
                guard_of(members[0]),
            )
        )
    return groups


class Stepper:
    """Moves one group's slice of the pack, step by step, with coefficients computed an epoch at a time."""

    def __init__(
        self, group: Group, shapes: Sequence[tuple[int, int]], weights: Array, gradients: Array, slots: Array
    ) -> None:
        rows = slice(group.start, group.stop)
        self.group = group
        self.p, self.g = weights[:, rows], gradients[:, rows]
        self.slots = [slot[:, rows] for slot in slots[: group.rule.slots]]
        self.scratch = aligned(self.p.shape, self.p.dtype)
        self.clip = Clip(self.g, group.clip, group.guard) if group.clip.any() else None
        self.decay = self._decay(shapes) if group.decayed else None
        self.table: list[Array] = []

    def _decay(self, shapes: Sequence[tuple[int, int]]) -> Decay:
        where = stretches(self.group.decayed, shapes)
        return Decay(self.p, self.g, self.scratch, self.group.h["weight_decay"], self.group.decoupled, where)

    def begin(self, first: int, steps: int) -> None:
        """Prepare the coefficients of `steps` updates from the `first` (counted from 0)."""
        k = np.arange(first, first + steps)
        rates = self.group.rates(k)
        columns = self.group.rule.coefficients(self.group.h, rates, (k + 1.0)[:, None])
        dtype = self.p.dtype
        self.table = [np.ascontiguousarray(column, dtype=dtype)[:, None, :, None] for column in columns]
        if self.decay:
            self.decay.begin(rates)

    def step(self, i: int) -> None:
        """Make the i-th of the prepared updates: clip, decay, then the rule's own step."""
        if self.clip:
            self.clip()
        if self.decay:
            self.decay(i)
        self.group.rule.update(self.p, self.g, self.slots, [column[i] for column in self.table], self.scratch)
