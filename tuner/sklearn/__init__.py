"""Studies behind scikit-learn's interface: estimators that tune themselves when they are fitted.

from tuner.sklearn import TunedClassifier, TunedRegressor
"""

from __future__ import annotations

from tuner.sklearn.estimators import TunedClassifier, TunedRegressor

__all__ = ["TunedClassifier", "TunedRegressor"]
