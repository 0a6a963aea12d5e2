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
from tuner.engines import Engine, check_certificates, check_cluster
from tuner.errors import GivenUp, StudyError
from tuner.orchestrator.artifacts import publish, summary_of
from tuner.orchestrator.callbacks import Watcher, default_watcher
from tuner.orchestrator.loop import Search
from tuner.orchestrator.provenance import origin
from tuner.orchestrator.resume import settle, write_study
from tuner.orchestrator.retry_failed import retried
from tuner.orchestrator.shipping import ship
from tuner.orchestrator.warm_start import Warm, warm_start, warm_trials
from tuner.ranking.contenders import contenders, next_round, widened
from tuner.ranking.retrainings import final_epoch, report_seeds
from tuner.ranking.standings import standings
from tuner.ranking.unread import unread_note
from tuner.records import Confirmed, Spent, Trial
from tuner.result import Cost, Result
from tuner.search import repeats_note
from tuner.space import space_of
from tuner.store.directory import Home, StudyDirectory, home_of, study_directory, write_private
from tuner.store.ledger import Ledger
from tuner.study import Confirm, Study, read_study, stored_study
from tuner.trainables.base import Subject, Training
from tuner.trainables.builtin.prepare import ask
from tuner.trainables.builtin.trainable import Core

__all__ = ["PATIENCE", "Work", "run", "subject_of"]

PATIENCE = 600.0  # seconds to wait for a full disk or an absent database before a run ends


def run(
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
    fresh: bool = False,
    watcher: Watcher | None = None,
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
    `tuner.load_model` reads that model. The result's `cost` says what this run took. Raises StudyError, DataError,
    ChangedStudy, StudyBusy.

    ```python
    study = {"data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}}
    result = tuner.run(study, name="iris", trials=8, jobs=1)
    ```
    """
    started = time.perf_counter()
    if jobs is not None and jobs < 1:
        raise StudyError(Complaint("jobs", f"must be at least 1, but got {jobs}"))
    watcher = watcher or default_watcher()
    if cluster is not None:
        check_certificates(check_cluster(cluster))
    watcher.stage("prepare")
    settings = {"study.name": name, "study.trials": trials}
    given = {key: value for key, value in settings.items() if value is not None}
    asked = asked_study(study, objective, given, needs_data=data is None)
    home = home_of(home, storage)
    directory = study_directory(asked.name, home)
    with directory.room() as room:
        begun = stored_study(directory) if directory.exists and not fresh else None
        subject = subject_of(asked, data, room, objective, begun)
        for note in (*subject.notes, *repeats_note(subject.study, space_of(subject.study))):
            watcher.note(note)
        warm = cache(partial(warmed, subject.study, home, watcher))
        if fresh or not directory.exists:
            warm()
        with directory.lock():
            if fresh and directory.exists:
                watcher.note(f"the study that was there is moved to {directory.set_aside().name}")
            ledger, resolved = settle(subject, directory, warm, watcher.note)
            with ledger:
                job = Job(resolved, subject, directory, ledger, watcher, jobs, cluster, confirm, retry_failed, refit)
                result, cost = job.done(started)
    watcher.ended()
    result.cost = replace(cost, wall=time.perf_counter() - started)
    return result


def warmed(study: Study, home: Home, watcher: Watcher) -> Warm:
    """What the study begins with of others, told of."""
    found = warm_start(study, space_of(study), home)
    for note in found.notes:
        watcher.note(note)
    return found


@dataclass(frozen=True)
class Job:
    """A study with its ledger open, and how it is to be run."""

    study: Study
    subject: Subject
    directory: StudyDirectory
    ledger: Ledger
    watcher: Watcher
    jobs: int | None
    cluster: str | None
    confirm: bool
    retry_failed: bool
    refit: bool = True

    def done(self, started: float) -> tuple[Result, Cost]:
        """Search, confirm and write what others read; what that took since `started`, but for its end."""
        for warning in self.subject.warnings(self.ledger.facts):
            self.watcher.note(warning)
        left = self.study.trials - self.ledger.count()
        width = self.subject.jobs(self.study, left) if self.jobs is None else self.jobs
        self.ledger.wait_for(PATIENCE, self.watcher.note)
        there = None if self.cluster is None else (self.cluster, self.ledger.facts["canary"])
        with self.subject.engine(self.study, width, there) as engine:
            engine.note = self.watcher.note
            if left > 0 or self.retry_failed:
                engine.warm()
            work = Work(self.study, self.subject, self.directory, self.ledger, engine, self.watcher)
            training = self.subject.training(self.study, self.directory, engine)
            prepared = time.perf_counter()
            again = work.retry(training) if self.retry_failed else 0
            tried = time.perf_counter() - prepared
            spent, stopped = work.search(training)
            for said in self.subject.advice(self.study, self.ledger.trials()) if left > 0 else ():
                self.watcher.note(said)
            spent = replace(spent, wall=spent.wall + tried, waiting=spent.waiting + tried)
            searched = time.perf_counter()
            wanted = self.subject.study.confirm
            retrained = work.confirm(wanted) if self.confirm and wanted.enabled else 0
            confirmed = time.perf_counter()
            if left > 0 or retrained or again:
                self.watcher.stage("write")
            result = Result(self.directory)
            self.ledger.write_summary(summary_of(result))
            publish(result, self.subject, engine)
            published = time.perf_counter()
            refitted = self.refit and ship(result, self.subject, engine, self.watcher)
            refit = time.perf_counter() - published if refitted else 0.0
        if warning := unread_note(self.study, result.all_trials):
            self.watcher.note(warning)
        ran = again + len(result.all_trials) - (self.study.trials - left)
        return result, Cost(ran, retrained, prepared - started, spent, confirmed - searched, 0.0, stopped, refit)


def asked_study(study: Any, objective: Callable[..., Any] | None, given: dict[str, Any], needs_data: bool) -> Study:
    """The study that is asked for; `objective` takes the place of the one that it names."""
    if objective is None:
        return read_study(study, settings=given, needs_data=needs_data)
    named = given | {"study.objective": getattr(objective, "__name__", type(objective).__name__)}
    return read_study(study, settings=named, needs_data=False)


def subject_of(
    asked: Study,
    data: Any,
    room: Path,
    objective: Callable[..., Any] | None = None,
    begun: Study | None = None,
) -> Subject:
    """What a study is about, looked at as far as that takes no training; one that was `begun` keeps its splits.

    Raises StudyError, DataError.
    """
    if asked.own is None:
        return Core(ask(asked, data, room, begun))
    from tuner.trainables.custom.trainable import own_subject

    return own_subject(asked, objective)


@dataclass(frozen=True)
class Work:
    """What the stages of a run share."""

    study: Study
    subject: Subject
    directory: StudyDirectory
    ledger: Ledger
    engine: Engine
    watcher: Watcher

    def retry(self, training: Training) -> int:
        """Train what had failed again; returns how many trials."""
        self.watcher.stage("retry")
        flight = self.directory.cache / "retry"
        return retried(self.study, training, self.ledger, self.engine, flight, self.watcher.retrained)

    def search(self, training: Training) -> tuple[Spent, str]:
        """Search up to the study's number of trials; returns what it took, and why it stopped before that."""
        if self.ledger.count() < self.study.trials:
            self.watcher.stage("search")
        flight = self.directory.cache / "flight"
        space, watch = space_of(self.study), self.watcher.progress
        warm = warm_trials(self.ledger.facts.get("warm_start", ""))
        told = partial(origin, self.study.base)
        search = Search(self.study, space, training, self.ledger, self.engine, flight, watch, warm, told)
        self.directory.given_up.unlink(missing_ok=True)
        try:
            return search.run(), search.stopped
        except GivenUp as given_up:
            write_private(self.directory.given_up, f"{given_up}\n")
            raise

    def confirm(self, asked: Confirm) -> int:
        """Race the leaders over fresh splits, then train the best of them on the reporting ones, and commit each.

        Returns how many trainings it took. What was asked is stored once it is done: one that is widened and cut
        short does not count yet.
        """
        study = replace(self.study, confirm=widened(self.study.confirm, asked))
        trials = self.ledger.trials()
        wanted = contenders(self.study, study, trials, self.ledger.confirmations())
        done, facts = 0, self.ledger.facts
        while todo := next_round(study, wanted, trials, self.ledger.confirmations(), facts):
            done += self._retrain("" if done else "confirm", *todo)
        rows = self.ledger.confirmations()
        leader = [standing.trial for standing in standings(study, trials, rows, facts)[:1]]
        best = [replace(t, epoch=final_epoch(study, t, rows)) for t in trials if t.number in leader]
        done += self._retrain("report", best, report_seeds(study))
        if study != self.study:
            write_study(study, self.directory, self.ledger)
        return done

    def _retrain(self, stage: str, wanted: list[Trial], seeds: range) -> int:
        """Retrain what is missing of `wanted` on `seeds`, as a stage that is told of; returns how many trainings."""
        known = self.ledger.confirmations()
        have = {(row.trial, row.replicate) for row in known}
        left = [number for number in seeds for trial in wanted if (trial.number, number) not in have]
        if left and stage:
            self.watcher.stage(stage)
        done = 0

        def commit(rows: list[Confirmed]) -> None:
            nonlocal done
            self.ledger.commit_confirmations(rows)
            done += len(rows)
            self.watcher.retrained(done, len(left))

        told: set[int] = set()

        def tell(trial: Trial, number: int, why: str) -> None:
            if trial.number not in told:  # once is enough to put it behind all others
                told.add(trial.number)
                what = f"trial {trial.number} failed when it was trained again (seed {number})"
                self.watcher.note(f"{what}: {why}; it ranks behind those that did not fail")

        fresh = sorted(set(left))
        self.subject.retrain(self.study, wanted, fresh, known, self.directory, self.engine, commit, tell)
        return len(left)
