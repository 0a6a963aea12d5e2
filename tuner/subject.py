"""What a study is about, as a run sees it: the core's problem on data, or an objective of somebody's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tuner.best import Best
from tuner.dispatch import Engine
from tuner.home import StudyDirectory
from tuner.model.refit import Refit
from tuner.model.trained import TrainedModel
from tuner.spec import Study
from tuner.training import Training
from tuner.trial import Confirmed, Trial

__all__ = ["Commit", "Subject"]

Commit = Callable[[list[Confirmed]], None]


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
