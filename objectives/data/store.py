"""Prepared data on disk: one .npy file an array, memory-mapped by everyone who opens them, and a JSON file beside.

A directory is written under a temporary name and renamed, so it is there completely or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from objectives.data.matrix import release
from objectives.data.prepare import Part, Prepared, Room, prepare
from objectives.data.splits import PARTS, SplitSpec
from objectives.data.table import Table
from objectives.errors import Complaint, DataError
from objectives.types import Array

__all__ = ["move_prepared", "on_disk", "open_prepared", "place_in", "prepare_on_disk", "save_prepared"]

FACTS = "prepared.json"
SMALL = 2**18  # bytes of an array that is read rather than mapped


def save_prepared(prepared: Prepared, directory: Path) -> None:
    """Write `prepared` to `directory`, replacing other data; do nothing when the same data are there."""
    if _digest_in(directory) == prepared.digest:
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        for name, array in _arrays(prepared).items():
            np.save(temporary / f"{name}.npy", array, allow_pickle=False)
            release(array)
        (temporary / FACTS).write_text(json.dumps(_facts(prepared)), encoding="utf-8")
        _put(temporary, directory, prepared.digest)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def place_in(cache: Path, digest: str) -> Path:
    """Return the directory of data in a cache."""
    return cache / digest[:16]


def prepare_on_disk(table: Table, split: SplitSpec, seed: int, replicate: int, dtype: str, cache: Path) -> Prepared:
    """`prepare` into files under `cache` as it goes, without ever holding the data; returns them memory-mapped.

    The directory is the data's place in the cache. Raises DataError as `prepare` does.
    """
    return on_disk(lambda room: prepare(table, split, seed, replicate, dtype, room), cache)


def on_disk(make: Callable[[Room], Prepared], cache: Path) -> Prepared:
    """Return the data that `make` prepares in the room that it is given: files under `cache`, memory-mapped.

    The directory is the data's place in the cache.
    """
    cache.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".preparing-", dir=cache))

    def room(name: str, shape: tuple[int, int], dtype: str) -> Array:
        array: Array = np.lib.format.open_memmap(temporary / f"{name}.npy", "w+", np.dtype(dtype), shape)
        return array

    try:
        prepared = make(room)
        for name, array in _arrays(prepared).items():
            if not name.endswith(("_x", "_y")):  # those lie there already
                np.save(temporary / f"{name}.npy", array, allow_pickle=False)
        (temporary / FACTS).write_text(json.dumps(_facts(prepared)), encoding="utf-8")
        directory = place_in(cache, prepared.digest)
        if _digest_in(directory) != prepared.digest:
            _put(temporary, directory, prepared.digest)
        return open_prepared(directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def move_prepared(made: Path, directory: Path) -> None:
    """Move the files that `prepare_on_disk` made to `directory` on the same disk; do nothing if there are none."""
    digest = _digest_in(made)
    if digest is None or digest == _digest_in(directory):
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    _put(made, directory, digest)


def open_prepared(directory: Path) -> Prepared:
    """Open the data that `save_prepared` wrote to `directory`, with memory-mapped, read-only arrays.

    Raises DataError when they are missing or damaged.
    """
    try:
        facts = json.loads((directory / FACTS).read_text(encoding="utf-8"))
        arrays = {name: _mapped(directory / f"{name}.npy", shape) for name, shape in facts["shapes"].items()}
        train, valid, test = (
            Part(arrays[f"{name}_x"], arrays[f"{name}_y"], arrays.get(f"{name}_weights")) for name in PARTS
        )
        names = (tuple(facts["features"]), tuple(facts["classes"]), arrays["y_mean"], arrays["y_scale"])
        return Prepared(
            facts["task"],
            train,
            valid,
            test,
            *names,
            facts["digest"],
            tuple(facts["inferred"]),
            facts["surface"],
            facts.get("transform", ""),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        what = f"no prepared data, or damaged ({error})"
        raise DataError(Complaint(str(directory), what, "remove the directory and run again")) from error


def _arrays(prepared: Prepared) -> dict[str, Array]:
    parts = {"train": prepared.train, "valid": prepared.valid, "test": prepared.test}
    every = {f"{name}_{axis}": getattr(part, axis) for name, part in parts.items() for axis in ("x", "y", "weights")}
    arrays = {name: array for name, array in every.items() if array is not None}
    return {**arrays, "y_mean": prepared.y_mean, "y_scale": prepared.y_scale}


def _facts(prepared: Prepared) -> dict[str, Any]:
    names = ("task", "features", "classes", "digest", "inferred", "surface", "transform")
    shapes = {name: list(array.shape) for name, array in _arrays(prepared).items()}
    return {**{name: getattr(prepared, name) for name in names}, "shapes": shapes}


def _mapped(path: Path, shape: list[int]) -> Array:
    # A plain array over the mapping: the memmap class would slow every slice down.
    mode: Any = "r" if path.stat().st_size > SMALL else None  # each map holds a file open
    array = np.asarray(np.load(path, mmap_mode=mode, allow_pickle=False))
    array.flags.writeable = False
    if list(array.shape) != shape:
        raise ValueError(f"{path.name} has shape {array.shape}")
    return array


def _digest_in(directory: Path) -> str | None:
    try:
        return open_prepared(directory).digest
    except DataError:
        return None


def _put(temporary: Path, directory: Path, digest: str) -> None:
    temporary.chmod(0o755)
    try:
        os.rename(temporary, directory)
    except OSError:
        # Somebody else may have written the same data meanwhile; other data make room.
        if _digest_in(directory) == digest:
            return
        aside = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
        os.rename(directory, aside / "old")
        os.rename(temporary, directory)
        shutil.rmtree(aside, ignore_errors=True)
