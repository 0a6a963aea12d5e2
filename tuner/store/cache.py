"""A cache on disk of arrays that took long to compute, so that a killed run finds them when it is run again.

Its content can always be computed again, to the same bits. So a torn, damaged or foreign file is a miss, and with a
full disk or a full cache something is not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from objectives.types import Array

__all__ = ["DiskCache"]


@dataclass(frozen=True)
class DiskCache:
    """Arrays and a JSON mapping under a text key, in files of `directory` that together stay below `cap_bytes`.

    Workers that write at the same moment may exceed that, by a file each.
    """

    directory: Path
    cap_bytes: int

    def get(self, key: str) -> tuple[dict[str, Array], dict[str, Any]] | None:
        """Return the arrays and mapping that were put under `key`; None for a miss."""
        # All that numpy, zipfile and json may raise for a file of any content, MemoryError included.
        with suppress(Exception), zipfile.ZipFile(self._path(key)) as archive:
            head = json.loads(archive.read("head.json"))
            if head["key"] == key:
                return {name: _read(archive, i) for i, name in enumerate(head["names"])}, head["meta"]
        return None

    def put(self, key: str, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> bool:
        """Store `arrays` and a JSON mapping; return True if stored. Raises ValueError for arrays of objects."""
        path = self._path(key)
        size = sum(array.nbytes for array in arrays.values())
        if self._used(path) + size > self.cap_bytes:
            return False
        head = json.dumps({"key": key, "names": list(arrays), "meta": dict(meta)})
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            _write(draft, head, arrays)
            draft.replace(path)
        except OSError:
            return False
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return True

    def _used(self, apart: Path) -> int:
        """Count the bytes of all files but one, each time anew, as other workers store files here too."""
        used = 0
        with suppress(OSError):
            for path in self.directory.glob("*.npz"):
                used += 0 if path == apart else path.stat().st_size
        return used

    def _path(self, key: str) -> Path:
        return self.directory / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"


def _write(path: Path, head: str, arrays: Mapping[str, Array]) -> None:
    # Not np.savez, whose arguments clash with arrays called "file". No fsync either: a torn file is a miss.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("head.json"), head)  # no date: clocks may be set before 1980
        for i, array in enumerate(arrays.values()):
            with archive.open(f"{i}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def _read(archive: zipfile.ZipFile, i: int) -> Array:
    with archive.open(f"{i}.npy") as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
        # The checksum of a member is compared at its end, so the end has to be reached.
        if member.read(1):
            raise ValueError("more bytes than the array has")
    return np.asarray(array)
