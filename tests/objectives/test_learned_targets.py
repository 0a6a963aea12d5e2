"""Counts, quantiles and logarithms: losses and metrics of torch and scikit-learn, in the target's own units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import PoissonRegressor, QuantileRegressor

from objectives.criterion import criterion_of
from objectives.data import Prepared, open_prepared, prepare, save_prepared, table_from
from objectives.data.preparation import Preparation
from objectives.data.prepare import preparation_of
from objectives.data.splits import SplitSpec, divide
from objectives.data.transforms import TRANSFORMS, losses_in_units
from objectives.errors import DataError, InvalidInput
from objectives.evaluation.predictions import Evaluation, predict
from objectives.evaluation.row_values import row_values
from objectives.evaluation.training_loss import loss_and_gradient
from objectives.evaluation.training_objective import objective_of
from objectives.losses import LOSSES
from objectives.metrics import METRICS
from objectives.models import Layers, Model
from objectives.problem import Problem, Replicate, constant_loss
from objectives.training.descent import descend
from tests.support.problems import Array, config, same_bits

ASKED = {"log": "log", "log1p": "log", "log_link": "log_link"}


def drawn(kind: str, n: int = 200) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 3))
    mean = np.exp(x @ [0.5, -0.3, 0.1] + 1)
    return x, mean * np.exp(0.2 * rng.normal(size=n)) if kind == "log" else rng.poisson(mean).astype(float)


def data_of(kind: str, dtype: str = "float64") -> Prepared:
    return prepare(table_from(*drawn(kind), task="regression", transform=ASKED[kind]), dtype=dtype)


def problem_of(kind: str, model: Model | None = None, dtype: str = "float64", replicates: int = 2) -> Problem:
    table = table_from(*drawn(kind), task="regression", transform=ASKED[kind])
    data = [prepare(table, replicate=r, dtype=dtype) for r in range(replicates)]
    criterion = LOSSES["poisson"] if kind == "log_link" else None
    asked = tuple(METRICS if kind != "log1p" else METRICS.keys() - {"poisson_deviance", "mape"})
    return Problem(tuple(Replicate(7, r, d) for r, d in enumerate(data)), model or Model(), criterion, asked)


def test_the_gradient_of_counts_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="compares with torch: pip install torch==2.13.0")
    whole, point = problem_of("log_link"), np.random.default_rng(0).normal(size=(1, 4)) / 3
    train = whole.data.train
    loss, gradient = loss_and_gradient(whole, point)
    weights = torch.tensor(point.T, requires_grad=True)
    theirs = torch.nn.PoissonNLLLoss()(torch.tensor(train.x) @ weights, torch.tensor(train.y))
    theirs.backward()
    assert weights.grad is not None
    np.testing.assert_allclose(gradient[0], weights.grad.numpy()[:, 0], atol=1e-12)
    logs = np.log(train.y, out=np.zeros(train.y.shape), where=train.y > 0)
    assert loss[0] == pytest.approx(theirs.item() + (train.y * logs - train.y).mean())
    assert whole.data.y_mean == [0]
    assert train.y.mean() == pytest.approx(1)


def test_newton_ends_at_scikit_learns_poisson_regression() -> None:
    whole = problem_of("log_link", replicates=1)
    train = whole.data.train
    theirs = PoissonRegressor(alpha=0.01, tol=1e-10, max_iter=1000).fit(train.x[:, :-1], train.y[:, 0])
    newton = {"optimizer": "newton", "epochs": 20, "schedule": "constant", "weight_decay": 0.01, "decay": "weights"}
    ours = descend(whole, [newton], 20).state.weights[0, 0]
    np.testing.assert_allclose(ours, [*theirs.coef_, theirs.intercept_], atol=1e-5)
    objective, point, h = objective_of(whole), np.array([0.1, 0.2, -0.1, 0.3]), 1e-6
    assert objective.hessian is not None
    slopes = [(objective.slope(point + h * e)[1] - objective.slope(point - h * e)[1]) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(objective.hessian(point), np.array(slopes), atol=1e-6)


def test_a_quantile_is_that_of_scikit_learn() -> None:
    x, y = drawn("log")
    data = prepare(table_from(x, y, task="regression"), dtype="float64")
    member = {"optimizer": "adam", "lr": 0.02, "loss": "quantile", "quantile": 0.9, "batch_size": 120, "epochs": 1500}
    whole = Problem((Replicate(7, 0, data),), Model(), criterion_of(member, "regression"), ("pinball@0.9",))
    ended = descend(whole, [member | {"schedule": "cosine"}], 1500)
    train = data.train
    theirs = QuantileRegressor(quantile=0.9, alpha=0).fit(train.x[:, :-1], train.y[:, 0])
    best = sk.mean_pinball_loss(train.y[:, 0], theirs.predict(train.x[:, :-1]), alpha=0.9)
    assert ended.curves["train_loss"][0, 0, -1] == pytest.approx(best, rel=0.01)
    said, truth = predict(whole, ended.state.weights[0, 0], data.valid.x), data.truth(data.valid.y)
    expected = sk.mean_pinball_loss(truth, said, alpha=0.9)
    assert ended.curves["valid_pinball"][0, 0, -1] == pytest.approx(expected)
    with pytest.raises(InvalidInput, match=r"quantile: must lie in \(0, 1\), but got 1"):
        criterion_of({"loss": "quantile", "quantile": 1}, "regression")


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_metrics_are_in_the_targets_own_units(kind: str) -> None:
    whole = problem_of(kind, Model((5,)))
    points = descend(whole, [config("adam", lr=0.02), config("adam", lr=0.05)], 5).state.weights
    found = Evaluation(whole, 2, "valid")(Layers(points, whole.shapes))
    x, y = drawn(kind)
    rows = table_from(x, y, task="regression").rows
    for r, k in np.ndindex(2, 2):
        data = whole.replicates[r].data
        said, truth = predict(whole, points[r, k], data.valid.x, r), y[divide(rows, SplitSpec(), 0, r).valid][:, None]
        np.testing.assert_allclose(data.truth(data.valid.y), truth, rtol=1e-12, atol=1e-12)
        expected = {
            "r2": sk.r2_score(truth, said),
            "rmse": np.sqrt(sk.mean_squared_error(truth, said)),
            "mae": sk.mean_absolute_error(truth, said),
            "pinball": sk.mean_pinball_loss(truth, said),
        }
        if kind != "log1p":
            expected["poisson_deviance"] = sk.mean_poisson_deviance(truth, said)
            expected["mape"] = sk.mean_absolute_percentage_error(truth, said)
        expected["loss"] = losses_in_units(kind, said, truth, data.y_scale).mean()
        for name, value in expected.items():
            np.testing.assert_allclose(found[f"valid_{name}"][r, k], value, rtol=1e-9, err_msg=name)
    for name, values in found.items():
        parts = row_values(whole, points, "valid", name.removeprefix("valid_"))
        np.testing.assert_allclose(parts.mean(axis=-1), values, rtol=1e-9, err_msg=name)
    if kind == "log_link":
        deviance = sk.mean_poisson_deviance(truth, said) / (2 * data.y_scale[0])
        assert found["valid_loss"][1, 1] == pytest.approx(deviance)


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_a_trial_has_the_same_bits_alone_and_in_a_pack(kind: str) -> None:
    whole = problem_of(kind, Model((5,)), "float32")
    pack = [config("adam", lr=lr) for lr in (0.01, 0.003, 0.1)]
    together = descend(whole, pack, 3)
    for k, one in enumerate(pack):
        alone = descend(whole, [one], 3)
        assert same_bits(alone.state.weights[:, 0], together.state.weights[:, k])
        for name, curve in alone.curves.items():
            assert same_bits(curve[:, 0], together.curves[name][:, k]), name


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_a_form_is_kept_with_the_data(kind: str, tmp_path: Path) -> None:
    data = data_of(kind)
    save_prepared(data, tmp_path / "p")
    kept = open_prepared(tmp_path / "p")
    assert (kept.transform, kept.digest) == (kind, data.digest)
    table = table_from(*drawn(kind), task="regression", transform=ASKED[kind])
    about = preparation_of(table, divide(table.rows, SplitSpec(), 0))
    again = Preparation.of(about.document())
    outputs = np.linspace(-1, 1, 5)[:, None]
    np.testing.assert_array_equal(again.predicted(outputs), data_of(kind, "float32").predicted(outputs))
    plain = table_from(*drawn(kind), task="regression")
    assert "target_transform" not in preparation_of(plain, divide(plain.rows, SplitSpec(), 0)).document()
    with pytest.raises(ValueError, match="target_transform 'lag'"):
        Preparation.of(about.document() | {"target_transform": "lag"})


def test_a_constant_of_counts_is_their_mean() -> None:
    data = data_of("log_link")
    own, y = data.train.y.mean(), data.truth(data.valid.y)[:, 0]
    deviance = sk.mean_poisson_deviance(y, np.full(len(y), own * data.y_scale[0]))
    assert constant_loss(data, data.valid) == pytest.approx(deviance / (2 * data.y_scale[0]))


def test_targets_without_a_logarithm_are_refused_by_their_rows() -> None:
    x, y = drawn("log_link", 30)
    y[[3, 7]] = -2
    said = r"is negative in rows 4, 8, as low as -2, and has no logarithm there; correct it, or leave target_transform"
    with pytest.raises(DataError, match=said):
        table_from(x, y, task="regression", transform="log")
    with pytest.raises(DataError, match="rows 4, 8, as low as -2, and counts are not; correct it"):
        table_from(x, y, task="regression", transform="log_link")
    with pytest.raises(DataError, match="is taken for classes of a binary task, which have no logarithm"):
        table_from(x, (y > 1).astype(int), transform="log")
    y[[3, 7]] = 0
    assert "learned as log(1 + target), as some are 0" in " ".join(
        table_from(x, y, task="regression", transform="log").inferred
    )
    assert table_from(x, y + 1, task="regression", transform="log").transform == "log"


def test_counts_need_a_target_with_a_log_link() -> None:
    counts = problem_of("log_link")
    with pytest.raises(InvalidInput, match="poisson needs a target with a log link, and no other loss has one"):
        replace(counts, trains_on=LOSSES["huber"])
    plain = problem_of("log")
    with pytest.raises(InvalidInput, match="poisson needs a target with a log link"):
        replace(plain, trains_on=LOSSES["poisson"])
