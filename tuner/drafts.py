"""Files and folders that are being made: beside their place, and held as long as their maker lives.

The kernel frees what a killed process held, so that what it left behind is known from what another one is at work on,
whatever machine or container either ran in; the next one clears it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["PRIVATE", "clear_left", "draft_of", "folder_of", "written_whole"]

PRIVATE = 0o600  # what a study's data are kept under: for its owner alone
DRAFT = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.tmp(?:-\w+)?", re.DOTALL)


def draft_of(path: Path) -> Path:
    """Return a free name beside a path, for what is to become it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def written_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replace a file in one step: whoever reads it, after whatever crash, finds the old content or the new.

    A file that is there keeps its permissions; a new one has those of `mode`, or what the process gives by itself.
    """
    with suppress(OSError):
        mode = path.stat().st_mode & 0o777
    draft = draft_of(path)
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode or 0o666), "wb") as file:
            _hold(file.fileno())
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def folder_of(path: Path) -> Iterator[Path]:
    """Make a folder beside a path for its owner alone, for what may yet become it; gone at the end, with all in it.

    What killed processes left of the same kind is cleared. Where no folder can be made, none is there.
    """
    clear_left(path.parent, path.name)
    folder, held = draft_of(path), -1
    made = [parent for parent in path.parents if not parent.exists()]
    try:
        with suppress(OSError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            held = _made(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for parent in made:
            with suppress(OSError):  # one that was made for it is empty
                parent.rmdir()
        if held >= 0:
            os.close(held)


def _made(folder: Path) -> int:
    """Make a folder and hold it; returns what holds it. One that is cleared before it is held is made again."""
    while True:
        folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):
            held = os.open(folder, os.O_RDONLY)
            _hold(held)
            if folder.exists():
                return held
            os.close(held)


def clear_left(folder: Path, name: str = "") -> None:
    """Remove the drafts that killed processes left in a folder; of `name` alone, where one is given."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            draft = DRAFT.fullmatch(entry.name)
            if draft and draft["name"] == (name or draft["name"]) and _left(entry.path):
                _remove(entry)


def _remove(entry: os.DirEntry[str]) -> None:
    with suppress(OSError):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)


def _hold(descriptor: int) -> None:
    """Hold a file or folder until it is closed; where the system has no such locks, nobody is asked."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _left(path: str) -> bool:
    """Tell whether nobody holds a file or folder any more; no where that cannot be told."""
    try:
        import fcntl

        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        finally:
            os.close(descriptor)
    except (ImportError, OSError):
        return False
