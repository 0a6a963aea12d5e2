"""Frames: the same columns and types whatever is in them, each of them documented."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.command import FACTS, STUDY, made_up
from tuner.ranking import frames
from tuner.ranking import table as ranking
from tuner.ranking.confirmation_table import confirmation_table
from tuner.ranking.table import hyper_kinds, metric_names
from tuner.result import Result
from tuner.space import space_of
from tuner.store.directory import study_directory
from tuner.store.ledger import Ledger
from tuner.study import read_study

FRAMES: dict[str, tuple[Callable[[Result], pd.DataFrame], str]] = {
    "ranking": (Result.ranking, str(ranking.ranking.__doc__)),
    "curves": (Result.curves, str(frames.curves_table.__doc__)),
    "confirmation": (Result.confirmation, str(confirmation_table.__doc__)),
    "trials": (Result.trials, str(ranking.ranking.__doc__) + str(frames.trials_table.__doc__)),
}


@pytest.fixture
def full(tmp_path: Path) -> Result:
    return Result(made_up(tmp_path))


@pytest.fixture
def empty(tmp_path: Path) -> Result:
    directory = study_directory("empty", tmp_path)
    directory.path.mkdir()
    directory.study.write_text(read_study(STUDY).to_toml(), encoding="utf-8")
    with Ledger.create(directory.ledger, FACTS):
        pass
    return Result(directory)


@pytest.mark.parametrize("name", FRAMES)
def test_an_empty_frame_has_the_columns_and_types_of_a_full_one(full: Result, empty: Result, name: str) -> None:
    make, _ = FRAMES[name]
    assert len(make(empty)) == 0
    assert make(empty).dtypes.astype(str).to_dict() == make(full).dtypes.astype(str).to_dict()
    for column, dtype in make(full).dtypes.items():
        if dtype == "category":
            assert list(make(empty)[column].cat.categories) == list(make(full)[column].cat.categories)


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_is_documented_with_its_type(full: Result, name: str) -> None:
    make, text = FRAMES[name]
    lines = [re.match(r" {4}((?:[\w.]+, )*[\w.]+) {2,}(\S*)", line) for line in text.splitlines()]
    types = {column: match[2] for match in lines if match for column in match[1].split(", ")}
    generic = dict.fromkeys(metric_names(full.study, "multiclass"), "METRIC")
    generic |= dict.fromkeys(hyper_kinds(full.study), "HYPER")
    generic |= {f"latent_{latent.name}": "latent_NAME" for latent in space_of(full.study).latents}
    tested = [column for column in make(full).columns if re.search(r"test_(loss|accuracy|balanced_accuracy)", column)]
    for column, dtype in make(full).dtypes.astype(str).items():
        if column in tested:
            continue
        assert column in types or generic.get(str(column)) in types, column
        if column in types and name != "confirmation":
            assert types[str(column)] == dtype, column
    named = {column for column in types if not column.isupper() and not column.startswith(("latent_", "..."))}
    assert {column for column in named if "NAME" not in column} <= set(map(str, make(full).columns))


def test_curves_are_tidy_and_those_of_the_ledger(full: Result) -> None:
    table = full.curves()
    assert list(table.columns) == ["trial", "replicate", "epoch", "metric", "value", "optimizer"]
    assert list(table["metric"].cat.categories) == metric_names(full.study, "multiclass")
    assert list(table["optimizer"].cat.categories) == ["momentum", "adam"]
    for trial in full.all_trials:
        for name, curve in trial.curves.items():
            own = table[(table["trial"] == trial.number) & (table["metric"] == name)]
            assert own["value"].tolist() == curve.ravel().tolist()
            assert own["epoch"].tolist() == list(range(1, trial.epochs + 1))
            assert set(own["optimizer"]) == {trial.config["optimizer"]}


def test_replicates_have_their_own_rows() -> None:
    from tests.support.trials import trial

    one = trial(3, epochs=2)
    two = trial(4)
    curves = {"valid_loss": np.array([[3.0, 2.0], [5.0, 4.0]])}
    made = frames.curves_table(read_study(STUDY), [type(one)(**{**vars(one), "curves": curves}), two], ["valid_loss"])
    assert made.iloc[:4][["trial", "replicate", "epoch", "value"]].to_numpy().tolist() == [
        [3, 0, 1, 3.0],
        [3, 0, 2, 2.0],
        [3, 1, 1, 5.0],
        [3, 1, 2, 4.0],
    ]


def test_trials_hold_everything_in_trial_order(full: Result) -> None:
    table = full.trials()
    assert table["trial"].tolist() == [0, 1, 2, 3, 4, 5]
    assert list(table.columns[: len(full.ranking().columns)]) == list(full.ranking().columns)
    assert table["confirmed"][:2].tolist() == [0.03125, 0.28125]
    assert table["confirmed"][2:].isna().all()
    assert table["error"].tolist() == ["", "", "", "", "", "ValueError: no"]
    assert {f"latent_{latent.name}" for latent in space_of(full.study).latents} <= set(table.columns)


def test_a_notebook_shows_tables_and_nothing_that_was_smuggled_in(tmp_path: Path) -> None:
    result = Result(made_up(tmp_path))
    assert "<b>small</b>: 6 trials (3 complete, 1 pruned, 1 diverged, 1 failed) in " in result._repr_html_()
    table = result._repr_html_().partition('class="dataframe"')[2].partition("</table>")[0]
    assert table.count("<tr") == 7
    best = result.best()
    assert "<th>lr</th><td>0.01</td>" in best._repr_html_()
    evil = "<script>alert(1)</script>"
    changed = type(best)(**{**vars(best), "study": evil, "params": {**best.params, evil: evil}})
    assert "<script" not in changed._repr_html_()
    result.all_trials[0].config["optimizer"] = evil  # type: ignore[index]
    assert "<script" not in result._repr_html_()
