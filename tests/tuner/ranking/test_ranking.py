"""The ranking's columns, dtypes, ties and csv; confirmation's standings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trials import trial
from tuner.ranking.confirmation_table import confirmation_table
from tuner.ranking.standings import standings
from tuner.ranking.statistics import leader_groups
from tuner.ranking.table import csv_text, hyper_kinds, ranking
from tuner.records import Confirmed
from tuner.study import Study, read_study

METRICS = ["train_loss", "valid_loss", "valid_accuracy"]


def study(seeds: int = 5, **keys: Any) -> Study:
    tables = {"study": {"name": "s"} | keys, "data": {"source": "sklearn:iris"}, "confirm": {"seeds": seeds}}
    return read_study(tables | {"optimizers": {"momentum": {}, "adam": {}}})


def test_columns_and_dtypes_are_fixed_even_when_empty() -> None:
    asked = study()
    full = ranking(asked, [trial(0), trial(1, state="diverged", value=None)], METRICS, hyper_kinds(asked))
    empty = ranking(asked, [], METRICS, hyper_kinds(asked))
    assert list(empty.columns) == list(full.columns)
    head = ["rank", "tie", "trial", "state", "value", "se", "splits", "confirmed"]
    assert list(full.columns[: len(head)]) == head
    fixed = ["rank", "tie", "trial", "value", "se", "epoch", "rung", "stable", "lr", "momentum", "beta1", *METRICS]
    for name in (*fixed, "batch_size", "epochs", "steps", "seconds", "generation", "seed"):
        assert empty[name].dtype == full[name].dtype, name
    assert list(empty["state"].cat.categories) == ["complete", "pruned", "diverged", "failed"]
    assert list(empty["optimizer"].cat.categories) == list(full["optimizer"].cat.categories) == ["momentum", "adam"]


def test_only_complete_trials_rank_and_the_rest_follows() -> None:
    trials = [
        trial(0, state="failed", value=None),
        trial(1, value=0.2),
        trial(2, state="pruned", value=0.01),
        trial(3, state="diverged", value=None),
        trial(4, value=0.1),
    ]
    table = ranking(study(), trials, METRICS, {"optimizer": ("momentum",), "lr": "float64"})
    assert list(table["trial"]) == [4, 1, 2, 3, 0]
    assert list(table["rank"][:2]) == [1, 2]
    assert table["rank"][2:].isna().all()


def test_values_that_float32_cannot_tell_apart_are_ties() -> None:
    trials = [trial(0, value=0.5), trial(1, value=0.5 * (1 + 1e-8)), trial(2, value=0.6)]
    table = ranking(study(), trials, METRICS, {"lr": "float64"})
    assert list(table["rank"]) == [1, 2, 3]
    assert list(table["tie"].fillna(0)) == [1, 1, 0]


def test_the_standard_error_is_over_replicates_at_the_best_epoch() -> None:
    curve = np.array([[9.0, 1.0, 5.0], [9.0, 2.0, 7.0], [9.0, 6.0, 1.0]])
    many = replace(trial(0, value=3.0, epochs=3), epoch=2, curves={"valid_loss": curve})
    asked = replace(study(), train=study().train.model_copy(update={"replicates": 3}))
    table = ranking(asked, [many, trial(1, value=4.0), trial(2, state="diverged", value=None)], METRICS, {})
    assert table["se"][0] == pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))
    assert table["se"][1:].isna().all()


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40), st.floats(0, 10))
def test_groups_are_runs_that_start_at_their_leader(values: list[float], width: float) -> None:
    values = sorted(values)
    leaders = leader_groups(len(values), lambda a, b: values[b] - values[a] <= width)
    assert leaders == sorted(leaders)
    assert all(leaders[leader] == leader for leader in leaders)
    for i, leader in enumerate(leaders):
        assert values[i] - values[leader] <= width
        assert leader != i or i == 0 or values[i] - values[leaders[i - 1]] > width


def test_maximized_goals_rank_from_the_top() -> None:
    trials = [trial(0, value=0.8), trial(1, value=0.9)]
    assert list(ranking(study(maximize="valid_accuracy"), trials, METRICS, {})["trial"]) == [1, 0]


def test_csv_is_full_precision_and_no_formula() -> None:
    frame = pd.DataFrame({"x": [0.1 + 0.2], "name": ["=HYPERLINK(1)"], "kind": pd.Categorical(["-a"])})
    text = csv_text(frame)
    assert text == "x,name,kind\n0.30000000000000004,'=HYPERLINK(1),'-a\n"
    assert float(text.splitlines()[1].partition(",")[0]) == 0.1 + 0.2


def confirmed(number: int, values: list[float]) -> list[Confirmed]:
    return [
        Confirmed(number, r, 3, {"valid_loss": v, "test_loss": 2 * v, "test_accuracy": 1 - v}, 0.1, "complete")
        for r, v in enumerate(values, start=1)
    ]


def test_confirmation_demotes_a_lucky_winner() -> None:
    trials = [trial(0, value=0.10), trial(1, value=0.11), trial(2, value=0.50)]
    rows = confirmed(0, [0.2, 0.3, 0.25]) + confirmed(1, [0.1, 0.12, 0.14])
    first, second = standings(study(seeds=3), trials, rows)
    assert (first.trial, first.rank, first.search_rank) == (1, 1, 2)
    assert (second.trial, second.rank, second.search_rank) == (0, 2, 1)
    assert first.goal.mean == pytest.approx(0.12)
    assert first.test["test_loss"].mean == pytest.approx(0.24)
    table = confirmation_table([first, second], ["test_loss", "test_accuracy"])
    assert list(table["trial"]) == [1, 0]
    assert table["low"][0] < table["mean"][0] < table["high"][0]
    assert list(table.filter(regex="^test_accuracy").columns) == [
        "test_accuracy",
        "test_accuracy_low",
        "test_accuracy_high",
    ]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("blown", [math.inf, math.nan])
def test_a_config_that_diverges_on_a_fresh_seed_comes_last(direction: str, blown: float) -> None:
    rows = confirmed(0, [0.1, blown]) + confirmed(1, [0.3, 0.4])
    asked = study(seeds=2)
    asked = replace(asked, direction=direction)
    assert [s.trial for s in standings(asked, [trial(0, value=0.1), trial(1, value=0.2)], rows)] == [1, 0]


def test_only_whole_confirmations_on_the_seeds_asked_for_count() -> None:
    trials = [trial(0, value=0.1), trial(1, value=0.2), trial(2, value=0.3)]
    rows = confirmed(0, [0.1]) + confirmed(1, [0.3, 0.4]) + confirmed(2, [0.5, 0.6, 9.0])
    found = standings(study(seeds=2), trials, rows)
    assert [(s.trial, s.goal.n) for s in found] == [(1, 2), (2, 2)]
    assert found[1].goal.mean == pytest.approx(0.55)


def test_nothing_confirmed_is_an_empty_table() -> None:
    assert standings(study(), [trial(0)], []) == []
    assert len(confirmation_table([], ["test_loss"])) == 0
