"""Studies of somebody's own objective, which have no optimizer, data or model here: their reports too are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support.browser import Browser
from tuner.report.charts import figures
from tuner.report.charts.sensitivity import parameter_x
from tuner.report.report_data import Frames
from tuner.report.snippets import snippets
from tuner.result import Result

OBJECTIVE = """
import math


def train(config):
    if config["rate"] > 5:
        raise ValueError("too fast")
    return (math.log10(config["rate"]) + 1) ** 2 + abs(config["leaf"] - 1) / 10
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    home = tmp_path_factory.mktemp("own")
    (home / "mine.py").write_text(OBJECTIVE, encoding="utf-8")
    study: dict[str, Any] = {
        "study": {"name": "mine", "trials": 24, "objective": f"{home / 'mine.py'}:train", "minimize": "loss"},
        "parameters": {
            "rate": {"low": 1e-3, "high": 10.0, "log": True},
            "leaf": {"low": 1, "high": 20, "log": True},
            "flag": [False, True],
            "kind": ["a", "b"],
        },
        "search": {"generation_size": 8},
    }
    return tuner.run(study, jobs=2, home=home, confirm=False)


def test_its_figures_are_drawn_and_its_page_names_no_optimizer(result: Result, tmp_path: Path) -> None:
    drawn = {one.name for own in figures(Frames(result)).values() for one in own if one.chart is not None}
    assert {"progress", "sensitivity-rate", "sensitivity-leaf", "time-line"} <= drawn
    assert not {"curves", "curves-steps", "curves-gap"} & drawn  # each trial has one value
    text = result.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h2>Optimizers</h2>" not in text
    assert list(snippets(result.best())) == ["toml", "json", "args"]
    assert ">best at equal budget<" not in text


def test_its_file_is_named_without_the_folder_of_this_machine(result: Result, tmp_path: Path) -> None:
    text = result.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "minimize loss of mine.py:train, seed 0" in result.study.question
    assert "Minimize loss of mine.py:train, seed 0." in text
    assert text.count("mine.py:train") >= 3  # the question, the study, the facts
    assert f"{result.path.parent}" not in text


@pytest.mark.parametrize("name", ["flag", "kind"])
def test_every_value_has_its_place_on_the_axis(result: Result, name: str) -> None:
    axis = parameter_x(Frames(result), name).to_dict()
    assert set(result.ranking()[name]) == set(axis["scale"]["domain"])


def test_a_whole_number_is_not_sent_below_one(result: Result) -> None:
    for finding in result.findings():
        assert "parameters.leaf.low=0" not in finding.command
        assert "train.leaf" not in finding.command


@pytest.mark.slow
def test_its_page_is_drawn(result: Result, tmp_path: Path, chromium: Browser) -> None:
    chromium.size(1280)
    chromium.open(result.report(tmp_path / "page.html"))
    assert chromium.complaints() == []
    assert chromium.requests() == []
