"""`TunerSearchCV`: a study over any estimator's parameters, in the place of scikit-learn's RandomizedSearchCV."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _insert_error_scores, _warn_or_raise_about_fit_failures
from sklearn.utils import check_random_state, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_method_params

from objectives.types import Array
from tuner.algorithms.samplers import SAMPLERS
from tuner.engines import processors
from tuner.sklearn.digest import digest_of
from tuner.sklearn.folds import GOAL, FoldWork, passed_over
from tuner.sklearn.spaces import EstimatorSpace, space_from
from tuner.sklearn.studied import Candidate, Where, studied

__all__ = ["TunerSearchCV"]

NAME = "search"
MOST_FOLDS = 1000


class TunerSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Searches the parameters of an estimator by a study, with the interface of RandomizedSearchCV.

    `param_distributions` is a mapping of names to lists and scipy's distributions, or a list of such. `n_iter` configs
    are proposed by the study's `sampler`, the first by the estimator's own values. With `race` a config is tried on
    some folds and goes on to all of them if it is one of the best quarter there: in `cv_results_` the scores of folds
    that it was not tried on are nan, `n_folds` counts those that it was, its mean is over these, and it ranks behind
    all that were tried on every fold. With `refit` as a function nothing is raced. `parallel` configs may be open at
    once; the result depends on it and not on `n_jobs`.

    With `epochs` the estimator is trained by `partial_fit`, at most so many passes over the rows, and weak configs are
    stopped early. With `study="name"` the study stays in `home` under that name: a search that was interrupted goes
    on, and one with a larger `n_iter` tries more.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [Mapping, list],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "race": ["boolean"],
        "parallel": [Interval(Integral, 1, None, closed="left")],
        "sampler": [StrOptions(set(SAMPLERS))],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "study": [str, None],
        "home": [str, Path, None],
    }

    def __init__(  # noqa: PLR0913
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        race: bool = True,
        parallel: int = 4,
        sampler: str = "auto",
        epochs: int | None = None,
        study: str | None = None,
        home: str | Path | None = None,
    ) -> None:
        super().__init__(
            estimator=estimator, scoring=scoring, n_jobs=n_jobs, refit=refit, cv=cv, verbose=verbose,
            pre_dispatch=pre_dispatch, error_score=error_score, return_train_score=return_train_score,
        )  # fmt: skip
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.random_state = random_state
        self.race = race
        self.parallel = parallel
        self.sampler = sampler
        self.epochs = epochs
        self.study = study
        self.home = home

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        """Raise NotImplementedError: a study proposes one by one."""
        raise NotImplementedError("a study proposes one by one: call fit")

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, then fit the best config on all rows. `params` are those of the estimator's `fit`, and `groups`."""
        self._validate_params()
        scorers, refit_metric = self._get_scorers()
        x, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(x, params=params))
        folds = self._folds(x, y, routed.splitter.split)
        drawn = 0 if self.random_state is None and self.study is not None else self.random_state  # to be found again
        seed = int(check_random_state(drawn).randint(2**31 - 1))
        space = space_from(self.param_distributions, self.estimator.get_params(), seed)
        first = refit_metric if isinstance(refit_metric, str) else ""
        work = FoldWork(
            clone(self.estimator), space, x, y, folds, scorers, first, routed.estimator.fit, routed.scorer.score,
            self.error_score, self.return_train_score, self.epochs is not None,
        )  # fmt: skip
        if self.verbose > 0:
            count = min(self.n_iter, space.size)
            print(f"Fitting {len(folds)} folds for each of {count} candidates, totalling {len(folds) * count} fits")
        candidates = self._studied(work, seed)
        self._take(candidates, work, refit_metric)
        if self.refit:
            self._fit_best(candidates[self.best_index_], x, y, routed.estimator.fit)
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        return self

    def _folds(self, x: Any, y: Any, params: Mapping[str, Any]) -> list[tuple[Any, Any]]:
        """Return the folds `(train, test)`. Raises ValueError where there are none, or not as many as announced."""
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = splitter.get_n_splits(x, y, **params)
        folds = list(splitter.split(x, y, **params))
        if len(folds) != self.n_splits_:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. "
                f"Expected {self.n_splits_} splits, got {len(folds)}"
            )
        if not folds:
            raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")
        return folds

    def _studied(self, work: FoldWork, seed: int) -> list[Candidate]:
        """Run the study."""
        count = self.n_iter
        if work.space.size < count:
            count = int(work.space.size)
            warnings.warn(
                f"The total space of parameters {count} is smaller than n_iter={self.n_iter}. "
                f"Running {count} iterations.",
                UserWarning,
                stacklevel=3,
            )
        named = self.study is not None
        asked = self._asked(work.space, len(work.folds), count, seed)
        digest = digest_of(work, self.scoring) if named else ""
        jobs = 1 if self.n_jobs is None else self.n_jobs
        jobs = max(1, processors() + 1 + jobs) if jobs < 0 else jobs
        return studied(asked, work, digest, Where(self.study, self.home, jobs))

    def _asked(self, space: EstimatorSpace, folds: int, count: int, seed: int) -> dict[str, Any]:
        """Return the study, as its file would have it."""
        races = self.race and not callable(self.refit)
        found: dict[str, Any] = {
            "study": {"name": self.study or NAME, "trials": count, "seed": seed, "maximize": GOAL},
            "parameters": dict(space.table),
            "search": {
                "parallel": self.parallel, "sampler": self.sampler, "pruner": "halving" if races else "none"
            },
        }  # fmt: skip
        if folds > 1:
            found["data"] = {"splits": folds}
        if self.epochs is not None:
            found["train"] = {"epochs": self.epochs}
        return found

    def _take(self, candidates: Sequence[Candidate], work: FoldWork, refit_metric: Any) -> None:
        """Set what scikit-learn's searches have after the folds: `cv_results_`, and the best of it."""
        tried = np.array([[one.tried(fold) for fold in range(len(work.folds))] for one in candidates])
        several = next((names for one in candidates if (names := one.scores)), getattr(work.scorers, "_scorers", ()))
        out = [one.outcome(fold, several) for one in candidates for fold in range(len(work.folds))]
        known = [one for one, there in zip(out, tried.ravel(), strict=True) if there]
        _warn_or_raise_about_fit_failures(known, self.error_score)
        if callable(self.scoring):
            _insert_error_scores(out, self.error_score)
        self.multimetric_ = isinstance(known[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(known[0]["test_scores"])
            refit_metric = self.refit
        self.cv_results_ = self._results(candidates, out, tried)
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, self.cv_results_)
            if not callable(self.refit):
                self.best_score_ = self.cv_results_[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _results(self, candidates: Sequence[Candidate], out: list[Any], tried: Array) -> dict[str, Any]:
        """Return `cv_results_`: means and ranks are over the folds that a config was tried on."""
        with warnings.catch_warnings():
            if not tried.all():
                warnings.filterwarnings("ignore", "One or more of the", UserWarning)
            found: dict[str, Any] = self._format_results([one.parameters for one in candidates], tried.shape[1], out)
        if tried.all():
            return found
        for name in [name.removeprefix("mean_") for name in found if name.startswith("mean_")]:
            if f"split0_{name}" in found:
                rows = np.array([found[f"split{fold}_{name}"] for fold in range(tried.shape[1])]).T
            else:
                rows = np.array([one[name] for one in out]).reshape(tried.shape)
            found[f"mean_{name}"] = _over(rows, tried)
            found[f"std_{name}"] = np.sqrt(_over((rows - found[f"mean_{name}"][:, None]) ** 2, tried))
            if f"rank_{name}" in found:
                found[f"rank_{name}"] = _ranked(found[f"mean_{name}"], np.asarray(tried.all(axis=1)))
            if name.startswith("test_") and not np.isfinite(found[f"mean_{name}"]).all():
                warnings.warn(
                    f"One or more of the test scores are non-finite: {found[f'mean_{name}']}", UserWarning, stacklevel=4
                )
        return found | {"n_folds": tried.sum(axis=1)}

    def _fit_best(self, best: Candidate, x: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
        """Fit the best config on all rows, by as many passes as were best where it was trained by passes."""
        self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        began = time.time()
        if self.epochs is not None:
            for _ in range(best.epoch):
                passed_over(self.best_estimator_, x, y, y, fit_params)
        elif y is None:
            self.best_estimator_.fit(x, **fit_params)
        else:
            self.best_estimator_.fit(x, y, **fit_params)
        self.refit_time_ = time.time() - began
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def _over(rows: Array, tried: Array) -> Array:
    """Return the mean of each row `(n, folds)` over the folds that were tried."""
    found: Array = np.where(tried, rows, 0.0).sum(axis=1) / tried.sum(axis=1)
    return found


def _ranked(means: Array, whole: Array) -> Array:
    """Return ranks from 1, highest first: those tried on all folds, then others, then those without a number."""
    behind = np.where(whole, 0.0, 1.0)
    order = np.lexsort((-np.nan_to_num(means, nan=-np.inf), behind + 2 * np.isnan(means)))
    keys = [(bool(np.isnan(means[i])), behind[i], means[i] if not np.isnan(means[i]) else 0.0) for i in order]
    place = np.cumsum([i == 0 or keys[i] != keys[i - 1] for i in range(len(keys))])
    ranks = np.empty(len(means))
    ranks[order] = place
    found: Array = rankdata(ranks, method="min").astype(np.int32)
    return found
