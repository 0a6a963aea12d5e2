"""The garbage collector, kept from going through a large study again and again while its objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile: of what is read and tabulated there is none.

    Measured, 100,000 trials: reading takes 0.7 s in place of 1.9, the ranking 0.8 in place of 1.3.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
