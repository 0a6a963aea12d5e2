"""Tables with texts or missing values, through scikit-learn's transformers.

Numbers: imputed by the median and standardised; texts: one-hot. All are fitted on the train rows only. Every replicate
has the same columns, so that replicates can be stacked: the categories of the whole table each have a column, and one
that no train row has is all zeros, the same as an unknown category.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Mixed", "fit_mixed"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mixed:
    """Columns of a frame, fitted on train rows: `numbers` with medians, means, variances and scales, each `(N,)`.

    Each of `texts` has its `categories`, and `known` says which of all of them the train rows have.
    """

    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    median: Floats
    mean: Floats
    variance: Floats
    scale: Floats
    categories: tuple[tuple[str, ...], ...]
    known: npt.NDArray[np.bool_]

    @property
    def features(self) -> tuple[str, ...]:
        """Return names of the D inputs."""
        pairs = zip(self.texts, self.categories, strict=True)
        return (*self.numbers, *(f"{name}={category}" for name, levels in pairs for category in levels))

    def padded(self, values: Floats) -> Floats:
        """Return values `(N,)` of the numbers as those of all inputs `(D,)`, nan for texts."""
        return np.pad(values, (0, len(self.features) - len(self.numbers)), constant_values=np.nan)

    def transform(self, frame: pd.DataFrame) -> Floats:
        """Return all rows of a frame as inputs (n, D)."""
        blocks = []
        if self.numbers:
            columns = frame[list(self.numbers)].to_numpy(dtype=np.float64)
            blocks.append((np.where(np.isnan(columns), self.median, columns) - self.mean) / self.scale)
        if self.texts:
            texts = frame[list(self.texts)].to_numpy(dtype=object)
            encoder = _encoder(self.categories).fit(texts[:1])
            blocks.append(encoder.transform(texts) * self.known)
        return np.concatenate(blocks, axis=1)


def fit_mixed(frame: pd.DataFrame, train: Codes, among: Codes | None = None) -> Mixed:
    """Fit the columns of `frame` on the rows `train`; texts have the categories of the rows `among`, all by default."""
    numbers = [name for name in frame.columns if frame[name].dtype.kind == "f"]
    texts = [name for name in frame.columns if frame[name].dtype.kind != "f"]
    rows = frame if among is None else frame.iloc[among]
    categories = tuple(tuple(sorted(rows[name].unique())) for name in texts)
    median, mean, variance, scale = np.empty((4, 0))
    if numbers:
        scaler = _scaler().fit(frame[numbers].to_numpy(dtype=np.float64)[train])
        median = np.asarray(scaler[0].statistics_)
        mean, variance, scale = (np.asarray(getattr(scaler[1], name)) for name in ("mean_", "var_", "scale_"))
    known = np.ones(0, dtype=np.bool_)
    if texts:
        values = frame[texts].to_numpy(dtype=object)[train]
        known = np.asarray(_encoder(categories).fit(values).transform(values).any(axis=0))
    return Mixed(tuple(numbers), tuple(texts), median, mean, variance, scale, categories, known)


def _scaler() -> Any:
    impute = importlib.import_module("sklearn.impute").SimpleImputer(strategy="median", keep_empty_features=True)
    scale = importlib.import_module("sklearn.preprocessing").StandardScaler()
    return importlib.import_module("sklearn.pipeline").make_pipeline(impute, scale)


def _encoder(categories: tuple[tuple[str, ...], ...]) -> Any:
    preprocessing = importlib.import_module("sklearn.preprocessing")
    levels = [list(own) for own in categories]
    return preprocessing.OneHotEncoder(categories=levels, handle_unknown="ignore", sparse_output=False)
