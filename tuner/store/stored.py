"""The resolved study as it is stored: what actually ran. Reading it back gives the same study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.store.directory import StudyDirectory
from tuner.store.ledger import Ledger
from tuner.study import Study, parse_toml, read_study

__all__ = ["has_run", "stored_study", "stored_text"]


def stored_study(directory: StudyDirectory) -> Study:
    """Return the resolved study of a directory as its ledger has it, even if its file was changed.

    Old ledgers lack it: for those the file is read. Raises StudyError, LedgerError.
    """
    with Ledger.open(directory.place, read_only=True) as ledger:
        text = ledger.study
    if not text and directory.storage is None:
        return read_study(directory.study, needs_data=False, ran=True)
    local = directory.storage is None
    study = _read(text or directory.study_text(), str(directory.study if local else directory.place))
    return replace(study, base=directory.path) if local else study


def _read(text: str, where: str = "study") -> Study:
    return read_study(parse_toml(text, where), needs_data=False, ran=True)


def stored_text(study: Study) -> str:
    """Return the text that the study is stored as.

    Raises StudyError where it could not be read back, or would differ then: nothing may be trained whose result cannot
    be opened.
    """
    text = study.to_toml()
    try:
        again = _read(text)
    except StudyError as error:
        raise _unreadable(f"cannot be stored: {error}") from error
    if again != study:
        old, new = study.to_table(), again.to_table()
        where = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        raise _unreadable(f"cannot be stored: [{'], ['.join(where)}] would say something else when it is read again")
    return text


def _unreadable(what: str) -> StudyError:
    return StudyError(Complaint("study", what, "this should not happen: write the key in another way, and report it"))


def has_run(file: str | Path) -> bool:
    """Return whether `file` is the study file that a run left in the study's directory."""
    directory = StudyDirectory(Path(file).parent)
    return Path(file) == directory.study and directory.ran
