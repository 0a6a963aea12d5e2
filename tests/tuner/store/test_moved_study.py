"""A study goes on where its folder has been moved to, and what it goes on with is checked as it was frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tuner.errors import ChangedStudy, StudyError

TABLE = """
[study]
name = "moved"
trials = 2
[data]
source = "table.csv"
target = "y"
[train]
epochs = 1
[optimizers.adam]
"""
OWN = """
[study]
name = "moved"
trials = 2
objective = "train.py:train"
[parameters]
x = { low = 0.0, high = 1.0 }
"""
CODE = """
def train(config):
    return config["x"]


def other(config):
    return -config["x"]
"""


def written(folder: Path, study: str) -> Path:
    """A folder with a study, its data and its code, which run once."""
    folder.mkdir()
    rows = np.random.default_rng(0).standard_normal((60, 3))
    np.savetxt(folder / "table.csv", rows, delimiter=",", header="a,b,y", comments="")
    (folder / "train.py").write_text(CODE, encoding="utf-8")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    tuner.run(folder / "study.toml", home=folder / "runs", jobs=1)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("study", [TABLE, OWN], ids=["data", "code"])
def test_a_folder_that_was_moved_goes_on_by_file_and_by_name(study: str, tmp_path: Path) -> None:
    moved = written(tmp_path / "before", study).rename(tmp_path / "after")
    home = moved / "runs"
    assert len(tuner.run(moved / "study.toml", home=home, jobs=1, trials=3).all_trials) == 3
    assert len(tuner.run(home / "moved" / "study.toml", home=home, jobs=1, trials=4).all_trials) == 4
    assert tuner.confirm("moved", top=1, seeds=3, home=home, jobs=1).standings[0].goal.n >= 3


def test_another_function_of_the_same_file_is_another_question(tmp_path: Path) -> None:
    folder = written(tmp_path / "one", OWN)
    (folder / "study.toml").write_text(OWN.replace(":train", ":other"), encoding="utf-8")
    with pytest.raises(ChangedStudy, match=r"study\.objective: was .*train\.py:train\", now .*train\.py:other\""):
        tuner.run(folder / "study.toml", home=folder / "runs", jobs=1)


def test_more_trials_than_the_frozen_grid_has_points_are_refused(tmp_path: Path) -> None:
    """A study of more trials searches more; what is there goes on with the space that it began with."""
    study: dict[str, Any] = {
        "study": {"name": "grid", "trials": 8},
        "data": {"source": "sklearn:iris"},
        "train": {"epochs": 1, "batch_size": [16, 32, 64]},
        "optimizers": {"adam": {}, "momentum": {}},
        "search": {"sampler": "grid", "grid_points": 2, "generation_size": 8},
    }
    tuner.run(study, home=tmp_path, jobs=1, confirm=False)
    with pytest.raises(StudyError, match="the grid has 12 points, fewer than the 24 trials; ask for 12 trials"):
        tuner.run(study, home=tmp_path, jobs=1, confirm=False, trials=24)
    assert len(tuner.run(study, home=tmp_path, jobs=1, confirm=False, trials=12).all_trials) == 12
