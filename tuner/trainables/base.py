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

from tuner.records import Confirmed, Stage, Trial

if TYPE_CHECKING:
    from tuner.best import Best
    from tuner.engines import Engine
    from tuner.model.refit import Refit
    from tuner.model.trained import TrainedModel
    from tuner.store.directory import StudyDirectory
    from tuner.study import Study

__all__ = ["Advance", "Commit", "Member", "Subject", "Task", "Training", "side_by_side"]

Commit = Callable[[list[Confirmed]], None]
Config = Mapping[str, Any]
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


class Task(Protocol):
    """What goes to a worker: some trials, to be trained for a while."""

    @property
    def trials(self) -> tuple[int, ...]:
        """The numbers of its trials."""

    def apart(self) -> list[Any]:
        """The same task as one for each trial."""


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


class Training(Protocol):
    """Turns trials into tasks and outcomes into what is known of trials. Everything here is a pure function."""

    def tasks(self, members: Sequence[Member], before: Stage, after: Stage) -> Sequence[Task]:
        """Tasks that take `members` from one stage to the next, in the unit of the study's budget; longest first."""

    def join(self, states: Sequence[Any]) -> Any:
        """Where a trial stands whose splits were trained by several tasks, in the order of the splits."""

    def call(self, task: Any, flight: Path, shared: bool) -> tuple[Any, ...]:
        """The function that a worker runs for a task, and its arguments.

        `flight` is a folder for what is kept until the generation is committed; `shared` says whether workers see it.
        """

    def advances(self, task: Any, outcome: Any) -> list[Advance]:
        """What an outcome says of each of the task's trials."""

    def trained(self, curves: Curves, state: Any) -> tuple[dict[str, Any], int]:
        """The curves of the epochs that were trained, and how many those are."""

    def steps(self, config: Config, epochs: int, state: Any) -> int:
        """What a trial of so many epochs took, in updates; in epochs where nobody counts updates."""

    def keep(self, flight: Path, best: Sequence[int]) -> None:
        """Keep what the best trials, by number, have left below `flight`, which is cleared next; of others no more."""

    def steady(self, curves: Curves) -> bool:
        """Whether a run ended anywhere near its best epoch."""


class Subject(Protocol):
    """All that can be known of a study before anything is written, and how it is trained. Nothing is trained yet.

    `study` is the one asked for, with what only its subject could tell; `notes` say what was changed unasked.
    """

    @property
    def study(self) -> Study:
        """The study."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided without being asked."""

    @property
    def has_weights(self) -> bool:
        """Whether there are weights of a best trial to be had."""

    def facts(self) -> dict[str, str]:
        """What the ledger keeps of it; "data" identifies it."""

    def changes(self, known: Mapping[str, str]) -> list[str]:
        """What differs from the facts of a ledger so that its trials could not be compared with new ones."""

    def warnings(self, known: Mapping[str, str]) -> list[str]:
        """What differs from the facts of a ledger and may matter."""

    def advice(self, study: Study, trials: Sequence[Trial]) -> list[str]:
        """Return what its finished trials say of how to ask for them."""

    def jobs(self, study: Study, trials: int) -> int:
        """Worker processes, where nobody says how many."""

    def engine(self, study: Study, jobs: int, cluster: tuple[str, str] | None) -> AbstractContextManager[Engine]:
        """What runs its tasks, within the study's limits."""

    def training(self, study: Study, directory: StudyDirectory, engine: Engine) -> Training:
        """How the trials of a search train."""

    def retrain(
        self,
        study: Study,
        wanted: Sequence[Trial],
        numbers: Sequence[int],
        known: Sequence[Confirmed],
        directory: StudyDirectory,
        engine: Engine,
        commit: Commit,
        tell: Callable[[Trial, int, str], None],
    ) -> None:
        """Train configs again as replicates of these numbers, and commit each; what is `known` is not run again.

        `tell` is told of a trial that fails, on which replicate and why.
        """

    def weights(self, study: Study, best: Best, directory: StudyDirectory, engine: Engine) -> Mapping[str, Any] | None:
        """Weights of the best trial's model by name; None where there are none here."""

    def refit(
        self, study: Study, best: Best, directory: StudyDirectory, engine: Engine, refit: Refit
    ) -> TrainedModel | None:
        """The best config's model, trained on all rows that it may be trained on; None where there is none to ship."""
