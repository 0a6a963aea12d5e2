"""Large data: prepared in files that are there no longer than they are needed, with the results of small ones."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tuner
from objectives.data import place_in
from tests.support.command import Shell
from tuner.errors import ChangedStudy, StudyError
from tuner.trainables.builtin import packs, prepared_study
from tuner.trainables.builtin.trainable import BuiltinTrainable

FILES = ("ranking.csv", "best.toml", "best.npz", "study.toml", "model/weights.npz", "model/preparation.json")


def study(**train: Any) -> dict[str, Any]:
    """A study whose leaders share packs: three of them, on three splits."""
    return {
        "study": {"name": "large", "seed": 3, "trials": 6},
        "data": {"source": "sklearn:iris", "resampling": "holdout"},  # as it is for large ones
        "model": {"kind": "mlp", "hidden": [8]},
        "train": {"epochs": 4, "batch_size": [8, 16]} | train,
        "optimizers": {"momentum": {}, "adam": {}},
        "search": {"pruner": "none"},
        "confirm": {"top": 3, "seeds": 3},
    }


def outputs(home: Path) -> dict[str, bytes]:
    return {name: (home / "large" / name).read_bytes() for name in FILES}


def entries(folder: Path) -> set[str]:
    """What is in a folder, without the lock."""
    return {path.name for path in folder.iterdir() if not path.name.startswith("lock")} if folder.exists() else set()


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the study ran while its data counted as small."""
    home = tmp_path_factory.mktemp("small")
    tuner.run(study(), jobs=1, home=home)
    return home


@pytest.fixture
def small(once: Path, tmp_path: Path) -> Path:
    """A copy of that home."""
    return shutil.copytree(once, tmp_path / "small")


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def everything_is_large(once: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in ("matrix", "prepare"):
        monkeypatch.setattr(sys.modules[f"objectives.data.{module}"], "LARGE", 1)
    assert once.exists()
    packs.opened.cache_clear()
    yield
    packs.opened.cache_clear()


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("everything_is_large")
def test_large_data_are_confirmed_one_split_after_another(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    most = []
    real = BuiltinTrainable.source

    def source(
        self: BuiltinTrainable, study: Any, replicate: int, directory: Any, engine: Any
    ) -> packs.ReplicateSource:
        found = real(self, study, replicate, directory, engine)
        most.append(len(entries(directory.cache) - {"flight"}))
        return found

    monkeypatch.setattr(BuiltinTrainable, "source", source)
    tuner.run(study(), jobs=jobs, home=tmp_path / "home")
    assert outputs(tmp_path / "home") == outputs(small)
    assert max(most) == 2, "the search's split and one more"
    assert entries(tmp_path / "home") == {"large"}
    assert len(entries(tmp_path / "home" / "large" / "cache") - {"flight"}) == 1


@pytest.mark.usefixtures("everything_is_large")
def test_a_confirmation_cut_short_prepares_only_the_splits_that_are_left(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = []
    real = prepared_study.prepare_on_disk

    def prepare_on_disk(*args: Any) -> Any:
        prepared.append(args[3])
        if len(prepared) == 4:
            raise KeyboardInterrupt("cut short")
        return real(*args)

    monkeypatch.setattr(prepared_study, "prepare_on_disk", prepare_on_disk)
    with pytest.raises(KeyboardInterrupt, match="cut short"):
        tuner.run(study(), jobs=1, home=tmp_path / "home")
    tuner.run(study(), jobs=1, home=tmp_path / "home")
    assert prepared[:5] == [0, 1, 2, 3, 0]
    assert prepared[5] == 3, "the splits before it are done"
    assert outputs(tmp_path / "home") == outputs(small)


@pytest.mark.usefixtures("everything_is_large")
def test_a_refused_run_leaves_no_files(small: Path, tmp_path: Path) -> None:
    before = entries(small / "large" / "cache")
    other = study() | {"data": {"source": "sklearn:wine"}}
    with pytest.raises(ChangedStudy, match="the data: was"):
        tuner.run(other, jobs=1, home=small)
    assert entries(small / "large" / "cache") == before
    assert entries(small) == {"large"}
    with pytest.raises(StudyError, match="batch_size"):
        tuner.run(study(batch_size=1000), jobs=1, home=tmp_path / "home")
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("everything_is_large")
def test_beginning_afresh_moves_no_data_of_the_new_study_aside(small: Path) -> None:
    before = outputs(small)
    tuner.run(study(), jobs=1, home=small, fresh=True)
    assert outputs(small) == before
    assert entries(small) == {"large", "large.1"}


@pytest.mark.parametrize("command", [("check",), ("run", "--dry-run"), ("verify",)])
@pytest.mark.usefixtures("everything_is_large")
def test_a_look_at_a_study_prepares_in_temporary_files(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell, command: tuple[str, ...]
) -> None:
    rooms = []
    real = prepared_study.prepare_on_disk

    def prepare_on_disk(*args: Any) -> Any:
        prepared = real(*args)
        rooms.append(args[-1])
        assert place_in(args[-1], prepared.digest).is_dir()
        return prepared

    monkeypatch.setattr(prepared_study, "prepare_on_disk", prepare_on_disk)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TUNER_HOME", str(small))
    before = entries(small / "large" / "cache")
    asked = "large" if command == ("verify",) else str(small / "large" / "study.toml")
    shown = shell(*command, asked)
    assert shown.code == 0, shown.err
    assert len(rooms) == 1
    assert rooms[0].is_relative_to(tmp_path / "temporary")
    assert not any((tmp_path / "temporary").iterdir())
    assert entries(small / "large" / "cache") == before
