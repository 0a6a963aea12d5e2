"""The study as it was stored when it was created: what actually ran."""

from __future__ import annotations

from tuner.store.directory import StudyDirectory
from tuner.study.reading import parse_toml
from tuner.study.resolve import read_study
from tuner.study.study import Study

__all__ = ["stored_study"]


def stored_study(directory: StudyDirectory) -> Study:
    """The resolved study of a directory, or of the database that its ledger is in. Raises StudyError, LedgerError."""
    if directory.storage is None:
        return read_study(directory.study, needs_data=False, ran=True)
    return read_study(parse_toml(directory.study_text(), str(directory.place)), needs_data=False, ran=True)
