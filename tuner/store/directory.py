"""Where studies live: the home directory, a study's own directory in it, and files that are never half written.

Home is what was asked for, else the variable TUNER_HOME, else `runs` in the working directory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from tuner.drafts import clear_left, folder_of, written_whole
from tuner.errors import LedgerError, UnknownStudy
from tuner.masking import masked
from tuner.store.backend import Backend, FileBackend, PostgresBackend, write_private
from tuner.store.lock import hold
from tuner.store.sqlite_files import beside
from tuner.urls import Remote, Shared, check_storage

__all__ = [
    "LOCK",
    "Home",
    "StudyDirectory",
    "find",
    "home_directory",
    "home_in_words",
    "home_of",
    "studies",
    "study_directory",
    "write_atomic",
]

Home = str | Path | Shared | None
LOCK = "lock"  # the file that the running process holds a lock on; who holds it stands in lock.json


@dataclass(frozen=True)
class StudyDirectory:
    """The directory of one study and the paths in it; creating this object creates no file.

    With a `storage`, the ledger and the resolved study are in that database, and everything else is here.
    """

    path: Path
    storage: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Return the study's name, which is the directory's."""
        return self.path.name

    @property
    def study(self) -> Path:
        """Return the resolved study file: what actually ran."""
        return self.path / "study.toml"

    @property
    def ledger(self) -> Path:
        """Return the file of a ledger that is kept here."""
        return self.path / "ledger.db"

    @property
    def backend(self) -> Backend:
        """Return what keeps the ledger, from which everything else here can be made again, and the resolved study."""
        if self.storage is None:
            return FileBackend(self.ledger, self.study)
        return PostgresBackend(Remote(self.storage, self.name), self.study)

    @property
    def place(self) -> Path | Remote:
        """Return where the ledger is."""
        return self.backend.place

    @property
    def ranking(self) -> Path:
        """Return the file of the ranking."""
        return self.path / "ranking.csv"

    @property
    def best(self) -> Path:
        """Return the file of the best config."""
        return self.path / "best.toml"

    @property
    def weights(self) -> Path:
        """Return the file of the best config's weights."""
        return self.path / "best.npz"

    @property
    def model(self) -> Path:
        """Return the folder of the model that the study ships."""
        return self.path / "model"

    @property
    def report(self) -> Path:
        """Return the file of the report."""
        return self.path / "report.html"

    @property
    def given_up(self) -> Path:
        """Return the file that says why the last search was given up, if it was; the ledger does not record that."""
        return self.path / "given-up.txt"

    @property
    def notes(self) -> Path:
        """Return the file of the user's notes, which is no part of the study."""
        return self.path / "notes.json"

    @property
    def output(self) -> Path:
        """Return the folder of what trials of custom objectives printed, one file each."""
        return self.path / "output"

    @property
    def kept(self) -> Path:
        """Return the folder of what the best trials of a custom objective left in their directories."""
        return self.path / "kept"

    @property
    def cache(self) -> Path:
        """Return the folder of prepared data and packs in flight, which may be deleted while the study does not run."""
        return self.path / "cache"

    @property
    def exists(self) -> bool:
        """Return True if a study was created, so that there is a ledger."""
        return self.backend.exists()

    @property
    def ran(self) -> bool:
        """Return True if a study ran from here, wherever its ledger is."""
        return self.ledger.is_file() or (self.path / LOCK).is_file()

    def study_text(self) -> str:
        """Return the resolved study as TOML. Raises LedgerError, OSError, and ValueError for one that is not UTF-8."""
        return self.backend.study_text()

    def summary_text(self) -> str:
        """Return the last writer's summary of the trials as JSON; "" where it is unknown. Raises LedgerError."""
        return self.backend.summary_text()

    def write_study(self, text: str) -> None:
        """Replace the resolved study."""
        self.backend.write_study(text)

    def changed(self) -> float:
        """Return when the ledger was last written to, in seconds since 1970."""
        return self.backend.changed()

    def forget_ledger(self) -> None:
        """Remove the ledger for good: there is no study any more. Hold its lock meanwhile."""
        self.backend.forget()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the study, so that no other process can run it meanwhile; makes the directory. Raises StudyBusy.

        Removes files that killed processes have left half written, here or beside it.
        """
        with hold(self.path / LOCK, self.name):
            clear_left(self.path)
            clear_left(self.path.parent, self.name)
            for left in self.cache.glob(".*"):
                shutil.rmtree(left, ignore_errors=True)
            yield

    @contextmanager
    def room(self) -> Iterator[Path]:
        """Make a folder for data of a run that may yet be refused; it is removed at the end, with those of killed runs.

        It is on the study's disk, but outside of its directory, which another run may own.
        """
        with folder_of(self.path) as folder:
            yield folder

    def set_aside(self) -> StudyDirectory:
        """Move the study to NAME.1, NAME.2, ...: the first that is free. Hold its lock meanwhile.

        The lock stays behind, held. A copy of the study file goes first and the ledger, which makes a directory a
        study, next: whenever this is cut short, there is one whole study, here or there.
        """
        places = (replace(self, path=self.path.with_name(f"{self.name}.{i}")) for i in count(1))
        aside = next(place for place in places if not (place.path.exists() or (self.storage and place.exists)))
        self._close_log()
        aside.path.mkdir(mode=0o700)
        self.backend.rename(aside.name)
        if self.study.exists():
            write_private(aside.study, self.study.read_bytes())
        first = [self.ledger] if self.ledger.exists() else []
        rest = (path for path in self.path.iterdir() if path != self.ledger and not path.name.startswith(LOCK))
        for path in [*first, *rest]:
            path.replace(aside.path / path.name)
        return aside

    def _close_log(self) -> None:
        """Merge the log of a killed writer into the ledger, so that the ledger is one file."""
        from tuner.store.ledger import Ledger

        if beside(self.ledger):
            with suppress(LedgerError):  # a damaged ledger is moved as it is
                Ledger.open(self.ledger).close()


def home_of(home: Home = None, storage: str | None = None) -> Home:
    """Return the home that was asked for; the variable TUNER_STORAGE names a storage, too. Raises StudyError."""
    storage = storage or os.environ.get("TUNER_STORAGE")
    if isinstance(home, Shared):
        return home
    return Shared(check_storage(storage), None if home is None else str(home)) if storage else home


def home_directory(home: Home = None) -> Path:
    """Return the absolute directory that studies live in; it need not exist."""
    asked = home.home if isinstance(home, Shared) else home
    return _absolute(asked or os.environ.get("TUNER_HOME") or "runs")


def home_in_words(home: Home = None) -> str:
    """Say where studies are looked for, for messages."""
    return masked(home.storage) if isinstance(home, Shared) else str(home_directory(home))


def study_directory(name: str, home: Home = None) -> StudyDirectory:
    """Return the directory of the study `name`. Raises ValueError for a name that leaves the home directory."""
    if not _is_plain(name):
        raise ValueError(f"a study's name is one part of a path, but got {name!r}")
    return StudyDirectory(home_directory(home) / name, home.storage if isinstance(home, Shared) else None)


def studies(home: Home = None) -> list[StudyDirectory]:
    """List every study of a home by name; none where there is no home."""
    if isinstance(home, Shared):
        from tuner.store.ledger import postgres

        return [study_directory(name, home) for name in postgres.known(home.storage)]
    with suppress(FileNotFoundError, NotADirectoryError):
        found = (StudyDirectory(path) for path in sorted(home_directory(home).iterdir()))
        return [directory for directory in found if directory.exists]
    return []


def find(name: str | Path, home: Home = None) -> StudyDirectory:
    """Find a study by its name in the home directory, or by the path of its directory.

    Raises UnknownStudy with the nearest names.
    """
    if isinstance(name, str) and _is_plain(name):
        directory = study_directory(name, home)
        if directory.exists:
            return directory
    if str(name) and not isinstance(home, Shared):
        directory = StudyDirectory(_absolute(name))
        if directory.exists:
            return directory
    raise UnknownStudy(str(name), [known.name for known in studies(home)], home_in_words(home))


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, as `written_whole` does; a new one has the rights that new files have."""
    written_whole(path, content.encode() if isinstance(content, str) else content)


def _absolute(path: str | Path) -> Path:
    # pathlib's expanduser raises where there is no such user; here the path is taken as it stands.
    return Path(os.path.abspath(os.path.expanduser(path)))


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and "\0" not in name and Path(name).name == name
