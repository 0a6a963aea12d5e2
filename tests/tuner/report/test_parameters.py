"""Parameters as a report speaks of them: where a study file sets them, and what trials tell of another tool's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.planted_studies import changed_study, trained
from tuner.report.parameters import parameters_of, tried
from tuner.study import Choices, Imported, Range, read_study


def test_a_key_is_where_the_study_file_sets_it() -> None:
    searched: dict[str, Any] = {
        "model": {"dropout": [0.0, 0.2], "hidden": [[32], [64]]},
        "train": {"batch_size": [16, 32], "clip_norm": [0.5, 1.0]},
    }
    keys = {parameter.name: parameter.key for parameter in parameters_of(read_study(changed_study(**searched)))}
    assert keys == {
        "lr": "optimizers.adam.lr",
        "momentum": "optimizers.momentum.momentum",
        "beta1": "optimizers.adam.beta1",
        "hidden": "model.hidden",
        "dropout": "model.dropout",
        "batch_size": "train.batch_size",
        "clip_norm": "train.clip_norm",
    }


def test_of_another_tool_is_known_what_its_trials_tried() -> None:
    columns = {"lr": "float64", "depth": "Int64", "kind": ("a", "b", "c"), "same": "float64", "optimizer": ("Adam",)}
    configs = [
        {"lr": 1e-4, "depth": 3, "kind": "b", "same": 1.0, "optimizer": "Adam"},
        {"lr": 1e-1, "depth": 9, "kind": "a", "same": 1.0, "optimizer": "Adam"},
        {"lr": 1e-2, "kind": "b", "optimizer": "Adam"},
    ]
    trials = [replace(trained(i, 0.5), config=config) for i, config in enumerate(configs)]
    found = {p.name: p.domain for p in tried(Imported("optuna", "theirs", columns), trials)}
    assert found == {"lr": Range(1e-4, 1e-1, "log"), "depth": Range(3, 9, "linear"), "kind": Choices(("a", "b"))}
