"""A trained model as a fitted pipeline of scikit-learn, with its preparation; needs scikit-learn and pandas, and the
files beside this one.

    model = load()          # ColumnTransformer, then a soft vote, or a mean, of MLPClassifier or MLPRegressor
    model.predict(frame)    # as the study's own model
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelBinarizer, LabelEncoder, OneHotEncoder, StandardScaler

__all__ = ["load"]


def days(frame: Any) -> Any:
    """Return columns of dates as days since 1970."""
    found = frame.apply(lambda column: pd.to_datetime(column, format="ISO8601", utc=True))
    return (found - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)


def as_trained(inputs: Any, dtype: str = "float32") -> Any:
    """Return inputs rounded to the numbers that the networks were trained on."""
    return inputs.astype(dtype).astype(np.float64)


def load(folder: str | Path = Path(__file__).parent) -> Any:
    """Return the fitted pipeline of the files in a folder."""
    place = Path(folder)
    about = json.loads((place / "preparation.json").read_text(encoding="utf-8"))
    facts = json.loads((place / "model.json").read_text(encoding="utf-8"))
    activation, about["threshold"] = facts["network"]["activation"], facts.get("threshold")
    with np.load(place / "weights.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    rounded = FunctionTransformer(as_trained, kw_args={"dtype": about["dtype"]})
    columns, network = _columns(about), _network(about, arrays, activation)
    return Pipeline([("columns", columns), ("rounded", rounded), ("network", network)])


def _columns(about: dict[str, Any]) -> Any:
    """Return the preparation: fitted on two rows that have its columns, then given its own numbers."""
    kinds: dict[str, list[dict[str, Any]]] = {"number": [], "date": [], "text": []}
    for column in about["columns"]:
        kinds[column["kind"]].append(column)
    numbers = [column for column in about["columns"] if column["kind"] != "text"]
    steps = []
    # one step for each run of columns of a kind, so that inputs stand in the order of training
    for i, column in enumerate(numbers):
        first = [FunctionTransformer(days)] if column["kind"] == "date" else []
        scaled = make_pipeline(*first, SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
        steps.append((f"number {i}", scaled, [column["name"]]))
    for i, column in enumerate(kinds["text"]):
        filled = SimpleImputer(strategy="constant", fill_value="(missing)", missing_values=None)
        one_hot = OneHotEncoder(categories=[column["categories"]], handle_unknown="ignore", sparse_output=False)
        steps.append((f"text {i}", make_pipeline(FunctionTransformer(_objects), filled, one_hot), [column["name"]]))
    example = {c["name"]: {"number": 0.0, "date": "1970-01-01", "text": "x"}[c["kind"]] for c in about["columns"]}
    whole = ColumnTransformer(steps).fit(pd.DataFrame([example, example]))
    for i, column in enumerate(numbers):
        *_, imputer, scaler = (step for _, step in whole.named_transformers_[f"number {i}"].steps)
        imputer.statistics_ = np.array([column.get("median", 0.0)])
        scaler.mean_, scaler.scale_ = np.array([column.get("mean", 0.0)]), np.array([column.get("scale", 1.0)])
    return whole


def _objects(frame: Any) -> Any:
    """Return texts as objects, gaps as None."""
    return frame.astype(object).where(frame.notna(), None)


def _network(about: dict[str, Any], arrays: dict[str, Any], activation: str) -> Any:
    members = [_member(about, arrays, i, activation) for i in range(len(arrays["W1"]))]
    names = [(f"network {i}", member) for i, member in enumerate(members)]
    if about["task"] != "regression":
        vote = VotingClassifier(names, voting="soft")
        labels = np.array(about["labels"])
        vote.estimators_, vote.le_, vote.classes_ = members, LabelEncoder().fit(np.arange(len(labels))), labels
        vote.le_.classes_ = labels
        return vote if about["threshold"] is None else _thresholded(vote, about["threshold"])
    mean = VotingRegressor(names)
    mean.estimators_ = members
    scaled = TransformedTargetRegressor(mean, transformer=StandardScaler())
    scaled.regressor_, scaled._training_dim = mean, 1
    scaled.transformer_ = StandardScaler().fit(np.zeros((2, 1)))
    scaled.transformer_.mean_, scaled.transformer_.scale_ = np.array(about["y_mean"]), np.array(about["y_scale"])
    return scaled


def _thresholded(vote: Any, threshold: float) -> Any:
    """Return a classifier that says the second class above a probability."""
    second = vote.classes_[1]
    found = FixedThresholdClassifier(
        FrozenEstimator(vote), threshold=threshold, pos_label=second, response_method="predict_proba"
    )
    found.estimator_ = found.estimator
    return found


def _member(about: dict[str, Any], arrays: dict[str, Any], member: int, activation: str) -> Any:
    """Return one network: an estimator with the fitted attributes that its own training would have left."""
    count = sum(name.startswith("W") for name in arrays)
    weights = [arrays[f"W{i}"][member].astype(np.float64) for i in range(1, count + 1)]
    for i in _constant(about):
        weights[0][i] = 0  # a column that the study took as constant says nothing
    kind = MLPRegressor if about["task"] == "regression" else MLPClassifier
    model = kind(hidden_layer_sizes=tuple(w.shape[1] for w in weights[:-1]), activation=activation)
    model.coefs_ = weights
    model.intercepts_ = [arrays[f"b{i}"][member].astype(np.float64) for i in range(1, count + 1)]
    model.n_layers_, model.n_outputs_, model.n_features_in_ = count + 1, weights[-1].shape[1], len(weights[0])
    model.out_activation_ = {"regression": "identity", "binary": "logistic"}.get(about["task"], "softmax")
    if about["task"] != "regression":
        model.classes_ = np.arange(len(about["labels"]))
        model._label_binarizer = LabelBinarizer().fit(model.classes_)
    return model


def _constant(about: dict[str, Any]) -> list[int]:
    numbers = [column for column in about["columns"] if column["kind"] != "text"]
    return [i for i, column in enumerate(numbers) if column.get("constant")]
