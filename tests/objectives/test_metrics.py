"""Metrics equal scikit-learn's, in the user's units, however many rows and chunks there are."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from objectives.errors import InvalidInput
from objectives.evaluation.predictions import CHUNK, Evaluation, predict, sklearn_metrics
from objectives.metrics import METRICS, RowFacts, WholeMetric, best_threshold, goal_metrics, metrics_of, sklearn_score
from objectives.models import Layers, Model
from objectives.training.descent import descend
from tests.support.problems import TASKS, Array, Sizes, config, problem, same_bits

COUNTS = {"poisson_deviance"}  # of models whose predictions are above 0
OUTPUTS = [("binary", 1), ("multiclass", 4), ("regression", 1), ("regression", 3)]


def labels(task: str, answer: Array) -> Array:
    """Labels `(n,)` of one-hot rows, probabilities or 0/1 columns `(n, C)`."""
    return answer.argmax(axis=1) if task == "multiclass" else (answer[:, 0] > 0.5).astype(int)


def by_sklearn(task: str, y: Array, answer: Array) -> dict[str, float]:
    """Loss and metrics of answers `(n, C)` to targets `(n, C)`; the loss of regression is not in here."""
    if task == "regression":
        return {
            "r2": sk.r2_score(y, answer),
            "rmse": np.sqrt(sk.mean_squared_error(y, answer)),
            "mae": sk.mean_absolute_error(y, answer),
            "mape": sk.mean_absolute_percentage_error(y, answer),
            "pinball": sk.mean_pinball_loss(y, answer),
        }
    proba = np.c_[1 - answer, answer] if task == "binary" else answer
    loss = sk.log_loss(labels(task, y), proba, labels=range(proba.shape[1]))
    return {"loss": loss, "accuracy": sk.accuracy_score(labels(task, y), labels(task, answer))} | decided_and_ranked(
        labels(task, y), labels(task, answer), proba
    )


def decided_and_ranked(y: Array, said: Array, proba: Array) -> dict[str, float]:
    """scikit-learn's metrics of classes `(n,)`, of the classes that are there where ours leaves others out."""
    several = proba.shape[1] > 2
    hits = np.eye(proba.shape[1])[y]
    told = [c for c in range(proba.shape[1]) if 0 < hits[:, c].sum() < len(y)]
    there = [c for c in range(proba.shape[1]) if hits[:, c].any()]
    own = there if several else [1] if 1 in there else []
    told = told if several else told[1:]
    with warnings.catch_warnings(action="ignore"):
        return {
            "auc": np.mean([sk.roc_auc_score(hits[:, c], proba[:, c]) for c in told]) if told else np.nan,
            "average_precision": np.mean([sk.average_precision_score(hits[:, c], proba[:, c]) for c in own])
            if own
            else np.nan,
            "f1": sk.f1_score(y, said, average="macro" if several else "binary", zero_division=0),
            "balanced_accuracy": sk.balanced_accuracy_score(y, said),
            "mcc": sk.matthews_corrcoef(y, said),
        }


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
@pytest.mark.parametrize("valid", [2, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 44])
@pytest.mark.parametrize("part", ["train", "valid"])
def test_metrics_are_scikit_learns(task, outputs, valid, part):
    sizes = Sizes(task, outputs, train=300, valid=valid)
    whole = replace(problem(sizes, Model((5,)), replicates=2, own_splits=True), asked=tuple(METRICS.keys() - COUNTS))
    weights = descend(whole, [config("adam", lr=0.01), config("sgd", lr=0.1)], 2).state.weights
    shapes = whole.model.shapes(whole.inputs, whole.outputs)
    found = Evaluation(whole, 2, part)(Layers(weights, shapes))
    for r, replicate in enumerate(whole.replicates):
        rows, scale, mean = getattr(replicate.data, part), replicate.data.y_scale, replicate.data.y_mean
        for k in range(2):
            answer = predict(whole, weights[r, k], rows.x, r)
            y = rows.y * scale + mean
            expected = by_sklearn(task, y, answer)
            if task == "regression":
                expected["loss"] = float((((y - answer) / scale) ** 2).mean())
            assert set(found) == {f"{part}_{name}" for name in expected}
            for name, value in expected.items():
                np.testing.assert_allclose(found[f"{part}_{name}"][r, k], value, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_float32_metrics_are_close_to_float64(task, outputs):
    values = []
    for dtype in ("float32", "float64"):
        whole = problem(Sizes(task, outputs, valid=700, dtype=dtype), Model())
        weights = np.random.default_rng(0).normal(size=(1, 2, whole.model.size(4, outputs))).astype(dtype)
        values.append(Evaluation(whole, 2, "valid")(Layers(weights, whole.model.shapes(4, outputs))))
    for name, value in values[0].items():
        assert value.dtype == np.float64
        np.testing.assert_allclose(value, values[1][name], rtol=1e-5, atol=1e-3 if name.endswith("accuracy") else 1e-6)


def test_every_task_has_metrics_with_a_direction():
    for task in TASKS:
        assert metrics_of(task)
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.direction in ("minimize", "maximize")
        assert set(metric.tasks) <= set(TASKS)


def facts(n: int, outputs: int = 1) -> RowFacts:
    unit = np.ones((1, 1, outputs))
    return RowFacts(n, unit, unit, 0 * unit)


def whole_metrics(task: str) -> list[WholeMetric]:
    return [row for row in metrics_of(task, tuple(METRICS)) if isinstance(row, WholeMetric)]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), classes=st.integers(2, 5), n=st.integers(1, 40), levels=st.sampled_from((1, 2, 4, 1000)))
def test_ties_and_rare_classes_are_counted_as_scikit_learn_does(
    data: st.DataObject, classes: int, n: int, levels: int
) -> None:
    """The version of scikit-learn is that of the tests' requirements, 1.9 where this was written."""
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    y = np.minimum(rng.geometric(data.draw(st.sampled_from((0.2, 0.5, 0.95))), n) - 1, classes - 1)
    scores = rng.integers(-levels, levels + 1, (n, classes)) / levels
    if classes == 2:
        z, proba = scores[:, 1:], np.c_[1 - 1 / (1 + np.exp(-scores[:, 1])), 1 / (1 + np.exp(-scores[:, 1]))]
        said = (scores[:, 1] > 0).astype(int)
    else:
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        z, proba, said = scores, shares / shares.sum(axis=1, keepdims=True), scores.argmax(axis=1)
    expected = decided_and_ranked(y, said, proba)
    for row in whole_metrics("binary" if classes == 2 else "multiclass"):
        outputs, truth = z.T[None, None], y[None, None, None].astype(float if classes == 2 else int)
        found = float(row.score(outputs, truth, facts(n))[0, 0])
        np.testing.assert_allclose(found, expected[row.name], rtol=1e-12, atol=1e-12, err_msg=row.name)
        parts = row.parts(outputs, truth, facts(n))
        np.testing.assert_allclose(parts.mean(axis=-1)[0, 0], found, rtol=1e-9, atol=1e-9, err_msg=row.name)


@pytest.mark.parametrize("name", ["auc", "average_precision", "f1", "balanced_accuracy", "mcc"])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_spread_of_parts_is_that_of_the_metric_over_new_rows(name: str, classes: int) -> None:
    rng, n, row = np.random.default_rng(4), 400, METRICS[name]
    assert isinstance(row, WholeMetric)
    values, errors = [], []
    for _ in range(400):
        y = rng.choice(classes, n, p=[0.7, 0.3] if classes == 2 else [0.5, 0.35, 0.15])
        scores = np.round(rng.normal(size=(n, classes)) + 1.2 * np.eye(classes)[y], 1)
        z = (scores[:, 1:] - scores[:, :1] if classes == 2 else scores).T[None, None]
        truth = y[None, None, None].astype(float if classes == 2 else int)
        values.append(row.score(z, truth, facts(n))[0, 0])
        errors.append(row.parts(z, truth, facts(n))[0, 0].std(ddof=1) / np.sqrt(n))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(("f1", "balanced_accuracy", "mcc")), st.integers(2, 30), st.integers(0, 9999))
def test_no_threshold_is_better_than_the_best(name: str, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares, y = np.round(rng.random(n), 1), rng.integers(0, 2, n)
    scorer = {"f1": sk.f1_score, "balanced_accuracy": sk.balanced_accuracy_score, "mcc": sk.matthews_corrcoef}[name]
    with warnings.catch_warnings(action="ignore"):
        tried = [scorer(y, shares > least) for least in (*np.arange(0.05, 1, 0.1), 0.5)]
        found = scorer(y, shares > best_threshold(name, shares, y))
    assert found >= max(tried) - 1e-12


@pytest.mark.parametrize(("task", "outputs"), OUTPUTS)
def test_a_metric_of_all_rows_is_the_same_alone_and_in_a_pack(task: str, outputs: int) -> None:
    whole = replace(problem(Sizes(task, outputs, valid=300, dtype="float32"), Model((5,)), 2), asked=tuple(METRICS))
    pack = [config("adam", lr=lr) for lr in (0.01, 0.003, 0.1)]
    together = descend(whole, pack, 3).curves
    for k, one in enumerate(pack):
        alone = descend(whole, [one], 3).curves
        for row in whole_metrics(task):
            assert same_bits(alone[f"valid_{row.name}"][:, 0], together[f"valid_{row.name}"][:, k])


def test_a_training_has_its_tasks_own_metrics_and_those_asked_for() -> None:
    assert [row.name for row in metrics_of("binary")] == ["accuracy"]
    assert [row.name for row in metrics_of("regression")] == ["r2", "rmse"]
    assert [row.name for row in metrics_of("binary", ("auc", "mae"))] == ["accuracy", "auc"]
    assert goal_metrics("valid_auc") == ("auc",)
    assert goal_metrics("valid_loss") == goal_metrics("valid_rmse") == ()


def answers(classes: int) -> tuple[Array, Array, Array]:
    """True labels, predicted labels and probabilities of 60 rows."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, classes, 60)
    logits = rng.normal(size=(60, classes)) + 2 * np.eye(classes)[y]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return y, proba.argmax(axis=1), proba


@pytest.mark.parametrize("classes", [2, 4])
def test_classifiers_are_scored_by_any_scikit_learn_name(classes):
    y, predicted, proba = answers(classes)
    assert sklearn_score("f1_macro", y, predicted, proba) == sk.f1_score(y, predicted, average="macro")
    assert sklearn_score("balanced_accuracy", y, predicted, proba) == sk.balanced_accuracy_score(y, predicted)
    assert sklearn_score("neg_log_loss", y, predicted, proba) == -sk.log_loss(y, proba)
    if classes == 2:
        assert sklearn_score("roc_auc", y, predicted, proba) == sk.roc_auc_score(y, proba[:, 1])
        assert sklearn_score("average_precision", y, predicted, proba) == sk.average_precision_score(y, proba[:, 1])
    else:
        assert sklearn_score("roc_auc_ovr", y, predicted, proba) == sk.roc_auc_score(y, proba, multi_class="ovr")


@pytest.mark.parametrize("classes", [2, 4])
def test_text_labels_are_scored_too(classes):
    y, predicted, proba = answers(classes)
    names = np.array(["ash", "birch", "cedar", "dogwood"])
    for metric in ("f1_macro", "roc_auc_ovr", "neg_log_loss", "accuracy"):
        expected = sklearn_score(metric, y, predicted, proba)
        assert sklearn_score(metric, names[y], names[predicted], proba) == expected


def test_regressors_are_scored_by_any_scikit_learn_name():
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=50), rng.normal(size=50)
    assert sklearn_score("r2", y, predicted) == sk.r2_score(y, predicted)
    assert sklearn_score("neg_mean_absolute_error", y, predicted) == -sk.mean_absolute_error(y, predicted)
    assert sklearn_score("neg_median_absolute_error", y, predicted) == -sk.median_absolute_error(y, predicted)


BY_SKLEARN = {  # scikit-learn's name -> ours, and the sign between them
    "accuracy": ("accuracy", 1),
    "neg_log_loss": ("loss", -1),
    "r2": ("r2", 1),
    "neg_root_mean_squared_error": ("rmse", -1),
}


@pytest.mark.parametrize(
    ("task", "outputs", "names"),
    [
        ("binary", 1, ["accuracy", "neg_log_loss"]),
        ("multiclass", 4, ["accuracy", "neg_log_loss"]),
        ("regression", 1, ["r2", "neg_root_mean_squared_error"]),
        ("regression", 3, ["r2"]),
    ],
)
def test_trials_are_scored_on_a_part_of_their_own_replicate(task, outputs, names):
    whole = problem(Sizes(task, outputs, train=120, valid=200), Model((5,)), replicates=2, own_splits=True)
    weights = descend(whole, [config("adam", lr=0.01)], 2).state.weights
    ours = Evaluation(whole, 1, "valid")(Layers(weights, whole.model.shapes(whole.inputs, whole.outputs)))
    for r in range(2):
        scores = sklearn_metrics(whole, weights[r, 0], names, "valid", r)
        assert list(scores) == [f"valid_{name}" for name in names]
        for name in names:
            our_name, sign = BY_SKLEARN[name]
            np.testing.assert_allclose(sign * scores[f"valid_{name}"], ours[f"valid_{our_name}"][r, 0], rtol=1e-10)


def test_unknown_scores_are_refused_with_the_nearest():
    with pytest.raises(InvalidInput, match="metric: 'f1_makro' is not known; did you mean 'f1_macro'"):
        sklearn_score("f1_makro", np.zeros(2), np.zeros(2))
