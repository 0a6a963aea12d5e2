"""Where studies live: the home directory, a study's own directory in it, and files that are never half written.

Home is what was asked for, else the variable TUNER_HOME, else `runs` in the working directory.
"""

from __future__ import annotations

import os
import secrets
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tuner.errors import UnknownStudy
from tuner.lock import hold

__all__ = ["StudyDirectory", "find", "home_directory", "studies", "study_directory", "write_atomic"]

LOCK = "lock"  # the file that the running process holds a lock on; who holds it stands in lock.json


@dataclass(frozen=True)
class StudyDirectory:
    """The directory of one study and the names of what is in it; looking at it creates nothing."""

    path: Path

    @property
    def name(self) -> str:
        """The study's name, which is the directory's."""
        return self.path.name

    @property
    def study(self) -> Path:
        """The resolved study file: what actually ran."""
        return self.path / "study.toml"

    @property
    def ledger(self) -> Path:
        """The ledger, from which everything else here can be made again."""
        return self.path / "ledger.db"

    @property
    def ranking(self) -> Path:
        """The ranking as a table."""
        return self.path / "ranking.csv"

    @property
    def best(self) -> Path:
        """The best config."""
        return self.path / "best.toml"

    @property
    def weights(self) -> Path:
        """The weights of the best config's model."""
        return self.path / "best.npz"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def cache(self) -> Path:
        """Prepared data and packs in flight: can be deleted whenever the study is not running."""
        return self.path / "cache"

    @property
    def exists(self) -> bool:
        """Whether a study was created here: whether there is a ledger."""
        return self.ledger.is_file()

    def lock(self) -> AbstractContextManager[None]:
        """Hold the study, so that no other process can run it meanwhile; makes the directory. Raises StudyBusy."""
        return hold(self.path / LOCK, self.name)

    def set_aside(self) -> StudyDirectory:
        """Move the study to NAME.1, NAME.2, ...: the first that is free. Hold its lock meanwhile.

        The lock stays behind, held. A copy of the study file goes first and the ledger, which makes a directory a
        study, next: whenever this is cut short, there is one whole study, here or there.
        """
        places = (StudyDirectory(self.path.with_name(f"{self.name}.{i}")) for i in count(1))
        aside = next(place for place in places if not place.path.exists())
        aside.path.mkdir()
        if self.study.exists():
            write_atomic(aside.study, self.study.read_bytes())
        first = [self.ledger] if self.exists else []
        rest = (path for path in self.path.iterdir() if path != self.ledger and not path.name.startswith(LOCK))
        for path in [*first, *rest]:
            path.replace(aside.path / path.name)
        return aside


def home_directory(home: str | Path | None = None) -> Path:
    """The absolute directory that studies live in; it need not exist."""
    return _absolute(home or os.environ.get("TUNER_HOME") or "runs")


def study_directory(name: str, home: str | Path | None = None) -> StudyDirectory:
    """Where the study `name` lives or would live. Raises ValueError for a name that leaves the home directory."""
    if not _is_plain(name):
        raise ValueError(f"a study's name is one part of a path, but got {name!r}")
    return StudyDirectory(home_directory(home) / name)


def studies(home: str | Path | None = None) -> list[StudyDirectory]:
    """Every study there is, by name; none where there is no home."""
    with suppress(FileNotFoundError, NotADirectoryError):
        found = (StudyDirectory(path) for path in sorted(home_directory(home).iterdir()))
        return [directory for directory in found if directory.exists]
    return []


def find(name: str | Path, home: str | Path | None = None) -> StudyDirectory:
    """A study by its name in the home directory, or by the path of its directory.

    Raises UnknownStudy with the nearest names.
    """
    if isinstance(name, str) and _is_plain(name):
        directory = study_directory(name, home)
        if directory.exists:
            return directory
    if str(name):
        directory = StudyDirectory(_absolute(name))
        if directory.exists:
            return directory
    raise UnknownStudy(str(name), [known.name for known in studies(home)], str(home_directory(home)))


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace a file in one step: whoever reads it, after whatever crash, finds the old content or the new."""
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(draft, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _absolute(path: str | Path) -> Path:
    # pathlib's expanduser raises where there is no such user; here the path is taken as it stands.
    return Path(os.path.abspath(os.path.expanduser(path)))


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and "\0" not in name and Path(name).name == name
