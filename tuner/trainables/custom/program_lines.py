"""What a running program says, as it says it: lines of its output or of a file; and its end.

A program's output is split at line ends. Where carriage returns count too, a piece that one ends keeps it: it is what
a progress bar shows for a while.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["SILENCE", "end", "exit_code", "in_file", "on_pipe", "pieces_on_pipe"]

LOOK = 0.02  # seconds between looks at a file of metrics
GRACE = 5.0  # seconds from SIGTERM to SIGKILL
LONGEST = 1 << 20  # characters of a line
SILENCE = 10.0  # seconds without a line, after which that is said in the trial's output
TICK = 0.1  # seconds after which a program that says nothing gives way to looks at its files
LINE_END = re.compile(rb"(\r*\n|\r(?=[^\r\n]))")  # of a line, or of what is written over


def on_pipe(process: subprocess.Popen[bytes]) -> Iterator[str | None]:
    """Yield lines of a process's standard output until it has ended; None once after a silence."""
    since: float | None = time.monotonic()
    rest = b""
    for data in read_pipe(process, 0.2):
        if not data:
            if since is not None and time.monotonic() - since > SILENCE:
                since = None
                yield None
            continue
        since = None if since is None else time.monotonic()
        *lines, rest = (rest + data).split(b"\n")
        rest = rest[-LONGEST:]
        yield from (line.decode("utf-8", "replace") for line in lines)
    if rest:
        yield rest.decode("utf-8", "replace")


def pieces_on_pipe(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield pieces of a process's output with their ends until it has ended; "" where it says nothing for a while."""
    rest = b""
    for data in read_pipe(process, TICK):
        *parts, rest = LINE_END.split(rest + data) if data else (rest,)
        rest = rest[-LONGEST:]
        for text, ended in zip(parts[::2], parts[1::2], strict=True):
            yield text.decode("utf-8", "replace") + ("\n" if ended.endswith(b"\n") else "\r")
        yield ""
    if rest:
        yield rest.decode("utf-8", "replace") + "\n"


def read_pipe(process: subprocess.Popen[bytes], wait: float) -> Iterator[bytes]:
    """Yield what a process writes to its standard output until it has ended; nothing after each `wait` in seconds."""
    if process.stdout is None:
        return
    pipe = process.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            # Something that the program left running may hold the pipe open: then its own end is the end.
            over = process.poll() is not None
            if not selector.select(timeout=0 if over else wait):
                if over:
                    break
                yield b""
                continue
            data = os.read(pipe, 1 << 16)
            if not data:
                break
            yield data


def in_file(place: Path, process: subprocess.Popen[bytes]) -> Iterator[str | None]:
    """Yield lines that a process appends to a file until it has ended."""
    at, rest = 0, b""
    while True:
        over = process.poll() is not None
        with suppress(FileNotFoundError), open(place, "rb") as file:
            file.seek(at)
            data = file.read()
            at += len(data)
            *lines, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)
        if over:
            break
        time.sleep(LOOK)
    if rest:
        yield rest.decode("utf-8", "replace")


def exit_code(process: subprocess.Popen[bytes]) -> int:
    """Wait until a program has ended, and return its exit code."""
    return process.wait()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its group: first it is asked."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
