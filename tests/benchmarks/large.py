"""Seconds, peak memory and size of what commands give beside a large study, on a ledger that is made up.

    python -m tests.benchmarks.large [--trials 100000] [--only report,curves]

The ledger is that of `tests.benchmarks.frames`. Each command is a process of its own, start-up included; its peak is
that of the process and those that it waited for.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.frames import made

COMMANDS = {
    "list": ["list"],
    "show": ["show", "large"],
    "top": ["top", "large"],
    "best": ["best", "large"],
    "doctor": ["doctor", "large"],
    "trials": ["export", "large", "-o", "{}/trials.csv"],
    "curves": ["export", "large", "--what", "curves", "-o", "{}/curves.csv"],
    "report": ["report", "large", "-o", "{}/report.html"],
}


def measured(line: list[str]) -> tuple[float, float, int]:
    """Return the seconds and the peak in MB of a command, and its exit code."""
    started = time.perf_counter()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - started, usage.ru_maxrss / 1000, process.returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--only", default=",".join(COMMANDS))
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or Path(folder) / "runs"
        if not (home / "large").exists():
            made(home, given.trials)
        print(f"{given.trials} trials, a ledger of {(home / 'large' / 'ledger.db').stat().st_size / 1e6:.0f} MB")
        for name in given.only.split(","):
            words = [word.format(folder) for word in COMMANDS[name]]
            took, peak, code = measured([sys.executable, "-m", "tuner", *words, "--home", str(home)])
            sizes = [f", {path.stat().st_size / 1e6:.1f} MB" for path in Path(folder).glob(f"{name}.*")]
            print(f"  {name:8} {took:6.2f} s, peak {peak:6.0f} MB{''.join(sizes)}, exit {code}", flush=True)


if __name__ == "__main__":
    main()
