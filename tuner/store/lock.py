"""One process runs a study at a time: a lock that the kernel releases when its holder dies, however it dies.

A file beside the lock names the holder, for messages. Nothing depends on a clock or on cleaning up: after a `kill -9`
the next process gets the lock at once.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tuner.errors import StudyBusy

__all__ = ["hold"]


@contextmanager
def hold(path: Path, study: str) -> Iterator[None]:
    """Hold the lock file `path`, which is made where it is missing. Raises StudyBusy naming who holds it."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # a study's data are its owner's alone
    holder = path.with_name(f"{path.name}.json")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StudyBusy(_busy(study, holder)) from None
    try:
        holder.write_text(json.dumps(_myself()), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _myself() -> dict[str, str | int]:
    since = datetime.now(UTC).isoformat(" ", "seconds").removesuffix("+00:00")
    return {"pid": os.getpid(), "host": platform.node(), "since": since}


def _busy(study: str, holder: Path) -> str:
    # Right after the lock was taken, its holder may not be recorded yet.
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        named = f"process {int(who['pid'])} on {who['host']} since {who['since']} UTC"
    except (OSError, ValueError, KeyError, TypeError):
        named = "another process"
    return f"study {study!r} is run by {named}; wait until it is done or stop it, then run this again"
