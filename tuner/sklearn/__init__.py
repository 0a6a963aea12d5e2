"""Studies behind scikit-learn's interface: estimators that tune themselves, and a search over any estimator.

from tuner.sklearn import TunedClassifier, TunedRegressor, TunerSearchCV

    spaces -> folds -> digest, studied -> search; estimators
"""

from __future__ import annotations

from tuner.sklearn.estimators import TunedClassifier, TunedRegressor
from tuner.sklearn.search import TunerSearchCV

__all__ = ["TunedClassifier", "TunedRegressor", "TunerSearchCV"]
