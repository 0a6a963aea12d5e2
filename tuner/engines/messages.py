"""Messages between this process and a worker: a mark, a length and the bytes, over a pipe in each direction.

Nothing here waits for a worker that has died: the kernel reports its death (by a pidfd, or by a check twice a second
where there is none), even while other processes hold its end of a pipe open.
"""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["HEAD", "MARK", "Gone", "Messages", "receive", "send", "widen"]

LOOK = 0.5  # seconds between checks that a worker lives, where the system does not report deaths
ROOM = 1 << 20  # bytes that a pipe holds, where the system lets one choose: a message takes fewer turns then
SET_ROOM = 1031  # F_SETPIPE_SZ of Linux
MARK = b"\x00tnr"  # without it, other code has written into the pipe
HEAD = struct.Struct("<4sQ")


class Gone(Exception):
    """Raised where the other side has died or closed its end, or where what came is no message."""


class Messages:
    """This side of the pipes to a worker: `calls` are written, `answers` read, while `alive()`; closed by `close`."""

    def __init__(self, calls: int, answers: int, pid: int, alive: Callable[[], bool]) -> None:
        self._calls, self._answers, self._alive = calls, answers, alive
        for pipe in (calls, answers):
            os.set_blocking(pipe, False)
            widen(pipe)
        self.answering = False  # whether an answer has begun to come
        self._death = -1
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):  # an old kernel, or no room for one more file
                self._death = os.pidfd_open(pid)

    def send(self, data: bytes, until: float | None) -> bool:
        """Send a message; False where it has not gone out by the time `until` of the monotonic clock. Raises Gone."""
        for part in (HEAD.pack(MARK, len(data)), data):
            left = memoryview(part)
            while left:
                if not self._wait(self._calls, select.POLLOUT, until):
                    return False
                with suppress(BlockingIOError):
                    left = left[_written(self._calls, left) :]
        return True

    def receive(self, until: float | None) -> bytearray | None:
        """Return the next message; None where it has not come by the time `until`. Raises Gone."""
        self.answering = False
        head = self._read(HEAD.size, until)
        if head is None:
            return None
        length = length_of(head)
        self.answering = True
        return self._read(length, until)

    def close(self) -> None:
        """Close the pipes."""
        for pipe in {self._calls, self._answers, self._death} - {-1}:
            with suppress(OSError):
                os.close(pipe)
        self._calls = self._answers = self._death = -1

    def _read(self, size: int, until: float | None) -> bytearray | None:
        data = bytearray(size)
        left = memoryview(data)
        while left:
            if not self._wait(self._answers, select.POLLIN, until):
                return None
            with suppress(BlockingIOError):
                left = left[_read_into(self._answers, left) :]
        return data

    def _wait(self, pipe: int, what: int, until: float | None) -> bool:
        """Wait until a pipe can be used; return False at the time `until`. Raises Gone if it cannot and the worker is
        dead.

        What a worker had sent before it died is still read.
        """
        if pipe < 0:
            raise Gone
        poll = select.poll()
        poll.register(pipe, what)
        if self._death >= 0:
            poll.register(self._death, select.POLLIN)
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            if self._death < 0:
                left = LOOK if left is None else min(left, LOOK)
            found = dict(poll.poll(None if left is None else left * 1000))
            if pipe in found:
                return True
            if found or (self._death < 0 and not self._alive()):
                raise Gone
            if until is not None and time.monotonic() >= until:
                return False


def send(pipe: int, *parts: bytes) -> None:
    """Send a message of several parts, waiting as long as it takes. Raises OSError where the other side has gone."""
    for part in (HEAD.pack(MARK, sum(map(len, parts))), *parts):
        left = memoryview(part)
        while left:
            left = left[os.write(pipe, left) :]


def receive(pipe: int) -> bytearray:
    """Return the next message, waiting as long as it takes. Raises Gone."""
    with os.fdopen(pipe, "rb", buffering=0, closefd=False) as file:
        return _whole(file, length_of(_whole(file, HEAD.size)))


def _whole(file: Any, size: int) -> bytearray:
    data = bytearray(size)
    left = memoryview(data)
    while left:
        count = file.readinto(left)
        if not count:
            raise Gone
        left = left[count:]
    return data


def length_of(head: bytes | bytearray) -> int:
    """Return the length in a message's header. Raises Gone for an invalid header."""
    mark, length = HEAD.unpack(head)
    if mark != MARK or length > 1 << 40:
        raise Gone
    return int(length)


def widen(pipe: int) -> None:
    """Increase the capacity of a pipe, where the system allows it."""
    with suppress(ImportError, OSError):
        from fcntl import fcntl

        fcntl(pipe, SET_ROOM, ROOM)


def _written(pipe: int, data: memoryview) -> int:
    try:
        return os.write(pipe, data[:ROOM])
    except BlockingIOError:
        raise
    except OSError:
        raise Gone from None


def _read_into(pipe: int, data: memoryview) -> int:
    try:
        count = os.readv(pipe, [data])
    except BlockingIOError:
        raise
    except OSError:
        raise Gone from None
    if not count:
        raise Gone
    return count
