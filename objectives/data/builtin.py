"""The small data sets that ship inside scikit-learn, read from its files without importing it.

`import sklearn` takes over a second, reading the digits takes 30 ms. Where the files are not as expected,
scikit-learn's own loaders are called. Diabetes is used in its original units (`load_diabetes(scaled=False)`): the
default's scaling is linear in each column, so standardising on the train rows gives the same numbers for both.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from objectives.data.raw import Raw
from objectives.errors import Complaint, DataError, nearest

__all__ = ["BUILTIN", "PREFIX", "read_builtin"]

Floats = npt.NDArray[np.float64]
PREFIX = "sklearn:"


@dataclass(frozen=True)
class Builtin:
    """One data set: its shape, its names, and how to read its files in a folder into x (n, D) and y (n,)."""

    rows: int
    features: tuple[str, ...]
    classes: tuple[str, ...]  # empty: regression
    read: Callable[[Path], tuple[Floats, Floats]]


def read_builtin(source: str) -> Raw:
    """Load the built-in data set of that name, such as "sklearn:digits".

    Raises DataError for an unknown name.
    """
    name = source.removeprefix(PREFIX)
    if name not in BUILTIN:
        options = [PREFIX + known for known in BUILTIN]
        raise DataError(Complaint(source, "there is no such built-in data set", nearest(source, options)))
    x, y = _from_files(BUILTIN[name]) or _from_sklearn(name)
    targets = y.astype(np.int64) if BUILTIN[name].classes else y
    return Raw(source, x, BUILTIN[name].features, targets, BUILTIN[name].classes)


def _from_files(builtin: Builtin) -> tuple[Floats, Floats] | None:
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise DataError(Complaint(PREFIX, "scikit-learn is not installed", "pip install scikit-learn"))
    try:
        x, y = builtin.read(Path(found.origin).parent / "datasets" / "data")
    except (OSError, ValueError, IndexError, EOFError):
        return None
    expected = (builtin.rows, len(builtin.features))
    return (x, y) if x.shape == expected and y.shape == expected[:1] else None


def _from_sklearn(name: str) -> tuple[Floats, Floats]:
    loader = getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")
    x, y = loader(return_X_y=True, **({"scaled": False} if name == "diabetes" else {}))
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def _numbers(path: Path, delimiter: str | None = None, skip: int = 0) -> Floats:
    # loadtxt unpacks .gz by itself
    return np.loadtxt(path, delimiter=delimiter, skiprows=skip, dtype=np.float64, encoding="utf-8")


def _last_column(file: str, skip: int) -> Callable[[Path], tuple[Floats, Floats]]:
    def read(folder: Path) -> tuple[Floats, Floats]:
        numbers = _numbers(folder / file, ",", skip)
        return np.ascontiguousarray(numbers[:, :-1]), numbers[:, -1]

    return read


def _diabetes(folder: Path) -> tuple[Floats, Floats]:
    return _numbers(folder / "diabetes_data_raw.csv.gz"), _numbers(folder / "diabetes_target.csv.gz")


_CELL = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
    "fractal dimension",
)  # fmt: skip
_WINE = (
    "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
    "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline",
)  # fmt: skip
_CELLS = (*(f"mean {c}" for c in _CELL), *(f"{c} error" for c in _CELL), *(f"worst {c}" for c in _CELL))
_IRIS = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
_PIXELS = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
_BODY = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")

BUILTIN: dict[str, Builtin] = {
    "iris": Builtin(150, _IRIS, ("setosa", "versicolor", "virginica"), _last_column("iris.csv", 1)),
    "wine": Builtin(178, _WINE, ("class_0", "class_1", "class_2"), _last_column("wine_data.csv", 1)),
    "breast_cancer": Builtin(569, _CELLS, ("malignant", "benign"), _last_column("breast_cancer.csv", 1)),
    "digits": Builtin(1797, _PIXELS, tuple("0123456789"), _last_column("digits.csv.gz", 0)),
    "diabetes": Builtin(442, _BODY, (), _diabetes),
}
