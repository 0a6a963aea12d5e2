"""Seeds what somebody's code may draw from, so that it is a function of config and seed."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np

__all__ = ["seed_everything"]


def seed_everything(seed: int, start: int) -> None:
    """Seed the random numbers of Python, NumPy and torch; torch when it is imported, where that comes later."""
    own = (seed * 1_000_003 + start) % 2**32
    random.seed(own)
    np.random.seed(own)
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, SeededTorch)]
    torch = sys.modules.get("torch")
    if torch is None:
        sys.meta_path.insert(0, SeededTorch(own))
    elif hasattr(torch, "manual_seed"):
        torch.manual_seed(own)


class SeededTorch(MetaPathFinder):
    """Finds torch where it is, and seeds it once it is there.

    Code that imports it within a call would have its own seed in the first trial of a worker, and ours in all others.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return torch's spec with a loader that seeds it; None for other modules."""
        del path, target
        if fullname != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def seeded(module: ModuleType) -> None:
                load(module)
                if hasattr(module, "manual_seed"):
                    module.manual_seed(self.seed)

            spec.loader.exec_module = seeded  # type: ignore[method-assign]
        return spec
