"""A bundle: NumPy alone reads it, and what is torn, edited or newer is refused in one line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tuner
from objectives.errors import DataError, InvalidInput
from tests.support.small_models import frame, trained
from tuner.errors import RowsWarning
from tuner.model import bundle
from tuner.model.trained import Noise, TrainedModel

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("home")
    trained("regression", place)
    return place


@pytest.fixture(scope="module")
def model(home: Path) -> TrainedModel:
    return tuner.load_model(home / "small")


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be spoiled."""
    return Path(shutil.copytree(home / "small" / "model", tmp_path / "model"))


def test_numpy_alone_reads_and_predicts(home: Path) -> None:
    code = (
        "import sys, tuner, numpy as np\n"
        f"model = tuner.load_model({str(home / 'small')!r})\n"
        "rows = {'age': [20, 30], 'height': [1.7, None], 'city': ['Celle', None], 'since': ['2024-02-01'] * 2}\n"
        "print(model.predict(rows).tolist(), *model.predict_interval(rows))\n"
        "foreign = {'pandas', 'sklearn', 'scipy', 'optuna', 'pydantic', 'sqlalchemy', 'joblib', 'click', 'tomli_w'}\n"
        "print(sorted(foreign & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")
def test_a_row_is_predicted_alone_as_among_others(model: TrainedModel) -> None:
    rows = frame(300, seed=9)
    whole = model.predict(rows)
    alone = np.concatenate([model.predict(rows.iloc[[i]]) for i in range(300)])
    assert np.allclose(whole, alone, rtol=1e-13, atol=0)


def test_intervals_widen_where_networks_differ(model: TrainedModel) -> None:
    rows = frame()  # the model's own, the test rows among them
    low, high = model.predict_interval(rows)
    middle = model.predict(rows)
    assert (low < middle).all()
    assert (middle < high).all()
    wider = np.subtract(*reversed(model.predict_interval(rows, 0.95)))
    assert (wider > high - low).all()
    far = rows.head(1).assign(age=2000)
    with pytest.warns(RowsWarning, match="'age' lies far outside of training's 18 to 79 in 1 row, as far as 2000"):
        outside = model.predict_interval(far)
    assert outside[1] - outside[0] > 5 * (high - low).max()
    with pytest.raises(InvalidInput, match="level: must lie between 0 and 1, but got 1"):
        model.predict_interval(rows, 1)
    with pytest.raises(InvalidInput, match="predict_proba: a regression has no classes; use predict"):
        model.predict_proba(rows)


def test_the_reach_of_an_interval_is_a_conformal_quantile() -> None:
    noise = Noise(np.arange(1.0, 20.0)[:, None], np.zeros(1))
    assert noise.reach(0.9).tolist() == [18.0]
    assert noise.reach(0.95).tolist() == [19.0]
    assert noise.reach(0.99).tolist() == [np.inf]


def test_rows_unlike_those_of_training_are_counted(model: TrainedModel) -> None:
    rows = frame().head(4).assign(age=[20, 200, 90, 30], city=["Ulm", None, "Celle", "Ulm"], shoe=[1, 2, 3, 4])
    said = (
        r"^of 4 rows: column 'shoe' is not known to the model: ignored, "
        r"column 'age' lies far outside of training's 18 to 79 in 2 rows, as far as 200, "
        r"column 'city' has texts that training had not in 2 rows, like 'Ulm'$"
    )
    with pytest.warns(RowsWarning, match=said):
        model.predict(rows)
    with pytest.raises(DataError, match="no column 'height'; if 'heights' is the same, rename it"):
        model.predict(frame().rename(columns={"height": "heights"}))
    with pytest.raises(DataError, match="has 2 columns, but the model was trained on 4"):
        model.predict(np.zeros((1, 2)))
    with pytest.raises(DataError, match="rows: has no rows"):
        model.predict(pd.DataFrame({name: [] for name in model.features}))


def edited(place: Path, name: str, old: str, new: str) -> None:
    text = (place / name).read_text(encoding="utf-8")
    assert old in text
    (place / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_was_edited_or_torn_is_refused(copy: Path) -> None:
    edited(copy, "model.json", '"trial": ', '"trial": 1')
    with pytest.raises(InvalidInput, match=r"model.json: was edited: it is not what was written; tuner refit"):
        tuner.load_model(copy)
    (copy / "model.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"model.json: is damaged; tuner refit writes it again$"):
        tuner.load_model(copy)
    (copy / "model.json").unlink()
    with pytest.raises(FileNotFoundError, match="there is no model"):
        tuner.load_model(copy)


def test_each_file_is_held_to_its_digest(copy: Path) -> None:
    edited(copy, "preparation.json", '"age"', '"agf"')
    with pytest.raises(InvalidInput, match=r"preparation.json: was edited, or is torn"):
        tuner.load_model(copy)
    (copy / "preparation.json").unlink()
    with pytest.raises(InvalidInput, match=r"preparation.json: is missing"):
        tuner.load_model(copy)


def test_weights_that_are_cut_are_refused(copy: Path) -> None:
    whole = (copy / "weights.npz").read_bytes()
    (copy / "weights.npz").write_bytes(whole[:-40])
    with pytest.raises(InvalidInput, match=r"weights.npz: was edited, or is torn"):
        tuner.load_model(copy)


def test_a_newer_version_is_named(copy: Path) -> None:
    facts = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps(facts | {"version": 2}))
    with pytest.raises(InvalidInput, match="is of version 2, but this tuner reads up to 1; install a newer tuner"):
        tuner.load_model(copy)


def test_the_card_may_be_edited(copy: Path) -> None:
    (copy / "card.md").write_text("# Ours")
    assert tuner.load_model(copy).task == "regression"


def test_a_full_disk_leaves_what_was_there(model: TrainedModel, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        bundle.write_model(model, "card", copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert [path.name for path in copy.parent.iterdir()] == ["model"]


def test_a_folder_that_cannot_be_moved_is_put_back(
    model: TrainedModel, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    rename = bundle.os.rename

    def refused(source: Any, target: Any) -> None:
        if str(source).endswith(".tmp"):
            raise OSError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(bundle.os, "rename", refused)
    with pytest.raises(OSError, match="Permission denied"):
        bundle.write_model(model, "card", copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert [path.name for path in copy.parent.iterdir()] == ["model"]
