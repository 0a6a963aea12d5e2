"""Studies with whole-batch methods and on surfaces: what stands in a config, costs, gaps, refusals, settled methods."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tuner
from objectives.optimizers import OPTIMIZERS
from tests.support.command import Shell
from tuner.api.read_study import read_study
from tuner.errors import StudyError
from tuner.report.findings import findings
from tuner.result import Result

L2 = {"weight_decay": 0.01}
TABLES = {
    "study": {"name": "ladder", "trials": 12},
    "data": {"source": "sklearn:breast_cancer", "resampling": "holdout"},
    "model": {"kind": "linear"},
    "train": {"epochs": 20, "batch_size": [16, 32], "patience": 15, "clip_norm": 1.0},
    "search": {"pruner": "none"},
    "confirm": {"top": 2, "seeds": 2},
    "optimizers": {"newton": L2, "lbfgs": L2, "steepest": L2, "sgd": L2, "adamw": L2, "random_weights": {}},
}


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return tuner.run(TABLES, jobs=1, home=tmp_path_factory.mktemp("home"))


def complaint(**tables: Any) -> str:
    with pytest.raises(StudyError, match=r".") as caught:
        read_study({**TABLES, "train": {"epochs": 20}, **tables})
    return str(caught.value)


def test_a_whole_batch_config_holds_what_means_something_to_it(ladder: Result) -> None:
    for trial in ladder.all_trials:
        whole = OPTIMIZERS[trial.config["optimizer"]].whole
        for name in ("batch_size", "schedule", "clip_norm", "patience", "min_delta"):
            assert (name in trial.config) != whole
        assert trial.config["track_objective"]
        assert trial.steps == (trial.epochs if whole else trial.steps)


def test_everybody_shows_the_objective_its_gap_and_its_cost(ladder: Result) -> None:
    table = ladder.ranking().set_index("trial")
    known = table[~table["optimizer"].isin(["adamw", "random_weights"])]
    newton = known[known["optimizer"] == "newton"].iloc[0]
    assert (known["gap"] >= -1e-6).all()
    assert newton["gap"] < 1e-6
    assert (newton["functions"], newton["gradients"], newton["hessians"]) > (0, 0, 0)
    sgd = known[known["optimizer"] == "sgd"]
    assert (sgd["gradients"] == sgd["epoch"]).all()
    # decoupled decay is part of no objective, and random weights minimise another
    assert table[table["optimizer"].isin(["adamw", "random_weights"])]["gap"].isna().all()


def test_evaluations_count_what_line_searches_took(ladder: Result) -> None:
    table = ladder.ranking().set_index("trial")
    for number, row in table.iterrows():
        curves = ladder.trial(number).curves
        if row["optimizer"] in ("sgd", "adamw"):
            assert row["evaluations"] == row["epochs"]
            continue
        functions, gradients, hessians = (curves[name][0, -1] for name in ("functions", "gradients", "hessians"))
        size = (int(ladder.facts["inputs"]) + 1) * (int(ladder.facts["outputs"]) + 1) / 4
        assert row["evaluations"] == gradients + (functions - gradients) / 2 + hessians * size
    of = {name: own["evaluations"].iloc[0] for name, own in table.groupby("optimizer", observed=True)}
    assert of["steepest"] > 20  # of 20 epochs, each with a search
    assert of["random_weights"] == (1 + 20) / 2  # values alone
    assert ladder.trial(0).steps == ladder.trial(0).epochs


def test_methods_of_which_nothing_is_searched_are_tried_once(ladder: Result) -> None:
    tried = [trial.config["optimizer"] for trial in ladder.all_trials]
    assert all(tried.count(name) == 1 for name in ("newton", "lbfgs", "steepest"))


def test_whole_batch_methods_are_confirmed_and_handed_over(ladder: Result, tmp_path: Path) -> None:
    tables = {**TABLES, "optimizers": {"newton": L2, "lbfgs": L2}, "study": {"name": "two", "trials": 2}}
    result = tuner.run(tables, jobs=1, home=tmp_path)
    best = tuner.load_best(result.path)
    assert best["optimizer"] in ("newton", "lbfgs")
    assert best.confirmed
    assert best.params.get("batch_size") is None


def test_the_number_of_workers_changes_no_byte(ladder: Result, tmp_path: Path) -> None:
    again = tuner.run(TABLES, jobs=2, baselines=False, home=tmp_path)
    for name in ("ranking.csv", "best.toml"):
        assert (again.path / name).read_bytes() == (ladder.path / name).read_bytes()


def test_separable_data_without_decay_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "endless.toml"
    file.write_text(
        '[study]\ntrials = 1\n[data]\nsource = "sklearn:breast_cancer"\n[model]\nkind = "linear"\n'
        "[train]\nepochs = 60\n[optimizers.newton]\n[search]\npruner = 'none'\n"
    )
    shell = Shell(capsys)
    ended = shell("run", file, "--home", tmp_path, "--no-confirm")
    assert ended.code == 0
    assert "newton: an epoch is one iteration over all rows; batch size, schedule" in ended.err
    assert "there is no optimum" in ended.out + ended.err
    assert "separable: the classes can be told apart" in shell("show", "endless/0", "--home", tmp_path).out


def test_newton_is_refused_where_there_is_no_hessian() -> None:
    said = complaint(model={"kind": "mlp"})
    assert said.startswith("optimizers.newton: needs a convex loss with an exact Hessian")
    assert said.endswith('use lbfgs, or [model] kind = "linear"')


SURFACE = {"source": "surface:rosenbrock", "noise": 0.5}


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        ({"data": {"source": "surface:rosenbrok"}}, "did you mean 'surface:rosenbrock'"),
        ({"data": {**SURFACE, "condition": 10.0}}, "data.condition: does not go with surface:rosenbrock"),
        ({"data": {**SURFACE, "target": "y"}}, "data.target: does not go with an analytic surface; remove it"),
        ({"data": SURFACE, "model": {"hidden": [3]}}, "model.hidden: does not go with an analytic surface; remove it"),
        ({"data": SURFACE, "model": {"kind": "linear"}}, "model.kind: does not go with an analytic surface"),
        ({"data": {"source": "sklearn:iris", "noise": 1.0}}, "data.noise: belongs to an analytic surface"),
        ({"data": {**SURFACE, "noise": -1.0}}, "data.noise: must be at least 0.0, but got -1.0"),
        ({"model": {"kind": "surface"}}, "model.kind: needs a surface for its data"),
    ],
)
def test_what_does_not_go_with_a_surface_is_named(tables: dict[str, Any], line: str) -> None:
    given = {"model": {}} if "model" not in tables else {}
    assert line in complaint(**{**given, **tables})


def test_a_surface_is_tuned_and_keeps_its_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = {
        "study": {"name": "valley", "trials": 8, "dtype": "float64"},
        "data": SURFACE,
        "train": {"epochs": 30, "batch_size": [16, 64]},
        "search": {"pruner": "none"},
        "optimizers": {"newton": {}, "momentum": {"lr": {"low": 1e-5, "high": 1e-3}}},
    }
    result = tuner.run(tables, jobs=1, home=tmp_path)
    best = result.best()
    assert (best["optimizer"], best.confirmed) == ("newton", False)
    assert tuner.load_best(result.path) == best
    assert "unconfirmed" not in {finding.rule for finding in result.findings()}
    path = result.trial(best.trial).curves
    assert (path["x1"][0, -1], path["x2"][0, -1]) == pytest.approx((1.0, 1.0))
    assert result.ranking()["distance"].iloc[0] < 1e-6
    assert read_study(result.path / "study.toml").to_toml() == result.study.to_toml()
    again = tuner.run(tables, jobs=1, home=tmp_path)
    assert len(again.all_trials) == 8
    refused = Shell(capsys)("confirm", "valley", "--home", tmp_path)
    assert refused.code == 2
    assert "an analytic surface has no rows to set aside" in refused.err


def test_a_surface_has_a_report_and_an_optimizer_to_take_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = {"study": {"name": "bowl", "trials": 4}, "data": {"source": "surface:quadratic"}, "train": {"epochs": 4}}
    result = tuner.run({**tables, "optimizers": {"adam": {}, "sgd": {}}}, jobs=1, home=tmp_path)
    shell = Shell(capsys)
    assert shell("report", "bowl", "--home", tmp_path).code == 0
    refused = shell("best", "bowl", "--home", tmp_path, "--to", "torch")
    assert refused.code == 2
    assert "an analytic surface has no model" in refused.err
    assert result.best().training["epochs"] >= 1
    read = tuner.load_best(result.path)
    assert read.model == {"task": "surface", "loss": "output", "parameters": 2, "rows": 256}
    assert "best.toml" not in shell("doctor", "bowl", "--home", tmp_path).out


def test_a_method_of_which_nothing_is_searched_needs_no_second_trial_to_be_compared(ladder: Result) -> None:
    tried = Counter(trial.config["optimizer"] for trial in ladder.all_trials)
    assert tried["newton"] == 1
    named = [finding.numbers for finding in findings(ladder) if finding.rule == "uneven"]
    assert all(not {"newton", "lbfgs", "steepest"} & set(numbers) for numbers in named)
