"""What a restart takes: `python -m tests.benchmarks.recovery [--trials 1000] [--jobs 1 2] [--times 7]`.

A study is killed (`kill -9`, the whole group) once it has so many committed trials, and copies of what it left are run
again. Seconds are from the start of the process: until the generations in flight are proposed again and the first pack
is handed to a worker, which is the recovery; until the first pack comes back, with the start of the workers; and until
the next commit, with the work that was in flight. On a busy machine the processor time says more than the clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.benchmarks.fault_studies import ROOT, Run, written

MOMENTS = {"handed": "recovered", "answered": "first pack back", "committed": "next commit"}
# Words of a moment, of the clock that all processes share, and of this process's processor time, each once.
SCRIPT = """
import os, sys, time
import tuner
from tuner.orchestrator import loop as orchestrator

def told(name, method, after):
    def call(self, *args):
        if not after:
            print(name, time.monotonic(), time.process_time(), flush=True)
        done = method(self, *args)
        if after:
            print(name, time.monotonic(), time.process_time(), flush=True)
        return done
    return call

Search, Generation = orchestrator.Search, orchestrator.LiveGeneration
Search._submit = told("handed", Search._submit, False)
Generation.take = told("answered", Generation.take, False)
Search._commit = told("committed", Search._commit, True)
tuner.run(sys.argv[1], jobs=int(sys.argv[3]), home=sys.argv[2], confirm=False)
"""


def killed(folder: Path, trials: int) -> Path:
    """The home of a study that was killed after so many trials, with work in flight."""
    run = Run(folder / "killed", written(folder, 100 * trials, "sklearn:iris", 9))
    while len(run.committed()) < trials:
        if run.process.poll() is not None:
            raise RuntimeError("the study ended before it was killed")
        time.sleep(0.005)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    return folder / "killed"


def restarted(folder: Path, home: Path, jobs: int) -> dict[str, tuple[float, float]]:
    """Seconds and processor seconds until each moment of a restart."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    command = [sys.executable, "-c", SCRIPT, str(folder / "small.toml"), str(copy), str(jobs)]
    # As users have it: with the compiled modules that Python keeps.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began, found = time.monotonic(), {}
    with subprocess.Popen(
        command, env=environment | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            name, at, spent = line.split()
            found.setdefault(name, (float(at) - began, float(spent)))
            if name == "committed":
                break
        os.killpg(process.pid, signal.SIGKILL)
    return found


def report(jobs: int, runs: Sequence[dict[str, tuple[float, float]]]) -> None:
    print(
        f"{jobs} worker{'s' if jobs > 1 else ', inline'}: seconds least, p50, most; processor seconds of the parent p50"
    )
    for name, words in MOMENTS.items():
        seconds = sorted(run[name][0] for run in runs)
        figures = "".join(f"{value:7.2f}" for value in (seconds[0], median(seconds), seconds[-1]))
        print(f"  {words:16}{figures}{median(run[name][1] for run in runs):9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--times", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = killed(Path(folder), given.trials)
        for jobs in given.jobs:
            restarted(Path(folder), home, jobs)  # once for what is compiled and cached
            report(jobs, [restarted(Path(folder), home, jobs) for _ in range(given.times)])


if __name__ == "__main__":
    main()
