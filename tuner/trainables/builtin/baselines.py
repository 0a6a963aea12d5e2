"""What little effort would have given: models of scikit-learn's at their defaults, on the rows of the shipped model.

A tuned network is the wrong tool where a linear model or boosted trees do better as they come; whoever ships one should
know. They see the same prepared inputs and are judged on the same test rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from objectives.data import Part, Prepared
from objectives.data.transforms import LOG_LINK
from objectives.types import Array
from tuner.model.judged import documents, judged
from tuner.trainables.builtin.packs import ReplicateSource, opened

__all__ = ["BASELINES", "baselines", "codes_of", "weights_of"]

MOST_NUMBERS = 20_000_000  # of the inputs, in which a baseline is fitted; of more rows, some evenly over all
BOOSTING = "HistGradientBoosting"
BLOCK = 65_536  # rows that are predicted at once
# by name: module, class for classes, class for numbers, arguments
BASELINES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "constant": ("sklearn.dummy", "DummyClassifier", "DummyRegressor", {}),
    "LogisticRegression or Ridge": ("sklearn.linear_model", "LogisticRegression", "Ridge", {}),
    BOOSTING: (
        "sklearn.ensemble", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", {"random_state": 0},
    ),
}  # fmt: skip


def baselines(source: ReplicateSource) -> dict[str, Any]:
    """Return the test metrics of each baseline by its name, in a worker."""
    data = opened(source.directory)
    makers = dict(makers_of(data, source.metrics))
    # Whoever limited the threads of this task could not see those of libraries that were loaded just now.
    with threadpool_limits(1):
        found = {label: _judged(data, made, source.metrics) for label, made in makers.items()}
    return {label: {name: kinds["single"] for name, kinds in metrics.items()} for label, metrics in found.items()}


def makers_of(data: Prepared, asked: Sequence[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the label of each baseline and what makes its model, imported: of counts or a quantile, models of those."""
    levels = [float(level) for name, _, level in (one.partition("@") for one in asked) if level]
    if data.transform == LOG_LINK:
        yield "constant", _made("sklearn.dummy", "DummyRegressor")
        yield "PoissonRegressor", _made("sklearn.linear_model", "PoissonRegressor")
        yield BOOSTING, _made("sklearn.ensemble", f"{BOOSTING}Regressor", loss="poisson", random_state=0)
    elif levels:
        yield "constant", _made("sklearn.dummy", "DummyRegressor", strategy="quantile", quantile=levels[0])
        own = {"loss": "quantile", "quantile": levels[0], "random_state": 0}
        yield BOOSTING, _made("sklearn.ensemble", f"{BOOSTING}Regressor", **own)
    else:
        for name, (module, classifier, regressor, arguments) in BASELINES.items():
            kind = regressor if data.task == "regression" else classifier
            yield kind if " or " in name else name, _made(module, kind, **arguments)


def _made(module: str, kind: str, **arguments: Any) -> Callable[[], Any]:
    return partial(getattr(import_module(module), kind), **arguments)


def _judged(data: Prepared, made: Callable[[], Any], asked: Sequence[str]) -> dict[str, Any]:
    """Fit on the train rows, on some of very many, and judge on the test rows."""
    step = -(-data.train.x.size // MOST_NUMBERS)
    x, y, held = np.asarray(data.train.x[::step, :-1], dtype=np.float64), data.train.y[::step], data.test.x
    scale, weights = np.asarray(data.y_scale), weights_of(data.test)
    own = {} if data.train.weights is None else {"sample_weight": data.train.weights[::step, 0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LogisticRegression stops after its default number of iterations
        if data.task != "regression":
            said = _shares(made().fit(x, codes_of(data.task, y), **own), held, max(2, y.shape[1]))
            members = said[None, :, 1:] if data.task == "binary" else said[None]
            return documents(
                judged(data.task, members, codes_of(data.task, data.test.y), scale, asked, weights=weights)
            )
        columns = [_said(made().fit(x, one, **own).predict, held) for one in np.asarray(y, dtype=np.float64).T]
    outputs = np.column_stack(columns)[None]
    members = outputs * scale if data.transform == LOG_LINK else data.predicted(outputs)  # those of counts are means
    truth, kind = data.truth(data.test.y), data.transform
    return documents(judged("regression", members, truth, scale, asked, weights=weights, transform=kind))


def _shares(model: Any, x: Array, classes: int) -> Array:
    """Return probabilities `(n, classes)`: 0 for classes that no train row had."""
    found = np.zeros((len(x), classes))
    found[:, model.classes_] = _said(model.predict_proba, x)
    return found


def _said(predict: Callable[[Array], Array], x: Array) -> Array:
    """Return predictions of inputs `(n, D + 1)`, the last of which is always 1, block by block."""
    blocks = range(0, len(x), BLOCK)
    return np.concatenate([predict(np.asarray(x[at : at + BLOCK, :-1], dtype=np.float64)) for at in blocks])


def weights_of(part: Part) -> Array | None:
    """Return the weights of a part's rows `(n,)`; None where they count alike."""
    return None if part.weights is None else np.asarray(part.weights[:, 0])


def codes_of(task: str, y: Array) -> Array:
    """Return the class of each row `(n,)` from targets as losses have them."""
    return y[:, 0].astype(np.int64) if task == "binary" else y.argmax(axis=1)
