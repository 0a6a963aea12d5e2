"""Studies at the edges: each makes a page that says so, and no chart of it fails to be drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.browser import Browser
from tests.support.planted_studies import changed_study, ended, losses, pruned, reconfigured, sound, trained, written
from tuner.records import Trial
from tuner.report import sections
from tuner.report.charts import figures
from tuner.report.findings import findings_of
from tuner.report.report_data import Frames
from tuner.report.vega_data import Kept
from tuner.result import Result

Make = Callable[[], tuple[list[Trial], dict[str, Any]]]
FEW = {"study": {"trials": 4}, "search": {"generation_size": 4}}
SINGLE = {"study": {"trials": 1}, "search": {"generation_size": 1}}


def first(count: int) -> list[Trial]:
    return [replace(trial, value=trial.value) for trial in sound()[:count]]


def none() -> tuple[list[Trial], dict[str, Any]]:
    return [], {}


def one() -> tuple[list[Trial], dict[str, Any]]:
    return first(1), SINGLE


def running() -> tuple[list[Trial], dict[str, Any]]:
    return first(16), {}


def only_pruned() -> tuple[list[Trial], dict[str, Any]]:
    return [pruned(trial) for trial in first(8)], {}


def all_diverged() -> tuple[list[Trial], dict[str, Any]]:
    return [ended(trial, "diverged") for trial in first(8)], {}


def all_failed_without_curves() -> tuple[list[Trial], dict[str, Any]]:
    return [replace(ended(t, "failed", ""), curves={}, epochs=0, steps=0, error="E\nx") for t in first(8)], {}


def fixed() -> tuple[list[Trial], dict[str, Any]]:
    only = {"momentum": {"lr": 0.1, "momentum": 0.9}}
    return [trained(0, 0.5, optimizer="momentum")], SINGLE | {"optimizers": only}


def one_parameter() -> tuple[list[Trial], dict[str, Any]]:
    only = {"momentum": {"momentum": 0.9}}
    return [trained(i, 0.5 + i / 10, lr=0.01 * 2**i, optimizer="momentum") for i in range(4)], FEW | {
        "optimizers": only
    }


def constant() -> tuple[list[Trial], dict[str, Any]]:
    return [losses(trained(i, 0.5), [0.5] * 20, [0.5] * 20, 1) for i in range(8)], {}


def zeros() -> tuple[list[Trial], dict[str, Any]]:
    return [losses(trained(i, 0.5), [0.0] * 20, [0.0] * 20, 1) for i in range(8)], {}


def decades() -> tuple[list[Trial], dict[str, Any]]:
    sizes = [10.0 ** (40 * i - 150) for i in range(8)]
    return [losses(trained(i, 0.5), [v * 2, *[v] * 19], [v] * 20, 2) for i, v in enumerate(sizes)], {}


def nothing_finite() -> tuple[list[Trial], dict[str, Any]]:
    blown = [ended(trial, "diverged") for trial in first(8)]
    return [replace(t, curves={n: np.full((1, 1), np.inf) for n in t.curves}) for t in blown], {}


def nothing_finite_for_long() -> tuple[list[Trial], dict[str, Any]]:
    trials, study = nothing_finite()
    return [replace(t, curves={n: np.full((1, 3), np.inf) for n in t.curves}, epochs=3) for t in trials], study


def many_parameters() -> tuple[list[Trial], dict[str, Any]]:
    wide = {"low": 1e-9, "high": 1e-1, "log": True}
    own = {"eps": wide, "weight_decay": wide, "beta2": {"low": 0.9, "high": 0.999}}
    names = ("momentum", "adam", "adamw", "amsgrad", "adamax", "nadam", "rmsprop", "adagrad", "adadelta", "nesterov")
    keys = {"momentum": ("weight_decay",), "nesterov": ("weight_decay",), "rmsprop": ("eps", "weight_decay")}
    keys |= {"adagrad": ("eps", "weight_decay"), "adadelta": ("eps", "weight_decay")}
    study = {
        "optimizers": {name: {key: own[key] for key in keys.get(name, tuple(own))} for name in names},
        "train": {"batch_size": [16, 32, 64, 128], "schedule": ["constant", "cosine"], "warmup": [0.0, 0.1]},
        "model": {"hidden": [[32], [64]], "activation": ["relu", "tanh"], "init": ["torch", "glorot"]},
    }
    return [reconfigured(t, eps=1e-6, batch_size=16 * 2 ** (t.number % 4), warmup=0.1) for t in first(32)], study


ODD: tuple[Make, ...] = (
    none, one, running, only_pruned, all_diverged, all_failed_without_curves, fixed, one_parameter, constant, zeros,
    decades, nothing_finite, nothing_finite_for_long, many_parameters,
)  # fmt: skip


def made(home: Path, make: Make) -> Result:
    trials, study = make()
    return written(home, trials, [], changed_study(**study))


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_an_odd_study_has_figures_and_findings(make: Make, tmp_path: Path) -> None:
    result = made(tmp_path, make)
    frames = Frames(result)
    kept = Kept(frames.trials)
    for name, own in figures(frames).items():
        assert own or name == "course"
        for figure in own:
            assert figure.caption
            assert figure.chart is None or kept.specification(figure.chart)[1]
    rules = [finding.rule for finding in findings_of(frames)]
    assert "few_trials" not in rules or len(result.all_trials) == result.study.trials
    assert sections.header(frames)["state"].startswith("Not") == (len(result.all_trials) < result.study.trials)
    assert (sections.best_config(frames) is None) == (frames.best is None)


@pytest.mark.parametrize(
    ("stop", "state"),
    [
        ({"no_gain": 8}, "Ended early: no gain in the last 14 trials (stop.no_gain = 8); "),
        ({"target": 0.5}, "Ended early: the target 0.5 is reached (stop.target); "),
        ({"no_gain": 60}, "Not complete: these are the trials so far."),
    ],
)
def test_a_page_says_why_a_search_ended_early(stop: dict[str, Any], state: str, tmp_path: Path) -> None:
    trials = [trained(i, 0.4 + abs(i - 1) / 100) for i in range(16)]
    assert sections.header(Frames(written(tmp_path, trials, [], changed_study(stop=stop))))["state"].startswith(state)


def test_failures_come_first_with_what_they_share(tmp_path: Path) -> None:
    trials = [trained(i, 0.5 + i / 100, lr=0.01 * (i + 1)) for i in range(16)]
    trials = [ended(t, "failed", f"ValueError: lr\n{t.number}") if t.config["lr"] > 0.1 else t for t in trials]
    text = written(tmp_path, trials, []).report().read_text(encoding="utf-8")
    assert "<h2>6 of 16 trials failed</h2>" in text
    assert "All failed trials, and no others, have lr above 0.1." in text
    assert "<span>6x, first in trial 10:</span> <code>ValueError: lr</code>" in text
    assert text.index('id="failures"') < text.index('id="findings"')


def test_a_study_whose_trials_all_failed_shows_the_error_and_little_else(tmp_path: Path) -> None:
    trials = [ended(t, "failed", "ImportError: no module\nTraceback") for t in first(8)]
    trials = [replace(t, curves={}) for t in trials]
    text = written(tmp_path, trials, []).report().read_text(encoding="utf-8")
    headings = re.findall("<h2>(.*?)</h2>", text.partition("<script")[0])
    assert headings[0] == "Every trial failed"
    assert "8x, first in trial 0:" in text
    assert "Best config" not in headings
    assert headings[1:] == ["Findings", "Trials", "Time", "Provenance"]


@pytest.mark.slow
@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_an_odd_study_is_drawn(make: Make, tmp_path: Path, chromium: Browser) -> None:
    result = made(tmp_path, make)
    page = result.report()
    text = page.read_text(encoding="utf-8")
    lost = all(trial.state == "failed" for trial in result.all_trials)
    assert ("No trial is complete yet" in text) == (Frames(result).best is None and not (result.all_trials and lost))
    chromium.size(1280)
    chromium.open(page)
    assert chromium.complaints() == []
