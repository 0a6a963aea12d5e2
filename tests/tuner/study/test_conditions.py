"""A parameter that is active only where others have given values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuner
from tuner.errors import StudyError
from tuner.records import at
from tuner.space import space_of
from tuner.study import differences, read_study

WARMUP = {"choices": [0.1, 0.3], "when": {"schedule": ["cosine"]}}
DECAY = {"low": 1e-4, "high": 1e-1, "when": {"batch_size": [8], "schedule": ["cosine"]}}


def tables(**train: Any) -> dict[str, Any]:
    return {
        "study": {"name": "s", "trials": 20},
        "data": {"source": "sklearn:iris"},
        "model": {"hidden": [8]},
        "train": {"epochs": 6, "batch_size": [8, 16], "schedule": ["constant", "cosine"], "warmup": WARMUP, **train},
        "optimizers": {"sgd": {}, "adamw": {"weight_decay": DECAY}},
        "search": {"generation_size": 10},
        "confirm": {"enabled": False},
    }


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=7, max_size=7))
def test_it_has_its_default_where_it_is_not_active(u: list[float]) -> None:
    space = space_of(read_study(tables()))
    config = space.config(at(space.latents, u))
    assert (config["warmup"] in (0.1, 0.3)) == (config["schedule"] != "constant")
    assert config["warmup"] in (0.0, 0.1, 0.3)
    if config["optimizer"] == "adamw":
        active = config["batch_size"] == 8 and config["schedule"] == "cosine"
        assert (config["weight_decay"] == 0.01) != active
    latents = space.latents_of(config)
    assert ("warmup" in latents) == (config["schedule"] != "constant")
    assert space.config(space.completed(latents)) == config


def test_a_grid_counts_only_what_differs() -> None:
    adamw = {"lr": 0.1, "weight_decay": DECAY, "beta1": 0.9}
    space = space_of(read_study(tables() | {"optimizers": {"sgd": {"lr": [0.1, 0.2]}, "adamw": adamw}}))
    # sgd: 2 rates x 2 batches x (constant + cosine with 2 warmups); adamw: no rates, 3 decays where active
    assert sum(block.size for block in space.blocks(3)) == 2 * 2 * 3 + (1 + 1) + (2 * 3 + 2)


def test_it_is_written_and_read_again(tmp_path: Path) -> None:
    study = read_study(tables())
    text = study.to_toml()
    (tmp_path / "again.toml").write_text(text)
    again = read_study(tmp_path / "again.toml")
    assert again.conditions == study.conditions
    assert space_of(again) == space_of(study)
    assert differences(study, again) == []
    changed = read_study(tables(warmup={**WARMUP, "when": {"batch_size": [8]}}))
    assert [key for key, _, _ in differences(study, changed)] == ["train.warmup.when.batch_size"]


def test_it_runs(tmp_path: Path) -> None:
    frame = tuner.run(tables(), jobs=1, home=tmp_path).ranking()
    assert set(frame["warmup"][frame["schedule"] == "constant"]) == {0.0}
    assert set(frame["warmup"][frame["schedule"] == "cosine"]) <= {0.1, 0.3}
    again = tuner.run(tables(), jobs=1, home=tmp_path)
    assert again.cost.trials == 0


@pytest.mark.parametrize(
    ("warmup", "said"),
    [
        ({"choices": [0.1], "when": []}, r"train\.warmup\.when: must name a parameter and its values, but got \[\]"),
        ({"choices": [0.1], "when": {"shedule": ["cosine"]}}, r"is no parameter to depend on; did you mean 'schedule'"),
        (
            {"choices": [0.1], "when": {"schedule": ["linear"]}},
            r"'linear' is not one of its values; it has constant, cos",
        ),
        ({"choices": [0.1], "when": {"warmup": [0.1]}}, r"when\.warmup: is no parameter to depend on"),
        ({"choices": [7.0], "when": {"schedule": ["cosine"]}}, r"train\.warmup: must lie in"),
    ],
)
def test_conditions_that_cannot_hold_are_refused(warmup: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_study(tables(warmup=warmup))


def test_what_every_config_needs_cannot_depend_on_others() -> None:
    with pytest.raises(
        StudyError, match=r"train\.batch_size\.when: batch_size cannot depend on others; warmup, .* can"
    ):
        read_study(tables(batch_size={"choices": [8, 16], "when": {"schedule": ["cosine"]}}))


def test_a_range_of_the_training_is_searched_and_stored(tmp_path: Path) -> None:
    """`dropout` anywhere in a range, `warmup` in one where the schedule falls, and at its default elsewhere."""
    table = {
        "study": {"name": "ranges", "trials": 12},
        "data": {"source": "sklearn:iris"},
        "model": {"hidden": [8], "dropout": {"low": 0.0, "high": 0.5}},
        "train": {
            "epochs": 9,
            "schedule": ["constant", "cosine"],
            "warmup": {"low": 0.01, "high": 0.1, "when": {"schedule": ["cosine"]}},
        },
        "optimizers": {"adam": {}},
        "search": {"generation_size": 6},
        "confirm": {"enabled": False},
    }
    result = tuner.run(table, jobs=1, home=tmp_path)
    configs = [dict(trial.config) for trial in result.all_trials]
    assert len({config["dropout"] for config in configs}) > 8
    assert all(0 <= config["dropout"] <= 0.5 for config in configs)
    warm = {
        config["schedule"]: [c["warmup"] for c in configs if c["schedule"] == config["schedule"]] for config in configs
    }
    assert set(warm["constant"]) == {0.0}
    assert all(0.01 <= value <= 0.1 for value in warm["cosine"])
    more = tuner.run(tmp_path / "ranges" / "study.toml", trials=18, home=tmp_path, jobs=1)
    assert [(t.config, t.value) for t in more.all_trials[:12]] == [(t.config, t.value) for t in result.all_trials]
