"""What tuning gained over the optimizers' defaults: measured on the splits that both were checked on."""

from __future__ import annotations

import math

import pytest

import tuner
from tuner.ranking.gain import gain_of
from tuner.result import Result

STUDY = {
    "study": {"name": "small", "trials": 8},
    "data": {"source": "sklearn:iris"},
    "model": {"hidden": [4]},
    "train": {"epochs": 4, "batch_size": [16, 32]},
    "optimizers": {"momentum": {}, "adam": {}},
    "search": {"generation_size": 8},
    "confirm": {"top": 2, "seeds": 2},
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return tuner.run(STUDY, home=tmp_path_factory.mktemp("home"), jobs=1, refit=False)


def test_the_gain_is_the_mean_difference_to_the_best_defaults(result: Result) -> None:
    gain = gain_of(result.study, result.facts, result.all_trials, result.confirmed, result.standings)
    assert gain is not None
    assert gain.trial in (0, 1)  # the search begins with the defaults
    assert gain.mean == pytest.approx(gain.default - gain.winner)
    assert gain.low < gain.mean < gain.high
    assert gain.sure == (gain.low > 0)


def test_defaults_that_won_gained_nothing(result: Result) -> None:
    first = [standing for standing in result.standings if standing.trial in (0, 1)]
    gain = gain_of(result.study, result.facts, result.all_trials, result.confirmed, first)
    assert gain is not None
    assert (gain.trial, gain.mean, gain.sure) == (first[0].trial, 0.0, False)
    assert math.isfinite(gain.winner)


def test_without_checked_defaults_nothing_is_claimed(result: Result) -> None:
    others = [standing for standing in result.standings if standing.trial not in (0, 1)]
    assert gain_of(result.study, result.facts, result.all_trials, result.confirmed, others) is None
