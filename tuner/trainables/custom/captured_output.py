"""What a trial prints goes into a file of its own, where it can be watched, and is kept if the worker dies.

Of a long output the end is kept. Nothing of it decides anything.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tuner.drafts import PRIVATE
from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["MOST", "printed_here", "printed_length", "printing_into"]

MOST = 64 * 1024  # bytes of a trial's output that are kept
OURS = str(Path(__file__).resolve().parents[2]) + os.sep


@contextmanager
def printing_into(place: Path, further: bool) -> Iterator[None]:
    """Redirect what this process and its programs print to a file, appending where `further`.

    An exception that ends it is printed too. Where nothing was printed, there is no file.
    """
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        if not further:
            place.unlink(missing_ok=True)
    try:
        file = os.open(place, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE)
    except OSError:  # a full disk: what is printed goes where it did, and training goes on
        yield
        return
    flush()
    before = [os.dup(number) for number in (1, 2)]
    try:
        for number in (1, 2):
            os.dup2(file, number)
        # A new list of filters: each warning is told once in each trial, not once in each worker.
        with warnings.catch_warnings():
            yield
    except BaseException as error:
        flush()
        with suppress(OSError):
            os.write(file, traceback_text(error).encode("utf-8", "backslashreplace"))
        raise
    finally:
        flush()
        for number, own in zip((1, 2), before, strict=True):
            os.dup2(own, number)
            os.close(own)
        os.close(file)
        with suppress(OSError):
            shorten(place)


def printed_length() -> int:
    """Return how many bytes were printed so far into the file that this process prints into."""
    flush()
    return os.fstat(2).st_size


def printed_here(since: int = 0) -> str:
    """Return the end of what was printed so far into the file that this process prints into."""
    flush()
    with suppress(OSError):
        size = os.fstat(2).st_size
        return os.pread(2, MOST, max(since, size - MOST)).decode("utf-8", "replace")
    return ""


def flush() -> None:
    """Write what Python's own streams hold back."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def traceback_text(error: BaseException) -> str:
    """Format a traceback from where the user's code begins; describe an unusable objective in words."""
    if isinstance(error, InvalidObjective):
        return f"{error}\n"
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(OURS):
        trace = trace.tb_next
    with suppress(Exception):  # an exception's own code runs here
        return "".join(traceback.format_exception(type(error), error, trace))
    return f"{type(error).__name__}\n"


def shorten(place: Path) -> None:
    """Keep the end of a long output, and no empty one."""
    size = place.stat().st_size
    if not size:
        place.unlink()
    elif size > MOST:
        with open(place, "rb") as file:
            file.seek(size - MOST)
            end = file.read()
        place.write_bytes(f"... {size - MOST:,} bytes before this were left out\n".encode() + end)
