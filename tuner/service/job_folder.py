"""The folder of a job: what it is to do, how far it is, what it said, and how it ended, each a file.

Whether its process lives is a lock that the process holds from its birth: the kernel frees it when the process ends,
however it ends. A service that was killed thus finds out what became of its jobs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.service.settings import TOKEN_VARIABLE
from tuner.store.backend import write_private

__all__ = ["MOST_LOG", "JobFolder"]

MOST_LOG = 256 * 1024  # bytes of a log that are shown
ROOT = str(Path(__file__).resolve().parents[2])


def environment() -> dict[str, str]:
    """Return the environment of a job: this one, with the package to be found and without the service's token."""
    path = os.pathsep.join([ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE} | {"PYTHONPATH": path}


@dataclass(frozen=True)
class JobFolder:
    """The files of one job."""

    path: Path

    def prepare(self, order: Mapping[str, Any]) -> None:
        """Make the folder, with what the job is to do."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.path / "order.json", json.dumps(dict(order)))

    @property
    def order(self) -> dict[str, Any]:
        """Return what the job is to do."""
        return dict(json.loads((self.path / "order.json").read_text(encoding="utf-8")))

    @property
    def progress(self) -> dict[str, Any]:
        """Return where the job stands; {} before it has said so."""
        return self._read("progress.json")

    @property
    def outcome(self) -> dict[str, Any]:
        """Return how the job's process ended: its `code`, and `lines` about that; {} where it has not said."""
        return self._read("outcome.json")

    def tell(self, progress: Mapping[str, Any]) -> None:
        """Write where the job stands."""
        self._write("progress.json", progress)

    def end(self, code: int, lines: str = "") -> None:
        """Write how the job ended."""
        self._write("outcome.json", {"code": code, "lines": lines})

    def log(self) -> str:
        """Return the end of what the job has said; "" where it has said nothing."""
        try:
            with (self.path / "log.txt").open("rb") as file:
                file.seek(max(0, os.path.getsize(file.name) - MOST_LOG))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def start(self) -> subprocess.Popen[bytes]:
        """Start the job's process, which holds the lock from its birth; what an earlier one left as its end is gone."""
        import fcntl

        for name in ("outcome.json", "pid"):
            (self.path / name).unlink(missing_ok=True)
        held = os.open(self.path / "alive", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with (self.path / "log.txt").open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tuner.service.job_process", str(self.path)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(held,), start_new_session=True,
                    env=environment(),
                )  # fmt: skip
        finally:
            os.close(held)
        self.own(process.pid)
        return process

    def own(self, pid: int) -> None:
        """Write which process does the job."""
        write_private(self.path / "pid", str(pid))

    def alive(self) -> bool:
        """Return True while the job's process lives."""
        import fcntl

        try:
            held = os.open(self.path / "alive", os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        except OSError:
            return True
        finally:
            os.close(held)

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to the job's process, if it lives."""
        with suppress(OSError, ValueError):
            pid = int((self.path / "pid").read_text(encoding="utf-8"))
            if self.alive():
                os.kill(pid, number)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.path / name).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        """Replace a file in one step; a full disk is no reason to end a run."""
        draft = self.path / f"{name}.new"
        with suppress(OSError):
            draft.write_text(json.dumps(dict(document), default=str), encoding="utf-8")
            os.replace(draft, self.path / name)
