"""Refit: what is trained on which rows, what the test rows say of it, and that nothing of chance is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from objectives.data import SplitSpec, table_from
from objectives.data.splits import divide
from tests.support.command import Shell
from tests.support.small_models import frame, study, targets, trained
from tuner.errors import ChangedStudy, NoResult, StudyError
from tuner.model.judged import bootstrap_interval, judged, row_losses
from tuner.trainables.builtin.baselines import BASELINES
from tuner.trainables.builtin.refitting import carried

TASKS = ("binary", "multiclass", "regression")


def files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((home / "small" / "model").iterdir())}


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")  # a text that the test rows alone may have
@pytest.mark.parametrize("task", TASKS)
def test_a_run_ends_with_a_model_judged_on_the_test_rows(task: str, tmp_path: Path) -> None:
    model = trained(task, tmp_path)
    data = frame()
    y = np.asarray(targets(task, data))
    split = divide(table_from(data, y, task=task).rows, SplitSpec(), 3)
    assert model.facts["training"]["rows"] == len(data) - len(split.test)
    assert model.facts["test_rows"] == len(split.test)
    assert model.network.members == 5
    held = data.iloc[split.test]
    if task == "regression":
        truth, unit = y[split.test], np.delete(y, split.test).std()
        loss = float((((model.predict(held) - truth) / unit) ** 2).mean())
    else:
        shares = model.predict_proba(held)
        assert np.allclose(shares.sum(axis=1), 1)
        assert (model.predict(held) == np.array(model.classes)[shares.argmax(axis=1)]).all()
        loss = float(-np.log(shares[np.arange(len(held)), y[split.test]]).mean())
        hits = float((model.predict(held) == y[split.test]).mean())
        assert model.metrics["test_accuracy"]["ensemble"]["value"] == pytest.approx(hits)
    said = model.metrics["test_loss"]["ensemble"]
    assert said["value"] == pytest.approx(loss, rel=1e-6)
    assert said["low"] < said["value"] < said["high"]
    assert said["value"] <= model.metrics["test_loss"]["single"]["value"]  # Jensen: the loss is convex


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")
def test_the_test_rows_decide_nothing_but_the_final_number(tmp_path: Path) -> None:
    data = frame()
    data["outcome"] = targets("regression", data)
    test = divide(table_from(data.drop(columns="outcome"), data["outcome"]).rows, SplitSpec(), 3).test
    other = data.copy()
    other.loc[test, "age"] = 79 - other.loc[test, "age"]
    other.loc[test, "city"] = "Nowhere"
    found = {}
    for name, rows in (("one", data), ("other", other)):
        first = tuner.run(study("regression"), data=rows, home=tmp_path / name, jobs=1)
        found[name] = first.model
    one, two = found["one"], found["other"]
    assert one.preparation == two.preparation
    assert all(np.array_equal(a, b) for a, b in zip(one.network.weights, two.network.weights, strict=True))
    assert one.metrics != two.metrics


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_the_bytes_do_not_depend_on_the_number_of_workers(task: str, tmp_path: Path) -> None:
    trained(task, tmp_path / "one", jobs=1)
    trained(task, tmp_path / "two", jobs=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert not list((tmp_path / "one" / "small").glob(".model*"))


def test_a_study_of_before_gets_its_model_by_refit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = frame()
    data["outcome"] = targets("binary", data)
    path = tmp_path / "data.csv"
    data.to_csv(path, index=False)
    asked = study("binary")
    asked["data"]["source"] = str(path)
    result = tuner.run(asked, home=tmp_path, jobs=1, refit=False)
    assert not result.directory.model.exists()
    with pytest.raises(FileNotFoundError, match="there is no model: tuner refit small makes one"):
        result.model  # noqa: B018
    shell = Shell(capsys)
    ended = shell("refit", "small", "--home", tmp_path)
    assert ended.code == 0
    assert ended.out.startswith("model: 5 networks on 120 rows, all but the test rows\n  test_loss ")
    before = files(tmp_path)
    assert tuner.run(asked, home=tmp_path, jobs=1).path
    assert files(tmp_path) == before
    ended = shell("refit", "small", "--home", tmp_path, "--seeds", "2", "--all-rows")
    last = "model: 2 networks on 150 rows, all, the test rows too; nothing is left to judge it by"
    assert ended.out.splitlines()[0] == last
    assert "metrics" not in tuner.load_model(tmp_path / "small").facts
    assert "nothing is left to judge it by" in (tmp_path / "small" / "model" / "card.md").read_text()
    data.assign(age=1.0 * np.arange(len(data))).to_csv(path, index=False)
    ended = shell("refit", "small", "--home", tmp_path)
    assert ended.code == 2
    assert "study 'small' cannot be refitted" in ended.err


def test_what_cannot_be_refitted_is_said(tmp_path: Path) -> None:
    surface = {
        "study": {"name": "valley", "trials": 2},
        "data": {"source": "surface:rosenbrock"},
        "train": {"epochs": 4},
        "optimizers": {"momentum": {}},
    }
    assert not tuner.run(surface, home=tmp_path, jobs=1).directory.model.exists()
    with pytest.raises(StudyError, match="an analytic surface has no model"):
        tuner.refit("valley", home=tmp_path)
    own = {"study": {"name": "own", "trials": 2}, "parameters": {"x": {"low": 0.0, "high": 1.0}}}
    tuner.run(own, objective=square, home=tmp_path, jobs=1, confirm=False)
    with pytest.raises(StudyError, match="give it again: objective="):
        tuner.refit("own", home=tmp_path)
    with pytest.raises(StudyError, match="has no folder to leave a model in"):
        tuner.refit("own", home=tmp_path, objective=square)
    data = frame().assign(outcome=0)
    data["outcome"] = targets("binary", data)
    tuner.run(study("binary"), data=data, home=tmp_path, jobs=1, refit=False)
    with pytest.raises(StudyError, match=r"tuner.refit\('small', data=...\)"):
        tuner.refit("small", home=tmp_path)
    with pytest.raises(StudyError, match=r"seeds: must lie in \[1, 100\], but got 0"):
        tuner.refit("small", 0, home=tmp_path, data=data)
    with pytest.raises(ChangedStudy, match="cannot be refitted"):
        tuner.refit("small", home=tmp_path, data=data.head(140))


def test_a_baseline_that_is_better_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = frame()
    data["outcome"] = targets("binary", data)
    data.to_csv(tmp_path / "data.csv", index=False)
    asked = study("binary") | {"optimizers": {"sgd": {"lr": [1e-5, 2e-5]}}}  # that learns nothing
    asked["data"]["source"] = str(tmp_path / "data.csv")
    assert "baselines" not in tuner.run(asked, home=tmp_path, jobs=1, baselines=False).model.facts
    ended = Shell(capsys)("refit", "small", "--home", tmp_path)
    better = [line for line in ended.out.splitlines() if line.startswith("better: ")]
    assert [line.split()[1] for line in better] == ["constant", "LogisticRegression", "HistGradientBoosting"]
    card = (tmp_path / "small" / "model" / "card.md").read_text()
    assert "| test_loss | LogisticRegression, at its defaults | " in card
    findings = tuner.open("small", home=tmp_path).findings()
    assert findings[0].rule == "baseline"
    whole = tuner.run(asked, name="whole", home=tmp_path, jobs=1, confirm=False)
    assert set(whole.model.facts["baselines"]) == {"constant", "LogisticRegression", "HistGradientBoosting"}
    ended = Shell(capsys)("refit", "small", "--home", tmp_path, "--no-baselines")
    assert "better: " not in ended.out


def test_a_baseline_that_fails_is_noted_and_the_model_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BASELINES, "constant", ("sklearn.dummy", "DummyClassifier", "", {"strategy": "none"}))
    model = trained("binary", tmp_path, confirm=False)
    assert "baselines" not in model.facts
    assert any(note.startswith("no baselines stand beside it: ") for note in model.facts["notes"])


def square(config: dict[str, Any]) -> dict[str, float]:
    return {"valid_loss": config["x"] ** 2}


def test_a_study_without_a_complete_trial_has_no_model(tmp_path: Path) -> None:
    asked = study("regression") | {"optimizers": {"sgd": {"lr": {"low": 1e8, "high": 1e9}}}}
    data = frame()
    data["outcome"] = targets("regression", data)
    assert not tuner.run(asked, data=data, home=tmp_path, jobs=1).directory.model.exists()
    with pytest.raises(NoResult, match="diverged"):
        tuner.refit("small", home=tmp_path, data=data)


def test_epochs_or_updates_are_carried_over() -> None:
    assert carried(14, 27, 600, 800, "epochs") == (14, 27)
    assert carried(14, 27, 600, 800, "updates") == (10, 20)
    assert carried(1, 1, 600, 1200, "updates") == (1, 1)


@pytest.mark.parametrize("task", TASKS)
def test_row_losses_are_those_of_scikit_learn(task: str) -> None:
    from sklearn.metrics import log_loss, mean_squared_error, r2_score

    rng = np.random.default_rng(0)
    if task == "regression":
        members, truth = rng.normal(size=(3, 50, 2)), rng.normal(size=(50, 2))
        scale = np.array([1.0, 2.0])
        mean = members.mean(axis=0)
        assert row_losses(task, mean[None], truth, scale).mean() == pytest.approx(
            mean_squared_error(truth / scale, mean / scale)
        )
        found = judged(task, members, truth, scale)
        assert found["test_r2"]["ensemble"].value == pytest.approx(r2_score(truth, mean))
        assert found["test_rmse"]["ensemble"].value == pytest.approx(mean_squared_error(truth, mean) ** 0.5)
        return
    outputs, classes = (1, 2) if task == "binary" else (3, 3)
    shares = rng.dirichlet(np.ones(classes), (3, 50))
    truth = rng.integers(0, classes, 50)
    members = shares[..., 1:] if task == "binary" else shares
    assert members.shape == (3, 50, outputs)
    found = judged(task, members, truth, np.ones(outputs))
    assert found["test_loss"]["ensemble"].value == pytest.approx(log_loss(truth, shares.mean(axis=0)))
    each = [log_loss(truth, one) for one in shares]
    assert found["test_loss"]["single"].value == pytest.approx(np.mean(each))


def test_intervals_say_nothing_where_the_rows_do_not_tell() -> None:
    assert np.isnan(bootstrap_interval(np.ones(20)).low)
    assert np.isnan(bootstrap_interval(np.ones(1)).high)
    two = bootstrap_interval(np.array([1.0, 2.0]))
    assert two.low == 0  # scipy.stats.t.ppf(0.975, 1) = 12.706 errors of 1/2
    assert two.high == pytest.approx(1.5 + 12.706 / 2, abs=1e-3)
    values = np.random.default_rng(0).exponential(size=40)
    first, again = bootstrap_interval(values), bootstrap_interval(values)
    assert first == again
    assert 0 <= first.low < first.value < first.high
    assert first.high - first.value > first.value - first.low  # exponential: the long tail is above
    many = np.random.default_rng(0).exponential(size=4000)
    wide = bootstrap_interval(many)
    assert wide.high - wide.value == pytest.approx(1.96 * many.std() / 4000**0.5, rel=0.01)


def test_the_card_says_what_the_model_is(tmp_path: Path) -> None:
    trained("multiclass", tmp_path)
    card = (tmp_path / "small" / "model" / "card.md").read_text(encoding="utf-8")
    for line in (
        "# Model of study small",
        "A multiclass model of outcome: an ensemble of 5 networks (hidden layers 8, relu).",
        "Classes: 0, 1, 2.",
        "| city | text | (missing), Aalen, Bremen, Celle |  |",
        "Not used: id, outcome.",
    ):
        assert line in card.splitlines()
    assert "| since | date | 2024-01-0" in card
    assert json.loads((tmp_path / "small" / "model" / "model.json").read_text())["config"]["optimizer"]
