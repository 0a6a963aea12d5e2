"""Values of single rows: their mean is the metric, and they are what one row alone gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from objectives.data import prepare, table_from
from objectives.errors import InvalidInput
from objectives.evaluation.predictions import predict
from objectives.evaluation.row_values import row_values
from objectives.models import Model
from objectives.problem import Problem, Replicate
from objectives.training.descent import descend

CONFIGS = [{"optimizer": "momentum", "lr": lr, "epochs": 2} for lr in (0.01, 0.1, 0.3)]
METRICS = {
    "binary": ("loss", "accuracy"),
    "multiclass": ("loss", "accuracy"),
    "regression": ("loss", "r2", "rmse"),
}
CASES = [(task, name) for task, names in METRICS.items() for name in names]


def trained(task: str, rows: int = 1500) -> tuple[Problem, Any]:
    """Two replicates, three trials; more validation rows than are looked at at once."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 5))
    score = x @ rng.standard_normal(5) + 0.5 * rng.standard_normal(rows)
    targets = {
        "regression": np.stack([score, score**2], 1),
        "binary": score > 0,
        "multiclass": np.digitize(score, [-1, 1]),
    }
    table = table_from(x, targets[task], task=task)
    data = [prepare(table, seed=0, replicate=r, dtype="float64") for r in (0, 1)]
    problem = Problem(tuple(Replicate(0, r, one) for r, one in enumerate(data)), Model((6,), "tanh"))
    size = min(32, len(problem.data.train))
    return problem, descend(problem, [config | {"batch_size": size} for config in CONFIGS], 2)


@pytest.mark.parametrize(("task", "name"), CASES)
def test_their_mean_is_the_metric(task: str, name: str) -> None:
    problem, outcome = trained(task)
    values = row_values(problem, outcome.state.weights, "valid", name)
    assert values.shape == (2, 3, len(problem.data.valid))
    assert values.mean(axis=-1) == pytest.approx(outcome.curves[f"valid_{name}"][..., -1], rel=1e-11)
    assert values.std(axis=-1).min() > 0


def test_a_row_has_the_value_of_its_own_prediction() -> None:
    problem, outcome = trained("multiclass")
    weights = outcome.state.weights
    values, hits = (row_values(problem, weights, "test", name) for name in ("loss", "accuracy"))
    for r, k in ((0, 0), (1, 2)):
        part = problem.replicates[r].data.test
        p = predict(problem, weights[r, k], part.x, r)
        assert values[r, k] == pytest.approx(-np.log(p[part.y == 1]))
        assert hits[r, k] == pytest.approx((p.argmax(axis=1) == part.y.argmax(axis=1)).astype(float), abs=1e-9)


def test_the_jackknife_error_of_rmse_is_that_of_the_delta_method() -> None:
    problem, outcome = trained("regression")
    values = row_values(problem, outcome.state.weights, "valid", "rmse")
    n = values.shape[-1]
    data = problem.data
    z = predict(problem, outcome.state.weights[0, 1], data.valid.x)
    squares = ((z - (data.valid.y * data.y_scale + data.y_mean)) ** 2).mean(axis=1)
    delta = squares.std(ddof=1) / (2 * np.sqrt(squares.mean()))
    assert values[0, 1].std(ddof=1) / np.sqrt(n) == pytest.approx(delta / np.sqrt(n), rel=0.02)


def test_one_row_is_the_whole_part() -> None:
    problem, outcome = trained("regression", rows=7)
    assert len(problem.data.valid) == 1
    for name in ("loss", "rmse"):
        values = row_values(problem, outcome.state.weights, "valid", name)
        whole = np.nan_to_num(outcome.curves[f"valid_{name}"][..., -1:])
        assert values == pytest.approx(whole) if name != "r2" else values.shape == (2, 3, 1)


def test_a_metric_of_another_task_is_named() -> None:
    problem, outcome = trained("binary")
    with pytest.raises(InvalidInput, match=r"'accuracies' is no metric of a binary task; did you mean 'accuracy'"):
        row_values(problem, outcome.state.weights, "valid", "accuracies")
