"""A search over an estimator as a study: its trainable, its run, and what its trials say of each fold."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.api.read_study import read_study
from tuner.api.run import StudyRun
from tuner.engines import Engine, InlineEngine, pickled
from tuner.enums import ObjectiveForm
from tuner.errors import TunerError
from tuner.orchestrator.callbacks import RunCallback
from tuner.orchestrator.resume import open_or_create
from tuner.orchestrator.warm_start import WarmStart
from tuner.records import Progress, Trial
from tuner.sklearn.folds import GOAL, FoldWork, forgotten, handed_over, metric_of, raised_at
from tuner.store.directory import StudyDirectory, home_of, study_directory
from tuner.study import Study
from tuner.trainables.custom.objective_ref import ObjectiveRef
from tuner.trainables.custom.tasks import CustomTask, notes_file, train
from tuner.trainables.custom.trainable import CustomTrainable
from tuner.trainables.custom.trainer import CustomTrainer

__all__ = ["Candidate", "Where", "studied"]


@dataclass(frozen=True)
class Where:
    """Where a search's study stays, if it has a name, and how many workers it has."""

    name: str | None
    home: str | Path | None
    jobs: int


@dataclass(frozen=True)
class Candidate:
    """A trial of an estimator: its parameters and, for each fold that it was tried on, curves and notes."""

    parameters: dict[str, Any]
    curves: Mapping[str, Any]
    epoch: int
    notes: Sequence[Mapping[str, Any]]

    def tried(self, fold: int) -> bool:
        """Return whether it was tried on a fold."""
        return fold < len(self.curves.get(GOAL, ()))

    @property
    def scores(self) -> list[str]:
        """Return the names of its scores where there are several, as far as it was scored."""
        return next((list(names) for note in self.notes if (names := note.get("scores"))), [])

    def outcome(self, fold: int, several: Sequence[str]) -> dict[str, Any]:
        """Return what scikit-learn knows of a fit: scores, `several` by name, times, and why it failed."""
        note = self.notes[fold]
        fit_time, score_time = note.get("times", (np.nan, np.nan))
        names = note.get("scores") or ([] if note.get("fit_error") else several)
        found = {"fit_error": note.get("fit_error"), "fit_time": fit_time, "score_time": score_time}
        for told, kind in (("test_scores", "valid"), ("train_scores", "train")):
            one = self._at(GOAL if kind == "valid" else metric_of(kind, GOAL), fold)
            found[told] = {name: self._at(metric_of(kind, name), fold) for name in names} or one
        return found

    def _at(self, name: str, fold: int) -> float:
        """Return a metric on a fold; nan where there is none."""
        curve = self.curves.get(name)
        if curve is None or fold >= len(curve) or not curve.shape[1]:
            return float("nan")
        return float(curve[fold, min(self.epoch, curve.shape[1]) - 1])


def studied(asked: Mapping[str, Any], work: FoldWork, digest: str, where: Where) -> list[Candidate]:
    """Bring the study of an estimator to its trials, and return all of them in trial order.

    Raises what the estimator raises where that is no score, ChangedStudy where a study of that name asks for something
    else.
    """
    with tempfile.TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
        home = home_of(Path(folder) if where.name is None else where.home, None)
        file = Path(folder) / "folds.pickle"
        objective = handed_over(work, file, travels=where.jobs > 1)
        try:
            trainable = trainable_of(asked, work, objective, digest)
            return _run(trainable, study_directory(trainable.study.name, home), work, file, where)
        finally:
            forgotten(file)


def _run(
    trainable: FoldTrainable, directory: StudyDirectory, work: FoldWork, file: Path, where: Where
) -> list[Candidate]:
    callback = Raising(file)
    with directory.lock():
        ledger, resolved = open_or_create(trainable, directory, WarmStart, callback.note)
        with ledger, _own_randomness():
            try:
                _searched(StudyRun(resolved, trainable, directory, ledger, callback), where)
            except TunerError as error:
                raise raised_at(file) or error from None
            return [_candidate(trial, directory, work) for trial in ledger.trials()]


def _searched(run: StudyRun, where: Where) -> None:
    """Search, and write what others read where the study stays."""
    if where.name is not None:
        run.execute(time.perf_counter(), where.jobs, None, confirm=False, retry_failed=False, refit=None)
    elif run.ledger.count() < run.study.trials:
        with run.trainable.engine(run.study, where.jobs, None) as engine:
            run.search(engine, run.trainable.trainer(run.study, run.directory, engine))


def _candidate(trial: Trial, directory: StudyDirectory, work: FoldWork) -> Candidate:
    notes = []
    for fold in range(len(work.folds)):
        file = notes_file(directory.output, trial.number, fold)
        notes.append(json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {})
    curves = {name: np.asarray(curve) for name, curve in trial.curves.items()}
    return Candidate(work.space.parameters(trial.config), curves, trial.epoch or trial.epochs or 1, notes)


@contextmanager
def _own_randomness() -> Iterator[None]:
    """Give the caller's random numbers back as they were: trials in this process seed them."""
    kept, state, finders = random.getstate(), np.random.get_state(), list(sys.meta_path)
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(state)
        sys.meta_path[:] = finders


class Raising(RunCallback):
    """Ends a search with what an estimator raised."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def progress(self, progress: Progress) -> None:
        """Raise it."""
        del progress
        if (error := raised_at(self.file)) is not None:
            raise error


class FoldTrainer(CustomTrainer):
    """A trainer of folds in this process: what is printed and warned of is seen, and Ctrl-C is the caller's."""

    def call(self, task: CustomTask, flight: Path, shared: bool) -> tuple[Any, ...]:
        """Train, without a file for what is printed."""
        del shared
        return train, replace(task, folder=flight, states=())


class FoldTrainable(CustomTrainable):
    """An estimator as a trainable. A study with a single worker trains in this process, without copying the rows."""

    @contextmanager
    def engine(self, study: Study, jobs: int, cluster: tuple[str, str] | None) -> Iterator[Engine]:
        """Open an engine: this process, or workers."""
        if jobs > 1:
            with super().engine(study, jobs, cluster) as engine:
                yield engine
        else:
            yield InlineEngine()

    def trainer(self, study: Study, directory: StudyDirectory, engine: Engine | None = None) -> CustomTrainer:
        """Build the trainer that suits the engine."""
        found = super().trainer(study, directory, engine)
        return FoldTrainer(**vars(found)) if isinstance(engine, InlineEngine) else found

    def changes(self, known: Mapping[str, str]) -> list[str]:
        """Report other rows, folds or another estimator: scores on those do not compare."""
        if known["source"] == self.source:
            return []
        return ["the rows, their folds (a splitter needs a random_state to repeat them), the estimator or its scoring"]


def trainable_of(asked: Mapping[str, Any], work: FoldWork, objective: Callable[..., Any], digest: str) -> FoldTrainable:
    """Return the trainable of a study, whose objective is known and needs no look at it."""
    named = {"study.objective": type(work.estimator).__name__}
    study = read_study(asked, settings=named, needs_data=False)
    own = study.custom
    if own is None:
        raise ValueError("the study has no objective of its own")
    reference = ObjectiveRef(own.objective, "", pickled(objective), ())
    form = ObjectiveForm.RUN if work.passes else ObjectiveForm.VALUE
    return FoldTrainable(study, own, reference, form, digest)
