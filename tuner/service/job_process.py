"""The process of a job: the same calls as `tuner run` and `tuner confirm`, with its progress written to a file."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from objectives.errors import InvalidInput
from tuner.errors import TunerError
from tuner.masking import shown
from tuner.orchestrator.callbacks import LineCallback
from tuner.records import Progress
from tuner.service.job_folder import JobFolder
from tuner.service.mailbox import VARIABLE
from tuner.store.directory import Home, home_of

if TYPE_CHECKING:
    from tuner.study import Study

__all__ = ["TERMINATED", "main"]

TERMINATED = 143  # the exit code of what SIGTERM has stopped
EVERY = 0.25  # seconds between two writings of the progress


class Stopped(KeyboardInterrupt):
    """SIGTERM, which stops a run tidily: what was finished is kept."""


class ProgressFile(LineCallback):
    """Writes where a run stands into the job's folder, and what it decided into its log."""

    def __init__(self, folder: JobFolder) -> None:
        super().__init__()
        self._folder, self._written = folder, 0.0
        self._standing: dict[str, Any] = {"line": "", "began": time.time()}

    def note(self, sentence: str) -> None:
        """Log what was decided without being asked."""
        self._log(sentence)

    def stage(self, name: str) -> None:
        """Log that a stage begins."""
        self._standing |= {"stage": name}
        self._log(name)
        super().stage(name)

    def progress(self, progress: Progress) -> None:
        """Write where the search stands."""
        best = progress.best
        found = {"trial": best.number, "value": best.value} if best is not None else None
        counts = {"done": progress.done, "total": progress.total, "running": progress.running, "begun": progress.begun}
        self._standing |= {**counts, "worth": progress.worth, "states": dict(progress.states), "best": found}
        super().progress(progress)

    def show(self, line: str) -> None:
        """Write the line that says where the run stands."""
        self._folder.tell(self._standing | {"line": line, "at": time.time()})

    def ended(self) -> None:
        """Log that it is over."""
        self._log("done")
        super().ended()

    def _log(self, sentence: str) -> None:
        print(time.strftime("%Y-%m-%d %H:%M:%S"), shown(sentence), flush=True)


def main(path: Path) -> int:
    """Do what the folder of a job says; returns the exit code, which the folder has in `outcome.json` too."""
    folder = JobFolder(path)
    signal.signal(signal.SIGTERM, _stop)
    code, lines = TERMINATED, ""
    try:
        folder.own(os.getpid())
        do(folder.order, folder)
        code = 0
    except KeyboardInterrupt:
        pass
    except Exception as error:
        code, lines = _told(error)
        print(lines, flush=True)
    folder.end(code, lines)
    return code


def do(order: Mapping[str, Any], folder: JobFolder) -> None:
    """Run or confirm the study that an order names."""
    home, jobs, callback = home_of(order["home"]), order["jobs"], ProgressFile(folder)
    if "mailbox" in order:
        os.environ[VARIABLE] = order["mailbox"]
    if order["verb"] == "confirm":
        from tuner.api.confirm import confirm

        confirm(order["study"], order["top"], order["seeds"], jobs=jobs, home=home, callback=callback)
        return
    from tuner.api.run import run

    os.chdir(order["base"])
    study = asked_study(order, home)
    run(study, jobs=jobs, home=home, callback=callback, retry_failed=order["retry_failed"])


def asked_study(order: Mapping[str, Any], home: Home) -> Study:
    """Read the study that was handed in, or the stored one that goes on."""
    from tuner.api.read_study import read_study
    from tuner.service.admission import tables_of
    from tuner.store.directory import find

    if "source" not in order:
        return read_study(find(order["study"], home).study, settings=order["settings"])
    return read_study(tables_of(order["source"]), settings=order["settings"], base=Path(order["base"]))


def _told(error: Exception) -> tuple[int, str]:
    """Return the exit code of an error and what to say of it."""
    if isinstance(error, TunerError | InvalidInput):
        return getattr(error, "exit_code", 2), shown(str(error))
    traceback.print_exc()
    return 1, shown(f"{type(error).__name__}: {error}")


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
