"""Trials that misbehave in a worker: in the place of `run_remembered`, a pack does what a plan says of its trials.

The plan is a file beside the study's flights, so that workers find it whatever started them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tuner.records import Confirmed
from tuner.store.cache import Memo
from tuner.trainables.builtin import trainer as descending
from tuner.trainables.builtin.packs import Pack, PackOutcome, run_pack, run_remembered
from tuner.trainables.builtin.retrain import Retraining, retrain

LEAKED: list[bytes] = []


def sleep() -> None:
    time.sleep(600)


def spin() -> None:
    while True:
        pass


def hold_the_gil() -> None:
    """A regular expression that backtracks for ever, in C, and lets no other thread run."""
    re.fullmatch(r"(a+)+b", "a" * 64)


def swallow() -> None:
    """Code that will not be interrupted."""
    while True:
        try:
            time.sleep(600)
        except BaseException:
            continue


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def devour() -> None:
    """Ask for more memory than a worker may have."""
    b"x" * (1 << 42)


def leak() -> None:
    """Keep 200 MB; loky looks at most once a second, so take a while."""
    time.sleep(0.2)
    LEAKED.append(os.urandom(1) * (200 << 20))


def fail() -> None:
    raise ValueError("broken on purpose")


DEEDS = {f.__name__: f for f in (sleep, spin, hold_the_gil, swallow, die, devour, leak, fail)}


def run_planned(pack: Pack, memo: Memo) -> PackOutcome:
    """`run_remembered`, after what the plan has for the trials of the pack; a worker notes that it was here."""
    plan = json.loads((memo.directory.parent.parent / "plan.json").read_text(encoding="utf-8"))
    with open(memo.directory.parent.parent / "workers.txt", "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    for number in pack.trials:
        if deed := plan.get(str(number), plan.get("*")):
            DEEDS[deed]()
    return run_remembered(pack, memo)


def plan(monkeypatch: pytest.MonkeyPatch, directory: Path, deeds: Mapping[Any, str]) -> None:
    """Let trials of the study in `directory` do `deeds`: a name of `DEEDS` by trial number, "*" for all."""
    (directory / "cache").mkdir(parents=True, exist_ok=True)
    (directory / "cache" / "plan.json").write_text(json.dumps({str(k): v for k, v in deeds.items()}))
    monkeypatch.setattr(descending, "run_remembered", run_planned)


def retrain_planned(place: str, task: Retraining) -> list[Confirmed]:
    """`retrain`, after what the plan in `place` has for the trials of the task."""
    plan = json.loads((Path(place) / "plan.json").read_text(encoding="utf-8"))
    for number in task.trials:
        if deed := plan.get(str(number)):
            DEEDS[deed]()
    return retrain(task)


def run_far(place: str, pack: Pack) -> PackOutcome:
    """`run_pack` on another machine, after what the plan in `place` has for the trials of the pack."""
    plan = json.loads((Path(place) / "plan.json").read_text(encoding="utf-8"))
    for number in pack.trials:
        if deed := plan.get(str(number)):
            DEEDS[deed]()
    return run_pack(pack)
