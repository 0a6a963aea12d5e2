"""scikit-learn's own searches over its own networks, five folds each, as its users write them.

What they hand over is their best estimator's parameters, fitted again on all that is seen with five random states and
judged by the same losses: log loss of the probabilities, or squared error of targets standardised on what is seen.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from tests.benchmarks.handed_over.divisions import EPOCHS, SEEDS, Division, rows_of
from tests.benchmarks.handed_over.methods import Handed

__all__ = ["halving_search", "randomized_search"]

FOLDS = 5
LEAST = 1e-15  # probability that a log loss sees
FEWEST = 3  # epochs that halving starts with
BATCHES = [16, 32, 64, 128, 256]


def pipeline(division: Division) -> Any:
    """Preprocessing and the network: medians and one-hot columns where a frame asks for them, then scales."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    kind = MLPRegressor if division.task == "regression" else MLPClassifier
    network = kind(hidden_layer_sizes=(64,), max_iter=EPOCHS, n_iter_no_change=10**6, random_state=division.seed)
    if not hasattr(division.x, "iloc"):
        return Pipeline([("prepare", numbers), ("network", network)])
    texts = make_column_selector(dtype_include=object), make_column_selector(dtype_exclude=object)
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return Pipeline(
        [("prepare", make_column_transformer((one_hot, texts[0]), (numbers, texts[1]))), ("network", network)]
    )


def ranges(division: Division) -> dict[str, Any]:
    """What is searched."""
    from scipy.stats import loguniform

    folded = len(division.seen) * (FOLDS - 1) // FOLDS
    return {
        "network__solver": ["sgd", "adam"],
        "network__learning_rate_init": loguniform(1e-4, 1.0),
        "network__momentum": [0.0, 0.5, 0.8, 0.9, 0.95, 0.98],
        "network__batch_size": [size for size in BATCHES if size <= folded],
    }


def targets(division: Division) -> np.ndarray[Any, Any]:
    """All targets `(n,)`, those of a regression standardised on what is seen."""
    if division.task != "regression":
        return division.y
    seen = division.y[division.seen]
    return (division.y - seen.mean()) / seen.std()


def searched(division: Division, search: Any, began: float) -> Handed:
    """Fit a search and hand over its best parameters."""
    with warnings.catch_warnings():
        # so few epochs never converge, rates at the end of the range overflow, and their fits score nan: all are meant
        warnings.simplefilter("ignore")
        search.fit(rows_of(division.x, division.seen), targets(division)[division.seen])
    seconds = time.perf_counter() - began
    best = search.best_params_
    config = {name.removeprefix("network__"): value for name, value in best.items()}
    epochs = int(config.get("max_iter", EPOCHS))
    spent = trainings(search)
    return Handed(config, epochs, spent, seconds, lambda: score(division, best))


def trainings(search: Any) -> float:
    """Full trainings of all folds."""
    if not hasattr(search, "n_resources_"):
        return float(FOLDS * len(search.cv_results_["params"]))
    rounds = zip(search.n_candidates_, search.n_resources_, strict=True)
    return FOLDS * sum(count * epochs for count, epochs in rounds) / EPOCHS


def score(division: Division, params: Mapping[str, Any]) -> list[float]:
    """Losses on the 30 of fits on all that is seen."""
    y, found = targets(division), []
    x, held = rows_of(division.x, division.seen), rows_of(division.x, division.held)
    for state in range(SEEDS):
        model = clone(pipeline(division)).set_params(**params, network__random_state=state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above
            model.fit(x, y[division.seen])
        found.append(loss(model, held, y[division.held], division.task))
    return division.counted(found)


def loss(model: Any, x: Any, y: np.ndarray[Any, Any], task: str) -> float:
    """Log loss, or squared error."""
    if task == "regression":
        return float(((model.predict(x) - y) ** 2).mean())
    shares = np.clip(model.predict_proba(x), LEAST, 1.0)
    return float(-np.log(shares[np.arange(len(y)), np.searchsorted(model.classes_, y)]).mean())


def scoring(division: Division) -> str:
    """The loss as scikit-learn names it."""
    return "neg_mean_squared_error" if division.task == "regression" else "neg_log_loss"


def randomized_search(division: Division, count: int) -> Handed:
    """RandomizedSearchCV of so many configs."""
    from sklearn.model_selection import RandomizedSearchCV

    began = time.perf_counter()
    common = {"cv": FOLDS, "scoring": scoring(division), "random_state": division.seed, "refit": False}
    return searched(division, RandomizedSearchCV(pipeline(division), ranges(division), n_iter=count, **common), began)


def halving_search(division: Division, count: int) -> Handed:
    """HalvingRandomSearchCV of so many candidates, epochs being what they are given more of."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    began = time.perf_counter()
    search = HalvingRandomSearchCV(
        pipeline(division),
        ranges(division),
        n_candidates=count,
        resource="network__max_iter",
        min_resources=FEWEST,
        max_resources=EPOCHS,
        cv=FOLDS,
        scoring=scoring(division),
        random_state=division.seed,
        refit=False,
    )
    return searched(division, search, began)
