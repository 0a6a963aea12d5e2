"""`doctor`: looks at everything that a study consists of, changes nothing, and recovers what can be read elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from shlex import quote

from objectives.errors import InvalidInput
from tuner.best import load_best
from tuner.engines import InlineEngine
from tuner.errors import LedgerError, StudyBusy, StudyError, TunerError
from tuner.store.backend import write_private
from tuner.store.directory import LOCK, StudyDirectory
from tuner.store.ledger import Ledger
from tuner.store.ledger.rescue import Rescued, rescue, write_rescued
from tuner.store.machine import canary_hash
from tuner.store.stored import stored_study, stored_text
from tuner.study import Study, read_study
from tuner.study.reading import parse_toml

__all__ = ["Diagnosis", "examine", "recover"]


@dataclass(frozen=True)
class Diagnosis:
    """What is the matter with one part of a study: `state` is "ok", "note" or "damaged".

    `command` is the one that the detail names, if it does.
    """

    part: str
    state: str
    detail: str
    command: str = ""


def examine(directory: StudyDirectory) -> list[Diagnosis]:
    """Diagnose a study, the most important diagnosis first."""
    if directory.storage is not None:
        found = [_stored(directory), *_opened(directory)]
    else:
        rescued = rescue(directory.ledger)
        found = [_study(directory, rescued.study), *_ledger(directory, rescued)]
    return [*found, *_files(directory), _holder(directory)]


def recover(directory: StudyDirectory) -> tuple[StudyDirectory, Rescued]:
    """Write what can be read of a study as a new one, NAME-recovered, that goes on from there; the old one stays.

    Raises LedgerError where nothing can be read, or where its study file cannot.
    """
    found = rescue(directory.ledger)
    if not found.facts:
        raise LedgerError(f"{directory.ledger}: nothing can be recovered: {'; '.join(found.problems)}")
    try:
        study = read_study(parse_toml(found.study), needs_data=False, ran=True) if found.study else _filed(directory)
    except (StudyError, OSError) as error:
        raise LedgerError(f"{directory.study}: has to be mended first: {str(error).splitlines()[0]}") from error
    new = next(place for place in _places(directory) if not place.path.exists())
    new.path.mkdir(mode=0o700)
    text = stored_text(replace(study, name=new.name))
    write_private(new.study, text)
    write_rescued(new.ledger, found, text)
    return new, found


def _places(directory: StudyDirectory) -> Iterator[StudyDirectory]:
    name = f"{directory.name}-recovered"
    return (StudyDirectory(directory.path.with_name(name if i == 1 else f"{name}-{i}")) for i in count(1))


def _filed(directory: StudyDirectory) -> Study:
    """Read the study from its file. Raises StudyError, OSError."""
    return read_study(directory.study, needs_data=False, ran=True)


def _stored(directory: StudyDirectory) -> Diagnosis:
    """Check that a study in a database can be read."""
    try:
        return _planned(stored_study(directory))
    except TunerError as error:
        return Diagnosis("study", "damaged", str(error).splitlines()[0])


def _study(directory: StudyDirectory, kept: str) -> Diagnosis:
    """Check that a study's file can be read and agrees with the ledger."""
    try:
        study = _filed(directory)
        if kept and directory.study.read_text(encoding="utf-8") != kept:
            what = f"{directory.study.name} was changed by hand: what the ledger keeps of it counts"
            return Diagnosis("study", "note", f"{what}, and the next run writes it anew")
        return _planned(study)
    except (StudyError, OSError) as error:
        way = "; the ledger keeps it, and the next run writes it anew" if kept else ""
        return Diagnosis("study", "damaged", f"{str(error).splitlines()[0]}{way}")


def _planned(study: Study) -> Diagnosis:
    return Diagnosis("study", "ok", f"{study.trials} trials planned, {study.direction} {study.metric}")


def _ledger(directory: StudyDirectory, found: Rescued) -> list[Diagnosis]:
    what = f"{len(found.generations)} generations, {found.trials} trials, {len(found.confirmed)} confirmations"
    if found.problems:
        command = f"tuner doctor {quote(directory.name)} --recover" if found.facts else ""
        way = f"{command} writes it into a new study" if command else "nothing to recover"
        damage = [Diagnosis("ledger", "damaged", problem) for problem in found.problems]
        return [*damage, Diagnosis("ledger", "note", f"can be read: {what}; {way}", command)]
    return [Diagnosis("ledger", "ok", f"{what}, all as they were committed"), _machine(found.facts.get("canary", ""))]


def _opened(directory: StudyDirectory) -> list[Diagnosis]:
    """Check that a ledger in a database can be read whole."""
    try:
        with Ledger.open(directory.place, read_only=True) as ledger:
            trials = ledger.trials()
            for trial in trials:
                len(trial.curves)
            what = f"{len(trials)} trials, {len(ledger.confirmations())} confirmations, all as they were committed"
            return [Diagnosis("ledger", "ok", what), _machine(ledger.facts.get("canary", ""))]
    except TunerError as error:
        return [Diagnosis("ledger", "damaged", str(error))]


def _machine(known: str) -> Diagnosis:
    if not known:
        return Diagnosis("machine", "note", "the study was imported: it goes on nowhere")
    if known == InlineEngine().submit(canary_hash).result():
        return Diagnosis("machine", "ok", "its arithmetic is that of the study: it can go on here")
    return Diagnosis("machine", "note", "its arithmetic differs from the study's: it goes on only where it began")


def _files(directory: StudyDirectory) -> list[Diagnosis]:
    found = []
    if directory.best.exists():
        try:
            load_best(directory.best)
        except (InvalidInput, TunerError, OSError, ValueError, KeyError) as error:
            found.append(
                Diagnosis("best.toml", "damaged", f"{str(error).splitlines()[0]}; the next run writes it anew")
            )
    with suppress(OSError):
        if directory.ranking.stat().st_mtime < directory.changed():
            command = f"tuner run {quote(directory.name)}"
            found.append(Diagnosis("files", "note", f"older than the ledger; {command} writes them anew", command))
    if not os.access(directory.path if directory.path.exists() else directory.path.parent, os.W_OK):
        found.append(Diagnosis("directory", "note", "cannot be written here: it can be looked at, not gone on with"))
    return found


def _holder(directory: StudyDirectory) -> Diagnosis:
    if not (directory.path / LOCK).exists() or not os.access(directory.path, os.W_OK):
        return Diagnosis("lock", "ok", "nobody runs it")
    try:
        with directory.lock():
            return Diagnosis("lock", "ok", "nobody runs it")
    except StudyBusy as busy:
        return Diagnosis("lock", "note", str(busy).partition(";")[0])
    except OSError as error:
        return Diagnosis("lock", "note", f"cannot be asked: {error.strerror}")
