"""`confirm`: confirms the leaders of a study that is there, or more of them on more seeds than before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.api.run import PATIENCE, StudyRun, trainable_of
from tuner.engines import InlineEngine
from tuner.errors import ChangedStudy, StudyError, TunerError
from tuner.orchestrator.artifacts import summary_of, write_artifacts
from tuner.orchestrator.callbacks import RunCallback, default_callback
from tuner.records import Spent
from tuner.result import Cost, Result
from tuner.store.directory import Home, StudyDirectory, find, home_of
from tuner.store.ledger import Ledger
from tuner.store.machine import canary_hash
from tuner.store.stored import stored_study
from tuner.study import MOST_SEEDS, ConfirmTable, Study, not_run
from tuner.trainables.protocols import Trainable

__all__ = ["MOST_TOP", "check_unchanged", "confirm", "stored_subject", "writable"]

MOST_TOP = 100


def confirm(  # noqa: PLR0913
    name: str | Path,
    top: int | None = None,
    seeds: int | None = None,
    *,
    data: Any = None,
    jobs: int | None = None,
    home: Home = None,
    storage: str | None = None,
    callback: RunCallback | None = None,
    objective: Callable[..., Any] | None = None,
) -> Result:
    """Train the `top` trials of a study again on fresh seeds and splits, and return the results.

    They race: rounds of `seeds` double, and trials that fall behind leave. Then the best is trained on as many more.
    By default both numbers are the study's. Earlier trainings count and stay in the comparison. `data` or `objective`
    is needed if the study was run with one from Python. Raises UnknownStudy, NoResult if no trial is complete,
    StudyBusy, StudyError, DataError, and ChangedStudy if the data or the machine's arithmetic differ.

    ```python
    tuner.confirm("digits", top=2, seeds=5, jobs=1).confirmation()
    ```
    """
    started = time.perf_counter()
    callback = callback or default_callback()
    directory = find(name, home_of(home, storage))
    frozen = stored_study(directory)
    if frozen.imported:
        raise not_run(frozen.name, frozen.imported)
    if frozen.data.surface:
        what = "an analytic surface has no rows to set aside: its values are exact"
        raise StudyError(Complaint(f"study {frozen.name!r}", what, "there is nothing to confirm"))
    wanted = asked(frozen, top, seeds, jobs).model_copy(update={"enabled": True})
    with writable(directory), directory.room() as room:
        Result(directory).best()  # raises NoResult before anything is read or trained
        callback.stage("prepare")
        trainable = stored_subject(frozen, data, room, objective)
        frozen = replace(frozen, rows=trainable.study.rows)  # a budget in steps is nothing without
        with Ledger.open(directory.place) as ledger:
            check_unchanged(trainable, ledger)
            for warning in trainable.warnings(ledger.facts):
                callback.note(warning)
            workers = jobs or trainable.jobs(replace(frozen, confirm=wanted), 0)
            ledger.wait_for(PATIENCE, callback.note)
            with trainable.engine(frozen, workers, None) as engine:
                engine.note = callback.note
                study_run = StudyRun(frozen, trainable, directory, ledger, callback)
                trainable.trainer(frozen, directory, engine)
                prepared = time.perf_counter()
                retrained = study_run.confirm(engine, wanted)
                confirmed = time.perf_counter()
                result = Result(directory)
                ledger.write_summary(summary_of(result))
                write_artifacts(result, trainable, engine)
                if len(result.standings) < wanted.top:
                    callback.note(f"the study has no more than {len(result.standings)} complete configs to confirm")
    callback.ended()
    wall = time.perf_counter() - started
    result.cost = Cost(0, retrained, prepared - started, Spent(), confirmed - prepared, wall)
    return result


def asked(study: Study, top: int | None, seeds: int | None, jobs: int | None) -> ConfirmTable:
    """Return what to confirm. Raises StudyError with every number that is out of bounds."""
    bounds = {"top": (top, 1, MOST_TOP), "seeds": (seeds, 2, MOST_SEEDS), "jobs": (jobs, 1, 1024)}
    wrong = [
        Complaint(key, f"must lie in [{low}, {high}], but got {value}")
        for key, (value, low, high) in bounds.items()
        if value is not None and not low <= value <= high
    ]
    if wrong:
        raise StudyError(*wrong)
    given = {key: value for key, value in {"top": top, "seeds": seeds}.items() if value is not None}
    return study.confirm.model_copy(update=given)


@contextmanager
def writable(directory: StudyDirectory, doing: str = "confirming") -> Iterator[None]:
    """Hold the study. Raises StudyBusy naming who has it, TunerError where nothing can be written."""
    with ExitStack() as held:
        try:
            held.enter_context(directory.lock())
        except OSError as error:
            raise TunerError(
                f"{directory.path}: {error.strerror or error}; {doing} writes to the study: "
                "copy it to a place that can be written"
            ) from error
        yield


def stored_subject(
    study: Study, data: Any, room: Path, objective: Callable[..., Any] | None, verb: str = "confirm"
) -> Trainable:
    """Prepare the stored study's trainable again. Raises DataError or StudyError."""
    if study.custom is None and data is None and study.data.source is None:
        raise StudyError(
            Complaint(
                "data",
                f"study {study.name!r} was run on data given in Python",
                f"tuner.{verb}({study.name!r}, data=...)",
            )
        )
    return trainable_of(study, data, room, objective, study)


def check_unchanged(trainable: Trainable, ledger: Ledger, done: str = "confirmed") -> None:
    """Raise ChangedStudy where the data, or the machine's arithmetic, are not what the trials were trained with."""
    known, study = ledger.facts, trainable.study
    where = f"{study.data.source or 'the data given'} has changed since:"
    lines = [line.replace("the data:", where) for line in trainable.changes(known)]
    if known["canary"] != InlineEngine().submit(canary_hash).result():
        lines.append(f"this machine's arithmetic differs from where the study was run ({known['processor']})")
    if lines:
        head = f"study {study.name!r} cannot be {done}: what is trained now could not be compared with its trials"
        raise ChangedStudy("\n".join([head, *(f"  {line}" for line in lines), "put back what was, or run it anew"]))
