"""Tables with texts or missing values, through scikit-learn's transformers.

Numbers: imputed by the median and standardised; texts: one-hot. All are fitted on the train rows only. Every replicate
has the same columns, so that replicates can be stacked: the categories of the whole table each have a column, and one
that no train row has is all zeros, the same as an unknown category.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["transform_mixed"]

Floats = npt.NDArray[np.float64]


def transform_mixed(
    frame: pd.DataFrame, train: npt.NDArray[np.int64]
) -> tuple[Floats, tuple[str, ...], Floats, Floats]:
    """Convert all rows of `frame` to numbers (n, D), fitted on the rows `train`.

    Returns the numbers, the names of the D columns, and the mean and variance (D,) of numeric columns before scaling,
    nan for texts.
    """
    numbers = [name for name in frame.columns if frame[name].dtype.kind == "f"]
    texts = [name for name in frame.columns if frame[name].dtype.kind != "f"]
    categories = [sorted(frame[name].unique()) for name in texts]
    blocks, moments = [], np.empty((2, 0))
    if numbers:
        columns = frame[numbers].to_numpy(dtype=np.float64)
        scaler = _scaler().fit(columns[train])
        blocks.append(np.asarray(scaler.transform(columns)))
        moments = np.array([scaler[-1].mean_, scaler[-1].var_])
    if texts:
        blocks.append(_one_hot(frame[texts].to_numpy(dtype=object), categories, train))
    pairs = zip(texts, categories, strict=True)
    names = (*numbers, *(f"{name}={category}" for name, levels in pairs for category in levels))
    mean, variance = np.pad(moments, ((0, 0), (0, len(names) - len(numbers))), constant_values=np.nan)
    return np.concatenate(blocks, axis=1), names, mean, variance


def _scaler() -> Any:
    impute = importlib.import_module("sklearn.impute").SimpleImputer(strategy="median", keep_empty_features=True)
    scale = importlib.import_module("sklearn.preprocessing").StandardScaler()
    return importlib.import_module("sklearn.pipeline").make_pipeline(impute, scale)


def _one_hot(texts: npt.NDArray[np.object_], categories: list[list[str]], train: npt.NDArray[np.int64]) -> Floats:
    preprocessing = importlib.import_module("sklearn.preprocessing")
    encoder = preprocessing.OneHotEncoder(categories=categories, handle_unknown="ignore", sparse_output=False)
    encoded: Floats = encoder.fit(texts[train]).transform(texts)
    return encoded * encoded[train].any(axis=0)
