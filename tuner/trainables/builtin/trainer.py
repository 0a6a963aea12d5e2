"""The core as what a search trains: trials share packs, and each stands where its weights and slots are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from objectives.data import Prepared
from objectives.problem import constant_loss, updates_per_epoch
from objectives.training.early_stopping import STOPPED, TRAINED
from objectives.training.outcome import State
from tuner.enums import TrialState
from tuner.ranking.goal import is_stable
from tuner.records import Stage
from tuner.store.cache import DiskCache
from tuner.study.budget import Budget
from tuner.trainables.builtin.packs import Pack, PackOutcome, ReplicateSource, cut, opened, run_pack, run_remembered
from tuner.trainables.protocols import Advance, Member

__all__ = ["BuiltinTrainer"]

FLIGHT_BYTES = 1 << 30  # of a generation's finished packs


@dataclass(frozen=True)
class BuiltinTrainer:
    """Trials of a study as the core trains them.

    `sources` are the replicates of one split after the other, `replicates` of each. Curves are averaged over `window`
    epochs.
    """

    sources: tuple[ReplicateSource, ...]
    budget: Budget
    replicates: int = 1
    window: int = 1

    @property
    def data(self) -> Prepared:
        """Return the data of the first replicate, memory-mapped."""
        return opened(self.sources[0].directory)

    @cached_property
    def constant(self) -> float:
        """Return the validation loss of a constant prediction."""
        return constant_loss(self.data, self.data.valid)

    @cached_property
    def rows(self) -> int:
        """Return the number of train rows."""
        return len(self.data.train)

    def tasks(self, members: Sequence[Member], before: Stage, after: Stage) -> list[Pack]:
        """Build packs that continue the members, and others that train them on new splits."""

        def whole(config: Mapping[str, Any]) -> int:
            return self.budget.epochs(config, after.amount)

        def more(config: Mapping[str, Any]) -> int:
            return whole(config) - self.budget.epochs(config, before.amount)

        known, wanted = (self.sources[: stage.splits * self.replicates] for stage in (before, after))
        packs = cut(members, known, more) if known and after.amount > before.amount else []
        if new := wanted[len(known) :]:
            packs += cut([replace(member, state=None) for member in members], new, whole)
        return sorted(packs, key=lambda pack: -pack.work)

    def join(self, states: Sequence[State]) -> State:
        """Join the states of all replicates to one."""
        return State.stack(states)

    def call(self, task: Pack, flight: Path, shared: bool) -> tuple[Any, ...]:
        """Train a pack, or find it again where a killed run has left it."""
        return (run_remembered, task, DiskCache(flight, FLIGHT_BYTES)) if shared else (run_pack, task)

    def advances(self, task: Pack, outcome: PackOutcome) -> list[Advance]:
        """Return each trial's part of a pack, with equal shares of the seconds."""
        seconds, alive = outcome.seconds / len(task.trials), outcome.state.alive
        first = self.sources.index(task.sources[0])
        return [
            Advance(
                {name: curve[:, i] for name, curve in outcome.curves.items()},
                outcome.state.take([i]),
                seconds,
                ended="" if alive[:, i].all() else TrialState.DIVERGED,
                first=first,
            )
            for i in range(len(task.trials))
        ]

    def trained(self, curves: Mapping[str, Any], state: Any) -> tuple[dict[str, Any], int]:
        """Return all epochs, or those up to the last early stop of a replicate."""
        epochs = len(curves["valid_loss"][0]) if curves else 0
        if state is not None and STOPPED in state.marks and state.marks[STOPPED].all():
            epochs = int(state.marks[TRAINED].max())
        return {name: curve[:, :epochs] for name, curve in curves.items()}, epochs

    def steps(self, config: Mapping[str, Any], epochs: int, state: Any) -> int:
        """Return the updates of so many epochs."""
        del state
        return epochs * updates_per_epoch(config, self.rows)

    def keep(self, flight: Path, best: Sequence[int]) -> None:
        """Keep nothing: the weights of the best are trained again from its config."""
        del flight, best

    def steady(self, curves: Mapping[str, Any]) -> bool:
        """Return True if the validation loss ends near its best, or below a constant prediction's, on every split."""
        return is_stable(curves["valid_loss"], self.constant, self.window)
