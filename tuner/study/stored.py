"""The study as it is stored: what actually ran. What is stored can be read again, and says the same then."""

from __future__ import annotations

from dataclasses import replace

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.store.directory import StudyDirectory
from tuner.store.ledger import Ledger
from tuner.study.reading import parse_toml
from tuner.study.resolve import read_study
from tuner.study.study import Study

__all__ = ["stored_study", "stored_text"]


def stored_study(directory: StudyDirectory) -> Study:
    """Return the resolved study of a directory: what its ledger says, which a change of its file does not change.

    The file of a study of before ledgers kept it is read in its place. Raises StudyError, LedgerError.
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

    Raises StudyError where it could not be read again, or would say something else then: nothing may be trained whose
    result nobody can open.
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
