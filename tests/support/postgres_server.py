"""A PostgreSQL server of one's own for tests: in a temporary folder, on loopback, on a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
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
