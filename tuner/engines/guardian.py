"""A process that ends the workers' programs when both the workers and their parent are gone.

Workers for other people's code end what they have started when their parent dies, and the parent does so when a worker
dies. If both are killed at once, programs would run on. The guardian watches the parent from a session of its own; its
command line names neither the program nor its files, so that ending those by name does not end it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress

__all__ = ["Guardian"]

# It reads lines "+PID" and "-PID", which add and remove sessions, until its parent is gone.
CODE = r"""
import os, select, signal, sys
parent, sessions, rest = int(sys.argv[1]), set(), b""
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)

def everybody():
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return [int(word) for word in os.popen("ps -A -o pid=").read().split()]

def of_sessions():
    found = []
    for pid in everybody():
        try:
            if os.getsid(pid) in sessions and pid != os.getpid():
                found.append(pid)
        except OSError:
            pass
    return found

while os.getppid() == parent:
    if not select.select([0], [], [], 0.5)[0]:
        continue
    data = os.read(0, 65536)
    if not data:
        break
    *lines, rest = (rest + data).split(b"\n")
    for line in lines:
        (sessions.add if line[:1] == b"+" else sessions.discard)(int(line[1:]))
for _ in range(20):
    left = of_sessions() if sessions else []
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    if not left:
        break
"""


class Guardian:
    """The guardian of this process's workers: started with the first one, ended by `close` or with this process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._watched: set[int] = set()
        self._lock = threading.Lock()

    def watch(self, pid: int) -> None:
        """Have the session of a worker ended when this process is gone. Raises OSError."""
        with self._lock:
            self._watched.add(pid)
            if self._process is None or self._process.poll() is not None:
                self._process = started()
                self._say(*(f"+{one}" for one in self._watched))
            else:
                self._say(f"+{pid}")

    def forget(self, pid: int) -> None:
        """Stop watching a worker that has ended with its programs."""
        with self._lock:
            self._watched.discard(pid)
            self._say(f"-{pid}")

    def close(self) -> None:
        """End the guardian: there are no workers any more."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)

    def _say(self, *lines: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                os.write(self._process.stdin.fileno(), "".join(f"{line}\n" for line in lines).encode())


def started() -> subprocess.Popen[bytes]:
    """Start the process. Raises OSError."""
    # The interpreter itself, not its name in a virtual environment, which may be called after this program.
    return subprocess.Popen(
        [os.path.realpath(sys.executable), "-I", "-S", "-c", CODE, str(os.getpid())], cwd="/",
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
