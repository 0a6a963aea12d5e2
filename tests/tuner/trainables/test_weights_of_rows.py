"""A study whose rows count by a column: followed from the search to the shipped model, and refused where it is not
right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import Ridge

import tuner
from objectives.data import SplitSpec, table_from
from objectives.data.splits import divide
from tuner.errors import InexactMapping, StudyError
from tuner.model.judged import judged
from tuner.study import read_study
from tuner.trainables.builtin.refitting import weighted_quantiles
from tuner.views.appendix import appendix_sheet

pytestmark = pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")  # of what the test rows alone have


def table(task: str = "regression", n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, 2))
    score = x @ [1.0, -0.5] + 0.5 * rng.normal(size=n)
    outcome = 20 + 3 * score if task == "regression" else np.where(score > 0.7, "yes", "no")
    return pd.DataFrame(x, columns=["u", "v"]).assign(kg=rng.exponential(size=n), outcome=outcome)


def study(task: str = "regression", **tables: Any) -> dict[str, Any]:
    goal = {"minimize": "valid_mae"} if task == "regression" else {"maximize": "valid_f1"}
    rest: dict[str, Any] = {
        "train": {"epochs": 4, "batch_size": 32},
        "model": {"hidden": [6]},
        "optimizers": {"adam": {}},
    }
    asked = {"study": {"name": task, "trials": 4, **goal}, "data": {"target": "outcome", "weight": "kg"}}
    return asked | rest | {"optimizers": {"adam": {}}, "confirm": {"top": 2, "seeds": 2}} | tables


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    for task in ("regression", "binary"):
        tuner.run(study(task), data=table(task), jobs=1, home=made)
    return made


def held(data: pd.DataFrame) -> pd.DataFrame:
    """The test rows, which the seed alone decides."""
    kind = "regression" if data["outcome"].dtype.kind == "f" else "binary"
    rows = table_from(data.drop(columns="outcome"), data["outcome"], task=kind).rows
    return data.iloc[divide(rows, SplitSpec(), 0).test]


def test_the_model_is_judged_by_weight(home: Path) -> None:
    model, rows = tuner.load_model(home / "regression"), held(table())
    said, truth, weights = model.predict(rows), rows["outcome"], rows["kg"]
    metrics = {name: kinds["ensemble"]["value"] for name, kinds in model.metrics.items()}
    assert metrics["test_mae"] == pytest.approx(sk.mean_absolute_error(truth, said, sample_weight=weights))
    assert metrics["test_r2"] == pytest.approx(sk.r2_score(truth, said, sample_weight=weights))
    expected = np.sqrt(sk.mean_squared_error(truth, said, sample_weight=weights))
    assert metrics["test_rmse"] == pytest.approx(expected)
    assert "Rows count by the column kg" in (home / "regression" / "model" / "card.md").read_text(encoding="utf-8")
    assert "kg" not in model.preparation.sources


def test_a_threshold_and_accuracy_are_by_weight(home: Path) -> None:
    model, rows = tuner.load_model(home / "binary"), held(table("binary"))
    said, truth, weights = model.predict(rows), rows["outcome"], rows["kg"]
    one = model.metrics["test_accuracy"]["ensemble"]
    assert one["value"] == pytest.approx(np.average(said == truth, weights=weights))
    assert one["low"] < one["value"] < one["high"]
    f1 = sk.f1_score(truth, said, pos_label="yes", sample_weight=weights)
    assert model.metrics["test_f1"]["ensemble"]["value"] == pytest.approx(f1)
    test = tuner.load_best(home / "binary").confirmation["test"]["test_accuracy"]
    assert test["low"] < test["mean"] < test["high"]


def test_baselines_are_fitted_and_judged_by_weight(home: Path) -> None:
    data = table()
    rows, found = held(data), tuner.load_model(home / "regression").facts["baselines"]
    rest = data.drop(index=rows.index)
    x = rest[["u", "v"]]
    mean, deviation = x.mean(), x.std(ddof=0)
    ridge = Ridge().fit((x - mean) / deviation, rest["outcome"], sample_weight=rest["kg"] / rest["kg"].mean())
    said = ridge.predict((rows[["u", "v"]] - mean) / deviation)
    expected = sk.mean_absolute_error(rows["outcome"], said, sample_weight=rows["kg"])
    assert found["Ridge"]["test_mae"]["value"] == pytest.approx(expected, rel=1e-4)
    constant = np.average(rest["outcome"], weights=rest["kg"])
    expected = np.average(np.abs(rows["outcome"] - constant), weights=rows["kg"])
    assert found["constant"]["test_mae"]["value"] == pytest.approx(expected, rel=1e-4)


def test_residuals_are_spread_as_their_weights_say() -> None:
    rng = np.random.default_rng(0)
    values, counts = rng.exponential(size=(50, 2)), rng.integers(0, 5, 50)
    found, again = weighted_quantiles(values, counts.astype(float)), np.repeat(values, counts, axis=0)
    for level in (0.1, 0.5, 0.9):
        own, expected = (np.quantile(one, level, axis=0, method="inverted_cdf") for one in (found, again))
        np.testing.assert_allclose(own, expected, rtol=0.15)
    np.testing.assert_array_equal(weighted_quantiles(values, np.full(50, 3.0)), np.sort(values, axis=0))


@pytest.mark.parametrize("framework", ["torch", "keras", "optax", "sklearn"])
def test_code_that_counts_each_row_once_says_so(home: Path, framework: str) -> None:
    best = tuner.load_best(home / "regression")
    assert best.model["weight"] == "kg"
    with pytest.raises(InexactMapping, match=r"this code counts each row once \(tuned was with weights of 'kg'\)"):
        best.to_code(framework)


def test_the_wider_spread_of_weighted_hits_widens_their_interval() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300)
    shares = np.clip(0.5 + 0.3 * (truth - 0.5) + 0.3 * rng.normal(size=300), 0.01, 0.99)[None, :, None]
    weights = rng.exponential(size=300) ** 2
    plain, own = (
        judged("binary", shares, truth, np.ones(1), weights=w)["test_accuracy"]["single"] for w in (None, weights)
    )
    assert own.high - own.low > 1.5 * (plain.high - plain.low)
    same = judged("binary", shares, truth, np.ones(1), weights=np.full(300, 7.0))["test_loss"]["single"]
    assert same.value == pytest.approx(judged("binary", shares, truth, np.ones(1))["test_loss"]["single"].value)


KG = {"weight": "kg"}
BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"data": KG, "train": {"class_weight": "balanced"}},
        "train.class_weight: does not go with data.weight, which weighs rows",
    ),
    ({"data": KG, "train": {"framework": "sklearn"}}, "data.weight: does not go with sklearn's networks"),
    ({"data": {"target": "kg", "weight": "kg"}}, "data.weight: 'kg' is a column with another task already"),
    ({"data": {"weight": "kg", "drop": ["kg"]}}, "data.weight: 'kg' is a column with another task already"),
    ({"data": {"sample_weight": "kg"}}, r"data.sample_weight: unknown key; did you mean 'weight'\?"),
    ({"data": {"source": "surface:quadratic", "weight": "kg"}}, "data.weight: does not go with an analytic surface"),
]


@pytest.mark.parametrize(("tables", "said"), BAD)
def test_what_weights_do_not_go_with_is_refused(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_study({"data": {}, "optimizers": {"adam": {}}, **tables}, needs_data=False)


def test_scorers_without_weights_are_refused(tmp_path: Path) -> None:
    asked = study(confirm={"metrics": ["neg_max_error", "neg_median_absolute_error"]})
    with pytest.raises(StudyError, match="neg_max_error cannot score a regression task with weights of rows"):
        tuner.run(asked, data=table(), home=tmp_path)


def test_an_appendix_names_the_weights(home: Path) -> None:
    rows = appendix_sheet(tuner.open(home / "regression")).rows
    assert ("study", "weights of rows", "column kg") in rows
