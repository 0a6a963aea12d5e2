"""Goals that tables need: followed in the search, judged on the test rows, kept in the model; refused where they say
nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

import tuner
from objectives.data import SplitSpec, table_from
from objectives.data.splits import divide
from objectives.metrics import METRICS
from tests.support.command import Shell
from tuner.cli.conclusion import print_conclusion
from tuner.cli.summary import shipped_block
from tuner.errors import StudyError
from tuner.model.judged import judged
from tuner.study import read_study


def table(n: int = 240, task: str = "binary") -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, 3))
    score = x @ [1.0, -0.6, 0.2] + 0.8 * rng.normal(size=n)
    targets = {
        "binary": np.where(score > 1, "yes", "no"),
        "multiclass": np.array(["a", "b", "c"])[np.digitize(score, [-0.5, 1])],
        "regression": 20 + 3 * score,
    }
    return pd.DataFrame(x, columns=["u", "v", "w"]).assign(outcome=targets[task])


def study(goal: str, **tables: Any) -> dict[str, Any]:
    direction = "minimize" if goal == "valid_loss" else METRICS[goal.removeprefix("valid_")].direction
    asked = {"study": {"name": "goal", "trials": 4, direction: goal}, "data": {"target": "outcome"}}
    small = {"train": {"epochs": 4, "batch_size": 32}, "model": {"hidden": [6]}, "optimizers": {"adam": {}}}
    return asked | small | {"confirm": {"top": 2, "seeds": 2}} | tables


CASES = [
    ("binary", "valid_auc"),
    ("multiclass", "valid_f1"),
    ("regression", "valid_mae"),
]


@pytest.mark.parametrize(("task", "goal"), CASES)
def test_a_study_follows_its_goal_to_the_model(task: str, goal: str, tmp_path: Path) -> None:
    result = tuner.run(study(goal), data=table(task=task), jobs=1, home=tmp_path, baselines=True)
    name = goal.removeprefix("valid_")
    ranking = result.ranking()
    done = ranking[ranking["state"] == "complete"]
    assert (done["value"] == done[goal]).all()
    assert np.isfinite(result.best().interval).all()
    row = result.confirmation().iloc[0]
    assert row[f"report_test_{name}_low"] < row[f"report_test_{name}"] < row[f"report_test_{name}_high"]
    model = tuner.load_model(tmp_path / "goal")
    said = model.metrics[f"test_{name}"]["ensemble"]
    assert said["low"] < said["value"] < said["high"]
    assert all(f"test_{name}" in metrics for metrics in model.facts["baselines"].values())


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")  # of what the test rows alone have
def test_outliers_move_a_model_of_the_absolute_error_less(tmp_path: Path) -> None:
    data, errors = table(task="regression"), {}
    data.loc[::10, "outcome"] += 200
    usual = data.drop(index=data.index[::10])
    for loss in ("squared_error", "absolute_error"):
        train = {"epochs": 20, "batch_size": 32, "loss": loss}
        asked = study("valid_mae", train=train, optimizers={"adam": {"lr": 0.02, "beta1": 0.9}})
        asked["study"] |= {"name": loss.replace("_", "-"), "trials": 1}
        tuner.run(asked, data=data, jobs=1, home=tmp_path, confirm=False, baselines=False)
        said = tuner.load_model(tmp_path / asked["study"]["name"]).predict(usual)
        errors[loss] = float(np.abs(said - usual["outcome"]).mean())
    assert errors["absolute_error"] < 0.5 * errors["squared_error"]


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")  # of what the test rows alone have
def test_a_goal_of_two_classes_chooses_a_threshold_that_the_model_keeps(tmp_path: Path) -> None:
    data = table()
    tuner.run(study("valid_f1"), data=data, jobs=1, home=tmp_path, baselines=False)
    model = tuner.load_model(tmp_path / "goal")
    least, shares = model.threshold, model.predict_proba(data)[:, 1]
    assert least is not None
    assert 0 < least < 1
    assert least != 0.5
    assert (model.predict(data) == np.where(shares > least, "yes", "no")).all()
    assert f"yes is said above a probability of {least:.4g}\n" in shipped_block(model)
    assert "yes is said above a probability of" in (tmp_path / "goal" / "model" / "card.md").read_text(encoding="utf-8")
    held = divide(table_from(data.drop(columns="outcome"), data["outcome"], task="binary").rows, SplitSpec(), 0).test
    said, truth = model.predict(data.iloc[held]), data["outcome"].iloc[held]
    metrics = {name: kinds["ensemble"]["value"] for name, kinds in model.metrics.items()}
    assert metrics["test_f1"] == pytest.approx(sk.f1_score(truth, said, pos_label="yes"))
    assert metrics["test_accuracy"] == pytest.approx((said == truth).mean())


def test_other_goals_keep_the_likelier_class(tmp_path: Path) -> None:
    tuner.run(study("valid_auc"), data=table(), jobs=1, home=tmp_path, baselines=False)
    assert tuner.load_model(tmp_path / "goal").threshold is None


def test_workers_make_the_same_table(tmp_path: Path) -> None:
    tables = [
        tuner.run(study("valid_average_precision"), data=table(), jobs=jobs, home=tmp_path / str(jobs), refit=False)
        for jobs in (1, 2)
    ]
    pd.testing.assert_frame_equal(*(one.ranking().drop(columns="seconds") for one in tables), check_exact=True)


def test_other_studies_keep_their_columns(tmp_path: Path) -> None:
    result = tuner.run(study("valid_accuracy"), data=table(), jobs=1, home=tmp_path, refit=False)
    assert result.metrics == ["train_loss", "valid_loss", "valid_accuracy"]


def test_what_is_shipped_is_judged_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 80)
    shares = rng.dirichlet(np.ones(3), 80) * 0.5 + 0.5 * np.eye(3)[truth]
    found = judged("multiclass", shares[None], truth, np.ones(3), ("auc", "f1"))
    assert found["test_auc"]["ensemble"].value == pytest.approx(sk.roc_auc_score(truth, shares, multi_class="ovr"))
    assert found["test_f1"]["ensemble"].value == sk.f1_score(truth, shares.argmax(axis=1), average="macro")
    positive = (truth == 1).astype(int)
    pair = judged("binary", shares[None, :, 1:2], positive, np.ones(1), ("average_precision", "mcc"))
    expected = sk.average_precision_score(positive, shares[:, 1])
    assert pair["test_average_precision"]["ensemble"].value == pytest.approx(expected)
    assert pair["test_mcc"]["single"].value == pytest.approx(sk.matthews_corrcoef(positive, shares[:, 1] > 0.5))
    values = rng.normal(10, 1, (80, 1))
    numbers = judged("regression", values[None] + 0.3, values, np.ones(1), ("mae", "mape"))
    assert numbers["test_mae"]["ensemble"].value == pytest.approx(0.3)
    expected = sk.mean_absolute_percentage_error(values, values + 0.3)
    assert numbers["test_mape"]["ensemble"].value == pytest.approx(expected)


def test_a_share_of_targets_that_are_zero_is_refused(tmp_path: Path) -> None:
    data = table(task="regression")
    data.loc[::5, "outcome"] = 0.0
    with pytest.raises(StudyError, match=r"valid_mape divides by the target, which is 0 in \d+ of 48 .*valid_mae"):
        tuner.run(study("valid_mape"), data=data, home=tmp_path)


def test_a_goal_of_other_tasks_is_answered_with_those_that_fit(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="valid_mae does not fit a binary task; choose one of: valid_loss, valid_acc"):
        tuner.run(study("valid_mae"), data=table(), home=tmp_path)


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")
def test_a_model_of_noise_says_so_in_the_first_line_and_atop_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = table()
    data["outcome"] = np.random.default_rng(0).permutation(data["outcome"])
    data.to_csv(tmp_path / "data.csv", index=False)
    asked = study("valid_loss") | {"optimizers": {"adam": {"lr": [0.05, 0.1]}}}
    asked["data"]["source"] = str(tmp_path / "data.csv")
    result = tuner.run(asked, jobs=1, home=tmp_path)
    ended = Shell(capsys)("refit", "goal", "--home", tmp_path)
    assert ended.out.startswith("beware: the model does not beat a constant prediction: test_loss ")
    print_conclusion(result, result.best())
    assert capsys.readouterr().out.lstrip().splitlines()[0].startswith("beware  the model does not beat a constant")
    page = result.report().read_text(encoding="utf-8")
    assert page.index('class="beware">The model does not beat') < page.index('class="winner"')


def test_class_weights_are_searched(tmp_path: Path) -> None:
    weighing = {"epochs": 4, "batch_size": 32, "class_weight": ["none", "balanced", {"yes": 3}]}
    result = tuner.run(study("valid_f1", train=weighing), data=table(), jobs=1, home=tmp_path, refit=False)
    ranking = result.ranking()
    assert set(ranking["class_weight"].cat.categories) == {"balanced", "none", '{"yes": 3.0}'}
    stored = {"train": result.study.to_table()["train"], "data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}}
    assert read_study(stored).train.class_weight == result.study.train.class_weight


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")  # of what the test rows alone have
def test_balanced_weights_raise_what_a_model_says_of_the_rare_class(tmp_path: Path) -> None:
    data, shares = table(), {}
    for weights in ("none", "balanced"):
        asked = study("valid_loss", train={"epochs": 6, "batch_size": 32, "class_weight": weights})
        asked |= {"study": {"name": weights, "trials": 1}, "optimizers": {"adam": {"lr": 0.02, "beta1": 0.9}}}
        tuner.run(asked, data=data, jobs=1, home=tmp_path, baselines=False)
        shares[weights] = tuner.load_model(tmp_path / weights).predict_proba(data)[:, 1].mean()
    assert shares["balanced"] > shares["none"] + 0.1


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("balance", "train.class_weight: 'balance' is not known; did you mean 'balanced'?"),
        ({"yes": -1}, "train.class_weight: 'yes' has -1; give a number above 0"),
        ({"yess": 2}, "train.class_weight: there is no class 'yess'; did you mean 'yes'?"),
        (3, "train.class_weight: must be text or a table, but got 3"),
    ],
)
def test_class_weights_that_are_none_are_refused(weights: Any, said: str, tmp_path: Path) -> None:
    asked = study("valid_loss", train={"epochs": 4, "batch_size": 32, "class_weight": weights})
    with pytest.raises(StudyError, match=re.escape(said)):
        tuner.run(asked, data=table(), home=tmp_path)


def test_class_weights_of_values_are_refused(tmp_path: Path) -> None:
    asked = study("valid_loss", train={"epochs": 4, "batch_size": 32, "class_weight": "balanced"})
    with pytest.raises(StudyError, match=re.escape("train.class_weight: does not fit a regression task")):
        tuner.run(asked, data=table(task="regression"), home=tmp_path)
