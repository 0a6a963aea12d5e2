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
from tuner.engines import Engine, check_cluster
from tuner.errors import GivenUp, StudyError
from tuner.orchestrator.artifacts import publish
from tuner.orchestrator.callbacks import Watcher, default_watcher
from tuner.orchestrator.loop import Search
from tuner.orchestrator.provenance import origin
from tuner.orchestrator.resume import settle
from tuner.orchestrator.retry_failed import retried
from tuner.orchestrator.shipping import ship
from tuner.orchestrator.warm_start import Warm, warm_start, warm_trials
from tuner.ranking.contenders import contenders, next_round, widened
from tuner.ranking.retrainings import report_seeds
from tuner.ranking.standings import standings
from tuner.records import Confirmed, Spent, Trial
from tuner.result import Cost, Result
from tuner.search import repeats_note
from tuner.space import space_of
from tuner.store.directory import Home, StudyDirectory, home_of, study_directory, write_atomic
from tuner.store.ledger import Ledger
from tuner.study import Confirm, Study, read_study
from tuner.trainables.base import Subject, Training
from tuner.trainables.builtin.prepare import ask
from tuner.trainables.builtin.split_counts import SPLITS_NOTE
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
    """Run a study: a file, a mapping of the same shape, or a Study; `data=(X, y)` takes the place of its source, and
    `objective`, any function train(config) or train(config, run), that of the objective it names.

    Run again, it goes on where it stopped. `name` and `trials` take precedence over what the study says. `jobs` is the
    number of worker processes: by default the processors at hand, or none for a study that is over before they have
    started; the result does not depend on it. `storage` is the URL of a database that keeps the ledger, `cluster` the
    address of a dask scheduler whose workers train. `retry_failed` trains failed trials again first, in their places.
    At the end the best config is trained on all rows but the test rows (`refit`): `tuner.load_model` reads that model.
    The result's `cost` says what this run took; None for one that was opened.
    Raises StudyError, DataError, ChangedStudy, StudyBusy.
    """
    started = time.perf_counter()
    if jobs is not None and jobs < 1:
        raise StudyError(Complaint("jobs", f"must be at least 1, but got {jobs}"))
    watcher = watcher or default_watcher()
    if cluster is not None:
        check_cluster(cluster)
    watcher.stage("prepare")
    settings = {"study.name": name, "study.trials": trials}
    given = {key: value for key, value in settings.items() if value is not None}
    asked = asked_study(study, objective, given, needs_data=data is None)
    home = home_of(home, storage)
    directory = study_directory(asked.name, home)
    with directory.room() as room:
        subject = subject_of(asked, data, room, objective)
        for note in (*subject.notes, *repeats_note(subject.study, space_of(subject.study))):
            if fresh or not directory.exists or not note.endswith(SPLITS_NOTE):  # one that goes on keeps its splits
                watcher.note(note)
        warm = cache(partial(begun, subject.study, home, watcher))
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


def begun(study: Study, home: Home, watcher: Watcher) -> Warm:
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
            if left > 0 or self.retry_failed:
                engine.warm()
            work = Work(self.study, self.subject, self.directory, self.ledger, engine, self.watcher)
            training = self.subject.training(self.study, self.directory, engine)
            prepared = time.perf_counter()
            again = work.retry(training) if self.retry_failed else 0
            tried = time.perf_counter() - prepared
            spent, stopped = work.search(training)
            spent = replace(spent, wall=spent.wall + tried, waiting=spent.waiting + tried)
            searched = time.perf_counter()
            wanted = self.subject.study.confirm
            retrained = work.confirm(wanted) if self.confirm and wanted.enabled else 0
            confirmed = time.perf_counter()
            if left > 0 or retrained or again:
                self.watcher.stage("write")
            result = Result(self.directory)
            publish(result, self.subject, engine)
            published = time.perf_counter()
            refitted = self.refit and ship(result, self.subject, engine, self.watcher)
            refit = time.perf_counter() - published if refitted else 0.0
        ran = again + len(result.all_trials) - (self.study.trials - left)
        return result, Cost(ran, retrained, prepared - started, spent, confirmed - searched, 0.0, stopped, refit)


def asked_study(study: Any, objective: Callable[..., Any] | None, given: dict[str, Any], needs_data: bool) -> Study:
    """The study that is asked for; `objective` takes the place of the one that it names."""
    if objective is None:
        return read_study(study, settings=given, needs_data=needs_data)
    named = given | {"study.objective": getattr(objective, "__name__", type(objective).__name__)}
    return read_study(study, settings=named, needs_data=False)


def subject_of(asked: Study, data: Any, room: Path, objective: Callable[..., Any] | None = None) -> Subject:
    """What a study is about, looked at as far as that takes no training. Raises StudyError, DataError."""
    if asked.own is None:
        return Core(ask(asked, data, room))
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
            write_atomic(self.directory.given_up, f"{given_up}\n")
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
        leader = [standing.trial for standing in standings(study, trials, self.ledger.confirmations(), facts)[:1]]
        done += self._retrain("report", [trial for trial in trials if trial.number in leader], report_seeds(study))
        if study != self.study:
            self.directory.write_study(study.to_toml())
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
