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
from tuner.store.directory import LOCK, StudyDirectory, write_private
from tuner.store.ledger import Ledger
from tuner.store.ledger.rescue import Rescued, rescue, write_rescued
from tuner.store.machine import canary
from tuner.study import Study, read_study, stored_study, stored_text
from tuner.study.reading import parse_toml

__all__ = ["Finding", "examine", "recover"]


@dataclass(frozen=True)
class Finding:
    """What is the matter with one part of a study: `state` is "ok", "note" or "damaged".

    `command` is the one that the detail names, if it does.
    """

    part: str
    state: str
    detail: str
    command: str = ""


def examine(directory: StudyDirectory) -> list[Finding]:
    """Everything that there is to say of a study, in the order in which it matters."""
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
    """The study that the file says. Raises StudyError, OSError."""
    return read_study(directory.study, needs_data=False, ran=True)


def _stored(directory: StudyDirectory) -> Finding:
    """Of a study in a database: whether it can be read."""
    try:
        return _planned(stored_study(directory))
    except TunerError as error:
        return Finding("study", "damaged", str(error).splitlines()[0])


def _study(directory: StudyDirectory, kept: str) -> Finding:
    """Of a study's file: whether it can be read, and says what the ledger has kept."""
    try:
        study = _filed(directory)
        if kept and directory.study.read_text(encoding="utf-8") != kept:
            what = f"{directory.study.name} was changed by hand: what the ledger keeps of it counts"
            return Finding("study", "note", f"{what}, and the next run writes it anew")
        return _planned(study)
    except (StudyError, OSError) as error:
        way = "; the ledger keeps it, and the next run writes it anew" if kept else ""
        return Finding("study", "damaged", f"{str(error).splitlines()[0]}{way}")


def _planned(study: Study) -> Finding:
    return Finding("study", "ok", f"{study.trials} trials planned, {study.direction} {study.metric}")


def _ledger(directory: StudyDirectory, found: Rescued) -> list[Finding]:
    what = f"{len(found.generations)} generations, {found.trials} trials, {len(found.confirmed)} confirmations"
    if found.problems:
        command = f"tuner doctor {quote(directory.name)} --recover" if found.facts else ""
        way = f"{command} writes it into a new study" if command else "nothing to recover"
        damage = [Finding("ledger", "damaged", problem) for problem in found.problems]
        return [*damage, Finding("ledger", "note", f"can be read: {what}; {way}", command)]
    return [Finding("ledger", "ok", f"{what}, all as they were committed"), _machine(found.facts.get("canary", ""))]


def _opened(directory: StudyDirectory) -> list[Finding]:
    """Of a ledger in a database: whether all of it can be read."""
    try:
        with Ledger.open(directory.place, read_only=True) as ledger:
            trials = ledger.trials()
            for trial in trials:
                len(trial.curves)
            what = f"{len(trials)} trials, {len(ledger.confirmations())} confirmations, all as they were committed"
            return [Finding("ledger", "ok", what), _machine(ledger.facts.get("canary", ""))]
    except TunerError as error:
        return [Finding("ledger", "damaged", str(error))]


def _machine(known: str) -> Finding:
    if not known:
        return Finding("machine", "note", "the study was imported: it goes on nowhere")
    if known == InlineEngine().submit(canary).result():
        return Finding("machine", "ok", "its arithmetic is that of the study: it can go on here")
    return Finding("machine", "note", "its arithmetic differs from the study's: it goes on only where it began")


def _files(directory: StudyDirectory) -> list[Finding]:
    found = []
    if directory.best.exists():
        try:
            load_best(directory.best)
        except (InvalidInput, TunerError, OSError, ValueError, KeyError) as error:
            found.append(Finding("best.toml", "damaged", f"{str(error).splitlines()[0]}; the next run writes it anew"))
    with suppress(OSError):
        if directory.ranking.stat().st_mtime < directory.changed():
            command = f"tuner run {quote(directory.name)}"
            found.append(Finding("files", "note", f"older than the ledger; {command} writes them anew", command))
    if not os.access(directory.path if directory.path.exists() else directory.path.parent, os.W_OK):
        found.append(Finding("directory", "note", "cannot be written here: it can be looked at, not gone on with"))
    return found


def _holder(directory: StudyDirectory) -> Finding:
    if not (directory.path / LOCK).exists() or not os.access(directory.path, os.W_OK):
        return Finding("lock", "ok", "nobody runs it")
    try:
        with directory.lock():
            return Finding("lock", "ok", "nobody runs it")
    except StudyBusy as busy:
        return Finding("lock", "note", str(busy).partition(";")[0])
    except OSError as error:
        return Finding("lock", "note", f"cannot be asked: {error.strerror}")
