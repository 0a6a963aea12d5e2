"""Whole-batch methods elsewhere: gradient descent exactly, line searches to the same optimum, the others not at all."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from objectives.errors import InvalidInput
from objectives.optimizers import FRAMEWORKS
from tests.support.framework_runs import (
    INSTALL,
    Config,
    best_of,
    core,
    in_keras,
    in_optax,
    in_sklearn,
    in_torch,
    problem,
)
from tuner.errors import InexactMapping, InexactWarning

DECAY = {"weight_decay": 0.01, "decay": "weights"}
RUNS = {"torch": in_torch, "keras": in_keras, "optax": in_optax, "sklearn": in_sklearn}


def whole(optimizer: str, epochs: int = 3, **values: Any) -> Config:
    """A config without a batch size."""
    base = {"model": "mlp", "hidden": [16], "activation": "relu", "init": "torch", "framework": "torch"}
    return {**base, "optimizer": optimizer, "epochs": epochs, **DECAY, **values}


@pytest.mark.parametrize("target", FRAMEWORKS)
def test_gradient_descent_is_exact_on_all_rows_at_once(target):
    config = whole("gradient_descent", lr=0.5)
    np.testing.assert_allclose(RUNS[target](config, problem()), core(config, problem()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("optimizer", ["newton", "lbfgs"])
def test_logistic_regression_ends_at_the_same_optimum(optimizer):
    from sklearn.linear_model import LogisticRegression

    data = problem((), "breast_cancer")
    best = best_of(whole(optimizer, 60, model="linear"), data)
    rows = data.data.train
    with pytest.raises(InexactMapping, match=f"the line search of its {optimizer} is another"):
        best.to_sklearn("LogisticRegression", n_samples=len(rows))
    with pytest.warns(InexactWarning, match="this is the nearest"):
        settings = best.to_sklearn("LogisticRegression", n_samples=len(rows), strict=False)
    model = LogisticRegression(**settings).fit(rows.x[:, :-1], rows.y[:, 0])
    ours = core(whole(optimizer, 60, model="linear"), data)
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), ours, atol=2e-4)


def test_torchs_lbfgs_goes_to_the_same_optimum():
    torch: Any = pytest.importorskip("torch", reason=INSTALL)
    data = problem((), "breast_cancer")
    config = whole("lbfgs", 60, model="linear")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InexactWarning)
        text = best_of(config, data).to_code("torch", strict=False)
    names: dict[str, Any] = {}
    exec(text, names)
    torch.manual_seed(0)
    model, rows = names["make_model"]().double(), data.data.train
    names["train"](model, torch.tensor(rows.x[:, :-1]), torch.tensor(rows.y))
    theirs = [model[0].weight.detach().numpy().ravel(), model[0].bias.detach().numpy()]
    np.testing.assert_allclose(np.concatenate(theirs), core(config, data), atol=1e-5)


def test_without_decay_there_is_no_penalty():
    data = problem((), "breast_cancer")
    best = best_of(whole("newton", model="linear", weight_decay=0.0), data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InexactWarning)
        assert 'C=float("inf")' in best.to_code("sklearn", strict=False)
        assert best.to_sklearn("LogisticRegression", strict=False)["C"] == np.inf


@pytest.mark.parametrize(
    ("optimizer", "target", "said"),
    [
        ("random_weights", "torch", "it makes no steps, it draws weights; take the weights themselves"),
        ("finite_differences", "optax", "gradient_descent makes the same steps: tune that"),
        ("steepest", "keras", "no framework halves a step until it pays"),
        ("lbfgs", "keras", "given a gradient, and no loss to search along; use --to torch or --to sklearn"),
        ("lbfgs", "optax", "given a gradient, and no loss to search along"),
        ("newton", "torch", "it has no Hessian of a model; use --to sklearn"),
    ],
)
def test_what_has_no_like_is_refused_with_the_reason(optimizer, target, said):
    with pytest.raises(InvalidInput, match=f"optimizer: {optimizer} cannot go to {target}: .*{said}"):
        best_of(whole(optimizer, model="linear"), problem(())).to_code(target)


def test_rows_are_asked_for_where_the_penalty_depends_on_them():
    best = best_of(whole("lbfgs"), problem())
    with pytest.raises(InvalidInput, match=r"n_samples: a step sees all rows; n_samples=len\(x\) says how many"):
        best.to_sklearn("MLPClassifier", strict=False)
    with pytest.raises(InvalidInput, match="is linear, but the tuned model has hidden layers; take an MLP"):
        best.to_sklearn("LogisticRegression", n_samples=10)
