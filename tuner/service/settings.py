"""What a service is started with: where it listens, which studies it keeps, and what it may be asked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.store.directory import Home, home_directory

__all__ = ["TOKEN_VARIABLE", "ServiceSettings", "is_loopback", "read_token"]

TOKEN_VARIABLE = "TUNER_TOKEN"
SHORTEST = 16  # characters of a token
TOKEN = re.compile(rf"[!-~]{{{SHORTEST},}}")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ServiceSettings:
    """Where a service listens and what it may do.

    `home` keeps the studies. `base` is the folder that handed-in studies may name data files of. `jobs` are the worker
    processes of one run, by default the processors divided by `max_runs`. Without `allow_code`, studies that would run
    code of their author's are refused.
    """

    home: Home = None
    host: str = LOOPBACK
    port: int = 0
    token: str = field(default="", repr=False)
    allow_code: bool = False
    max_runs: int = 1
    jobs: int | None = None
    base: Path = field(default_factory=Path.cwd)

    def __post_init__(self) -> None:
        if not self.token and not is_loopback(self.host):
            what = "can be reached from other machines, and there is no token"
            hint = f"add --token-file FILE, or set {TOKEN_VARIABLE}; or leave out --host"
            raise StudyError(Complaint(f"--host {self.host}", what, hint))

    @property
    def room(self) -> Path:
        """Return the folder of the service's own files, in the home."""
        return home_directory(self.home) / ".service"

    @property
    def workers(self) -> int:
        """Return the worker processes of one run."""
        at_hand = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self.jobs or max(1, at_hand // self.max_runs)


def is_loopback(host: str) -> bool:
    """Return True if a host is this machine for sure, whatever a name server says."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(file: Path | None) -> str:
    """Return the token in a file, else that of the variable; "" where there is neither.

    Raises StudyError for one that is too short, and for a file that cannot be read or that others may read.
    """
    where = f"--token-file {file}" if file else TOKEN_VARIABLE
    token = os.environ.get(TOKEN_VARIABLE, "") if file is None else _of_file(file, where)
    if (token or file) and not (
        len(token) >= SHORTEST and token.isascii() and token.isprintable() and " " not in token
    ):
        what = f"needs one word of {SHORTEST} ASCII characters or more"
        hint = "make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        raise StudyError(Complaint(where, what, hint))
    return token


def _of_file(file: Path, where: str) -> str:
    try:
        if file.stat().st_mode & 0o077 and os.name == "posix":
            raise StudyError(Complaint(where, "can be read by others", f"chmod 600 {file}"))
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise StudyError(Complaint(where, what, "name a file that holds the token")) from error
