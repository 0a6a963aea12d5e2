"""`run`: brings a study to what its file says, whatever is there already.

Nothing is written before everything that can be checked has been: the study file, the data, and whether a study of that
name asks the same question. Then: search, confirm, write what others read, refit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.api.read_study import read_study
from tuner.engines import Engine, check_certificates, check_cluster
from tuner.errors import GivenUp, StudyError
from tuner.model.refit import Refit
from tuner.orchestrator.artifacts import summary_of, write_artifacts
from tuner.orchestrator.callbacks import RunCallback, default_callback
from tuner.orchestrator.loop import Search
from tuner.orchestrator.provenance import provenance
from tuner.orchestrator.resume import open_or_create, write_study
from tuner.orchestrator.retry_failed import retry_failed_trials
from tuner.orchestrator.shipping import ship
from tuner.orchestrator.warm_start import WarmStart, warm_start, warm_start_trials
from tuner.ranking.contenders import contenders, next_round, widened
from tuner.ranking.retrainings import final_epoch, report_seeds
from tuner.ranking.standings import standings
from tuner.ranking.unread import unread_note
from tuner.records import ConfirmationRun, Spent, Trial
from tuner.result import Cost, Result
from tuner.search import repeats_note
from tuner.space import space_of
from tuner.store.backend import write_private
from tuner.store.directory import Home, StudyDirectory, home_of, study_directory
from tuner.store.ledger import Ledger
from tuner.store.stored import stored_study
from tuner.study import ConfirmTable, Study
from tuner.trainables.builtin.prepared_study import prepare_study
from tuner.trainables.builtin.trainable import BuiltinTrainable
from tuner.trainables.protocols import Trainable, Trainer

__all__ = ["PATIENCE", "StudyRun", "run", "trainable_of"]

PATIENCE = 600.0  # seconds to wait for a full disk or an absent database before a run ends


def run(  # noqa: PLR0913
    study: str | Path | Mapping[str, Any] | Study,
    data: Any = None,
    *,
    name: str | None = None,
    trials: int | None = None,
    jobs: int | None = None,
    home: Home = None,
    storage: str | None = None,
    cluster: str | None = None,
    confirm: bool = True,
    refit: bool = True,
    baselines: bool = True,
    fresh: bool = False,
    callback: RunCallback | None = None,
    objective: Callable[..., Any] | None = None,
    retry_failed: bool = False,
) -> Result:
    """Run a study, or go on with it, and return its results.

    `study` is a file, a mapping of the same shape, or a Study. `data=(X, y)` replaces its source. `objective`, a
    function train(config) or train(config, run), replaces the objective that it names.

    `name` and `trials` win over what the study says. `jobs` is the number of worker processes, by default that of the
    processors; the result does not depend on it. `storage` is the URL of a database for the ledger, `cluster` the
    address of a dask scheduler. `fresh` moves an existing study aside and begins anew. `retry_failed` trains failed
    trials again first. At the end the best config is trained on all rows but the test rows, unless `refit` is False;
    `tuner.load_model` reads that model. Beside it models of scikit-learn's at their defaults are measured, unless
    `baselines` is False. The result's `cost` says what this run took. Raises StudyError, DataError, ChangedStudy,
    StudyBusy.

    ```python
    study = {"data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}}
    result = tuner.run(study, name="iris", trials=8, jobs=1)
    ```
    """
    started = time.perf_counter()
    if jobs is not None and jobs < 1:
        raise StudyError(Complaint("jobs", f"must be at least 1, but got {jobs}"))
    callback = callback or default_callback()
    if cluster is not None:
        check_certificates(check_cluster(cluster))
    callback.stage("prepare")
    settings = {"study.name": name, "study.trials": trials}
    given = {key: value for key, value in settings.items() if value is not None}
    asked = asked_study(study, objective, given, needs_data=data is None)
    home = home_of(home, storage)
    directory = study_directory(asked.name, home)
    asked_refit = Refit(baselines=baselines) if refit else None
    with directory.room() as room:
        begun = stored_study(directory) if directory.exists and not fresh else None
        trainable = trainable_of(asked, data, room, objective, begun)
        for note in (*trainable.notes, *repeats_note(trainable.study, space_of(trainable.study))):
            callback.note(note)
        warm = cache(partial(warmed, trainable.study, home, callback))
        if fresh or not directory.exists:
            warm()
        with directory.lock():
            if fresh and directory.exists:
                callback.note(f"the study that was there is moved to {directory.set_aside().name}")
            ledger, resolved = open_or_create(trainable, directory, warm, callback.note)
            with ledger:
                study_run = StudyRun(resolved, trainable, directory, ledger, callback)
                result, cost = study_run.execute(started, jobs, cluster, confirm, retry_failed, asked_refit)
    callback.ended()
    result.cost = replace(cost, wall=time.perf_counter() - started)
    return result


def warmed(study: Study, home: Home, callback: RunCallback) -> WarmStart:
    """Load the trials of the studies named in `warm_start`, and report what did not match."""
    found = warm_start(study, space_of(study), home)
    for note in found.notes:
        callback.note(note)
    return found


def asked_study(study: Any, objective: Callable[..., Any] | None, given: dict[str, Any], needs_data: bool) -> Study:
    """Read the study; `objective` replaces the one that it names."""
    if objective is None:
        return read_study(study, settings=given, needs_data=needs_data)
    named = given | {"study.objective": getattr(objective, "__name__", type(objective).__name__)}
    return read_study(study, settings=named, needs_data=False)


def trainable_of(
    asked: Study,
    data: Any,
    room: Path,
    objective: Callable[..., Any] | None = None,
    begun: Study | None = None,
) -> Trainable:
    """Build the study's trainable as far as that needs no training; a study that was `begun` keeps its splits.

    Raises StudyError, DataError.
    """
    if asked.custom is None:
        return BuiltinTrainable(prepare_study(asked, data, room, begun))
    from tuner.trainables.custom.introduction import custom_trainable

    return custom_trainable(asked, objective)


@dataclass(frozen=True)
class StudyRun:
    """A study with its ledger open: its stages, and all of them in a row."""

    study: Study
    trainable: Trainable
    directory: StudyDirectory
    ledger: Ledger
    callback: RunCallback

    def execute(
        self,
        started: float,
        jobs: int | None,
        cluster: str | None,
        confirm: bool,
        retry_failed: bool,
        refit: Refit | None,
    ) -> tuple[Result, Cost]:
        """Search, confirm and write the artifacts; return the result and its cost but for `wall`."""
        for warning in self.trainable.warnings(self.ledger.facts):
            self.callback.note(warning)
        left = self.study.trials - self.ledger.count()
        width = self.trainable.jobs(self.study, left) if jobs is None else jobs
        self.ledger.wait_for(PATIENCE, self.callback.note)
        address = None if cluster is None else (cluster, self.ledger.facts["canary"])
        with self.trainable.engine(self.study, width, address) as engine:
            engine.note = self.callback.note
            if left > 0 or retry_failed:
                engine.warm()
            trainer = self.trainable.trainer(self.study, self.directory, engine)
            prepared = time.perf_counter()
            again = self.retry_failed(engine, trainer) if retry_failed else 0
            tried = time.perf_counter() - prepared
            spent, stopped = self.search(engine, trainer)
            for said in self.trainable.advice(self.study, self.ledger.trials()) if left > 0 else ():
                self.callback.note(said)
            spent = replace(spent, wall=spent.wall + tried, waiting=spent.waiting + tried)
            searched = time.perf_counter()
            wanted = self.trainable.study.confirm
            retrained = self.confirm(engine, wanted) if confirm and wanted.enabled else 0
            confirmed = time.perf_counter()
            if left > 0 or retrained or again:
                self.callback.stage("write")
            result = Result(self.directory)
            self.ledger.write_summary(summary_of(result))
            write_artifacts(result, self.trainable, engine)
            published = time.perf_counter()
            refitted = refit is not None and ship(result, self.trainable, engine, self.callback, refit)
            refit_seconds = time.perf_counter() - published if refitted else 0.0
        if warning := unread_note(self.study, result.all_trials):
            self.callback.note(warning)
        ran = again + len(result.all_trials) - (self.study.trials - left)
        confirming = confirmed - searched
        return result, Cost(ran, retrained, prepared - started, spent, confirming, 0.0, stopped, refit_seconds)

    def retry_failed(self, engine: Engine, trainer: Trainer) -> int:
        """Train what had failed again; returns how many trials."""
        self.callback.stage("retry")
        flight = self.directory.cache / "retry"
        return retry_failed_trials(self.study, trainer, self.ledger, engine, flight, self.callback.retrained)

    def search(self, engine: Engine, trainer: Trainer) -> tuple[Spent, str]:
        """Search up to the study's number of trials; returns what it took, and why it stopped before that."""
        if self.ledger.count() < self.study.trials:
            self.callback.stage("search")
        flight = self.directory.cache / "flight"
        space, watch = space_of(self.study), self.callback.progress
        warm = warm_start_trials(self.ledger.facts.get("warm_start", ""))
        told = partial(provenance, self.study.base)
        search = Search(self.study, space, trainer, self.ledger, engine, flight, watch, warm, told)
        self.directory.given_up.unlink(missing_ok=True)
        try:
            return search.run(), search.stopped
        except GivenUp as given_up:
            write_private(self.directory.given_up, f"{given_up}\n")
            raise

    def confirm(self, engine: Engine, asked: ConfirmTable) -> int:
        """Race the leaders over fresh splits, then train the best of them on the reporting ones, and commit each.

        Returns how many trainings it took. What was asked is stored once it is done: one that is widened and cut
        short does not count yet.
        """
        study = replace(self.study, confirm=widened(self.study.confirm, asked))
        trials = self.ledger.trials()
        wanted = contenders(self.study, study, trials, self.ledger.confirmations())
        done, facts = 0, self.ledger.facts
        while todo := next_round(study, wanted, trials, self.ledger.confirmations(), facts):
            done += self._retrain(engine, "" if done else "confirm", *todo)
        rows = self.ledger.confirmations()
        leader = [standing.trial for standing in standings(study, trials, rows, facts)[:1]]
        best = [replace(t, epoch=final_epoch(study, t, rows)) for t in trials if t.number in leader]
        done += self._retrain(engine, "report", best, report_seeds(study))
        if study != self.study:
            write_study(study, self.directory, self.ledger)
        return done

    def _retrain(self, engine: Engine, stage: str, wanted: list[Trial], seeds: range) -> int:
        """Retrain what is missing of `wanted` on `seeds`, as a stage that is told of; returns how many trainings."""
        known = self.ledger.confirmations()
        have = {(row.trial, row.replicate) for row in known}
        left = [number for number in seeds for trial in wanted if (trial.number, number) not in have]
        if left and stage:
            self.callback.stage(stage)
        done = 0

        def commit(rows: list[ConfirmationRun]) -> None:
            nonlocal done
            self.ledger.commit_confirmations(rows)
            done += len(rows)
            self.callback.retrained(done, len(left))

        told: set[int] = set()

        def tell(trial: Trial, number: int, why: str) -> None:
            if trial.number not in told:  # once is enough to put it behind all others
                told.add(trial.number)
                what = f"trial {trial.number} failed when it was trained again (seed {number})"
                self.callback.note(f"{what}: {why}; it ranks behind those that did not fail")

        fresh = sorted(set(left))
        self.trainable.retrain(self.study, wanted, fresh, known, self.directory, engine, commit, tell)
        return len(left)
