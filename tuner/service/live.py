"""Live events: where a study stands, told to whoever listens whenever that changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from tuner.errors import TunerError
from tuner.service.readers import progress_of
from tuner.service.room import ServiceRoom
from tuner.store.directory import study_directory
from tuner.views.json_values import json_value

__all__ = ["EVERY", "glance", "glance_at_all", "stream"]

EVERY = 0.4  # seconds between looks
QUIET = 15.0  # seconds of silence after which a comment keeps the connection open

Glance = Callable[[], dict[str, Any]]


def glance(room: ServiceRoom, name: str) -> dict[str, Any]:
    """Return where a study stands: its job, when its ledger changed, the progress of its run. Raises UnknownStudy."""
    job = room.known(name)
    directory = study_directory(name, room.settings.home)
    changed = directory.changed() if directory.exists else None
    state = None if job is None else job.state
    return {"study": name, "job": state, "changed": changed, "progress": progress_of(room, job)}


def glance_at_all(room: ServiceRoom) -> dict[str, Any]:
    """Return where every job stands that is not over, and how many there are."""
    jobs = room.queue.jobs()
    active = {job.study: [job.state, job.priority, progress_of(room, job).get("done")] for job in jobs if job.active}
    return {"jobs": len(jobs), "active": active}


async def stream(glance: Glance, ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield server-sent events: what `glance` returns, whenever it differs from what was told last.

    A study that is removed ends its stream, and so does the end of the service.
    """
    told, silent = "", 0.0
    while not ending():
        try:
            text = json.dumps(json_value(await asyncio.to_thread(glance)), default=str)
        except (TunerError, OSError):
            yield "event: gone\ndata: {}\n\n"
            return
        if text != told:
            told, silent = text, 0.0
            yield f"data: {text}\n\n"
        elif silent >= QUIET:
            silent = 0.0
            yield ": still there\n\n"
        await asyncio.sleep(EVERY)
        silent += EVERY
