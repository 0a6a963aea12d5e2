"""The room of a service: its settings, its queue, and the studies of its home, found by name alone."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

from tuner.errors import StudyBusy, TunerError, UnknownStudy
from tuner.result import Result
from tuner.service.jobs import Job, JobQueue
from tuner.service.settings import ServiceSettings
from tuner.service.supervisor import Supervisor
from tuner.store.directory import StudyDirectory, home_in_words, studies, study_directory
from tuner.store.lock import hold

__all__ = ["ServiceRoom"]

KEPT = 16  # results that are held open


class ServiceRoom:
    """What handlers work on; a context manager that holds the home, so that no second service uses it.

    Raises TunerError where another service has it.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings, self._held = settings, ExitStack()
        self.requests: dict[int, int] = {}  # answers by status
        self._results: dict[str, tuple[float, Result]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> ServiceRoom:
        room = self.settings.room
        try:
            self._held.enter_context(hold(room / "lock", room.parent.name))
        except StudyBusy as busy:
            who = str(busy).partition(" is run ")[2].partition(";")[0]
            hint = "stop it, or name another home with --home"
            raise TunerError(f"home {room.parent} is served {who}; {hint}") from None
        try:
            self.queue = JobQueue(room / "queue.db")
        except BaseException:
            self._held.close()
            raise
        self._held.callback(self.queue.close)
        self.supervisor = Supervisor(self.queue, room / "jobs", self.settings.max_runs, self.order)
        self._held.callback(self.supervisor.close)
        return self

    def __exit__(self, *exception: object) -> None:
        self._held.close()

    def directory(self, name: str) -> StudyDirectory:
        """Return the directory of a study in the home, wherever a path of that name may lead. Raises UnknownStudy."""
        try:
            found = study_directory(name, self.settings.home)
            if not name.startswith(".") and found.exists:
                return found
        except ValueError:
            pass
        known = [study.name for study in studies(self.settings.home)]
        raise UnknownStudy(name, known, home_in_words(self.settings.home))

    def result(self, name: str) -> Result:
        """Open the results of a study, or return them as they were read, if nothing was committed since."""
        directory = self.directory(name)
        stamp = directory.changed()
        with self._lock:
            known = self._results.get(name)
            if known is None or known[0] != stamp:
                known = (stamp, Result(directory))
                self._results.pop(name, None)
                self._results[name] = known
                for first in list(self._results)[:-KEPT]:
                    del self._results[first]
            return known[1]

    def job(self, name: str) -> Job | None:
        """Return the newest job of a study; None where it was never asked for here."""
        return self.queue.latest(name)

    def known(self, name: str) -> Job | None:
        """Return the newest job of a study that is here or was asked for. Raises UnknownStudy."""
        job = self.job(name)
        if job is None:
            self.directory(name)
        return job

    def mailbox(self, name: str) -> str:
        """Return the file of a study's mailbox."""
        return str(self.settings.room / "mailboxes" / f"{name}.db")

    def order(self, job: Job) -> dict[str, Any]:
        """Return what the process of a job is told: all that was asked, and where this service keeps its studies."""
        here: dict[str, Any] = {
            "home": str(self.settings.room.parent),
            "base": str(self.settings.base),
            "jobs": self.settings.workers,
        }
        if job.arguments.get("asked"):
            here |= {"mailbox": self.mailbox(job.study), "jobs": job.arguments["asked"]}
        return {**job.arguments, "verb": job.verb, "study": job.study, **here}
