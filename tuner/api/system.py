"""What this machine has for studies: versions, processor and BLAS, optional parts, and the disk that keeps studies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tuner.store.directory import Home, home_directory
from tuner.store.machine import machine_facts
from tuner.urls import Shared

__all__ = ["PARTS", "SystemPart", "system_parts"]

SystemPart = tuple[str, str, str]  # its name; "ok", "missing", "low" or "read-only"; what it is
LOW = 2**30  # bytes: a large study's ledger and checkpoints fit below it
# Optional packages by the name they install under: what each is for, and how to get it.
PARTS = {
    "cmaes": ('sampler = "cmaes"', "tuner[cmaes]"),
    "optuna-dashboard": ("tuner dashboard", "tuner[dashboard]"),
    "python-calamine": ("workbooks as data", "tuner[excel]"),
    "pyarrow": ("parquet, Feather and Arrow files", "tuner[parquet]"),
    "torch": ('sampler = "gp", tuner.optimizer, exporting models to PyTorch', "tuner[gp]"),
    "keras": ("exporting models to Keras", "keras"),
    "onnx": ("exporting models to ONNX", "tuner[onnx]"),
    "mlflow-skinny": ("export --to mlflow", "tuner[mlflow]"),
    "psycopg": ("studies in PostgreSQL", "tuner[postgres]"),
    "distributed": ("run --cluster", "tuner[cluster]"),
    "uvicorn": ("tuner serve", "tuner[serve]"),
}


def system_parts(home: Home = None) -> Iterator[SystemPart]:
    """Yield a row for each part: its name, whether it is there, and a detail."""
    for name, fact in machine_facts().items():
        yield name, "ok", fact
    yield "processors", "ok", f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()}"
    for package, (use, extra) in PARTS.items():
        found = installed(package)
        yield package, *(("ok", f"{found}, for {use}") if found else ("missing", f'for {use}: pip install "{extra}"'))
    yield disk(home)


def installed(package: str) -> str:
    """Return the version of a package; "" where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def disk(home: Home) -> SystemPart:
    """Return how much room there is for studies, in the nearest folder that exists."""
    if isinstance(home, Shared):
        return "home", "ok", "the ledgers are in a database"
    place = Path(home_directory(home)).absolute()
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    state = "low" if free < LOW else "ok" if os.access(there, os.W_OK) else "read-only"
    return "home", state, f"{free / 2**30:,.1f} GiB free in {place}"
