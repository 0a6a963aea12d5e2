"""SMAC3, which decides config by config on which splits to look: it runs in an environment of its own, our core trains.

`smac_worker` there asks for a config on a split, a line of JSON each, and is told its loss. How many epochs to train is
searched like the rest: the lowest point of a single split's curve would favour curves that jump.
"""

from __future__ import annotations

import json
import subprocess
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from objectives.problem import constant_loss
from tests.benchmarks.handed_over.divisions import EPOCHS, Division, capped, curves
from tests.benchmarks.handed_over.methods import Handed, handed

__all__ = ["environment", "smac_search"]

HERE = Path(__file__).parent
PINNED = ("smac==2.4.1",)
SPLITS = 5
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the worker's environment: one thread, no paths of ours
LONG = "epochs"  # the latent that says how long to train
INSTALL = 900.0  # seconds at most


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """The Python of an environment in the cache that has the packages; made once, and said why where it cannot be."""
    place = HERE / ".cache" / name
    place.parent.mkdir(exist_ok=True)
    failed, ready, python = place / "failed", place / "ready", place / "bin" / "python"
    with FileLock(place.with_name(f"{name}.lock")):
        if not ready.exists() and not failed.exists():
            venv.create(place, with_pip=True)
            command = [str(python), "-m", "pip", "install", "--quiet", *packages]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL, check=False)
            (failed if ended.returncode else ready).write_text(ended.stderr[-500:])
    if failed.exists():
        raise RuntimeError(f"cannot be installed: {' '.join(failed.read_text().split())[-150:]}")
    return python


def smac_search(kind: str) -> Callable[[Division, int], Handed]:
    """SMAC3 for so many evaluations of a config on a split each; `kind` is "intensify" or "hyperband"."""

    def search(division: Division, budget: int) -> Handed:
        python = environment("smac", PINNED)
        began = time.perf_counter()
        data = division.splits(SPLITS, division.seed)
        known = [[latent.name, list(latent.choices)] for latent in division.space.latents]
        asked = {
            "kind": kind,
            "trials": budget,
            "splits": SPLITS,
            "seed": division.seed,
            "latents": [*known, [LONG, []]],
        }
        spent = []

        def train(latents: dict[str, Any], split: int) -> float:
            config, epochs = found_at(division, latents)
            spent.append(epochs)
            end = curves([data[split]], [config], epochs)[0, 0, -1:]
            return capped(end, constant_loss(data[split], data[split].valid))[0]

        config, epochs = found_at(division, conversation(python, asked, train))
        return handed(division, config, epochs, sum(spent) / EPOCHS, began)

    return search


def found_at(division: Division, latents: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The config and the epochs at latents."""
    own = {name: value for name, value in latents.items() if name != LONG}
    return division.space.config(own), min(EPOCHS, 1 + int(latents[LONG] * EPOCHS))


def conversation(python: Path, asked: dict[str, Any], train: Callable[[dict[str, Any], int], float]) -> dict[str, Any]:
    """Answer the worker until it names the latents of its best."""
    command = [str(python), "-W", "ignore", str(HERE / "smac_worker.py"), json.dumps(asked)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ALONE
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        for line in worker.stdout:
            said = json.loads(line)
            if "best" in said:
                best: dict[str, Any] = said["best"]
                return best
            worker.stdin.write(f"{train(said['latents'], said['split'])!r}\n")
            worker.stdin.flush()
    raise RuntimeError(f"SMAC3 ended without a config, exit status {worker.returncode}")
