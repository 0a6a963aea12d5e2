"""The studies that are disturbed, and the run of one that is killed and begun again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import psutil
import tomli_w

import tuner
from tests.tuner.api.test_run import small

ROOT = Path(__file__).parent.parent.parent
SCRIPT = "import sys, tuner\ntuner.run(sys.argv[1], jobs=2, home=sys.argv[2], confirm=False)\n"


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
