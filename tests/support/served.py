"""A service that listens in this process, and a client that sends what it is told to, byte for byte."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tuner.service.settings import ServiceSettings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Sends requests to a service."""

    def __init__(self, url: str) -> None:
        self.url, self.netloc = url, urlsplit(url).netloc

    def __call__(
        self, method: str, path: str, body: bytes | str | dict[str, Any] | None = None, **headers: str
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            body, sent = json.dumps(body), {"Content-Type": "application/json"} | sent
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        try:
            connection.request(method, path, body, sent)
            found = connection.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()


@contextmanager
def served(settings: ServiceSettings) -> Iterator[Client]:
    """A service in a thread of its own, until the end of the block."""
    from tuner.service.web import WebService

    service, ready = WebService(settings), threading.Event()
    thread = threading.Thread(target=service.serve, args=(ready.set,))
    thread.start()
    try:
        assert ready.wait(60)
        yield Client(service.url)
    finally:
        service.stop()
        thread.join(60)
        assert not thread.is_alive()


@contextmanager
def process(home: Path) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """`tuner serve` as a process of its own."""
    words = [sys.executable, "-m", "tuner", "serve", "--port", "0", "--home", str(home), "-j", "1"]
    started = subprocess.Popen(
        words, cwd=home.parent, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    try:
        yield started, Client(started.stdout.readline().strip())
    finally:
        started.kill()
        started.wait()
        started.stdout.close()
