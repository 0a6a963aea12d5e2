"""Studies as they were stored when they were created: what actually ran."""

from __future__ import annotations

from pathlib import Path

from tuner.store.directory import StudyDirectory
from tuner.study import Study, parse_toml, read_study

__all__ = ["has_run", "stored_study"]


def stored_study(directory: StudyDirectory) -> Study:
    """Load the resolved study of a directory, or of the database of its ledger. Raises StudyError, LedgerError."""
    if directory.storage is None:
        return read_study(directory.study, needs_data=False, ran=True)
    return read_study(parse_toml(directory.study_text(), str(directory.place)), needs_data=False, ran=True)


def has_run(file: str | Path) -> bool:
    """Return whether `file` is the study file that a run left in the study's directory."""
    directory = StudyDirectory(Path(file).parent)
    return Path(file) == directory.study and directory.ran
