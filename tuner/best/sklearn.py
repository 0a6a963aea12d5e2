"""scikit-learn: settings of its estimators, whose training loops are their own.

Its alpha is an L2 penalty on weights, never on biases, divided by the rows of a batch; its squared error is halved and
summed over outputs. So `alpha = weight_decay x batch_size`, and rates of a regression are `2 / outputs` times as large.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from objectives.errors import Complaint, InvalidInput, nearest
from tuner.best.differences import StepDifference, lacking, same_steps, unweighted
from tuner.best.recipe import Recipe
from tuner.best.source import arguments, call_text, function, head, module, targets_of
from tuner.best.whole_batch import SEARCHED

__all__ = ["ESTIMATORS", "code", "optimizer_parts", "settings"]


LINEAR_LOSSES = {
    "binary_cross_entropy": "log_loss",
    "softmax_cross_entropy": "log_loss",
    "squared_error": "squared_error",
    "huber": "huber",
    "absolute_error": "epsilon_insensitive",  # which it is where epsilon is 0
}


@dataclass(frozen=True)
class Estimator:
    """Where an estimator lives, the tasks it is for, and what makes its settings and finds its differences."""

    module: str
    tasks: tuple[str, ...]
    settings: Callable[[Recipe, int | None], dict[str, Any]]
    differences: Callable[[Recipe, int | None], list[StepDifference]]


def settings(recipe: Recipe, name: str, n_samples: int | None = None, strict: bool = True) -> dict[str, Any]:
    """Return keyword arguments with which the estimator `name` makes the config's steps on `n_samples` train rows.

    Raises InexactMapping, and InvalidInput for an estimator that cannot be this model.
    """
    row = _estimator(recipe, name)
    found = row.settings(recipe, n_samples)
    same_steps(recipe, "sklearn", strict, row.differences(recipe, n_samples))
    return found


def code(recipe: Recipe, strict: bool = True) -> str:
    """Write a module that builds the tuned model. Raises InexactMapping."""
    name, rows = estimator_of(recipe), recipe.model.get("rows")
    row = _estimator(recipe, name)
    found = same_steps(recipe, "sklearn", strict, [*unweighted(recipe, "sklearn"), *row.differences(recipe, rows)])
    made = call_text(name, row.settings(recipe, rows))
    says = f"The tuned model, to be fitted on inputs prepared as said above, and {targets_of(recipe)}."
    imports = f"from {row.module} import {name}"
    return module(
        f"{head(recipe, found, 'make_model().fit(x, y)')}\n{imports}", function("make_model()", says, f"return {made}")
    )


def optimizer_parts(recipe: Recipe) -> list[str]:
    """Raise InvalidInput: there is no optimizer to write."""
    del recipe
    what = "scikit-learn has no optimizer apart from its estimators"
    raise InvalidInput(Complaint("framework", what, "take the values: --to json"))


def _estimator(recipe: Recipe, name: str) -> Estimator:
    if name not in ESTIMATORS:
        raise InvalidInput(Complaint("estimator", f"{name!r} is not known", nearest(name, ESTIMATORS)))
    if recipe.task not in ESTIMATORS[name].tasks:
        fits = [other for other, one in ESTIMATORS.items() if recipe.task in one.tasks]
        raise InvalidInput(Complaint("estimator", f"{name} is not for a {recipe.task} task", nearest("", fits)))
    return ESTIMATORS[name]


def estimator_of(recipe: Recipe) -> str:
    """Return the name of the estimator that can be this model."""
    if recipe.optimizer in SEARCHED and not recipe.hidden and recipe.task != "regression":
        return "LogisticRegression"
    return "MLPRegressor" if recipe.task == "regression" else "MLPClassifier"


def _scale(recipe: Recipe) -> float:
    """Return the ratio of scikit-learn's gradient to the tuned one."""
    return int(recipe.model.get("outputs", 1)) / 2 if recipe.task == "regression" else 1.0


def _network(recipe: Recipe, n_samples: int | None) -> dict[str, Any]:
    """Return the settings of MLPClassifier and MLPRegressor: `epochs` passes without early stopping."""
    scale = _scale(recipe)
    if recipe.optimizer in SEARCHED:
        return _searched(recipe, n_samples, scale)
    values = arguments(recipe, "sklearn")
    adam = "epsilon" in values
    if adam:
        values["epsilon"] *= scale  # Adam's step does not change where gradients and eps grow together
    size = _rows(recipe, n_samples)
    return {
        "hidden_layer_sizes": recipe.hidden,
        "activation": recipe.activation,
        "solver": recipe.call("sklearn").name,
        "alpha": recipe.decay * size * scale,
        "batch_size": size,
        "learning_rate": "constant",
        "learning_rate_init": recipe.lr if adam else recipe.lr / scale,
        **values,
        "max_iter": recipe.epochs,
        "n_iter_no_change": recipe.epochs + 1,
        "tol": 0.0,
    }


def _rows(recipe: Recipe, n_samples: int | None) -> int:
    """Return the rows of a batch. Raises InvalidInput if that is all rows and their number is not given."""
    if n_samples is None and recipe.whole:
        raise InvalidInput(Complaint("n_samples", "a step sees all rows", "n_samples=len(x) says how many they are"))
    if n_samples is None:
        return recipe.batch_size
    return n_samples if recipe.whole else min(recipe.batch_size, n_samples)


def _searched(recipe: Recipe, n_samples: int | None, scale: float) -> dict[str, Any]:
    """Return the settings of scipy's L-BFGS, one iteration an epoch. Raises InvalidInput for newton, which
    networks lack.
    """
    if recipe.optimizer == "newton":
        hint = "a linear classifier can be LogisticRegression; a regression is Ridge(alpha=weight_decay * n / 2)"
        raise InvalidInput(Complaint("estimator", "networks have no newton", hint))
    return {
        "hidden_layer_sizes": recipe.hidden,
        "activation": recipe.activation,
        "solver": "lbfgs",
        "alpha": recipe.decay * _rows(recipe, n_samples) * scale,
        "max_iter": recipe.epochs,
        "tol": 1e-9,
    }


def _logistic(recipe: Recipe, n_samples: int | None) -> dict[str, Any]:
    """Return those of LogisticRegression, `C = 1 / (weight_decay n)`. Raises InvalidInput for networks, and rules
    with a rate.
    """
    if recipe.hidden:
        raise InvalidInput(Complaint("estimator", "is linear, but the tuned model has hidden layers", "take an MLP"))
    if recipe.optimizer not in SEARCHED:
        what = f"goes to the optimum, but {recipe.optimizer} was tuned to stop after {recipe.epochs} epochs"
        raise InvalidInput(Complaint("estimator", what, "take MLPClassifier, without hidden layers"))
    solver = {"newton": "newton-cholesky", "lbfgs": "lbfgs"}[recipe.optimizer]
    strength = 1 / (recipe.decay * _rows(recipe, n_samples)) if recipe.decay else math.inf
    return {"C": strength, "solver": solver, "max_iter": max(recipe.epochs, 1000), "tol": 1e-8}


def _logistic_differences(recipe: Recipe, n_samples: int | None) -> list[StepDifference]:
    del n_samples
    found = lacking(recipe, "sklearn")
    if recipe.decay and not recipe.weights_only:
        size = f"of weight_decay {recipe.decay:g}"
        found.append(StepDifference("weight decay", "it does not decay the intercept", size))
    return found


def _network_differences(recipe: Recipe, n_samples: int | None) -> list[StepDifference]:
    found = lacking(recipe, "sklearn")
    if recipe.loss == "huber":
        size = f"it is another beyond {recipe.huber_delta:g}"
        found.append(StepDifference("loss", "it has the squared error, not Huber's", size))
    if recipe.loss in ("poisson", "quantile"):
        what = f"it has the squared error, not that of {'counts' if recipe.loss == 'poisson' else 'a quantile'}"
        found.append(StepDifference("loss", what, "it is another everywhere"))
    if recipe.loss == "absolute_error":
        found.append(StepDifference("loss", "it has the squared error, not the absolute", "it is another everywhere"))
    if recipe.moves:
        what = f"no {recipe.schedule} schedule" if recipe.schedule != "constant" else "no warmup"
        found.append(StepDifference("schedule", f"it has {what}", f"its rate stays {recipe.lr:g}"))
    return found + (_alpha_differences(recipe, n_samples) if recipe.decay else [])


def _alpha_differences(recipe: Recipe, n_samples: int | None) -> list[StepDifference]:
    found, topic = [], "weight decay"
    if recipe.decoupled and recipe.optimizer != "sgd":
        what = "its alpha adds to the gradient, the tuned decay shrinks the weights"
        found.append(StepDifference(topic, what, f"of weight_decay {recipe.decay:g}"))
    if not recipe.weights_only:
        found.append(StepDifference(topic, "its alpha does not decay biases", f"of weight_decay {recipe.decay:g}"))
    rest = 0 if recipe.whole else recipe.batch_size if n_samples is None else n_samples % recipe.batch_size
    if rest and (n_samples is None or n_samples > recipe.batch_size):
        times = f"{recipe.batch_size / rest:.3g} times" if n_samples is not None else "n_samples= tells how many times"
        found.append(StepDifference(topic, "the last, partial batch decays more", f"{times} as much"))
    return found


def _linear(recipe: Recipe, n_samples: int | None) -> dict[str, Any]:
    """Return the settings of SGDClassifier and SGDRegressor, one step a row. Raises InvalidInput for another model
    or rule.
    """
    del n_samples
    if recipe.hidden:
        raise InvalidInput(Complaint("estimator", "is linear, but the tuned model has hidden layers", "take an MLP"))
    if recipe.optimizer not in ("sgd", "momentum", "nesterov"):
        what = f"has plain descent alone, but the tuned optimizer is {recipe.optimizer}"
        raise InvalidInput(Complaint("estimator", what, "take MLPClassifier or MLPRegressor, without hidden layers"))
    if recipe.loss not in LINEAR_LOSSES:
        raise InvalidInput(Complaint("estimator", f"has no loss {recipe.loss}", "take --to torch, keras or optax"))
    scale = 0.5 if recipe.loss == "squared_error" else 1.0  # of its gradients to the tuned ones
    rate = recipe.lr / (1 - recipe.h.get("momentum", 0.0)) / max(recipe.batch_size, 1)
    falling = recipe.schedule == "inverse_sqrt"
    return {
        "loss": LINEAR_LOSSES[recipe.loss],
        "penalty": "l2" if recipe.decay else None,
        "alpha": recipe.decay * scale,
        "learning_rate": "invscaling" if falling else "constant",
        "eta0": rate / scale,
        "power_t": 0.5,
        "max_iter": recipe.epochs,
        "tol": None,
        **({"epsilon": recipe.huber_delta} if recipe.loss == "huber" else {}),
        **({"epsilon": 0.0} if recipe.loss == "absolute_error" else {}),
    }


def _linear_differences(recipe: Recipe, n_samples: int | None) -> list[StepDifference]:
    del n_samples
    found, rows = lacking(recipe, "sklearn"), recipe.batch_size
    if recipe.whole:
        found.append(StepDifference("batch size", "it makes a step a row", "tuned were steps of all rows"))
    elif rows > 1:
        size = f"tuned were steps of {rows} rows, {rows} times as long"
        found.append(StepDifference("batch size", "it makes a step a row", size))
    if recipe.optimizer != "sgd":
        found.append(StepDifference("momentum", "it has no momentum", f"tuned was {recipe.h['momentum']:g}"))
    if recipe.warmup or recipe.schedule not in ("constant", "inverse_sqrt"):
        what = f"no {recipe.schedule} schedule with a warmup of {recipe.warmup:g}"
        found.append(StepDifference("schedule", f"it has {what}", f"its rate stays {recipe.lr:g}"))
    if recipe.decay and not recipe.weights_only:
        size = f"of weight_decay {recipe.decay:g}"
        found.append(StepDifference("weight decay", "its alpha does not decay the intercept", size))
    if recipe.task == "multiclass":
        found.append(StepDifference("loss", "it fits each class against the rest", "tuned was a softmax over all"))
    return found


ESTIMATORS: dict[str, Estimator] = {
    "MLPClassifier": Estimator("sklearn.neural_network", ("binary", "multiclass"), _network, _network_differences),
    "MLPRegressor": Estimator("sklearn.neural_network", ("regression",), _network, _network_differences),
    "LogisticRegression": Estimator("sklearn.linear_model", ("binary", "multiclass"), _logistic, _logistic_differences),
    "SGDClassifier": Estimator("sklearn.linear_model", ("binary", "multiclass"), _linear, _linear_differences),
    "SGDRegressor": Estimator("sklearn.linear_model", ("regression",), _linear, _linear_differences),
}
