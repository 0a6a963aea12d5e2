"""Optuna's storages, read and written: the door to Optuna beside `optuna_bridge`, which asks its samplers.

A storage is a database URL, a SQLite file or a journal file. One that is read is never changed: a SQLite file is
copied, and the copy is upgraded where another version of Optuna wrote it. Nothing is unpickled. Passwords in URLs are
masked in every message.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from objectives.errors import Complaint, nearest
from tuner.errors import StudyError, TunerError
from tuner.storage import hidden, masked

__all__ = ["Axis", "Memory", "OptunaStudy", "OptunaTrial", "load", "store"]

JOURNALS, DATABASES = (".log", ".journal", ".jsonl"), (".db", ".sqlite", ".sqlite3")
WAYS = (
    "name a URL like sqlite:///optuna.db or postgresql+psycopg://user@host/base, a SQLite file (.db), a journal (.log)"
)
DRIVERS = {"MySQLdb": "mysqlclient", "psycopg": "'psycopg[binary]'", "psycopg2": "psycopg2-binary"}
STATES = ("complete", "pruned", "fail", "running", "waiting")
NOT_OPTUNA = ("no such table", "not a database", "doesn't exist", "does not exist", "UndefinedTable")


@dataclass(frozen=True)
class Axis:
    """What one parameter may be: kind "float" or "int" from `low` to `high`, or "categorical" out of `choices`."""

    kind: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class OptunaTrial:
    """A trial as Optuna keeps it; `state` is one of `STATES`, `reports` are its intermediate values by step."""

    number: int
    state: str
    params: Mapping[str, Any]
    value: float | None
    reports: Mapping[int, float]
    seconds: float = 0.0
    feasible: bool = True
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OptunaStudy:
    """A study as Optuna keeps it; `metric` is "" where it has no name, `began` where its trials begin to count."""

    name: str
    direction: str
    metric: str
    axes: Mapping[str, Axis]
    trials: Sequence[OptunaTrial]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    began: datetime = datetime(2000, 1, 1)


def load(source: str, name: str | None = None) -> OptunaStudy:
    """A study out of a storage; `name` may be left out where there is only one.

    Raises StudyError for a storage or a name that is not there, or several objectives, TunerError for one that cannot
    be read.
    """
    where = masked(source)
    with _told(source), _reading(source) as storage:
        studies = {study.study_name: study for study in storage.get_all_studies()}
        found = studies[_chosen(name, list(studies), where)]
        if len(found.directions) > 1:
            what = f"study {found.study_name!r} has {len(found.directions)} objectives"
            raise _wrong(where, what, "only studies with one objective have a best trial")
        trials = storage.get_all_trials(found._study_id, deepcopy=False)
        names = found.system_attrs.get("study:metric_names") or [""]
        began = min((t.datetime_start for t in trials if t.datetime_start), default=OptunaStudy.began)
        return OptunaStudy(
            name=found.study_name,
            direction=found.directions[0].name.lower(),
            metric=str(names[0]),
            axes=_axes(trials),
            trials=[_plain(trial) for trial in trials],
            attrs=dict(found.user_attrs),
            began=began,
        )


def store(study: OptunaStudy, target: str, force: bool = False) -> None:
    """Write a study into a storage, which is made where it is missing; one of that name there is replaced by `force`.

    Raises StudyError where there is one and `force` is not given, or for a target that is no storage, TunerError.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    frozen = _all_frozen(study)
    with _told(target), _writing(target) as storage:
        if study.name in {known.study_name for known in storage.get_all_studies()}:
            if not force:
                hint = "name another --study-name, or add --force to replace it"
                raise _wrong(masked(target), f"has a study {study.name!r} already", hint)
            optuna.delete_study(study_name=study.name, storage=storage)
        new = _created(storage, study)
        for trial in frozen:
            storage.create_new_trial(new._study_id, template_trial=trial)


class Memory:
    """A study in Optuna's memory alone: nothing is written anywhere. `storage` is what Optuna's tools take."""

    def __init__(self, study: OptunaStudy) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.storage = optuna.storages.InMemoryStorage()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # metric names are new to Optuna
            self._id = _created(self.storage, study)._study_id
        self._count = 0
        self.follow(study)

    def follow(self, study: OptunaStudy) -> int:
        """Add the trials that are new in the study; returns how many there are now."""
        for trial in _all_frozen(study)[self._count :]:
            self.storage.create_new_trial(self._id, template_trial=trial)
            self._count += 1
        return self._count


def _all_frozen(study: OptunaStudy) -> list[Any]:
    began = accumulate((trial.seconds for trial in study.trials), initial=0.0)
    return [
        _frozen(study, trial, study.began + timedelta(seconds=at))
        for trial, at in zip(study.trials, began, strict=False)
    ]


def _created(storage: Any, study: OptunaStudy) -> Any:
    """An empty study of Optuna's with what is known of it."""
    import optuna
    from optuna.study import StudyDirection

    direction = StudyDirection[study.direction.upper()]
    new = optuna.create_study(storage=storage, study_name=study.name, direction=direction)
    new.set_metric_names([study.metric])
    for key, value in study.attrs.items():
        new.set_user_attr(key, value)
    return new


def _chosen(name: str | None, known: Sequence[str], where: str) -> str:
    if name in known:
        return str(name)
    if not known:
        raise _wrong(where, "has no studies in it", "")
    if name is not None:
        raise _wrong(where, f"has no study {name!r}", nearest(name, known))
    if len(known) > 1:
        raise _wrong(where, f"has {len(known)} studies", f"choose one with --study-name: {', '.join(known[:20])}")
    return known[0]


@contextmanager
def _reading(source: str) -> Iterator[Any]:
    """A storage to read; a SQLite file as an upgraded copy."""
    kind, place = _place(source)
    if kind in ("sqlite", "journal") and not Path(place).is_file():
        raise _wrong(masked(source), "there is no such file", WAYS)
    if kind == "journal":
        yield _journal(place)
    elif kind == "database":
        with _closing(_database(source)) as storage:
            yield storage
    else:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy.db"
            whole = f"{Path(place).absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(whole, uri=True)) as old, closing(sqlite3.connect(copy)) as new:
                old.backup(new)
            with _closing(_database(f"sqlite:///{copy}", skip_compatibility_check=True)) as storage:
                if storage.get_current_version() != storage.get_head_version():
                    with _quiet():
                        storage.upgrade()
                yield storage


@contextmanager
def _writing(target: str) -> Iterator[Any]:
    """A storage to write; a new SQLite file is made beside its place and appears there when it is whole."""
    kind, place = _place(target)
    if kind != "database":
        _check_target(kind, Path(place), target)
    if kind == "journal":
        yield _journal(place)
    elif kind == "database" or (kind == "sqlite" and Path(place).exists()):
        url = target if kind == "database" else f"sqlite:///{place}"
        with _closing(_database(url, False)) as storage:
            yield storage
    else:
        draft = Path(place).with_name(f".{Path(place).name}.{secrets.token_hex(4)}.tmp")
        try:
            hasty = {"creator": lambda: _hasty(draft)}
            with _closing(_database(f"sqlite:///{draft}", False, engine_kwargs=hasty)) as storage:
                yield storage
            os.replace(draft, place)
        finally:
            draft.unlink(missing_ok=True)


def _place(text: str) -> tuple[str, str]:
    """What a storage is, "sqlite", "journal" or "database", and the path of a file."""
    if text.startswith("sqlite:///"):
        return "sqlite", text.removeprefix("sqlite:///").partition("?")[0]
    if "://" in text:
        return "database", text
    path = Path(text).expanduser()
    if path.is_dir():
        raise _wrong(text, "is a directory", WAYS)
    if path.is_file() and (head := _head(path)):
        kind = "sqlite" if head.startswith(b"SQLite format 3\0") else "journal" if b'"op_code"' in head else ""
    else:
        kind = "sqlite" if path.suffix in DATABASES else "journal" if path.suffix in JOURNALS else ""
    if not kind:
        raise _wrong(text, "is no storage of Optuna" if path.is_file() else "is not known", WAYS)
    return kind, str(path)


def _check_target(kind: str, path: Path, target: str) -> None:
    """Nothing but a storage of Optuna is written into."""
    if not path.parent.is_dir():
        raise _wrong(masked(target), f"there is no directory {str(path.parent)!r}", "make it first")
    if path.is_dir():
        raise _wrong(masked(target), "is a directory", WAYS)
    if path.is_file() and kind == "sqlite" and _head(path):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                connection.execute("SELECT 1 FROM version_info")
        except sqlite3.Error as error:
            raise _wrong(masked(target), f"is there and is no storage of Optuna ({error})", WAYS) from error


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(4096)
    except OSError as error:
        raise TunerError(f"{path}: {error.strerror or error}") from error


def _journal(place: str) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(place))


def _database(url: str, skip_table_creation: bool = True, **options: Any) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.storages.RDBStorage(url, skip_table_creation=skip_table_creation, **options)


@contextmanager
def _closing(storage: Any) -> Iterator[Any]:
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep alembic from telling every step, and from the logging of the whole process, which it sets up anew."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        root.handlers[:] = handlers
        root.setLevel(level)


def _hasty(path: Path) -> sqlite3.Connection:
    """A connection that does not wait for the disk, to a database that is not yet in its place."""
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What Optuna, SQLAlchemy and drivers raise, as one line without passwords; what they warn of is not told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (TunerError, KeyboardInterrupt):
        raise
    except ImportError as error:
        missing = getattr(error.__cause__ or error, "name", None) or "its driver"
        package = DRIVERS.get(missing, missing)
        raise TunerError(f"{masked(where)}: the driver of this database is missing: pip install {package}") from None
    except Exception as error:
        first = masked((str(error.__cause__ or error).strip().splitlines() or [type(error).__name__])[0])
        if type(error).__name__ in ("NoSuchModuleError", "ArgumentError"):
            raise _wrong(masked(where), "is no database that is known", WAYS) from None
        if any(words in str(error) or words in first for words in NOT_OPTUNA):
            raise _wrong(masked(where), "is no storage of Optuna", WAYS) from None
        raise TunerError(f"{masked(where)}: {hidden(first, where)}") from None


def _wrong(where: str, what: str, hint: str) -> StudyError:
    return StudyError(Complaint(where, what, hint))


def _axes(trials: Sequence[Any]) -> dict[str, Axis]:
    """What each parameter may be, over all trials that have it: the widest range, every choice."""
    found: dict[str, Axis] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            found[name] = _wider(found.get(name), _axis(distribution))
    return found


def _axis(distribution: Any) -> Axis:
    if hasattr(distribution, "choices"):
        return Axis("categorical", choices=tuple(distribution.choices))
    kind = "int" if type(distribution).__name__ == "IntDistribution" else "float"
    return Axis(kind, distribution.low, distribution.high, distribution.log)


def _wider(old: Axis | None, new: Axis) -> Axis:
    if old is None or old == new:
        return new
    if "categorical" in (old.kind, new.kind):
        return Axis("categorical", choices=tuple(dict.fromkeys((*old.choices, *new.choices))))
    kind = "float" if "float" in (old.kind, new.kind) else "int"
    return Axis(kind, min(old.low, new.low), max(old.high, new.high), old.log and new.log)


def _plain(trial: Any) -> OptunaTrial:
    took = trial.duration.total_seconds() if trial.duration else 0.0
    return OptunaTrial(
        number=trial.number,
        state=trial.state.name.lower(),
        params=dict(trial.params),
        value=None if trial.values is None else float(trial.values[0]),
        reports=dict(sorted(trial.intermediate_values.items())),
        seconds=took,
        feasible=all(value <= 0 for value in trial.system_attrs.get("constraints") or ()),
        attrs=dict(trial.user_attrs),
    )


def _frozen(study: OptunaStudy, trial: OptunaTrial, began: datetime) -> Any:
    """A trial of Optuna's; the trials of a study follow each other in time, each for its own seconds."""
    import optuna

    return optuna.trial.FrozenTrial(
        number=trial.number,
        trial_id=trial.number,
        state=optuna.trial.TrialState[trial.state.upper()],
        value=trial.value,
        values=None,
        datetime_start=began,
        datetime_complete=began + timedelta(seconds=trial.seconds),
        params=dict(trial.params),
        distributions={name: _distribution(study.axes[name]) for name in trial.params},
        user_attrs=dict(trial.attrs),
        system_attrs={} if trial.feasible else {"constraints": [1.0]},
        intermediate_values=dict(trial.reports),
    )


def _distribution(axis: Axis) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if axis.kind == "categorical":
        return CategoricalDistribution(axis.choices)
    made: Callable[..., Any] = IntDistribution if axis.kind == "int" else FloatDistribution
    low, high = (int(axis.low), int(axis.high)) if axis.kind == "int" else (axis.low, axis.high)
    return made(low, high, log=axis.log)
