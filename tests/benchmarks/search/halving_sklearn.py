"""scikit-learn's way: HalvingRandomSearchCV over MLPClassifier on the same split, epochs as the resource.

Arguments: candidates, the seed of the split and of the search.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from scipy.stats import loguniform
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit
from sklearn.neural_network import MLPClassifier

from objectives.data import SplitSpec, load_table, prepare


def main(trials: int, seed: int) -> None:
    """Print the best validation loss."""
    data = prepare(load_table("sklearn:digits"), SplitSpec(), seed)
    x = np.concatenate([data.train.x[:, :-1], data.valid.x[:, :-1]])
    y = np.concatenate([data.train.y.argmax(axis=1), data.valid.y.argmax(axis=1)])
    fold = np.repeat([-1, 0], [len(data.train), len(data.valid)])
    ranges = {
        "solver": ["sgd", "adam"],
        "learning_rate_init": loguniform(1e-4, 1.0),
        "momentum": [0.5, 0.8, 0.9, 0.95, 0.98],
        "batch_size": [16, 32, 64, 128, 256],
    }
    search = HalvingRandomSearchCV(
        MLPClassifier((64,), alpha=0.0, n_iter_no_change=1000),
        ranges,
        n_candidates=trials,
        factor=3,
        resource="max_iter",
        min_resources=2,
        max_resources=27,
        cv=PredefinedSplit(fold),
        scoring="neg_log_loss",
        random_state=seed,
        n_jobs=2,
        refit=False,
    )
    warnings.simplefilter("ignore", ConvergenceWarning)
    search.fit(x, y)
    print(-float(np.nanmax(search.cv_results_["mean_test_score"])))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
