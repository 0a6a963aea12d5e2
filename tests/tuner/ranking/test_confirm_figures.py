"""What a confirmation promises, at a small scale; `python -m tests.benchmarks.confirm` measures it in full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.lucky_winner import demoted
from tests.support.simulated_study import asking, coverage, looked_up, modelled, percentiles, trained
from tuner.study import read_study

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("seeds", [5, 10])
def test_the_interval_of_the_chosen_config_covers_its_mean_and_that_of_the_same_scores_does_not(seeds: int) -> None:
    rng = np.random.default_rng(1)
    found = coverage(modelled(asking(seeds), rng, spread=0.3, correlation=0.9) for _ in range(500))
    assert 0.92 <= found.reported <= 0.98
    assert 0.92 <= found.reported_test <= 0.98
    assert found.same < found.reported


def test_a_lucky_winner_is_demoted(tmp_path: Path) -> None:
    assert all(demoted(tmp_path, seed, gap=4.0) for seed in range(3))


@pytest.mark.slow
def test_a_lucky_winner_is_demoted_in_nineteen_of_twenty_seeds(tmp_path: Path) -> None:
    assert sum(demoted(tmp_path, seed, gap=4.0) for seed in range(20)) >= 19


@pytest.mark.slow
def test_on_real_trainings_the_confirmed_winner_is_better_and_its_interval_honest() -> None:
    table = trained(read_study(ROOT / "studies" / "breast_cancer.toml"), configs=24, splits=30)
    asked = asking(5)
    both = np.array([percentiles(table, asked, split) for split in range(20)])
    raw, confirmed = np.median(both, axis=0)
    assert confirmed < raw
    rng = np.random.default_rng(0)
    assert 0.92 <= coverage(looked_up(asked, rng, table) for _ in range(500)).reported <= 0.98
