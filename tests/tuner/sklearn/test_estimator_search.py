"""A search over any estimator is a study: the same for any number of workers, raced over folds, resumed by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import expon, loguniform, randint, uniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GroupKFold, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.utils._param_validation import InvalidParameterError

import tuner
from tuner.sklearn import TunerSearchCV
from tuner.sklearn.spaces import space_from

X, Y = load_iris(return_X_y=True)
SPACE = {"C": loguniform(1e-3, 1e3), "gamma": loguniform(1e-4, 1.0)}


class Stubborn(ClassifierMixin, BaseEstimator):
    """Fails where it is told to."""

    def __init__(self, way: str = "well") -> None:
        self.way = way

    def fit(self, x: Any, y: Any) -> Stubborn:
        if self.way == "badly":
            raise ValueError("as it was told")
        self.classes_ = np.unique(y)
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.classes_[0])


def untimed(search: TunerSearchCV) -> dict[str, Any]:
    return {name: value for name, value in search.cv_results_.items() if not name.endswith("_time")}


def searched(estimator: Any = None, space: Any = None, **options: Any) -> TunerSearchCV:
    asked = {"n_iter": 8, "cv": 4, "random_state": 0} | options
    return TunerSearchCV(estimator or SVC(), space or SPACE, **asked).fit(X, Y)


def test_a_config_is_raced_over_folds_and_the_best_is_one_of_all_folds() -> None:
    search = searched(return_train_score=True)
    table = pd.DataFrame(search.cv_results_)
    assert table["n_folds"].isin([2, 4]).all()
    assert table["n_folds"].nunique() == 2
    best = table.loc[search.best_index_]
    assert best["n_folds"] == 4
    assert best["rank_test_score"] == 1
    raced = table[table["n_folds"] == 2]
    assert raced[["split2_test_score", "split3_test_score", "split3_train_score"]].isna().all(axis=None)
    assert (raced["rank_test_score"] > table[table["n_folds"] == 4]["rank_test_score"].max()).all()
    halves = raced[["split0_test_score", "split1_test_score"]].mean(axis=1)
    assert np.allclose(raced["mean_test_score"], halves)
    assert search.best_score_ == pytest.approx(cross_val_score(SVC(**search.best_params_), X, Y, cv=4).mean())


def test_the_first_config_is_the_estimators_own() -> None:
    search = searched(SVC(C=2.0, gamma=0.5), n_iter=1)
    assert search.best_params_ == pytest.approx({"C": 2.0, "gamma": 0.5})


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_number_of_workers() -> None:
    one, two = (untimed(searched(LogisticRegression(max_iter=500), {"C": SPACE["C"]}, n_jobs=n)) for n in (None, 2))
    np.testing.assert_equal(one, two)


def test_random_numbers_of_the_caller_are_left_as_they_were() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    searched(LogisticRegression(max_iter=500), {"C": SPACE["C"]}, n_iter=1)
    assert np.array_equal(before, np.random.get_state()[1])


def test_a_named_study_goes_on_and_refuses_other_rows(tmp_path: Path) -> None:
    whole = searched(n_iter=6, study="svc", home=tmp_path / "whole")
    searched(n_iter=3, study="svc", home=tmp_path)
    assert len(tuner.open("svc", home=tmp_path).all_trials) == 3
    more = searched(n_iter=6, study="svc", home=tmp_path)
    assert more.cv_results_["params"] == whole.cv_results_["params"]
    assert np.array_equal(more.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"])
    assert tuner.open("svc", home=tmp_path).best()["C"] == pytest.approx(more.best_params_["C"])
    with pytest.raises(tuner.ChangedStudy, match="the rows, their folds"):
        TunerSearchCV(SVC(), SPACE, n_iter=6, cv=4, random_state=0, study="svc", home=tmp_path).fit(X + 1, Y)


def test_groups_stay_together_and_several_scores_are_kept() -> None:
    groups = np.arange(len(Y)) % 7
    search = TunerSearchCV(
        LogisticRegression(max_iter=1000), {"C": [0.1, 1.0, 10.0]}, n_iter=3, cv=GroupKFold(3), race=False,
        scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss", random_state=0,
    ).fit(X, Y, groups=groups)  # fmt: skip
    table = pd.DataFrame(search.cv_results_)
    assert table.loc[search.best_index_, "rank_test_neg_log_loss"] == 1
    assert search.best_score_ == table["mean_test_neg_log_loss"].max()
    assert table["mean_test_accuracy"].between(0.5, 1).all()
    assert "n_folds" not in table


def test_what_fails_is_scored_or_raised_as_asked() -> None:
    space = {"way": ["well", "badly"]}
    with pytest.warns(FitFailedWarning, match="as it was told"), pytest.warns(UserWarning, match="non-finite"):
        search = searched(Stubborn(), space, n_iter=2, race=False)
    assert search.best_params_ == {"way": "well"}
    with pytest.warns(FitFailedWarning, match="will be set to 0"):
        search = searched(Stubborn(), space, n_iter=2, error_score=0.0, race=False)
    assert sorted(search.cv_results_["mean_test_score"]) == [0.0, pytest.approx(1 / 3, abs=0.05)]
    with pytest.raises(ValueError, match="as it was told"):
        searched(Stubborn(), space, n_iter=2, error_score="raise")
    with pytest.raises(ValueError, match=r"(?s)All the 4 fits failed.+as it was told"):
        searched(Stubborn(), {"way": ["badly"]}, n_iter=1, race=False)


@pytest.mark.slow
def test_what_a_worker_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="as it was told"):
        searched(Stubborn(), {"way": ["well", "badly"]}, n_iter=2, error_score="raise", n_jobs=2)


def test_partial_fit_is_cut_at_rungs_and_goes_on() -> None:
    estimator = SGDClassifier(random_state=0, loss="log_loss")
    space = {"alpha": loguniform(1e-6, 1.0), "eta0": [0.01, 0.1], "learning_rate": ["constant", "optimal"]}
    search = TunerSearchCV(
        estimator, space, n_iter=12, cv=KFold(2, shuffle=True, random_state=0), epochs=9, random_state=0
    ).fit(X, Y)
    assert search.best_score_ > 0.6
    assert 1 <= search.best_estimator_.t_ / len(X) <= 9.1
    assert search.predict(X).shape == Y.shape


def test_it_is_cloned_nested_and_put_into_pipelines() -> None:
    pipe = make_pipeline(StandardScaler(), TunerSearchCV(SVC(), SPACE, n_iter=2, cv=2, random_state=0))
    assert cross_val_score(clone(pipe), X, Y, cv=2).mean() > 0.8
    search = searched(make_pipeline(StandardScaler(), SVC()), {"standardscaler": [StandardScaler(), MinMaxScaler()]},
                      n_iter=2)  # fmt: skip
    assert type(search.best_params_["standardscaler"]) in (StandardScaler, MinMaxScaler)
    assert search.score(X, Y) > 0.9


def test_a_space_is_read_as_scikit_learn_reads_it() -> None:
    given = [
        {"a": uniform(2, 3), "b": randint(1, 9), "c": expon(scale=0.1)},
        {"a": [1, None, "sqrt"], "d": np.array([True, False]), "kernel": [np.float64(0.5)]},
    ]
    space = space_from(given, {"b": 4}, 0)
    first = space.parameters({"space": "0", "a.0": 2.5, "b.0": 4, "c.0": 0.5})
    assert first == {"a": 2.5, "b": 4, "c": pytest.approx(0.1 * np.log(2))}
    assert space.table["b.0"] == {"low": 1, "high": 8, "default": 4, "when": {"space": ["0"]}}
    labels = space.table["a.1"]["choices"]
    assert [space.parameters({"space": "1", "a.1": one, "d.1": True, "kernel.1": 0.5})["a"] for one in labels] == [
        1, None, "sqrt",
    ]  # fmt: skip
    assert space_from({"a": [1, 2, 2], "b": ["x", "y"]}, {}, 0).size == 4
    with pytest.raises(TypeError, match="distribution"):
        space_from({"a": 3}, {}, 0)


def test_a_space_that_is_smaller_than_asked_is_searched_whole() -> None:
    with pytest.warns(UserWarning, match="total space of parameters 2 is smaller than n_iter=5"):
        search = searched(space={"kernel": ["rbf", "linear"]}, n_iter=5, race=False)
    assert {one["kernel"] for one in search.cv_results_["params"]} == {"rbf", "linear"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"n_iter": "a"}, "n_iter"),
        ({"n_iter": 0}, "n_iter"),
        ({"parallel": 1.5}, "parallel"),
        ({"sampler": "bayes"}, "sampler"),
        ({"epochs": -1}, "epochs"),
        ({"study": 3}, "study"),
        ({"param_distributions": "C"}, "param_distributions"),
    ],
)
def test_a_parameter_of_another_kind_is_named(given: dict[str, Any], named: str) -> None:
    search = TunerSearchCV(SVC(), **{"param_distributions": SPACE, **given})
    with pytest.raises(InvalidParameterError, match=f"The '{named}' parameter of TunerSearchCV must be"):
        search.fit(X, Y)
