"""A PostgreSQL server of one's own for tests: in a temporary folder, on loopback, on a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest

PASSWORD = "open%20sesame-31337"  # as a URL has it: with a space
PLACES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def program(name: str) -> str | None:
    """Where a program of PostgreSQL is; Debian keeps them off the path."""
    return next((str(place / name) for place in PLACES if (place / name).is_file()), shutil.which(name))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """The server: started, stopped, started again; a database's files refuse to be root's, so they are another's."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pg-"))
        self.data, self.port = self.root / "data", free_port()
        (self.root / "password").write_text("open sesame-31337")
        self.root.chmod(0o755)
        (self.root / "password").chmod(0o644)
        if os.geteuid() == 0:
            shutil.chown(self.root, "nobody")
        given = ("-U", "ann", "-A", "scram-sha-256", f"--pwfile={self.root / 'password'}")
        self._do(program("initdb"), "-D", self.data, *given)
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://ann:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.root} -c listen_addresses=127.0.0.1"
        self._do(program("pg_ctl"), "-D", self.data, "-l", self.root / "log", "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._do(program("pg_ctl"), "-D", self.data, "-m", how, "-w", "stop")

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.root, ignore_errors=True)

    def _do(self, *words: object) -> None:
        who = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        subprocess.run(
            [*who, *map(str, words)], check=True, cwd=self.root, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip


class Wire:
    """A connection to a server that can be frozen: nothing comes through any more, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._to, self._ends = port, []
        self._open = threading.Event()
        self._open.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def freeze(self) -> None:
        self._open.clear()

    def thaw(self) -> None:
        """Let new connections through; those that were frozen stay as they are."""
        self._open = threading.Event()
        self._open.set()

    def close(self) -> None:
        self._listening.close()
        for end in self._ends:
            with suppress(OSError):  # a thread that reads it would keep it open
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listening.accept()
                theirs = socket.create_connection(("127.0.0.1", self._to))
                self._ends += [ours, theirs]
                for one, other in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=passed_on, args=(one, other, self._open), daemon=True).start()


def passed_on(one: socket.socket, other: socket.socket, is_open: threading.Event) -> None:
    """Pass on what comes, as long as the wire is open."""
    with suppress(OSError):
        while (data := one.recv(1 << 16)) and is_open.is_set():
            other.sendall(data)
        is_open.wait()
        other.shutdown(socket.SHUT_WR)


def needed() -> str:
    """Why there can be no server here; empty where there can."""
    if program("initdb") is None or program("pg_ctl") is None:
        return "PostgreSQL is not installed: apt-get install postgresql"
    if os.name != "posix" or (os.geteuid() == 0 and shutil.which("setpriv") is None):
        return "PostgreSQL does not run as this user, and there is no setpriv to become another"
    return ""


@pytest.fixture(scope="session")
def server() -> object:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'tuner[postgres]'")
    if why := needed():
        pytest.skip(why)
    running = Server()
    yield running
    running.remove()
