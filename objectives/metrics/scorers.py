"""Any scikit-learn scorer by name, from predictions, for the end of a study."""

from __future__ import annotations

import warnings

import numpy as np

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.types import Array

__all__ = ["sklearn_score"]


def sklearn_score(
    name: str, y_true: Array, y_pred: Array, y_proba: Array | None = None, weights: Array | None = None
) -> float:
    """Compute a scikit-learn metric by its scorer's name ("f1_macro", "roc_auc"), with scikit-learn's sign.

    `y_true`, `y_pred` are labels or values `(n,)`; `y_proba (n, classes)` belongs to classifiers and tells them apart.
    `weights (n,)` say how much rows count. nan where it is not defined for these rows (a class is missing), or for
    weights. Raises InvalidInput for a name that scikit-learn
    does not know.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.metrics import get_scorer, get_scorer_names

    if name not in get_scorer_names():
        raise InvalidInput(Complaint("metric", f"{name!r} is not known", nearest(name, get_scorer_names())))

    class Answered(RegressorMixin if y_proba is None else ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """An estimator whose answers are known already: the scorer asks, it reads them out."""

        classes_ = None if y_proba is None else np.arange(y_proba.shape[1])

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, x: Array) -> Array:
            del x
            return y_pred

        def predict_proba(self, x: Array) -> Array | None:
            del x
            return y_proba

    try:
        with warnings.catch_warnings(action="ignore"):
            given = {} if weights is None else {"sample_weight": weights}
            return float(get_scorer(name)(Answered(), np.zeros((len(y_true), 1)), y_true, **given))
    except (TypeError, ValueError) as error:
        if isinstance(error, TypeError) and weights is None:
            raise
        return float("nan")
