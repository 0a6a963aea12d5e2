"""Whole-batch methods: the optimum of scikit-learn and scipy, pure continuation, honest counts, refusals."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from objectives import Model, Problem, Replicate, load_table, prepare
from objectives.data import SplitSpec, table_from
from objectives.errors import InvalidInput
from objectives.evaluation.training_objective import objective_of, surface_objective
from objectives.full_batch import METHODS, Objective, State, advance
from objectives.losses import Loss, huber
from objectives.surfaces import SURFACES, quadratic
from tests.support.problems import Array, Sizes, problem, same_bits

L2 = 0.01


@cache
def known(name: str) -> Problem:
    data = prepare(load_table(f"sklearn:{name}"), SplitSpec(), seed=0, dtype="float64")
    return Problem((Replicate(0, 0, data),), Model())


@cache
def reference(name: str) -> float:
    """The objective at scikit-learn's optimum, by scikit-learn's own log loss."""
    data = known(name).data
    x, y = data.train.x[:, :-1], data.train.y
    labels = y[:, 0] if data.task == "binary" else y.argmax(axis=1)
    fitted = LogisticRegression(C=1 / (L2 * len(x)), tol=1e-10, max_iter=10_000, solver="lbfgs").fit(x, labels)
    return float(log_loss(labels, fitted.predict_proba(x)) + L2 / 2 * (fitted.coef_**2).sum())


def same_state(left: State, right: State) -> bool:
    facts = ("iteration", "value", "functions", "gradients", "hessians", "status", "numbers")
    arrays = [(left.point, right.point), (left.gradient, right.gradient), (left.vectors, right.vectors)]
    return all(getattr(left, f) == getattr(right, f) for f in facts) and all(same_bits(a, b) for a, b in arrays)


@pytest.mark.parametrize("method", ["lbfgs", "newton"])
@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_logistic_regression_reaches_the_objective_of_scikit_learn(name: str, method: str) -> None:
    state = advance(objective_of(known(name), L2), method, 300)
    assert state.status in {"converged", "exhausted"}
    assert abs(state.value - reference(name)) < 1e-8


@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_lbfgs_reaches_the_objective_of_scipy(name: str) -> None:
    objective = objective_of(known(name), L2)
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000, "maxfun": 4000}
    found = minimize(objective.slope, objective.start, jac=True, method="L-BFGS-B", options=options)
    assert abs(advance(objective, "lbfgs", 300).value - found.fun) < 1e-8


@pytest.mark.parametrize("method", ["lbfgs", "newton"])
def test_linear_regression_reaches_ridge(method: str) -> None:
    whole = known("diabetes")
    train, objective = whole.data.train, objective_of(whole, L2)
    fitted = Ridge(alpha=L2 * len(train) / 2).fit(train.x[:, :-1], train.y[:, 0])
    expected = objective.values(np.append(fitted.coef_.ravel(), fitted.intercept_)[None])[0]
    assert abs(advance(objective, method, 200).value - expected) < 1e-12


@pytest.mark.parametrize(
    ("task", "outputs", "loss"),
    [("binary", 1, None), ("multiclass", 3, None), ("regression", 2, None), ("regression", 2, huber(0.8))],
)
def test_hessian_is_the_slope_of_the_gradient(task: str, outputs: int, loss: Loss | None) -> None:
    plain = problem(Sizes(task, outputs, train=600), Model())
    objective = objective_of(Problem(plain.replicates, plain.model, loss), 0.1, biases=True)
    point = np.random.default_rng(1).normal(size=len(objective.start))
    h = 1e-5
    columns = [
        (objective.slope(point + step)[1] - objective.slope(point - step)[1]) / (2 * h)
        for step in h * np.eye(len(point))
    ]
    assert objective.hessian is not None
    np.testing.assert_allclose(objective.hessian(point), np.array(columns), atol=1e-9)


@pytest.mark.parametrize("hidden", [(), (5,)], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_ten_iterations_and_ten_are_twenty(method: str, hidden: tuple[int, ...]) -> None:
    if method == "newton" and hidden:
        return
    objective = objective_of(problem(Sizes(train=600), Model(hidden, "tanh")), 1e-4)
    half = advance(objective, method, 10)
    kept = replace(half, point=half.point.copy(), gradient=half.gradient.copy())
    assert same_state(advance(objective, method, 10, half), advance(objective, method, 20))
    assert same_state(half, kept)


@pytest.mark.parametrize("method", METHODS)
def test_evaluations_are_counted_one_by_one(method: str) -> None:
    objective, made = objective_of(problem(Sizes(), Model()), 1e-3), Counter[str]()

    def values(points: Array) -> Array:
        made["functions"] += len(points)
        return objective.values(points)

    def slope(point: Array) -> tuple[float, Array]:
        made.update(("functions", "gradients"))
        return objective.slope(point)

    def hessian(point: Array) -> Array:
        made["hessians"] += 1
        assert objective.hessian is not None
        return objective.hessian(point)

    state = advance(replace(objective, values=values, slope=slope, hessian=hessian), method, 15)
    assert (state.functions, state.gradients, state.hessians) == tuple(
        made[key] for key in ("functions", "gradients", "hessians")
    )


@pytest.mark.parametrize("method", ["steepest", "newton", "lbfgs"])
@pytest.mark.parametrize("name", SURFACES)
def test_values_never_rise_on_surfaces(name: str, method: str) -> None:
    objective: Objective = surface_objective(SURFACES[name])
    states = [advance(objective, method, n) for n in range(0, 40, 4)]
    assert all(a.value >= b.value for a, b in pairwise(states))


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
@pytest.mark.parametrize("objective", ["rosenbrock", 1e4], ids=str)
def test_curvature_finds_the_minimum_of_a_valley(method: str, objective: Any) -> None:
    surface = SURFACES["rosenbrock"] if objective == "rosenbrock" else quadratic(objective, 6)
    state = advance(surface_objective(surface), method, 200)
    np.testing.assert_allclose(state.point, surface.minima[0], atol=1e-6)


def test_random_weights_keep_the_best_of_what_was_drawn() -> None:
    objective = objective_of(problem(Sizes(), Model((3,))))
    drawn = objective.values(np.stack([objective.start, *(objective.candidate(i) for i in range(30))]))
    assert advance(objective, "random_weights", 30).value == drawn.min()


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_separable_data_without_l2_are_recognised(name: str, method: str) -> None:
    assert advance(objective_of(known(name)), method, 100).status == "separable"


def tabled(x: Array, y: Array, dtype: str = "float64") -> Problem:
    split = SplitSpec()
    return Problem((Replicate(0, 0, prepare(table_from(x, y, split=split), split, 0, dtype=dtype)),), Model())


def nearly_apart(kind: str) -> tuple[Array, Array]:
    """Inputs and classes of which some rows, not all, can be told apart."""
    rng = np.random.default_rng(0)
    x, classes = rng.normal(size=(300, 3)), rng.integers(0, 3, 300)
    if kind == "three classes, one far off":
        return x + 10.0 * (classes == 2)[:, None], classes
    if kind == "a flag of one class of three":
        return np.c_[x, (rng.random(300) < 0.2) & (classes == 2)], classes
    if kind == "equal at the border":
        tens = rng.integers(-5, 6, 300)
        return np.c_[tens, x], np.where(tens == 0, classes > 0, tens > 0).astype(int)
    mixed = (x[:, 0] + rng.normal(size=300) > 0).astype(int)
    return np.c_[x, (rng.random(300) < 0.15) & (mixed == 1)], mixed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", ["newton", "lbfgs"])
@pytest.mark.parametrize(
    "kind", ["a flag of one class", "a flag of one class of three", "equal at the border", "three classes, one far off"]
)
def test_data_separable_for_some_rows_are_recognised(kind: str, method: str, dtype: str) -> None:
    whole = tabled(*nearly_apart(kind), dtype)
    assert advance(objective_of(whole), method, 100).status == "separable"
    assert advance(objective_of(whole, 1e-3, biases=True), method, 200).status == "converged"


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
@pytest.mark.parametrize("kind", ["overlap", "the same column twice", "three classes"])
def test_classes_that_overlap_have_an_optimum(kind: str, method: str) -> None:
    rng = np.random.default_rng(0)
    x, classes = rng.normal(size=(300, 3)), rng.integers(0, 3, 300)
    y = classes if kind == "three classes" else (x[:, 0] + rng.normal(size=300) > 0).astype(int)
    x = x[:, [0, 1, 2, 0]] if kind == "the same column twice" else x
    assert advance(objective_of(tabled(x, y)), method, 100).status == "converged"


def apart(whole: Problem) -> bool:
    """Whether a linear program finds a direction along which no row is worse off and some row better."""
    train = whole.data.train
    signed = (2 * train.y - 1) * train.x
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    return bool(-found.fun > 1e-7)


def test_the_verdict_on_small_tables_is_that_of_a_linear_program() -> None:
    rng, seen = np.random.default_rng(3), Counter[bool]()
    for _ in range(60):
        x = rng.integers(-2, 3, (60, 3)).astype(float)
        y = (x @ rng.normal(size=3) + rng.uniform(0.1, 1.5) * rng.normal(size=60) > 0).astype(int)
        if not 3 <= y.sum() <= 57:
            continue
        whole = tabled(x, y)
        state = advance(objective_of(whole), "newton", 200)
        assert (state.status == "separable") == apart(whole)
        seen[apart(whole)] += 1
    assert min(seen[True], seen[False]) > 5


@pytest.mark.parametrize("method", METHODS)
def test_a_start_where_everything_overflows_ends_without_a_claim(method: str) -> None:
    state = advance(surface_objective(SURFACES["rosenbrock"]), method, 3, start=np.array([1e200, -1e200]))
    assert state.status != "converged"


def test_what_cannot_be_done_is_refused_with_the_reason() -> None:
    deep = objective_of(problem(Sizes(), Model((5,))))
    with pytest.raises(InvalidInput, match=r"newton: .*hidden layers \[5\].*use lbfgs"):
        advance(deep, "newton", 1)
    with pytest.raises(InvalidInput, match=r"'lbgfs' is not known; did you mean 'lbfgs'"):
        advance(deep, "lbgfs", 1)
    with pytest.raises(InvalidInput, match="l2: must be finite and at least 0"):
        objective_of(problem(Sizes(), Model()), -1.0)
    with pytest.raises(InvalidInput, match=r"start: has the shape \(2,\)"):
        advance(deep, "lbfgs", 1, start=np.zeros(2))
    with pytest.raises(InvalidInput, match="start: is not finite everywhere"):
        advance(deep, "lbfgs", 1, start=np.full_like(deep.start, np.inf))
