"""A function tuned in one call: the space as Python values, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tuner


def bowl(config: dict[str, Any]) -> float:
    return float((config["rate"] - 0.1) ** 2 + config["layers"] + {"a": 0, "b": 1}[config["kind"]] + config["width"])


def curve(config: dict[str, Any]) -> Any:
    for epoch in range(1, 10):
        yield epoch, {"score": config["rate"] * epoch}


SPACE = {
    "rate": tuner.log(1e-3, 1.0),
    "layers": range(2, 9, 3),
    "kind": ["a", "b"],
    "width": (1, 4),
    "share": (0.0, 0.5),
    "fixed": 3,
}


def test_each_form_of_a_space_is_searched_as_it_says(tmp_path: Path) -> None:
    result = tuner.tune(bowl, SPACE, trials=12, jobs=1, home=tmp_path)
    configs = [trial.config for trial in result.all_trials]
    assert result.study.name == "bowl"
    assert {config["layers"] for config in configs} <= {2, 5, 8}
    assert {config["width"] for config in configs} <= {1, 2, 3, 4}
    assert all(0 <= config["share"] <= 0.5 and 1e-3 <= config["rate"] <= 1 for config in configs)
    assert {config["kind"] for config in configs} == {"a", "b"}
    assert {config["fixed"] for config in configs} == {3}
    assert result.best().value == min(bowl(dict(config)) for config in configs)


def test_the_same_call_again_trains_nothing(tmp_path: Path) -> None:
    first = tuner.tune(bowl, SPACE, trials=4, jobs=1, home=tmp_path)
    again = tuner.tune(bowl, SPACE, trials=4, jobs=1, home=tmp_path)
    assert again.ranking().equals(first.ranking())
    more = tuner.tune(bowl, SPACE, trials=6, jobs=1, home=tmp_path)
    assert len(more.all_trials) == 6


def test_epochs_cut_weak_trials_and_a_metric_is_maximized(tmp_path: Path) -> None:
    space = {"rate": tuner.log(1e-3, 1.0)}
    result = tuner.tune(curve, space, trials=12, maximize="score", epochs=9, name="own", jobs=1, home=tmp_path)
    assert result.study.name == "own"
    assert {str(trial.state) for trial in result.all_trials} == {"complete", "pruned"}
    assert result.best()["rate"] == max(trial.config["rate"] for trial in result.all_trials)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "space: has no parameter"),
        ({"rate": (1.0, 0.1)}, "upside down"),
        ({"rate": tuner.log(0.0, 1.0)}, "log range cannot start at 0"),
    ],
)
def test_what_is_wrong_with_a_space_is_said(space: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(tuner.StudyError, match=message):
        tuner.tune(bowl, space, jobs=1, home=tmp_path)


def test_a_function_without_a_name_is_called_tuned(tmp_path: Path) -> None:
    result = tuner.tune(lambda config: config["rate"], {"rate": (0.0, 1.0)}, trials=2, jobs=1, home=tmp_path)
    assert result.study.name == "tuned"
