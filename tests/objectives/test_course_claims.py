"""What the course says of an optimizer is what its study's problem shows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from objectives import Model, Problem, Replicate, load_table, prepare
from objectives.training.descent import descend
from tests.support.problems import Array

STUDY = Path(__file__).parents[2] / "studies" / "course" / "8-adam.toml"
RATES = np.logspace(-3.2, -0.5, 28)


@pytest.fixture(scope="module")
def losses() -> dict[str, Array]:
    """The best loss at each rate `(28,)` of each optimizer of the study, all else at its defaults: a mean of splits."""
    asked = tomllib.loads(STUDY.read_text())
    table, train = load_table(asked["data"]["source"]), asked["train"]
    splits = tuple(Replicate(0, r, prepare(table, replicate=r)) for r in range(6))
    problem = Problem(splits, Model(tuple(asked["model"]["hidden"])))
    common = {"batch_size": train["batch_size"], "epochs": train["epochs"], "schedule": "constant"}
    found = {}
    for name in asked["optimizers"]:
        configs = [{"optimizer": name, "lr": float(rate), **common} for rate in RATES]
        found[name] = descend(problem, configs, train["epochs"]).curves["valid_loss"].mean(axis=0).min(axis=-1)
    return found


def decades(losses: Array) -> float:
    """Over how many decades of rates around the best one the loss `(28,)` is within twice its least."""
    bad = np.flatnonzero(losses > 2 * losses.min())
    best = int(losses.argmin())
    low, high = bad[bad < best].max() + 1, bad[bad > best].min() - 1
    return float(np.log10(RATES[high] / RATES[low]))


def test_course_8_says_how_much_each_optimizer_forgives(losses: dict[str, Array]) -> None:
    said = " ".join(line.lstrip("# ") for line in STUDY.read_text().splitlines() if line.startswith("#"))
    assert "forgives most" not in said
    momentum, scaled, adam = map(float, re.findall(r"(?:for|adam for) (\d\.\d)\b", said))
    for name, width in {"momentum": momentum, "rmsprop": scaled, "adagrad": scaled, "adam": adam}.items():
        assert decades(losses[name]) == pytest.approx(width, abs=0.15), name


def test_course_8_says_what_the_usual_rate_of_adam_costs_each(losses: dict[str, Array]) -> None:
    usual = int(np.abs(RATES - 1e-3).argmin())
    for name, times in {"adam": 2.5, "rmsprop": 1.8, "momentum": 16, "adagrad": 19}.items():
        assert losses[name][usual] / losses[name].min() == pytest.approx(times, rel=0.1), name
