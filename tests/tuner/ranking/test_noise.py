"""Noise: retraining and finite validation rows are told apart, and what they cannot tell apart is called a tie."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.support.trials import trial
from tuner.ranking.noise import Noise, Variance, noise_of, variance
from tuner.ranking.table import ranking
from tuner.records import Confirmed
from tuner.study import Study, read_study
from tuner.trainables.builtin.retrain import blocks_of


def study(seeds: int, replicates: int = 1, **split: Any) -> Study:
    tables = {"study": {"name": "s"}, "confirm": {"seeds": seeds, "top": 9}, "train": {"replicates": replicates}}
    return read_study(tables | {"data": {"source": "sklearn:iris", "split": split}, "optimizers": {"momentum": {}}})


def simulated(seeds: int, rows: int, retraining: float, spread: float, configs: int = 2) -> list[Confirmed]:
    """Retrainings of equal configs: a shift for each training, and values of rows around it, partly shared."""
    rng = np.random.default_rng(5)
    found = []
    for r in range(1, seeds + 1):
        shared = rng.standard_normal(rows)
        for k in range(configs):
            own = 1 + retraining * rng.standard_normal() + shared + spread * rng.standard_normal(rows)
            metrics = {"valid_loss": float(own.mean()), "test_loss": 1.0}
            found.append(Confirmed(k, r, 3, metrics, 0.1, "complete", own.astype(np.float32)))
    return found


def test_the_two_noises_are_told_apart() -> None:
    noise = noise_of(study(400), simulated(400, 100, retraining=0.2, spread=0.5))
    assert noise is not None
    assert noise.between(0, 1).retraining == pytest.approx(2 * 0.2**2, rel=0.15)
    assert noise.between(0, 1).rows == pytest.approx(2 * 0.5**2 / 100, rel=0.05)  # what rows share is no noise
    assert noise.standard_error(noise.between(0, 1)) == pytest.approx(math.sqrt(2 * 0.2**2 + 2 * 0.5**2 / 100), rel=0.1)
    assert noise.between(0, 7) == noise.typical


def test_replicates_average_retraining_and_not_the_rows() -> None:
    rows = simulated(400, 100, retraining=0.2, spread=0.5)
    noise = noise_of(study(400, replicates=4), rows)
    assert noise is not None
    assert noise.standard_error(noise.between(0, 1)) == pytest.approx(
        math.sqrt(2 * 0.2**2 / 4 + 2 * 0.5**2 / 100), rel=0.1
    )


def test_on_one_split_the_seeds_differ_by_retraining_alone() -> None:
    rows = simulated(50, 100, retraining=0.2, spread=0.5)
    fresh, same = noise_of(study(50), rows), noise_of(study(50, order="day"), rows)
    assert fresh is not None
    assert same is not None
    assert same.between(0, 1).retraining == pytest.approx(fresh.between(0, 1).retraining + fresh.between(0, 1).rows)


def test_nothing_is_known_before_two_configs_have_finished() -> None:
    rows = simulated(5, 20, 0.1, 0.1)
    assert noise_of(study(5), []) is None
    assert noise_of(study(5), [row for row in rows if row.trial == 0]) is None
    assert noise_of(study(5), rows[:-1]) is None
    assert noise_of(study(4), rows) is not None


def test_what_noise_cannot_tell_from_the_leader_is_a_tie_of_the_ranking() -> None:
    rows = simulated(5, 50, retraining=0.1, spread=0.1, configs=3)
    noise = noise_of(study(5), rows)
    assert noise is not None
    reach = 2.776 * noise.standard_error(noise.between(0, 3))
    values = [0.5, 0.5 + 0.99 * reach, 0.5 + 1.01 * reach, 0.5 + 1.5 * reach, 0.5 + 9 * reach]
    trials = [trial(n + 3, value=value) for n, value in enumerate(values)]
    trials += [trial(20, value=0.1, stable=False), trial(21, state="pruned", value=0.1)]
    known = ranking(study(5), trials, ["valid_loss"], {}, noise)
    assert list(known["rank"].fillna(0)) == [1, 2, 3, 4, 5, 6, 0]
    assert list(known["tie"].fillna(0)) == [1, 1, 3, 3, 5, 0, 0]
    unknown = ranking(study(5), trials, ["valid_loss"], {})
    assert unknown["tie"].isna().all()
    assert str(unknown["tie"].dtype) == str(known["tie"].dtype) == "Int64"


def test_equal_configs_are_tied_nineteen_times_of_twenty() -> None:
    """Searches of two equal configs, and a confirmation each: the share of searches that call them a tie."""
    rng, ties, seeds, rows = np.random.default_rng(0), 0, 5, 40
    for _ in range(400):
        confirmed = []
        for r in range(seeds + 1):
            shared = rng.standard_normal(rows)
            for k in (0, 1):
                own = 0.2 * rng.standard_normal() + shared + 0.5 * rng.standard_normal(rows)
                metrics = {"valid_loss": float(own.mean())}
                confirmed.append(Confirmed(k, r, 3, metrics, 0.1, "complete", own.astype(np.float32)))
        searched = [row.metrics["valid_loss"] for row in confirmed[:2]]
        noise = noise_of(study(seeds), confirmed)
        assert noise is not None
        ties += noise.alike(0, 1, searched[0] - searched[1])
    assert 0.92 <= ties / 400 <= 0.98


def test_tied_scores_are_as_noisy_as_others() -> None:
    values = {0: [0.90, 0.92], 1: [0.90, 0.92], 2: [0.80, 0.90]}
    rows = [
        Confirmed(k, r, 3, {"valid_loss": value}, 0.1, "complete")
        for k, own in values.items()
        for r, value in enumerate(own, start=1)
    ]
    noise = noise_of(study(2), rows)
    assert noise is not None
    assert noise.typical.retraining == pytest.approx(0.08**2 / 2)
    assert noise.between(0, 1) == noise.typical
    assert noise.alike(0, 1, 0.01)


@pytest.mark.parametrize(("rows", "kept"), [(1, 1), (512, 512), (513, 256), (2000, 500), (10**6, 511)])
def test_blocks_are_few_and_of_equal_size(rows: int, kept: int) -> None:
    values = np.arange(2 * rows, dtype=float).reshape(2, rows)
    blocks = blocks_of(values)
    assert blocks.shape == (2, kept)
    size = rows // kept if rows <= 512 else -(-rows // 512)
    assert blocks[0, 0] == pytest.approx(np.mean(np.arange(size)))


def test_the_noises_have_the_degrees_of_freedom_of_their_samples() -> None:
    scores, blocks = np.array([1.0, 2.0, 6.0]), np.array([[0.0, 2.0], [1.0, 5.0], [3.0, 3.0]])
    rows = (2.0 / 2 + 8.0 / 2 + 0.0 / 2) / 3  # s^2 / G of two blocks each, with G - 1 in s^2
    assert variance(scores, blocks, fresh_splits=False) == Variance(7.0, pytest.approx(rows))  # N - 1 = 2: 14 / 2
    assert variance(scores, blocks, fresh_splits=True) == Variance(pytest.approx(7.0 - rows), pytest.approx(rows))


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_what_chance_reaches_has_a_degree_of_freedom_less_than_there_are_seeds(seeds: int) -> None:
    scores = {0: np.arange(float(seeds)), 1: np.zeros(seeds)}
    noise = Noise(scores, {k: np.zeros((seeds, 1)) for k in scores}, Variance(4.0, 0.0), 1, True)
    assert noise.reach == pytest.approx(2.0 * stats.t.ppf(0.975, seeds - 1))
    own = noise.between(0, 1)
    edge = stats.t.ppf(0.975, seeds - 1) * math.sqrt(own.retraining)
    assert noise.alike(0, 1, 0.999 * edge)
    assert not noise.alike(0, 1, 1.001 * edge)
