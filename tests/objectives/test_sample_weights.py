"""Sample weights: weighted means as torch and scikit-learn have them, the same alone and in a pack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from objectives.criterion import criterion_of
from objectives.data import Part
from objectives.errors import InvalidInput
from objectives.evaluation.predictions import Evaluation, predict, sklearn_metrics
from objectives.evaluation.row_values import row_values
from objectives.evaluation.training_loss import loss_and_gradient
from objectives.evaluation.training_objective import objective_of
from objectives.losses import LOSSES
from objectives.metrics import METRICS, RowFacts, WholeMetric, best_threshold
from objectives.models import Layers, Model
from objectives.problem import Problem, constant_loss
from objectives.training.descent import descend
from tests.support.problems import Array, Sizes, config, problem, same_bits

OUTPUTS = [("binary", 1), ("multiclass", 3), ("regression", 1), ("regression", 2)]


def mean_one(weights: Array) -> Array:
    return (weights / weights.mean())[:, None]


def weighed(plain: Problem, seed: int = 0) -> Problem:
    """The problem with weights drawn anew for each replicate, some of them 0."""
    rng = np.random.default_rng(seed)

    def drawn(part: Part) -> Part:
        weights = rng.exponential(size=len(part)) * (rng.random(len(part)) > 0.2)
        weights[0] = 1
        return replace(part, weights=mean_one(weights))

    data = [replicate.data for replicate in plain.replicates]
    own = [replace(d, train=drawn(d.train), valid=drawn(d.valid), test=drawn(d.test)) for d in data]
    pairs = zip(plain.replicates, own, strict=True)
    return replace(plain, replicates=tuple(replace(replicate, data=d) for replicate, d in pairs))


def small(task: str, outputs: int, **sizes: Any) -> Problem:
    return weighed(problem(Sizes(task, outputs, **sizes), Model(), replicates=2, own_splits=True))


def torch_slope(name: str, z: Array, y: Array, weights: Array) -> tuple[float, Array]:
    """Mean loss and its derivative `(B, C)` of torch's losses with `reduction="none"`, by weights `(B, 1)`."""
    torch = pytest.importorskip("torch", reason="compares with torch: pip install torch==2.13.0")
    functions = {
        "binary_cross_entropy": torch.nn.BCEWithLogitsLoss(reduction="none"),
        "softmax_cross_entropy": torch.nn.CrossEntropyLoss(reduction="none"),
        "squared_error": torch.nn.MSELoss(reduction="none"),
        "absolute_error": torch.nn.L1Loss(reduction="none"),
        "huber": torch.nn.HuberLoss(reduction="none"),
        "quantile": lambda z, y: (y - z).abs() / 2,
    }
    own = torch.tensor(z, requires_grad=True)
    rows = functions[name](own, torch.tensor(y)).reshape(len(z), -1).mean(dim=1)
    (rows * torch.tensor(weights[:, 0])).mean().backward()
    assert own.grad is not None
    return float((rows.detach().numpy() * weights[:, 0]).mean()), own.grad.numpy()


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_the_loss_is_torchs_weighted_mean(task: str, outputs: int) -> None:
    for name in [name for name, loss in LOSSES.items() if loss.task == task and name != "poisson"]:
        whole = replace(small(task, outputs, train=700), trains_on=criterion_of({"loss": name}, task))
        rng = np.random.default_rng(0)
        points = rng.normal(size=(2, whole.model.size(4, outputs)))
        for r in range(2):
            train = whole.replicates[r].data.train
            found, gradient = loss_and_gradient(whole, points, r)
            assert train.weights is not None
            for k in range(2):
                z = train.x @ points[k].reshape(-1, outputs)
                expected, slope = torch_slope(name, z, train.y, train.weights)
                assert found[k] == pytest.approx(expected, rel=1e-10)
                np.testing.assert_allclose(gradient[k], (train.x.T @ slope).ravel(), atol=1e-10)


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_an_epoch_of_one_batch_steps_down_the_weighted_gradient(task: str, outputs: int) -> None:
    whole = small(task, outputs, train=40)
    start = np.stack([whole.initial(replicate) for replicate in whole.replicates])
    after = descend(whole, [config("sgd", lr=0.1, batch_size=40)], 1)
    for r in range(2):
        loss, gradient = loss_and_gradient(whole, start[[r]], r)
        np.testing.assert_allclose(after.state.weights[r, 0], start[r] - 0.1 * gradient[0], atol=1e-12)
        assert after.curves["train_loss"][r, 0, 0] == pytest.approx(loss[0])


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS[:3])
def test_newton_has_the_weighted_hessian(task: str, outputs: int) -> None:
    whole = small(task, outputs)
    objective, point = objective_of(whole, 0.01, replicate=1), np.random.default_rng(0).normal(size=5 * outputs)
    assert objective.hessian is not None
    h, step = 1e-6, np.eye(len(point))
    slopes = [(objective.slope(point + h * e)[1] - objective.slope(point - h * e)[1]) / (2 * h) for e in step]
    np.testing.assert_allclose(objective.hessian(point), np.array(slopes), atol=1e-6)


def test_rows_without_weight_do_not_keep_classes_from_being_separated() -> None:
    plain = problem(Sizes("binary", 1, train=30), Model())
    train = plain.data.train
    y = (train.x[:, :1] > 0).astype(float)
    y[:3] = 1 - y[:3]
    counts = mean_one(np.r_[np.zeros(3), np.ones(27)])
    data = [replace(plain.data, train=Part(train.x, y, weights)) for weights in (None, counts)]
    found = [objective_of(replace(plain, replicates=(replace(plain.replicates[0], data=one),))) for one in data]
    along = np.array([1.0, 0, 0, 0, 0])
    margins = [one.margin(along) for one in found if one.margin is not None]
    assert margins[0] < 0 < margins[1]


def by_sklearn(task: str, y: Array, answer: Array, weights: Array) -> dict[str, float]:
    if task == "regression":
        return {
            "r2": sk.r2_score(y, answer, sample_weight=weights),
            "rmse": np.sqrt(sk.mean_squared_error(y, answer, sample_weight=weights)),
            "mae": sk.mean_absolute_error(y, answer, sample_weight=weights),
            "mape": sk.mean_absolute_percentage_error(y, answer, sample_weight=weights),
            "pinball": sk.mean_pinball_loss(y, answer, sample_weight=weights),
        }
    proba = np.c_[1 - answer, answer] if task == "binary" else answer
    truth, said = y[:, 0].astype(int) if task == "binary" else y.argmax(axis=1), proba.argmax(axis=1)
    hits, own = np.eye(proba.shape[1])[truth], range(1, 2) if task == "binary" else range(proba.shape[1])
    average = "binary" if task == "binary" else "macro"
    return {
        "loss": sk.log_loss(truth, proba, sample_weight=weights),
        "accuracy": sk.accuracy_score(truth, said, sample_weight=weights),
        "auc": np.mean([sk.roc_auc_score(hits[:, c], proba[:, c], sample_weight=weights) for c in own]),
        "average_precision": np.mean(
            [sk.average_precision_score(hits[:, c], proba[:, c], sample_weight=weights) for c in own]
        ),
        "f1": sk.f1_score(truth, said, average=average, sample_weight=weights),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, said, sample_weight=weights),
        "mcc": sk.matthews_corrcoef(truth, said, sample_weight=weights),
    }


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_metrics_are_scikit_learns_with_sample_weight(task: str, outputs: int) -> None:
    whole = replace(small(task, outputs, train=60, valid=300), asked=tuple(METRICS.keys() - {"poisson_deviance"}))
    points = np.random.default_rng(1).normal(size=(2, 2, whole.model.size(4, outputs)))
    found = Evaluation(whole, 2, "valid")(Layers(points, whole.shapes))
    for r, k in np.ndindex(2, 2):
        data = whole.replicates[r].data
        answer, y = predict(whole, points[r, k], data.valid.x, r), data.valid.y * data.y_scale + data.y_mean
        assert data.valid.weights is not None
        for name, value in by_sklearn(task, y, answer, data.valid.weights[:, 0]).items():
            np.testing.assert_allclose(found[f"valid_{name}"][r, k], value, rtol=1e-9, err_msg=name)
    for name, values in found.items():
        parts = row_values(whole, points, "valid", name.removeprefix("valid_"))
        np.testing.assert_allclose(parts.mean(axis=-1), values, rtol=1e-9, err_msg=name)


def test_scorers_of_scikit_learn_are_given_the_weights() -> None:
    whole = small("binary", 1, valid=60)
    point = np.random.default_rng(0).normal(size=5)
    found = sklearn_metrics(whole, point, ["f1_macro", "matthews_corrcoef"], "valid", 0)
    rows = whole.data.valid
    assert rows.weights is not None
    truth, said = rows.y[:, 0], predict(whole, point, rows.x)[:, 0] > 0.5
    expected = sk.f1_score(truth, said, average="macro", sample_weight=rows.weights[:, 0])
    assert found["valid_f1_macro"] == pytest.approx(expected)
    plain = small("regression", 1)
    assert np.isnan(sklearn_metrics(plain, point, ["neg_max_error"], "valid", 0)["valid_neg_max_error"])


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([2, 4]), st.integers(4, 30), st.integers(0, 9999))
def test_whole_weights_are_rows_that_occur_so_often(data: st.DataObject, classes: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(any)))
    y, scores = rng.integers(0, classes, n), rng.integers(-2, 3, (n, classes)) / 2
    z = scores[:, 1:] if classes == 2 else scores
    again, unit = np.repeat(np.arange(n), counts), np.ones((1, 1, z.shape[1]))
    facts = RowFacts(n, unit, unit, 0 * unit, mean_one(counts.astype(float)).reshape(1, 1, -1))
    for row in METRICS.values():
        if isinstance(row, WholeMetric) and "binary" in row.tasks:
            outputs, truth = z.T[None, None], y[None, None, None].astype(float if classes == 2 else int)
            found = row.score(outputs, truth, facts)[0, 0]
            plain = RowFacts(len(again), unit, unit, 0 * unit)
            expected = row.score(outputs[..., again], truth[..., again], plain)[0, 0]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=row.name)
            if n > 1 and np.isfinite(found):
                parts = row.parts(outputs, truth, facts)
                np.testing.assert_allclose(parts.mean(), found, rtol=1e-7, atol=1e-7, err_msg=row.name)
    shares, hits = rng.integers(0, 9, n) / 8, y == 1
    assert best_threshold("f1", shares, hits, counts) == best_threshold("f1", shares[again], hits[again])


@pytest.mark.parametrize("name", ["loss", "accuracy", "auc", "average_precision", "f1", "mcc"])
def test_the_spread_of_row_values_is_that_of_weighted_metrics_over_new_rows(name: str) -> None:
    values, errors, n = [], [], 300
    plain = problem(Sizes("binary", 1, train=8, valid=8), Model())
    point, rng = np.array([[[1.0, 0.5, 0, 0, 0.2]]]), np.random.default_rng(3)
    for _ in range(300):
        x = np.c_[rng.normal(size=(n, 4)), np.ones(n)]
        y = (x @ point[0, 0] + rng.logistic(size=n) > 0).astype(float)[:, None]
        part = Part(x, y, mean_one(rng.exponential(size=n) * (1 + (x[:, 0] > 0))))
        data = replace(plain.data, valid=part)
        whole = replace(plain, replicates=(replace(plain.replicates[0], data=data),), asked=(name,))
        parts = row_values(whole, point, "valid", name)[0, 0]
        values.append(parts.mean())
        errors.append(parts.std(ddof=1) / np.sqrt(n))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_a_trial_with_weights_has_the_same_bits_alone_and_in_a_pack(task: str, outputs: int) -> None:
    plain = problem(Sizes(task, outputs, train=50, valid=200, dtype="float32"), Model((5,)), 2, own_splits=True)
    whole = replace(weighed(plain), asked=tuple(METRICS))
    pack = [config("adam", lr=lr) for lr in (0.01, 0.003, 0.1)]
    together = descend(whole, pack, 3)
    for k, one in enumerate(pack):
        alone = descend(whole, [one], 3)
        assert same_bits(alone.state.weights[:, 0], together.state.weights[:, k])
        for name, curve in alone.curves.items():
            assert same_bits(curve[:, 0], together.curves[name][:, k]), name


def test_the_constant_prediction_is_the_weighted_mean() -> None:
    whole = small("regression", 1, train=50)
    train, valid = whole.data.train, whole.data.valid
    assert train.weights is not None
    assert valid.weights is not None
    mean = np.average(train.y[:, 0], weights=train.weights[:, 0])
    expected = np.average((valid.y[:, 0] - mean) ** 2, weights=valid.weights[:, 0])
    assert constant_loss(whole.data, valid) == pytest.approx(expected)


def test_classes_are_not_weighed_beside_rows() -> None:
    with pytest.raises(InvalidInput, match="class_weight: does not go with weights of rows; keep one of them"):
        replace(small("binary", 1), trains_on=criterion_of({"class_weight": "balanced"}, "binary"))
