"""What a search trains, as the orchestrator sees it: tasks go out, and what each did for its trials comes back.

The project's own core is one such thing, an objective of somebody's own another. Where a trial stands between two
rungs is the training's business alone; the orchestrator hands it on unread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from objectives.types import Config
from tuner.records import ConfirmationRun, Stage, Trial

if TYPE_CHECKING:
    from tuner.best import Best
    from tuner.engines import Engine
    from tuner.model.refit import Refit
    from tuner.model.trained import TrainedModel
    from tuner.store.directory import StudyDirectory
    from tuner.study import Study

__all__ = ["Advance", "Commit", "Member", "Trainable", "TrainingTask", "Trainer", "side_by_side"]

Commit = Callable[[list[ConfirmationRun]], None]
Curves = Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """A trial on its way into a task: its number, its config and where it stands (None: at the start)."""

    trial: int
    config: Config
    state: Any = None


def side_by_side(every: Sequence[Curves]) -> dict[str, Any]:
    """Return the curves `(R, E)` of several blocks of replicates as one, nan where some are shorter or have none."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for curves in every for name in curves):
        last = max(curves[name].shape[1] for curves in every if name in curves)
        counts = [max((curve.shape[0] for curve in curves.values()), default=0) for curves in every]
        blocks = [curves.get(name, np.empty((rows, 0))) for curves, rows in zip(every, counts, strict=True)]
        padded = [np.pad(b, [(0, 0), (0, last - b.shape[1])], constant_values=np.nan) for b in blocks]
        found[name] = np.concatenate(padded)
    return found


class TrainingTask(Protocol):
    """What goes to a worker: some trials, to be trained for a while."""

    @property
    def trials(self) -> tuple[int, ...]:
        """Return the numbers of its trials."""

    def apart(self) -> list[Any]:
        """Split the task into one for each trial."""


@dataclass(frozen=True)
class Advance:
    """What a task did for one trial: curves `(R, E)`, where it stands now, seconds, and how it ended where it did.

    Curves are those of the epochs just trained, or of all since the start where they are `whole`. `first` is the row
    that their first one is among all replicates of the trial: a task may train some of the splits. Where it is `final`,
    the code has ended by itself and said what its value is: that of its last epoch, whatever its best one was.
    """

    curves: Curves
    state: Any
    seconds: float
    whole: bool = False
    ended: str = ""
    error: str = ""
    first: int = 0
    final: bool = False


class Trainer(Protocol):
    """Turns trials into tasks and outcomes into what is known of trials. Everything here is a pure function."""

    def tasks(self, members: Sequence[Member], before: Stage, after: Stage) -> Sequence[TrainingTask]:
        """Build tasks that take `members` from one stage to the next, in the unit of the study's budget; longest
        first.
        """

    def join(self, states: Sequence[Any]) -> Any:
        """Join the states of a trial whose splits were trained by several tasks, in the order of the splits."""

    def call(self, task: Any, flight: Path, shared: bool) -> tuple[Any, ...]:
        """Return the function that a worker runs for a task, and its arguments.

        `flight` is a folder for what is kept until the generation is committed; `shared` says whether workers see it.
        """

    def advances(self, task: Any, outcome: Any) -> list[Advance]:
        """Return the progress of each of the task's trials from an outcome."""

    def trained(self, curves: Curves, state: Any) -> tuple[dict[str, Any], int]:
        """Return the curves of the trained epochs, and their number."""

    def steps(self, config: Config, epochs: int, state: Any) -> int:
        """Return the updates of a trial of so many epochs; the epochs where updates are not counted."""

    def keep(self, flight: Path, best: Sequence[int]) -> None:
        """Keep what the best trials, by number, have left below `flight`, which is cleared next; of others no more."""

    def steady(self, curves: Curves) -> bool:
        """Return True if a run ended near its best epoch."""


class Trainable(Protocol):
    """All that can be known of a study before anything is written, and how it is trained. Nothing is trained yet.

    `study` is the one asked for, with what only its trainable could tell; `notes` say what was changed unasked.
    """

    @property
    def study(self) -> Study:
        """Return the study."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was decided without being asked."""

    @property
    def has_weights(self) -> bool:
        """Return True if the weights of a best trial are available."""

    def facts(self) -> dict[str, str]:
        """Return the facts that the ledger keeps; "data" identifies the data."""

    def changes(self, known: Mapping[str, str]) -> list[str]:
        """List differences from a ledger's facts that make its trials incomparable with new ones."""

    def warnings(self, known: Mapping[str, str]) -> list[str]:
        """List differences from a ledger's facts that may matter."""

    def advice(self, study: Study, trials: Sequence[Trial]) -> list[str]:
        """Return what its finished trials say of how to ask for them."""

    def jobs(self, study: Study, trials: int) -> int:
        """Return the default number of worker processes."""

    def engine(self, study: Study, jobs: int, cluster: tuple[str, str] | None) -> AbstractContextManager[Engine]:
        """Open the engine that runs its tasks within the study's limits."""

    def trainer(self, study: Study, directory: StudyDirectory, engine: Engine) -> Trainer:
        """Build the trainer of a search's trials."""

    def retrain(  # noqa: PLR0913
        self,
        study: Study,
        wanted: Sequence[Trial],
        numbers: Sequence[int],
        known: Sequence[ConfirmationRun],
        directory: StudyDirectory,
        engine: Engine,
        commit: Commit,
        tell: Callable[[Trial, int, str], None],
    ) -> None:
        """Train configs again as replicates of these numbers, and commit each; what is `known` is not run again.

        `tell` is told of a trial that fails, on which replicate and why.
        """

    def weights(self, study: Study, best: Best, directory: StudyDirectory, engine: Engine) -> Mapping[str, Any] | None:
        """Return the weights of the best trial's model by name; None where there are none here."""

    def refit(
        self, study: Study, best: Best, directory: StudyDirectory, engine: Engine, refit: Refit
    ) -> TrainedModel | None:
        """Train the best config's model on all rows that it may train on; None where there is none to ship."""
