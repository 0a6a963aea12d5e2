"""scikit-learn's own tests of its searches, with ours in the place of theirs."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import numpy as np
from sklearn import model_selection
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import ParameterGrid

from tuner.sklearn import TunerSearchCV

__all__ = ["searches_substituted"]

THEIRS = "sklearn.model_selection.tests.test_search"


class RandomizedSearchCV(TunerSearchCV):
    """Ours, with every config on every fold: theirs have no other way."""

    def __init__(
        self, estimator: Any, param_distributions: Any, *, n_iter: int = 10, scoring: Any = None, n_jobs: Any = None,
        refit: Any = True, cv: Any = None, verbose: int = 0, pre_dispatch: Any = "2*n_jobs", random_state: Any = None,
        error_score: Any = np.nan, return_train_score: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            estimator, param_distributions, n_iter=n_iter, scoring=scoring, n_jobs=n_jobs, refit=refit, cv=cv,
            verbose=verbose, pre_dispatch=pre_dispatch, random_state=random_state, error_score=error_score,
            return_train_score=return_train_score, race=False,
        )  # fmt: skip


class GridSearchCV(TunerSearchCV):
    """Ours with as many configs as a grid has points: it tries each once, in an order of its own."""

    def __init__(
        self, estimator: Any, param_grid: Any, *, scoring: Any = None, n_jobs: Any = None, refit: Any = True,
        cv: Any = None, verbose: int = 0, pre_dispatch: Any = "2*n_jobs", error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:  # fmt: skip
        self.param_grid = param_grid
        super().__init__(
            estimator, param_grid, scoring=scoring, n_jobs=n_jobs, refit=refit, cv=cv, verbose=verbose,
            pre_dispatch=pre_dispatch, error_score=error_score, return_train_score=return_train_score, race=False,
            random_state=0,
        )  # fmt: skip

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Count the grid, then search it."""
        self.param_distributions, self.n_iter = self.param_grid, len(ParameterGrid(self.param_grid))
        return super().fit(X, y, **params)


def searches_substituted() -> ModuleType:
    """Load the installed module of tests with ours in the place of theirs."""
    spec = importlib.util.find_spec(THEIRS)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[THEIRS] = importlib.util.module_from_spec(spec)  # where pickle looks its classes up
    before = model_selection.GridSearchCV, model_selection.RandomizedSearchCV
    model_selection.GridSearchCV, model_selection.RandomizedSearchCV = GridSearchCV, RandomizedSearchCV
    try:
        spec.loader.exec_module(module)
    finally:
        model_selection.GridSearchCV, model_selection.RandomizedSearchCV = before
    return module
