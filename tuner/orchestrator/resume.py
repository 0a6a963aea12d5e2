"""What a study of that name has already: a ledger to go on with, or another question, which is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuner.engines import InlineEngine
from tuner.errors import ChangedStudy, StudyError
from tuner.orchestrator.warm_start import Warm, warm_text
from tuner.search import check_search
from tuner.space import space_of
from tuner.store.directory import StudyDirectory, write_private
from tuner.store.ledger import Ledger
from tuner.store.machine import canary, machine_facts
from tuner.study import Own, Study, differences, in_toml, not_run, stored_study, stored_text
from tuner.trainables.base import Subject

__all__ = ["settle", "write_study"]


def settle(
    subject: Subject, directory: StudyDirectory, warm: Callable[[], Warm], tell: Callable[[str], None]
) -> tuple[Ledger, Study]:
    """The ledger to go on with, and the study that actually runs: the one that was frozen when it was created.

    Raises ChangedStudy where a study of that name asks another question. One whose trials have all failed, or which has
    none yet, has no answer that could be lost: it begins anew where its question or its source has changed.
    """
    study, song = subject.study, InlineEngine().submit(canary).result()
    if not directory.exists:
        return created(subject, directory, warm(), song)
    frozen = stored_study(directory)
    if frozen.imported:
        raise not_run(frozen.name, frozen.imported)
    ledger = Ledger.open(directory.place)
    if ledger.lost:
        tell(f"{ledger.lost}; what is missing is run again")
    count = ledger.count()
    try:
        check_same(frozen, study, ledger.facts, subject, song)
        if not (subject.warnings(ledger.facts) and hopeless(ledger)):
            tell_changed(directory, ledger, tell)
            return ledger, gone_on(frozen, study, directory, ledger)
    except ChangedStudy:
        if not hopeless(ledger):
            ledger.close()
            raise
    except StudyError:
        ledger.close()
        raise
    ledger.close()
    if count:
        tell(f"all {count} trials of before had failed: they are moved to {directory.set_aside().name}")
    else:
        directory.forget_ledger()
    return created(subject, directory, warm(), song)


def hopeless(ledger: Ledger) -> bool:
    """Whether no trial has come to anything."""
    return all(trial.state == "failed" for trial in ledger.trials())


def gone_on(frozen: Study, asked: Study, directory: StudyDirectory, ledger: Ledger) -> Study:
    """The study that was frozen, with what may be asked otherwise, and where data and objective are now.

    Raises StudyError where its search cannot go that far.
    """
    done = ledger.count()
    resolved = replace(
        frozen,
        trials=max(asked.trials, done),
        stop=asked.stop,
        limits=asked.limits,
        rows=asked.rows,
        base=asked.base,
        workers=asked.workers,
        data=frozen.data.model_copy(update={"source": asked.data.source or frozen.data.source}),
        own=replace(frozen.own, objective=asked.own.objective, keep=asked.own.keep)
        if frozen.own and asked.own
        else frozen.own,
    )
    if resolved.trials > done and (complaints := check_search(resolved, space_of(resolved))):
        raise StudyError(*complaints)
    write_study(resolved, directory, ledger)
    return resolved


def placed(frozen: Own | None, asked: Own | None) -> Own | None:
    """Return the frozen objective with its present place; which directories are kept is no part of the question."""
    return replace(frozen, objective=asked.objective, keep=asked.keep) if frozen and asked else frozen


def write_study(study: Study, directory: StudyDirectory, ledger: Ledger) -> None:
    """Store the resolved study: in the ledger, which is what counts, then in the file that people read."""
    text = stored_text(study)
    ledger.write_study(text)
    directory.write_study(text)


def tell_changed(directory: StudyDirectory, ledger: Ledger, tell: Callable[[str], None]) -> None:
    """Tell that the stored file differs from the ledger, where it does: it is not what ran."""
    with suppress(OSError):
        if directory.storage is None and ledger.study and directory.study.read_bytes() != ledger.study.encode():
            tell(f"{directory.study.name} was changed since it was stored: it is written anew, as this run resolves it")


def created(subject: Subject, directory: StudyDirectory, warm: Warm, song: str) -> tuple[Ledger, Study]:
    """The ledger of a study that begins."""
    study = subject.study
    text = stored_text(study)
    write_private(directory.study, text)
    kept = {"warm_start": warm_text(warm.trials)} if warm.trials else {}
    facts = subject.facts() | {"canary": song} | kept | machine_facts()
    return Ledger.create(directory.place, facts, text), study


def check_same(frozen: Study, asked: Study, known: Mapping[str, str], subject: Subject, song: str) -> None:
    """Raise ChangedStudy with every difference that would make another table."""
    changes = [change for change in differences(frozen, asked) if not only_moved(*change)]
    lines = [f"{key}: was {in_toml(old)}, now {in_toml(new)}" for key, old, new in changes]
    lines += subject.changes(known)
    if known["canary"] != song:
        lines.append(f"the machine: its arithmetic differs from where the study began ({known['processor']})")
    if lines:
        head = f"study {asked.name!r} exists and asks another question:"
        way = (
            "give it another name (--name NEW, name=...), or begin it --fresh (fresh=True): the old one is moved aside"
        )
        raise ChangedStudy("\n".join([head, *(f"  {line}" for line in lines), way]))


def only_moved(key: str, old: Any, new: Any) -> bool:
    """Whether a difference is one of place alone: of data and code the digests say more, and the subject compares."""
    return key == "data.source" or (key == "study.objective" and Path(str(old)).name == Path(str(new)).name)
