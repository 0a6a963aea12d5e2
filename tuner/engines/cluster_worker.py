"""What runs on a worker of a cluster: it reports its versions, stores the files of directories, and runs calls."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tuner.engines import loky_worker
from tuner.engines.failure import Failure
from tuner.engines.remote_paths import MOVED
from tuner.engines.retry_queue import pickled

__all__ = ["differs", "ours", "serve", "source"]

# A worker may run several tasks in threads: one of them writes files at a time, and one has a time limit at a time.
ALONE, CLOCK = threading.Lock(), threading.Lock()


def serve(call: bytes, names: list[str], files: list[Mapping[str, bytes]], seconds: float | None) -> tuple[str, bytes]:
    """Run a pickled call, on a worker; return its address and the pickled outcome."""
    from distributed import get_worker
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    host = get_worker()
    with threadpool_limits(1):
        try:
            for name, content in zip(names, files, strict=True):
                _unpack(Path(name), content, Path(host.local_directory))
        except Exception as error:
            return host.address, pickled(Failure.of(error))
        if seconds is None:
            return host.address, loky_worker.answer(call)
        with CLOCK:
            return host.address, loky_worker.answer_within(call, seconds, str(Path(host.local_directory) / "note.txt"))


def ours(canary_hash: str) -> dict[str, str]:
    """Return the versions that a worker must have, by name; the arithmetic is that of where the study began."""
    from numpy import __version__ as numpy

    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python, "NumPy": numpy, "tuner's source": source(), "arithmetic": canary_hash}


def differs(theirs: Mapping[str, str]) -> str:
    """Return, on a worker, how it differs from the versions asked for; empty where it does not."""
    from threadpoolctl import threadpool_limits

    from tuner.store.machine import canary_hash

    with threadpool_limits(1):
        own = ours(canary_hash())
    unlike = [name for name in own if own[name] != theirs.get(name)]
    shown = [f"{name} {own[name]}, not {theirs.get(name)}" if name in ("Python", "NumPy") else name for name in unlike]
    return f"it differs in {', '.join(shown)}" if shown else ""


@lru_cache(maxsize=1)
def source() -> str:
    """Return the digest of the source of both packages, as an edited version keeps its number."""
    digest = hashlib.sha256()
    for package in ("objectives", "tuner"):
        found = find_spec(package)
        for root in map(Path, (found.submodule_search_locations or []) if found else []):
            for path in sorted(root.rglob("*.py")):
                digest.update(f"{package}/{path.relative_to(root).as_posix()}".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _unpack(place: Path, files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a directory to this worker's folder, once, and record their place under its name."""
    with ALONE:
        if place in MOVED:
            return
        here = folder / f"tuner-{place.name}"
        here.mkdir(exist_ok=True)
        for name, content in files.items():
            (here / Path(name).name).write_bytes(content)
        MOVED[place] = here
