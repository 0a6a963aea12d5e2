"""`remove`: a study with all that it found, for good."""

from __future__ import annotations

import shutil

from tuner.store.directory import StudyDirectory

__all__ = ["remove"]


def remove(directory: StudyDirectory) -> None:
    """Remove a study: its ledger first, so that a removal that is cut short leaves no study behind.

    Raises StudyBusy where a process runs it.
    """
    with directory.lock():
        directory.forget_ledger()
        shutil.rmtree(directory.path.resolve())
        if directory.path.is_symlink():
            directory.path.unlink()
