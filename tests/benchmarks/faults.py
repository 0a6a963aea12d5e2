"""What faults cost: `python -m tests.benchmarks.faults [--minutes 1] [--trials 3000] [--every 2] [--epochs 9]`.

The soak of 20 minutes: `--minutes 20 --every 5 --source sklearn:digits --epochs 400`.

One study of many trials runs in two workers while a fault of a random kind is injected every few seconds; it is started
again whenever it ended. `lost` are trials that had been committed and are not there any more; `duplicated` have run
again although they had been committed. At the end the ledger is compared with that of an undisturbed run: `deviating`
trials differ. All have to be 0, and after every fault the study has to go on. Seconds to recover are from the fault to
the next commit, start-up and work in flight included; they are shown, and decide nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil

import tuner
from tests.tuner.api.test_run import small
from tests.tuner.engines.test_faults import rows
from tuner.api.run import Watcher

ROOT = Path(__file__).parent.parent.parent
SCRIPT = "import sys, tuner\ntuner.run(sys.argv[1], jobs=2, home=sys.argv[2], confirm=False)\n"
PATIENCE = 120.0  # seconds for a study to go on after a fault, where a few are usual


@dataclass
class Kind:
    """A fault: how it is injected, and what came of it."""

    inject: Callable[[Run], object]
    times: int = 0
    lost: int = 0
    duplicated: int = 0
    stuck: int = 0
    seconds: list[float] = field(default_factory=list)


class Run:
    """A study that is run, killed, and run again."""

    def __init__(self, home: Path, study: Path) -> None:
        self.home, self.study = home, study
        self.ledger = home / "small" / "ledger.db"
        self.start()

    def start(self) -> None:
        self.process = self.another()

    def another(self) -> subprocess.Popen[bytes]:
        """A process that runs the study."""
        command = [sys.executable, "-c", SCRIPT, str(self.study), str(self.home)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    @property
    def workers(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.process.pid).children(recursive=True)
            return [one for one in found if "resource_tracker" not in " ".join(one.cmdline())]
        return []

    def committed(self) -> dict[int, str]:
        """Trials in the ledger, each with the seconds that it took: others if it had run again."""
        if not self.ledger.exists():
            return {}
        # A killed writer leaves a log, which whoever reads next takes in: that takes the right to write.
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=rw", uri=True, timeout=30)) as database:
            return dict(database.execute("SELECT number, seconds FROM trials").fetchall())


def kill_parent(run: Run) -> None:
    os.kill(run.process.pid, signal.SIGKILL)


def kill_group(run: Run) -> None:
    os.killpg(run.process.pid, signal.SIGKILL)


def kill_worker(run: Run) -> None:
    for worker in run.workers[:1]:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


def kill_workers(run: Run) -> None:
    for worker in run.workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


def interrupt(run: Run) -> None:
    os.kill(run.process.pid, signal.SIGINT)


def terminate(run: Run) -> None:
    os.kill(run.process.pid, signal.SIGTERM)


def freeze(run: Run) -> None:
    os.killpg(run.process.pid, signal.SIGSTOP)
    time.sleep(1)
    os.killpg(run.process.pid, signal.SIGCONT)


def hold_the_ledger(run: Run) -> None:
    if run.ledger.exists():
        with closing(sqlite3.connect(run.ledger, isolation_level=None, timeout=30)) as database:
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(1)
            database.execute("ROLLBACK")


def fill_the_disk(run: Run) -> None:
    """Let the run write to no file for a second, as a full disk would."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(run.process.pid)
        before = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (0, before[1]))
        time.sleep(1)
        process.rlimit(psutil.RLIMIT_FSIZE, before)


def run_twice(run: Run) -> None:
    """A second run of the same study, one of which has to be refused: the one that came later, as a rule."""
    both = [run.process, run.another()]
    while all(one.poll() is None for one in both):
        time.sleep(0.01)
    run.process = both[both[0].poll() is not None]


KINDS: dict[str, Callable[[Run], object]] = {
    "kill -9 of the parent": kill_parent,
    "kill -9 of the group": kill_group,
    "kill -9 of a worker": kill_worker,
    "kill -9 of all workers": kill_workers,
    "SIGINT": interrupt,
    "SIGTERM": terminate,
    "frozen for 1 s": freeze,
    "ledger locked for 1 s": hold_the_ledger,
    "no writing for 1 s": fill_the_disk,
    "a second run": run_twice,
}


def written(folder: Path, trials: int, source: str, epochs: int) -> Path:
    """The file of a study of so many trials, which take longer with more epochs or larger data."""
    content = small(trials=trials)
    content["data"]["source"], content["train"]["epochs"] = source, epochs
    study = folder / "small.toml"
    study.write_text(tuner.read_study(content).to_toml(), encoding="utf-8")
    return study


def soak(
    study: Path, minutes: float, trials: int, every: float, seed: int, folder: Path
) -> tuple[dict[str, Kind], int, int]:
    """Run the study under faults, until it is whole or the time is over; returns the kinds, trials and deviations."""
    dice, kinds = random.Random(seed), {name: Kind(inject) for name, inject in KINDS.items()}
    names = list(kinds)
    run = Run(folder / "disturbed", study)
    known: dict[int, str] = {}
    until = time.monotonic() + 60 * minutes
    next_one = time.monotonic() + every
    while time.monotonic() < until and len(known) < trials:
        time.sleep(0.02)
        if run.process.poll() is not None:
            if len(known := run.committed()) >= trials:
                break
            run.start()
        if time.monotonic() < next_one:
            continue
        name = names.pop(dice.randrange(len(names)))
        names = names or list(kinds)
        before = run.committed()
        recovered(run, kinds[name], before, trials)
        known = run.committed()
        next_one = time.monotonic() + every * dice.uniform(0.5, 1.5)
    stop(run)
    done = len(run.committed())
    undisturbed(study, folder / "undisturbed", done)
    found, expected = rows(folder / "disturbed"), rows(folder / "undisturbed")
    return kinds, done, sum(expected[number] != row for number, row in found.items())


def recovered(run: Run, kind: Kind, before: dict[int, str], trials: int) -> None:
    """Inject a fault and wait until something more is committed, starting the study again where it has ended."""
    began = time.monotonic()
    kind.inject(run)
    while True:
        after = run.committed()
        if len(after) > len(before) or len(after) >= trials or time.monotonic() - began > PATIENCE:
            break
        if run.process.poll() is not None:
            run.start()
        time.sleep(0.01)
    kind.times += 1
    kind.stuck += len(after) == len(before) < trials
    kind.seconds.append(time.monotonic() - began)
    kind.lost += sum(number not in after for number in before)
    kind.duplicated += sum(after.get(number, seconds) != seconds for number, seconds in before.items())


def stop(run: Run) -> None:
    with suppress(ProcessLookupError):
        os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()


def undisturbed(study: Path, home: Path, trials: int) -> None:
    """The same study, up to as many trials, by one process that nothing happens to."""
    planned = tuner.read_study(study)
    watcher = Until(trials)
    with suppress(Enough):
        tuner.run(planned, jobs=1, home=home, confirm=False, watcher=watcher)


class Enough(Exception):
    """As many trials as are needed."""


class Until(Watcher):
    """Ends a run after so many trials."""

    def __init__(self, trials: int) -> None:
        self.trials = trials

    def progress(self, progress: Any) -> None:
        if progress.done >= self.trials:
            raise Enough


def report(kinds: dict[str, Kind], done: int, deviating: int) -> int:
    print(f"{'fault':24}{'injected':>9}{'lost':>6}{'duplicated':>12}{'stuck':>7}{'recovery p50':>14}{'max':>8}")
    for name, kind in kinds.items():
        seconds = kind.seconds or [float("nan")]
        counts = f"{kind.times:>9}{kind.lost:>6}{kind.duplicated:>12}{kind.stuck:>7}"
        print(f"{name:24}{counts}{median(seconds):>12.2f} s{max(seconds):>6.2f} s")
    bad = sum(kind.lost + kind.duplicated + kind.stuck for kind in kinds.values()) + deviating
    print(f"{done} trials committed, {deviating} deviating from an undisturbed run", flush=True)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--source", default="sklearn:iris", help="of the data")
    parser.add_argument("--epochs", type=int, default=9, help="of each trial")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = written(Path(folder), given.trials, given.source, given.epochs)
        return min(1, report(*soak(study, given.minutes, given.trials, given.every, given.seed, Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
