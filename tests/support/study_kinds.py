"""The same study of each kind: of the core, of a function, of a command; and functions and commands that go wrong.

Function and command compute the same loss, so that their tables are the same.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

__all__ = ["asked", "changed"]

HERE = "tests.support.study_kinds:"
SLOW = "TUNER_TEST_SLOW"  # a variable: seconds that an epoch takes
MENDED = "TUNER_TEST_MENDED"  # a variable: what raised does so no more


def loss_at(lr: float, width: int, seed: int, epoch: int) -> float:
    """Falls with every epoch to a floor that the config decides, and the seed a little."""
    return (math.log10(lr) + 2) ** 2 + 0.1 * width + 1 / epoch + (seed % 97) / 1e4


def train(config: dict[str, Any], run: Any) -> None:
    """Goes on where it stood; the higher the learning rate, the likelier it goes wrong in a way that is asked for."""
    wrong(config)
    for epoch in range(run.start + 1, run.stop + 1):
        time.sleep(float(os.environ.get(SLOW, 0)))
        loss = loss_at(config["lr"], config["width"], run.seed, epoch)
        run.report(epoch, valid_loss=loss, test_loss=loss + 1, valid_accuracy=1 / (1 + loss))


def stepwise(config: dict[str, Any]) -> Iterator[tuple[int, dict[str, float]]]:
    """Starts over at each rung, and stops by itself where it is wide."""
    for epoch in range(1, 6 if config["width"] == 3 else 10):
        yield epoch, {"valid_loss": loss_at(config["lr"], config["width"], config["seed"], epoch)}


def several(configs: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Several in one call."""
    losses = [loss_at(c["lr"], c["width"], c["seed"], c["epochs"]) for c in configs]
    return {"valid_loss": losses, "together": [float(len(configs))] * len(configs)}


def exploding(config: dict[str, Any]) -> float:
    """Comes to nothing at a rate that is far too high."""
    return math.nan if config["lr"] > 1 else 0.5


def placed(config: dict[str, Any], run: Any) -> None:
    """Says where it runs."""
    run.report(
        run.stop, valid_loss=config["lr"], at=float(run.device[-1]), threads=float(os.environ["OMP_NUM_THREADS"])
    )


def wrong(config: dict[str, Any]) -> None:
    """What a config of a bad kind does."""
    deed = config.get("deed", "")
    if deed == "raise" and MENDED not in os.environ:
        raise RuntimeError("no data")
    if deed == "hang":
        time.sleep(600)
    if deed == "devour":
        bytearray(3 << 30)


PROGRAM = """
import json, math, os, sys, time
lr, width, seed, start, stop, deed = float(sys.argv[1]), int(sys.argv[2]), *map(int, sys.argv[3:6]), sys.argv[6]
if deed == "raise" and "TUNER_TEST_MENDED" not in os.environ:
    sys.exit("no data")
if deed == "hang":
    time.sleep(600)
if deed == "devour":
    bytearray(3 << 30)
for epoch in range(start + 1, stop + 1):
    time.sleep(float(os.environ.get("TUNER_TEST_SLOW", 0)))
    loss = (math.log10(lr) + 2) ** 2 + 0.1 * width + 1 / epoch + (seed % 97) / 1e4
    if deed == "blow up":
        loss = math.nan
    told = dict(epoch=epoch, valid_loss=loss, test_loss=loss + 1, valid_accuracy=1 / (1 + loss))
    print(json.dumps(told), flush=True)
"""
QUICK = [sys.executable, "-S", "-E", "-c"]
COMMAND = [*QUICK, PROGRAM, "{lr}", "{width}", "{seed}", "{start}", "{stop}", "{deed}"]
PLACED = """
import json, os, sys
threads = int(os.environ["OMP_NUM_THREADS"])
print(json.dumps(dict(valid_loss=float(sys.argv[1]), at=int(sys.argv[2][-1]), threads=threads)))
"""


def asked(kind: str, **tables: Any) -> dict[str, Any]:
    """A study of a kind: two optimizers, nine epochs with a cut at three; tables of settings over that."""
    study: dict[str, Any] = {
        "study": {"name": "one", "trials": 12},
        "optimizers": {"momentum": {}, "adam": {}},
        "train": {"epochs": 9},
        "search": {"generation_size": 12, "rungs": [3]},
        "confirm": {"enabled": False},
    }
    if kind == "core":
        study |= {"data": {"source": "sklearn:iris", "resampling": "holdout"}, "model": {"kind": "linear"}}
        study["train"] |= {"batch_size": [16, 32]}
    else:
        own = {"objective": f"{HERE}train"} if kind == "python" else {"command": COMMAND}
        study["study"] |= own
        study["parameters"] = {"width": [1, 2, 3], "deed": "none"}
    return changed(study, **tables)


def changed(known: dict[str, Any], /, **tables: Any) -> dict[str, Any]:
    """A study with other settings; a table of None is left out."""
    found = {name: {**known.get(name, {}), **(own or {})} for name, own in tables.items()}
    return {name: table for name, table in {**known, **found}.items() if tables.get(name, {}) is not None}
