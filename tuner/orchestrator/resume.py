"""Open the ledger of a study that has one, or create it; refuse a study of the same name that asks another question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuner.engines import InlineEngine
from tuner.enums import TrialState
from tuner.errors import ChangedStudy, StudyError
from tuner.orchestrator.warm_start import WarmStart, warm_start_text
from tuner.search import check_search
from tuner.space import space_of
from tuner.store.backend import write_private
from tuner.store.directory import StudyDirectory
from tuner.store.ledger import Ledger
from tuner.store.machine import canary_hash, machine_facts
from tuner.store.stored import stored_study, stored_text
from tuner.study import CustomObjective, Study, differences, in_toml, not_run
from tuner.trainables.protocols import Trainable

__all__ = ["open_or_create", "write_study"]


def open_or_create(
    trainable: Trainable, directory: StudyDirectory, warm: Callable[[], WarmStart], tell: Callable[[str], None]
) -> tuple[Ledger, Study]:
    """Open or create the ledger; also return the study that actually runs: the one stored when the ledger was created.

    Raises ChangedStudy where the stored study asks another question. A study without a successful trial has no result
    to lose: it starts anew if its question or its source has changed.
    """
    study, song = trainable.study, InlineEngine().submit(canary_hash).result()
    if not directory.exists:
        return create_ledger(trainable, directory, warm(), song)
    frozen = stored_study(directory)
    if frozen.imported:
        raise not_run(frozen.name, frozen.imported)
    ledger = Ledger.open(directory.place)
    if ledger.lost:
        tell(f"{ledger.lost}; what is missing is run again")
    count = ledger.count()
    try:
        check_same(frozen, study, ledger.facts, trainable, song)
        if not (trainable.warnings(ledger.facts) and all_failed(ledger)):
            tell_changed(directory, ledger, tell)
            return ledger, merged_settings(frozen, study, directory, ledger)
    except ChangedStudy:
        if not all_failed(ledger):
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
    return create_ledger(trainable, directory, warm(), song)


def all_failed(ledger: Ledger) -> bool:
    """Return True if no trial has a result."""
    return all(trial.state == TrialState.FAILED for trial in ledger.trials())


def merged_settings(frozen: Study, asked: Study, directory: StudyDirectory, ledger: Ledger) -> Study:
    """Merge the stored study with the settings that may change, and with the present paths of data and objective.

    Raises StudyError where the search cannot be extended that far.
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
        refit=asked.refit,
        description=asked.description,
        data=frozen.data.model_copy(update={"source": asked.data.source or frozen.data.source}),
        custom=replace(frozen.custom, objective=asked.custom.objective, keep=asked.custom.keep)
        if frozen.custom and asked.custom
        else frozen.custom,
    )
    if resolved.trials > done and (complaints := check_search(resolved, space_of(resolved))):
        raise StudyError(*complaints)
    write_study(resolved, directory, ledger)
    return resolved


def placed(frozen: CustomObjective | None, asked: CustomObjective | None) -> CustomObjective | None:
    """Return the stored objective with its present path; which directories are kept is no part of the question."""
    return replace(frozen, objective=asked.objective, keep=asked.keep) if frozen and asked else frozen


def write_study(study: Study, directory: StudyDirectory, ledger: Ledger) -> None:
    """Store the resolved study: in the ledger, which is authoritative, and in the file that people read."""
    text = stored_text(study)
    ledger.write_study(text)
    directory.write_study(text)


def tell_changed(directory: StudyDirectory, ledger: Ledger, tell: Callable[[str], None]) -> None:
    """Report if the stored file differs from the ledger: it is not what ran."""
    with suppress(OSError):
        if directory.storage is None and ledger.study and directory.study.read_bytes() != ledger.study.encode():
            tell(f"{directory.study.name} was changed since it was stored: it is written anew, as this run resolves it")


def create_ledger(trainable: Trainable, directory: StudyDirectory, warm: WarmStart, song: str) -> tuple[Ledger, Study]:
    """Create the ledger of a new study."""
    study = trainable.study
    text = stored_text(study)
    write_private(directory.study, text)
    kept = {"warm_start": warm_start_text(warm.trials)} if warm.trials else {}
    facts = trainable.facts() | {"canary": song} | kept | machine_facts()
    return Ledger.create(directory.place, facts, text), study


def check_same(frozen: Study, asked: Study, known: Mapping[str, str], trainable: Trainable, song: str) -> None:
    """Raise ChangedStudy with every difference that would change the results."""
    changes = [change for change in differences(frozen, asked) if not is_moved(*change)]
    lines = [f"{key}: was {in_toml(old)}, now {in_toml(new)}" for key, old, new in changes]
    lines += trainable.changes(known)
    if known["canary"] != song:
        lines.append(f"the machine: its arithmetic differs from where the study began ({known['processor']})")
    if lines:
        head = f"study {asked.name!r} exists and asks another question:"
        way = (
            "give it another name (--name NEW, name=...), or begin it --fresh (fresh=True): the old one is moved aside"
        )
        raise ChangedStudy("\n".join([head, *(f"  {line}" for line in lines), way]))


def is_moved(key: str, old: Any, new: Any) -> bool:
    """Return True if only a path differs: whether data and code are the same is decided by their digests."""
    return key == "data.source" or (key == "study.objective" and Path(str(old)).name == Path(str(new)).name)
