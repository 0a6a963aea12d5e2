"""The supervisor: starts queued jobs, at most so many at once, and finds out what became of them."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner.service.job_folder import JobFolder
from tuner.service.job_process import TERMINATED
from tuner.service.jobs import Job, JobQueue

__all__ = ["MOST_STARTS", "Supervisor"]

EVERY = 0.1  # seconds between looks at the jobs
GRACE = 20.0  # seconds from SIGTERM to SIGKILL
MOST_STARTS = 5  # processes of one job that may end without a word
Order = Callable[[Job], dict[str, Any]]
log = logging.getLogger("tuner.service")


class Supervisor:
    """Runs the jobs of a queue, each in a process of its own; those that another service began are taken over."""

    def __init__(self, queue: JobQueue, folder: Path, max_runs: int, order: Order) -> None:
        self.queue, self._folder, self._max_runs, self._order = queue, folder, max_runs, order
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._asked: dict[int, float] = {}  # when a job was asked to stop
        self._said = ""  # the last error
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._work, name="supervisor", daemon=True)

    def folder_of(self, job: Job) -> JobFolder:
        """Return the folder of a job."""
        return JobFolder(self._folder / str(job.id))

    def start(self) -> None:
        """Begin to look after the jobs."""
        self._thread.start()

    def step(self) -> None:
        """Look at every running job, and start those whose turn it is."""
        with self._lock:
            running = [job for job in self.queue.in_state("running") if not self._settle(job)]
            for job in self.queue.in_state("queued")[: max(0, self._max_runs - len(running))]:
                if self.queue.take(job.id):
                    self._begin(job)

    def forget(self, study: str) -> None:
        """Remove the jobs of a study that are over, with what they said."""
        for job in self.queue.jobs(study):
            if not job.active:
                self.queue.forget(job.id)
                shutil.rmtree(self.folder_of(job).path, ignore_errors=True)

    def cancel(self, job: Job) -> None:
        """Cancel a job that waits or runs; one that runs keeps what was finished."""
        with self._lock:
            if not self.queue.cancel_queued(job.id):
                self.queue.change(job.id, stopping=1)
        self._stop(job)

    def close(self) -> None:
        """Stop every run tidily, to go on when the service is started again."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        running = self.queue.in_state("running")
        for job in running:
            self._stop(job)
        until = time.monotonic() + GRACE
        while any(not self._settle(job) for job in running) and time.monotonic() < until:
            time.sleep(EVERY)

    def _work(self) -> None:
        while not self._ended.wait(EVERY):
            try:
                self.step()
            except Exception as error:  # a full disk or a busy file: the next look may do better
                if str(error) != self._said:
                    log.error("the jobs cannot be looked after: %s; looking again", error)
                self._said = str(error)

    def _begin(self, job: Job) -> None:
        try:
            folder = self.folder_of(job)
            folder.prepare(self._order(job))
            self._children[job.id] = folder.start()
        except OSError as error:
            self._end(job, "failed", f"its process cannot be started: {error.strerror or error}")

    def _settle(self, job: Job) -> bool:
        """Take in the end of a running job, if it has ended; returns whether it has."""
        folder = self.folder_of(job)
        if job.id in self._children:
            self._children[job.id].poll()
        if folder.alive():
            stopping = self._asked.get(job.id)
            if stopping is None and job.stopping:
                self._stop(job)
            elif stopping is not None and time.monotonic() - stopping > GRACE:
                folder.signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            return False
        self._children.pop(job.id, None)
        self._asked.pop(job.id, None)
        self._close(job, folder.outcome)
        return True

    def _close(self, job: Job, outcome: dict[str, Any]) -> None:
        """Say how a job ended: one that has not said so itself, or was stopped with the service, waits again."""
        code = outcome.get("code")
        if code == 0:
            self._end(job, "done")
        elif self.queue.job(job.id).stopping:
            self._end(job, "cancelled")
        elif code not in (None, TERMINATED):
            self._end(job, "failed", str(outcome.get("lines", "")))
        elif code is None and job.starts >= MOST_STARTS:
            self._end(job, "failed", f"its process ended without a word {job.starts} times; the log may say why")
        else:
            self.queue.change(job.id, state="queued", starts=0 if code == TERMINATED else job.starts)

    def _end(self, job: Job, state: str, message: str = "") -> None:
        self.queue.change(job.id, state=state, ended=time.time(), message=message)

    def _stop(self, job: Job) -> None:
        self._asked.setdefault(job.id, time.monotonic())
        self.folder_of(job).signal()
