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
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import tuner
from tests.benchmarks.fault_kinds import KINDS
from tests.benchmarks.fault_studies import Run, written, written_own
from tests.tuner.engines.test_faults import rows
from tuner.api.run import Watcher

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
