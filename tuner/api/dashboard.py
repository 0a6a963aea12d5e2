"""A study in optuna-dashboard: served from memory to this machine alone, following the study while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tuner.api.export_optuna import optuna_study
from tuner.errors import NotInstalled, TunerError
from tuner.optuna_bridge.storage import Memory
from tuner.records import Notify
from tuner.result import Result

__all__ = ["Dashboard"]

HOST = "127.0.0.1"
EVERY = 2.0  # seconds between looks at the ledger
OWN_NAMES = (HOST, "localhost")

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Dashboard:
    """A server of one study, on `port` (0: any that is free) of the loopback interface; a context manager.

    `watch` is told when the study cannot be read, and when it can again. Raises NotInstalled with the install line,
    OSError where the port is taken.
    """

    def __init__(self, result: Result, port: int = 0, watch: Notify = lambda news: None) -> None:
        try:
            from optuna_dashboard import wsgi
        except ImportError as error:
            raise NotInstalled("optuna-dashboard", "pip install 'tuner[dashboard]'") from error
        self._directory, self._watch = result.directory, watch
        self._memory = Memory(optuna_study(result))
        app = only_here(wsgi(self._memory.storage))
        self._server = make_server(HOST, port, app, server_class=Threaded, handler_class=Quiet)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._server.serve_forever, self._follow)
        ]

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://{HOST}:{self._server.server_port}/"

    def __enter__(self) -> Dashboard:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self) -> None:
        """Serve until something interrupts."""
        while not self._ended.wait(EVERY):
            pass

    def look(self) -> int:
        """Take in what was added to the ledger; returns how many trials there are now."""
        return self._memory.follow(optuna_study(Result(self._directory)))

    def _follow(self) -> None:
        said = ""
        while not self._ended.wait(EVERY):
            trouble = self._trouble()
            if trouble != said:
                self._watch(f"{trouble}; looking again" if trouble else "following the study again")
            said = trouble

    def _trouble(self) -> str:
        """Look; what kept the study from being read, which may pass: a lock, a database that is restarted."""
        try:
            self.look()
        except (TunerError, OSError) as error:
            return str(error)
        return ""


def only_here(app: App) -> App:
    """Wrap the app so that it refuses pages of other sites whose names resolve to this machine."""

    def guarded(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").rpartition(":")[0] not in OWN_NAMES:
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"only for this machine\n"]
        return app(environ, start)

    return guarded


class Threaded(ThreadingMixIn, WSGIServer):
    """A thread a request."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Says nothing of requests."""

    def log_message(self, format: str, *args: Any) -> None:
        """Discard the message."""
