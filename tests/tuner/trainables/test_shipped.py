"""The shipped studies of training code of one's own run, at a small budget."""

from __future__ import annotations

from pathlib import Path

import pytest

import tuner
from tuner.study import read_study

STUDIES = Path(__file__).parents[3] / "studies"
INSTALL = "pip install torch==2.13.0"
SHIPPED = ("torch_cnn", "own/forest", "own/perceptron", "own/softmax")


def small(name: str, folder: Path, trials: int, *overrides: str) -> tuner.Result:
    """A shipped study of so many trials."""
    study = read_study(STUDIES / f"{name}.toml", overrides=[f"study.trials={trials}", *overrides])
    return tuner.run(study, home=folder, jobs=2)


def test_all_that_ship_are_known():
    found = {str(path.relative_to(STUDIES).with_suffix("")) for path in STUDIES.rglob("*.toml")}
    own = {name for name in found if read_study(STUDIES / f"{name}.toml", needs_data=False).own}
    assert own == set(SHIPPED)


@pytest.mark.slow
def test_the_network_in_torch_goes_on_from_its_checkpoints(tmp_path):
    pytest.importorskip("torch", reason=INSTALL)
    result = small("torch_cnn", tmp_path, 12, "train.epochs=6", "confirm.top=1", "confirm.seeds=2")
    table = result.ranking()
    assert set(table["state"]) <= {"complete", "pruned"}
    # nothing is trained twice: what a trial took is what it shows
    assert (table["steps"] == table["epochs"]).all()
    best = result.best()
    assert best.value < 0.5
    assert best.confirmation["test"]["test_accuracy"]["mean"] > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(("name", "worst"), [("own/forest", 0.3), ("own/perceptron", 0.4), ("own/softmax", 0.8)])
def test_the_others_find_a_good_config(name, worst, tmp_path):
    table = small(name, tmp_path, 8).ranking()
    assert set(table["state"]) <= {"complete", "pruned"}
    assert table["value"].iloc[0] < worst
