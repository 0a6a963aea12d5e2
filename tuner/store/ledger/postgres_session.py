"""A session with PostgreSQL in which neither side waits for a dead one for long.

The server would notice a machine that loses its power or its network only after two hours. So a session that may write
is a lease: it sends a sign of life every half minute, and the server ends it after three minutes of silence. On this
side, a transaction without an answer for two minutes is given up.
"""

from __future__ import annotations

import os
import platform
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text

__all__ = ["BEAT", "arguments", "SLOW", "bounded", "lease", "myself", "number_of"]

CONNECT = 10  # seconds to wait for the server to answer
SLOW = 5.0  # seconds without an answer, after which that is said
GIVEN_UP = 120.0  # seconds without an answer, after which a connection is given up
LEASE = 180.0  # seconds of silence after which the server ends a session, and with it the lock that it holds
BEAT = 30.0  # seconds between signs of life
# Both sides look at a connection on which nothing moves, and give it up after a minute.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
THEIRS = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c tcp_user_timeout=60000"
ENDS_SILENT = 140000  # the server's version that ends a session by itself
TOKEN = secrets.token_hex(4)  # of this process, whose number another machine of the same name may have too


def arguments(read_only: bool) -> dict[str, str | int]:
    """Return the arguments of a connection."""
    options = f"-c synchronous_commit=on -c default_transaction_read_only={'on' if read_only else 'off'} {THEIRS}"
    own: dict[str, str | int] = {"connect_timeout": CONNECT, "application_name": myself(), "options": options}
    return own | KEEPALIVES | {"tcp_user_timeout": int(1000 * GIVEN_UP / 2)}


def myself() -> str:
    """Return the name of this process in the server's list of sessions, at most 63 characters."""
    return f"{f'tuner {os.getpid()}@{platform.node()}'[:54]}#{TOKEN}"


def number_of(connection: Connection) -> int:
    """Return the server's number of a session."""
    return int(connection.connection.driver_connection.info.backend_pid)  # type: ignore[union-attr]


def lease(connection: Connection) -> None:
    """Have the server end this session when it has been silent for too long."""
    if connection.connection.driver_connection.info.server_version >= ENDS_SILENT:  # type: ignore[union-attr]
        connection.execute(
            text("SELECT set_config('idle_session_timeout', :most, false)"), {"most": f"{int(1000 * LEASE)}ms"}
        )


@contextmanager
def bounded(connection: Connection, slow: Callable[[], None]) -> Iterator[None]:
    """Report when a connection has not answered for some seconds, and close it when it has not for long.

    A server that is frozen, or behind a network that drops everything, sends no error that one could wait for.
    """
    timers = [threading.Timer(SLOW, slow), threading.Timer(GIVEN_UP, cut, (connection,))]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def cut(connection: Connection) -> None:
    """Close the socket of a connection: a thread that waits for it gets an error at once."""
    with suppress(Exception):  # it is gone already
        number = os.dup(connection.connection.driver_connection.fileno())  # type: ignore[union-attr]
        with socket.socket(fileno=number) as one:
            one.shutdown(socket.SHUT_RDWR)
