"""The built-in data sets: the same as scikit-learn's loaders give, without scikit-learn's import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn import datasets
from sklearn.preprocessing import StandardScaler

from objectives.data import BUILTIN, SplitSpec, load_table, prepare
from objectives.data.builtin import read_builtin
from objectives.errors import DataError

HERE = Path()


@pytest.mark.parametrize("name", BUILTIN)
def test_equals_the_loader_of_scikit_learn(name: str) -> None:
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**options)
    raw = read_builtin(f"sklearn:{name}")
    np.testing.assert_array_equal(np.asarray(raw.x), bunch.data)
    np.testing.assert_array_equal(raw.y, bunch.target)
    assert list(raw.features) == list(bunch.feature_names)
    assert list(raw.classes) == [str(n) for n in getattr(bunch, "target_names", [])]


def test_diabetes_standardises_to_what_the_scaled_columns_of_scikit_learn_do() -> None:
    scaled, _ = datasets.load_diabetes(return_X_y=True)
    ours = np.asarray(read_builtin("sklearn:diabetes").x)
    np.testing.assert_allclose(StandardScaler().fit_transform(ours), StandardScaler().fit_transform(scaled), atol=1e-12)


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_falls_back_to_the_loader_when_the_files_moved(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_builtin(f"sklearn:{name}")

    class Elsewhere:
        origin = "/nowhere/sklearn/__init__.py"

    monkeypatch.setattr("importlib.util.find_spec", lambda name: Elsewhere())
    moved = read_builtin(f"sklearn:{name}")
    np.testing.assert_array_equal(np.asarray(moved.x), np.asarray(expected.x))
    np.testing.assert_array_equal(moved.y, expected.y)


@pytest.mark.parametrize(
    ("name", "task", "width", "outputs"),
    [
        ("digits", "multiclass", 64, 10),
        ("iris", "multiclass", 4, 3),
        ("wine", "multiclass", 13, 3),
        ("breast_cancer", "binary", 30, 1),
        ("diabetes", "regression", 10, 1),
    ],
)
def test_task_and_shapes(name: str, task: str, width: int, outputs: int) -> None:
    prepared = prepare(load_table(f"sklearn:{name}", base=HERE), SplitSpec(), seed=0)
    assert prepared.task == task
    assert prepared.train.x.shape[1] == width + 1 == len(prepared.features) + 1
    assert prepared.train.y.shape[1] == outputs == len(prepared.y_mean)


def test_a_misspelt_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(DataError, match="did you mean 'sklearn:digits'"):
        load_table("sklearn:digit", base=HERE)
    with pytest.raises(DataError, match="did you mean 'sklearn:digits'"):
        load_table("sklear:digits", base=HERE)
    with pytest.raises(DataError, match="did you mean 'sklearn:digits'"):
        load_table("digits", base=HERE)


def test_digits_need_neither_scikit_learn_nor_pandas() -> None:
    code = (
        "import sys; from pathlib import Path; from objectives.data import SplitSpec, load_table, prepare;"
        "prepare(load_table('sklearn:digits', base=Path()), SplitSpec(), 0);"
        "print(sorted({'sklearn', 'pandas', 'scipy', 'joblib', 'optuna', 'tuner'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", sklearn.__version__
