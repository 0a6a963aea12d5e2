"""What faults cost: `python -m tests.benchmarks.faults [--minutes 1] [--faults 100] [--every 2] [--own] [--only X]`.

The soak of 20 minutes: `--minutes 20 --every 5 --source sklearn:digits --epochs 400`. Worker kills in the middle of a
write: `--only "while it sends" --faults 300 --every 0.2 --source sklearn:digits --hidden 512 --minutes 20`.

One study of many trials runs in two workers while a fault of a random kind is injected every few seconds; it is started
again whenever it ended. With `--own` its trials are somebody's code, which keeps checkpoints, prints, has a helper
process forked beside it, and in part is a program. `lost` are trials that had been committed and are not there any
more; `duplicated` have run again although they had been committed. At the end the ledger is compared with that of an
undisturbed run: `deviating` trials differ. All have to be 0, and after every fault the study has to go on: where it
does not within two minutes, it is `stuck`. Seconds to recover are from the fault to the next commit, start-up and work
in flight included; they are shown, and decide nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
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
import tomli_w

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
        self.sending = 0  # workers that were killed in the middle of an answer
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
        with suppress(psutil.Error):
            found = psutil.Process(self.process.pid).children()
            return [one for one in found if "process_worker import main" in " ".join(one.cmdline())]
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


def kill_a_sender(run: Run) -> None:
    """Freeze the parent until a worker waits for it in the middle of an answer, and kill that one; else any."""
    os.kill(run.process.pid, signal.SIGSTOP)
    until = time.monotonic() + 1.5
    victims: list[psutil.Process] = []
    workers = run.workers
    while not victims and time.monotonic() < until:
        time.sleep(0.01)
        victims = [one for one in workers if sends(one)]
    run.sending += bool(victims)
    for worker in (victims or workers)[:1]:
        with suppress(psutil.NoSuchProcess):
            worker.kill()
    time.sleep(0.05)
    os.kill(run.process.pid, signal.SIGCONT)


def sends(worker: psutil.Process) -> bool:
    """Whether a process waits for room in a pipe that it writes into."""
    with suppress(OSError):
        place = Path(f"/proc/{worker.pid}/task/{worker.pid}")
        call = (place / "syscall").read_text(encoding="ascii").split()
        return call[0] == "1" and "pipe" in os.readlink(f"/proc/{worker.pid}/fd/{int(call[1], 16)}")
    return False


def kill_all_at_once(run: Run) -> None:
    """The parent and its workers, as `pkill -9` by name does."""
    victims = [run.process.pid, *(one.pid for one in run.workers)]
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def terminate_a_worker(run: Run) -> None:
    for worker in run.workers[-1:]:
        with suppress(psutil.NoSuchProcess):
            worker.terminate()


def no_more_files(run: Run) -> None:
    """Let the run open no file for a second, while a worker has to be replaced."""
    limited(run.process.pid, psutil.RLIMIT_NOFILE, 3, lambda: kill_worker(run))


def workers_write_nothing(run: Run) -> None:
    """Let the workers write to no file for a second."""
    for worker in run.workers[:1]:
        limited(worker.pid, psutil.RLIMIT_FSIZE, 0, lambda: None)


def limited(pid: int, what: int, most: int, meanwhile: Callable[[], object]) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        before = process.rlimit(what)
        process.rlimit(what, (most, before[1]))
        meanwhile()
        time.sleep(1)
        process.rlimit(what, before)


def remove_the_cache(run: Run) -> None:
    shutil.rmtree(run.ledger.parent / "cache", ignore_errors=True)


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
    limited(run.process.pid, psutil.RLIMIT_FSIZE, 0, lambda: None)


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
    "kill -9 of a worker while it sends": kill_a_sender,
    "kill -9 of parent and workers": kill_all_at_once,
    "SIGTERM to a worker": terminate_a_worker,
    "SIGINT": interrupt,
    "SIGTERM": terminate,
    "frozen for 1 s": freeze,
    "ledger locked for 1 s": hold_the_ledger,
    "no writing for 1 s": fill_the_disk,
    "no writing in a worker for 1 s": workers_write_nothing,
    "no more files for 1 s": no_more_files,
    "the cache is removed": remove_the_cache,
    "a second run": run_twice,
}


def written(folder: Path, trials: int, source: str, epochs: int, hidden: int = 0) -> Path:
    """The file of a study of so many trials, which take longer with more epochs or larger data."""
    content = small(trials=trials)
    content["data"]["source"], content["train"]["epochs"] = source, epochs
    if hidden:
        content["model"] = {"kind": "mlp", "hidden": [hidden]}
    study = folder / "small.toml"
    study.write_text(tuner.read_study(content).to_toml(), encoding="utf-8")
    return study


OWN = """
import json, multiprocessing, subprocess, sys, time

HELPER = []

def train(config, run):
    if not HELPER:
        HELPER.append(multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,), daemon=True))
        HELPER[0].start()
    place = run.directory / "epoch"
    begun = int(place.read_text()) if place.exists() else 0
    if begun != run.start:
        raise ValueError(f"the checkpoint is of epoch {begun}, the run starts at {run.start}")
    for epoch in range(run.start + 1, run.stop + 1):
        print("line", epoch, "x" * 200)
        loss = (config["r"] - 0.3) ** 2 + 1 / epoch
        if config["n"] == 2:
            program = [sys.executable, "-S", "-E", "-c", f"print({loss!r})"]
            loss = float(subprocess.run(program, capture_output=True, check=True).stdout)
        time.sleep(0.01)
        place.write_text(str(epoch))
        run.report(epoch, valid_loss=loss)
"""


def written_own(folder: Path, trials: int) -> Path:
    """The file of a study of somebody's code, which is beside it."""
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    study = folder / "small.toml"
    content = {
        "study": {"name": "small", "trials": trials, "objective": f"{folder}/own.py:train", "minimize": "valid_loss"},
        "parameters": {"r": {"low": 0.1, "high": 1.0}, "n": [0, 1, 2]},
        "train": {"epochs": 9},
        "search": {"generation_size": 16, "sampler": "random"},
    }
    study.write_text(tomli_w.dumps(content), encoding="utf-8")
    return study


@dataclass(frozen=True)
class Plan:
    """How long a study is disturbed, how often, and by which kinds of faults: those with `only` in their name."""

    minutes: float
    faults: int
    trials: int
    every: float
    seed: int
    only: str = ""


def soak(study: Path, plan: Plan, folder: Path) -> tuple[dict[str, Kind], int, int]:
    """Run the study under faults, until it is whole or the time is over; returns the kinds, trials and deviations."""
    minutes, trials, every = plan.minutes, plan.trials, plan.every
    dice, kinds = random.Random(plan.seed), {name: Kind(how) for name, how in KINDS.items() if plan.only in name}
    names = list(kinds)
    run = Run(folder / "disturbed", study)
    known: dict[int, str] = {}
    until = time.monotonic() + 60 * minutes
    next_one = time.monotonic() + every
    while time.monotonic() < until and len(known) < trials and sum(kind.times for kind in kinds.values()) < plan.faults:
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
    if run.sending:
        print(f"{run.sending} workers were killed in the middle of an answer")
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
    print(f"{'fault':35}{'injected':>9}{'lost':>6}{'duplicated':>12}{'stuck':>7}{'recovery p50':>14}{'max':>8}")
    for name, kind in kinds.items():
        seconds = kind.seconds or [float("nan")]
        counts = f"{kind.times:>9}{kind.lost:>6}{kind.duplicated:>12}{kind.stuck:>7}"
        print(f"{name:35}{counts}{median(seconds):>12.2f} s{max(seconds):>6.2f} s")
    bad = sum(kind.lost + kind.duplicated + kind.stuck for kind in kinds.values()) + deviating
    print(f"{done} trials committed, {deviating} deviating from an undisturbed run", flush=True)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--faults", type=int, default=100_000, help="at most")
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--only", default="", help="words in the names of the kinds of faults")
    parser.add_argument("--own", action="store_true", help="a study of somebody's code")
    parser.add_argument("--source", default="sklearn:iris", help="of the data")
    parser.add_argument("--epochs", type=int, default=9, help="of each trial")
    parser.add_argument("--hidden", type=int, default=0, help="units of a hidden layer: larger answers")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    plan = Plan(given.minutes, given.faults, given.trials, given.every, given.seed, given.only)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        core = (place, given.trials, given.source, given.epochs, given.hidden)
        study = written_own(place, given.trials) if given.own else written(*core)
        return min(1, report(*soak(study, plan, place)))


if __name__ == "__main__":
    sys.exit(main())
