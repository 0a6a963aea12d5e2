"""Objectives of somebody's own, as people write them: good ones of each form, and bad ones of every kind."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def loss_at(config: dict[str, Any], epoch: int) -> float:
    """Falls with every epoch to a floor that the config decides."""
    return (math.log10(config["lr"]) + 2) ** 2 + 0.1 * config["n"] + 1 / epoch


def value(config: dict[str, Any]) -> float:
    """A number; with epochs, the loss after so many."""
    return loss_at(config, config.get("epochs", 27))


def lengths(config: dict[str, Any]) -> dict[str, float]:
    """Tells how long it is to train, and how long its schedule is."""
    return {"valid_loss": value(config), "told": config["epochs"], "schedule": config["horizon"]}


def steps(config: dict[str, Any]) -> Iterator[tuple[int, dict[str, float]]]:
    """Yields."""
    for epoch in range(1, 100):
        yield epoch, {"valid_loss": loss_at(config, epoch), "accuracy": 1 - 1 / epoch}


def run(config: dict[str, Any], run: Any) -> None:
    """Goes on from its checkpoint, and is in trouble where that is not what it left."""
    place = run.directory / "epoch.txt"
    begun = int(place.read_text()) if place.exists() else 0
    if begun != run.start:
        raise ValueError(f"the checkpoint is of epoch {begun}, the run starts at {run.start}")
    for epoch in range(run.start + 1, run.stop + 1):
        place.write_text(str(epoch))
        run.report(epoch, valid_loss=loss_at(config, epoch))


def noisy(config: dict[str, Any], run: Any) -> None:
    """A function of config and seed, and slow enough to be killed in the middle; it says when it began."""
    rng = np.random.default_rng(run.seed)
    with open(os.environ["OWN_TRACE"], "a", encoding="utf-8") as file:
        file.write(f"{run.start} {run.stop}\n")
    for epoch in range(run.start + 1, run.stop + 1):
        time.sleep(0.01)
        run.report(epoch, {"valid_loss": loss_at(config, epoch) + rng.random() / 100, "test_loss": 1.0})


def batched(configs: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Several configs in one call."""
    return {"valid_loss": [value(config) for config in configs], "together": [len(configs)] * len(configs)}


def device(config: dict[str, Any], run: Any) -> None:
    """Says what it runs on."""
    time.sleep(0.05)
    where = {"npu:0": 0, "npu:1": 1}[run.device]
    threads = float(os.environ["OMP_NUM_THREADS"])
    run.report(run.stop, valid_loss=value(config), where=where, threads=threads)


def diverging(config: dict[str, Any]) -> Iterator[float]:
    """Blows up where n is even."""
    for epoch in range(1, 28):
        yield math.nan if config["n"] % 2 == 0 and epoch > 2 else loss_at(config, epoch)


def nothing(config: dict[str, Any]) -> None:
    """Forgets to return."""


def text(config: dict[str, Any]) -> Any:
    return "0.5"


def array(config: dict[str, Any]) -> Any:
    return np.ones(3)


def boolean(config: dict[str, Any]) -> Any:
    return True


def other_metric(config: dict[str, Any]) -> Any:
    return {"loss": 0.5, "accuracy": 0.9}


def taken_name(config: dict[str, Any]) -> Any:
    return {"valid_loss": 0.5, "lr": 0.9}


def raises(config: dict[str, Any]) -> Any:
    raise RuntimeError("no data")


def leaves(config: dict[str, Any]) -> Any:
    sys.exit(3)


def vanishes(config: dict[str, Any]) -> Any:
    os._exit(7)


def crashes(config: dict[str, Any]) -> Any:
    os.abort()


def hangs(config: dict[str, Any]) -> Any:
    time.sleep(600)


def twice(config: dict[str, Any], run: Any) -> None:
    run.report(1, valid_loss=1.0)
    run.report(1, valid_loss=1.0)


def backwards(config: dict[str, Any], run: Any) -> None:
    run.report(2, valid_loss=1.0)
    run.report(1, valid_loss=1.0)


def swallows(config: dict[str, Any], run: Any) -> None:
    """Reports an epoch twice and catches what that raises."""
    run.report(1, valid_loss=1.0)
    with contextlib.suppress(Exception):
        run.report(1, valid_loss=1.0)


def from_below(config: dict[str, Any]) -> Iterator[tuple[int, float]]:
    for epoch in range(-1, 5):
        yield epoch, 1.0


def beyond(config: dict[str, Any], run: Any) -> None:
    run.report(run.stop + 1, valid_loss=1.0)


def silent(config: dict[str, Any], run: Any) -> None:
    """Reports nothing."""


def prints(config: dict[str, Any]) -> float:
    """Ten megabytes, and past Python too."""
    print("x" * 10_000_000)
    os.write(1, b"raw\n")
    os.write(2, b"raw\n")
    return value(config)


def forks(config: dict[str, Any]) -> float:
    """Forks, and lets the copy return as well."""
    os.fork()
    return value(config)


def leaves_threads(config: dict[str, Any]) -> float:
    threading.Thread(target=time.sleep, args=(60,)).start()
    return value(config)


def wrong_arity(a: Any, b: Any, c: Any) -> float:
    return 0.0


async def asynchronous(config: dict[str, Any]) -> float:
    return 0.0


NOT_CALLABLE = 3


def write(folder: Path, name: str, code: str) -> Path:
    """A file of somebody's code."""
    place = folder / name
    place.write_text(code, encoding="utf-8")
    return place
