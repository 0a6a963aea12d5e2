"""What is fitted on the train rows: means, scales and categories of the inputs, and all of it as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from objectives.data.columns.kinds import ColumnRule
from objectives.data.matrix import Matrix, column_of
from objectives.data.mixed import Mixed, fit_mixed
from objectives.data.preparation import DATE, NUMBER, TEXT, InputColumn, Preparation
from objectives.data.splits import Division
from objectives.data.table import Table
from objectives.types import Codes, Floats

__all__ = ["FittedInputs", "fit_inputs", "fitted_preparation", "standard", "steady"]


@dataclass(frozen=True, eq=False)
class FittedInputs:
    """What gives some rows (n, D), standardised on the train rows, and the names of their columns.

    `level (D,)` is the mean of those whose variance is no more than rounding, nan of the others. Of a frame, `mixed`
    holds more; of a matrix, `mean` and `scale (D,)` do.
    """

    rows: Callable[[Codes], Floats]
    features: tuple[str, ...]
    level: Floats
    mean: Floats
    scale: Floats
    mixed: Mixed | None = None


def fit_inputs(table: Table, division: Division, among: Codes | None) -> FittedInputs:
    """Fit the columns of a table on the train rows."""
    count = len(division.train)
    if not isinstance(table.x, Matrix):
        mixed = fit_mixed(table.x, division.train, among)
        mean, variance = mixed.padded(mixed.mean), mixed.padded(mixed.variance)
        level = np.where(steady(mean, variance, count), mean, np.nan)
        whole = mixed.transform(table.x)
        return FittedInputs(whole.__getitem__, mixed.features, level, mixed.mean, mixed.scale, mixed)
    x, (mean, variance) = table.x, table.x.moments(division.train)
    mean, scale = standard(mean, variance, count)
    level = np.where(steady(mean, variance, count), mean, np.nan)
    return FittedInputs(lambda rows: (x.read(rows) - mean) / scale, table.features, level, mean, scale)


def fitted_preparation(
    table: Table, train: Codes, fit: FittedInputs, faint: npt.NDArray[np.bool_], back: tuple[Floats, Floats], dtype: str
) -> Preparation:
    """Return what was fitted, as plain values, with the ends of the train rows' columns."""
    mixed = fit.mixed
    texts = {} if mixed is None else _text_columns(mixed, table.rules)
    names = table.features if mixed is None else mixed.numbers
    columns = {}
    for i, name in enumerate(names):
        values = _raw_column(table, name, i, train)
        there = values[~np.isnan(values)]
        middle = float(np.median(there) if mixed is None else mixed.median[i])
        low, high = (float(there.min()), float(there.max())) if len(there) else (middle, middle)
        kind = DATE if name in table.dates else NUMBER
        scaled = float(fit.mean[i]), float(fit.scale[i])
        gaps = len(values) - len(there)
        rule = table.rules.get(name, ColumnRule())
        columns[name] = InputColumn(
            name, kind, middle, *scaled, low, high, gaps, bool(faint[i]), style=rule.style, marks=rule.marks
        )
    return Preparation(
        columns=tuple((columns | texts)[name] for name in table.features),
        task=table.task,
        dtype=dtype,
        target=table.target,
        aside=table.aside,
        classes=table.classes,
        labels=table.labels,
        y_mean=tuple(map(float, back[0])),
        y_scale=tuple(map(float, back[1])),
        target_transform=table.transform,
    )


def _text_columns(mixed: Mixed, rules: Mapping[str, ColumnRule]) -> dict[str, InputColumn]:
    found, place = {}, 0
    for name, categories in zip(mixed.texts, mixed.categories, strict=True):
        known = mixed.known[place : place + len(categories)]
        unseen = tuple(text for text, there in zip(categories, known, strict=True) if not there)
        rule = rules.get(name, ColumnRule())
        how = {key: getattr(rule, key) for key in ("style", "part", "of", "marks", "rare")}
        writings = tuple(sorted(rule.writings.items()))
        found[name] = InputColumn(name, TEXT, categories=categories, unseen=unseen, writings=writings, **how)
        place += len(categories)
    return found


def _raw_column(table: Table, name: str, place: int, rows: Codes) -> Floats:
    """Return a column of numbers on some rows, before it is standardised."""
    if not isinstance(table.x, Matrix):
        return np.asarray(table.x[name].to_numpy(dtype=np.float64)[rows])
    position = place if table.x.columns is None else int(table.x.columns[place])
    return np.asarray(column_of(table.x.values, position)[rows], dtype=np.float64)


def standard(mean: Floats, variance: Floats, count: int) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of columns from their variance over `count` rows; a constant has the
    scale 1.
    """
    return mean, np.where(steady(mean, variance, count), 1.0, np.sqrt(variance))


def steady(mean: Floats, variance: Floats, count: int) -> npt.NDArray[np.bool_]:
    """Return the mask of columns whose variance over `count` rows is no more than rounding: most are constant."""
    # scikit-learn's bound on the rounding errors of the variance of a constant column (_is_constant_feature)
    eps = np.finfo(np.float64).eps
    found: npt.NDArray[np.bool_] = variance <= count * eps * variance + (count * mean * eps) ** 2
    return found
