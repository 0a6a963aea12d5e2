"""The study as it is stored: what actually ran. What is stored can be read again, and says the same then."""

from __future__ import annotations

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.home import StudyDirectory
from tuner.spec.reading import parse_toml
from tuner.spec.resolve import read_study
from tuner.spec.study import Study

__all__ = ["stored_study", "stored_text"]


def stored_study(directory: StudyDirectory) -> Study:
    """The resolved study of a directory, or of the database that its ledger is in. Raises StudyError, LedgerError."""
    if directory.storage is None:
        return read_study(directory.study, needs_data=False, ran=True)
    return read_study(parse_toml(directory.study_text(), str(directory.place)), needs_data=False, ran=True)


def stored_text(study: Study) -> str:
    """Return the text that the study is stored as.

    Raises StudyError where it could not be read again, or would say something else then: nothing may be trained whose
    result nobody can open.
    """
    text = study.to_toml()
    try:
        again = read_study(parse_toml(text), needs_data=False, ran=True)
    except StudyError as error:
        raise _unreadable(f"cannot be stored: {error}") from error
    if again != study:
        old, new = study.to_table(), again.to_table()
        where = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        raise _unreadable(f"cannot be stored: [{'], ['.join(where)}] would say something else when it is read again")
    return text


def _unreadable(what: str) -> StudyError:
    return StudyError(Complaint("study", what, "this should not happen: write the key in another way, and report it"))
