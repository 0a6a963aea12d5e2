"""Tuned estimators keep scikit-learn's contract, and work where its own do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import tuner
from tests.support.small_models import frame, targets
from tuner.sklearn import TunedClassifier, TunedRegressor

QUICK = {"trials": 2, "epochs": 20, "optimizers": {"adam": {"lr": [0.01, 0.02]}}, "seeds": 2, "confirm": False}


@pytest.mark.slow
@parametrize_with_checks([TunedClassifier(**QUICK), TunedRegressor(**QUICK)])
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_it_works_in_pipelines_clones_and_cross_validation() -> None:
    x, y = load_iris(return_X_y=True)
    whole = make_pipeline(StandardScaler(), clone(TunedClassifier(**QUICK)))
    assert cross_val_score(whole, x, y, cv=3).mean() > 0.85
    values, target = load_diabetes(return_X_y=True)
    model = TunedRegressor(**QUICK).fit(values[:300], target[:300])
    assert model.score(values[300:], target[300:]) > 0.3
    low, high = model.predict_interval(values[300:])
    assert 0.8 < ((low < target[300:]) & (target[300:] < high)).mean() <= 1


def test_the_result_is_that_of_the_study(tmp_path: Path) -> None:
    data = frame()
    y = np.where(targets("binary", data) == 1, "yes", "no")
    rows = data.drop(columns="id")
    model = TunedClassifier(**QUICK, home=tmp_path).fit(rows, y)
    again = TunedClassifier(**QUICK, n_jobs=2).fit(rows, y)
    assert np.array_equal(model.predict_proba(rows), again.predict_proba(rows))
    assert set(model.predict(rows)) == {"no", "yes"}
    assert model.feature_names_in_.tolist() == ["age", "height", "city", "since"]
    assert model.best_config_["optimizer"] == "adam"
    assert model.model_.facts["training"]["rows"] == len(rows)
    assert tuner.open("tuned", home=tmp_path).best()["lr"] == model.best_config_["lr"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(rows.rename(columns={"age": "years"}))


def test_weights_of_rows_are_refused() -> None:
    x, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError, match="sample_weight"):
        TunedClassifier(**QUICK).fit(x, y, sample_weight=np.ones(len(y)))
