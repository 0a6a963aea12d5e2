"""Estimators of scikit-learn's: `fit` runs a study on the rows that it is given, `predict` is that of its model.

All rows train in the end: a study sets test rows aside to say what its config is worth (`study_`), and the model is
then trained on them too, since scikit-learn's users keep test rows of their own.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from objectives.types import Array
from tuner.api.refit import refit
from tuner.api.run import run
from tuner.errors import RowsWarning
from tuner.model.trained import TrainedModel
from tuner.orchestrator.callbacks import RunCallback
from tuner.result import Result

__all__ = ["TunedClassifier", "TunedRegressor"]

FEWEST = 3  # rows that a study needs of each class: one each to train, to validate and to test
LEAST = 10  # rows that a study needs


class _Tuned(BaseEstimator):  # type: ignore[misc]
    """What both have in common.

    `trials` configs of `optimizers` (names, or a mapping of names to ranges as in a study file) are searched for a
    network of the `hidden` sizes, `epochs` long each; `seeds` networks make the ensemble. The result is a function of
    the rows and `random_state` alone, whatever `n_jobs` is. With a folder `home` the study stays there, as `name`.
    """

    def __init__(  # noqa: PLR0913
        self,
        trials: int = 64,
        *,
        hidden: Sequence[int] = (64,),
        epochs: int = 27,
        optimizers: Any = ("momentum", "adam", "rmsprop"),
        seeds: int = 5,
        confirm: bool = True,
        random_state: int = 0,
        n_jobs: int | None = 1,
        home: str | Path | None = None,
        name: str = "tuned",
    ) -> None:
        self.trials = trials
        self.hidden = hidden
        self.epochs = epochs
        self.optimizers = optimizers
        self.seeds = seeds
        self.confirm = confirm
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.home = home
        self.name = name

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags

    def _tune(self, x: Any, y: Array, task: str) -> Self:
        """Run the study on checked rows and keep what it found."""
        jobs = -1 if self.n_jobs is None else self.n_jobs
        with tempfile.TemporaryDirectory() as folder:
            common: dict[str, Any] = {
                "data": _enough(x, y, task),
                "home": Path(folder) if self.home is None else self.home,
                "jobs": None if jobs < 1 else jobs,
                "callback": RunCallback(),
            }
            self.study_: Result = run(self._asked(task), confirm=self.confirm, refit=False, **common)
            for trial in self.study_.all_trials:
                len(trial.curves)  # read them while the ledger is there
            best = self.study_.best()
            self.model_ = cast(TrainedModel, refit(self.name, self.seeds, all_rows=True, **common))
            self.best_config_ = dict(best)
        return self

    def _asked(self, task: str) -> dict[str, Any]:
        """Return the study, as its file would have it."""
        ranges = self.optimizers if isinstance(self.optimizers, dict) else {name: {} for name in self.optimizers}
        return {
            "study": {"name": self.name, "trials": self.trials, "seed": int(self.random_state)},
            "data": {"task": task},
            "model": {"kind": "mlp", "hidden": list(self.hidden)} if len(self.hidden) else {"kind": "linear"},
            "train": {"epochs": self.epochs},
            "optimizers": ranges,
        }

    def _members(self, x: Any) -> Array:
        """Return what each network says of rows `(R, n, C)`; of rows unlike those of training nothing is said here."""
        check_is_fitted(self)
        x = self._checked(x, reset=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RowsWarning)
            return self.model_.of_members(self.model_.prepared(x))

    def _checked(self, x: Any, y: Any = "no_validation", *, reset: bool, **more: Any) -> Any:
        """Return rows, and targets where given, as scikit-learn checks them; of a frame with texts, its names alone."""
        if hasattr(x, "iloc") and any(dtype.kind not in "biuf" for dtype in x.dtypes if hasattr(dtype, "kind")):
            validate_data(self, x, y, reset=reset, skip_check_array=True)
            return x if isinstance(y, str) else (x, column_or_1d(y, warn=True))
        options = {"ensure_all_finite": "allow-nan", "dtype": "numeric", "ensure_min_samples": 2 if reset else 1}
        return validate_data(self, x, y, reset=reset, **options, **more)


class TunedClassifier(ClassifierMixin, _Tuned):  # type: ignore[misc]
    """A network for classes that tunes itself; `best_config_`, `study_` and `model_` say what it found.

    `sample_weight` is not taken: a study has no weights.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Run a study on rows `X (n, D)` and their classes `y (n,)`. Raises ValueError for rows that cannot be used."""
        x, y = self._checked(X, y, reset=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs two classes or more, but there is one class: {self.classes_[0]!r}")
        return self._tune(x, codes, "binary" if len(self.classes_) == 2 else "multiclass")

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each of `classes_`, `(n, classes)`."""
        members = self._members(X)
        return self.model_.shares(members)

    def predict(self, X: Any) -> Array:
        """Return the class of each row, `(n,)`."""
        places = self.predict_proba(X).argmax(axis=1)
        found: Array = self.classes_[places]
        return found


class TunedRegressor(RegressorMixin, _Tuned):  # type: ignore[misc]
    """A network for numbers that tunes itself; `best_config_`, `study_` and `model_` say what it found.

    `sample_weight` is not taken: a study has no weights.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Run a study on rows `X (n, D)` and their targets `y (n,)`. Raises ValueError for rows that cannot be used."""
        x, y = self._checked(X, y, reset=True, y_numeric=True)
        return self._tune(x, np.asarray(y, dtype=np.float64), "regression")

    def predict(self, X: Any) -> Array:
        """Return the value of each row, `(n,)`."""
        members = self._members(X)
        return self.model_.answers(members)

    def predict_interval(self, X: Any, level: float = 0.9) -> tuple[Array, Array]:
        """Return the ends between which so many new targets lie, each `(n,)`."""
        members = self._members(X)
        return self.model_.interval(members, level)


def _enough(x: Any, y: Array, task: str) -> tuple[Any, Array]:
    """Return the rows, those of rare classes and of very short tables repeated: each part of a split needs one."""
    rows = np.arange(len(y))
    if task != "regression":
        counts = np.bincount(y)
        rare = [np.resize(rows[y == c], FEWEST - n) for c, n in enumerate(counts) if n < FEWEST]
        rows = np.concatenate([rows, *rare])
    rows = np.resize(rows, max(len(rows), LEAST))
    if len(rows) == len(y):
        return x, y
    return (x.iloc[rows].reset_index(drop=True) if hasattr(x, "iloc") else x[rows]), y[rows]
