"""Intervals of metrics over retrainings: that they cover what they are said to be of, and what they say of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.data import prepare, table_from
from objectives.evaluation.row_values import row_values
from objectives.metrics import METRICS, RowFacts, WholeMetric
from objectives.models import Model
from objectives.problem import Problem, Replicate
from objectives.training.descent import descend
from tuner.ranking.intervals import NEW_ROWS, SAME_ROWS, SEEDS, Sizes, metric_interval, row_variance, sizes_of
from tuner.ranking.statistics import RowNoise, bounded_interval, mean_interval, share_interval
from tuner.records import ConfirmationRun
from tuner.study import Study, read_study
from tuner.text import interval_of, intervals_of
from tuner.trainables.builtin.retrain import evaluate

SIZES = Sizes(train=60, valid=20, test=40, overlap=1 / 3)


def study(metric: str = "valid_loss", source: str = "sklearn:iris", **split: Any) -> Study:
    asked = {"study": {"name": "s", "maximize" if metric == "valid_accuracy" else "minimize": metric}}
    return read_study(asked | {"data": {"source": source, "split": split}, "optimizers": {"momentum": {}}})


def retrained(name: str, values: list[float], blocks: Any = (), **more: float) -> list[ConfirmationRun]:
    own = np.asarray(blocks, dtype=np.float32)
    return [ConfirmationRun(0, r, 3, {name: v, **more}, 0.1, "complete", own) for r, v in enumerate(values, start=1)]


scores = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20)


@given(values=scores, overlap=st.floats(0, 2), rows=st.floats(0, 10), degrees=st.integers(1, 10**6))
def test_what_is_added_to_a_spread_never_shortens_an_interval(
    values: list[float], overlap: float, rows: float, degrees: int
) -> None:
    plain, wide = mean_interval(values), mean_interval(values, overlap=overlap, rows=RowNoise(rows, degrees))
    assert wide.mean == plain.mean
    assert wide.high - wide.low >= (plain.high - plain.low) * (1 - 1e-12)
    assert wide.high - wide.mean == pytest.approx(wide.mean - wide.low, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("seeds", [2, 5])
def test_an_area_under_the_curve_is_covered_and_stays_below_one(seeds: int) -> None:
    """Of 30 rows of the class among 100, whose true area is 0.95: a t interval covers 88 %, and goes beyond one."""
    rng, covered, row = np.random.default_rng(1), 0, METRICS["auc"]
    assert isinstance(row, WholeMetric)
    apart, unit = 1.6449 * math.sqrt(2), np.ones((1, 1, 1))
    facts = RowFacts(100, unit, unit, unit)
    y = (np.arange(100) < 30).astype(float)[None, None, None]
    for _ in range(300):
        z = rng.normal(size=(1, 1, 1, 100)) + apart * y
        value, parts = float(row.score(z, y, facts)[0, 0]), row.parts(z, y, facts)[0, 0]
        found = bounded_interval([value] * seeds, 0.95, (0.0, 1.0), float(parts.var(ddof=1)) / 100)
        assert 0 < found.low < value < found.high < 1 or value == 1
        covered += found.low <= 0.95 <= found.high
    assert covered / 300 >= 0.92


@given(overlap=st.floats(0, 2), few=st.integers(2, 20), more=st.integers(1, 20))
def test_more_seeds_shorten_an_interval_but_not_below_what_the_splits_share(
    overlap: float, few: int, more: int
) -> None:
    short, long = (mean_interval([0.0, 1.0] * n, overlap=overlap) for n in (few + more, few))
    assert short.high - short.low < long.high - long.low
    assert short.high - short.mean > 1.95 * 0.5 * math.sqrt(overlap)


@given(
    hits=st.lists(st.integers(0, 30), min_size=2, max_size=10), overlap=st.floats(0, 1), rows=st.floats(1, 1000),
    shared=st.booleans(),
)  # fmt: skip
def test_the_interval_of_a_share_has_a_width_and_stays_within_its_bounds(
    hits: list[int], overlap: float, rows: float, shared: bool
) -> None:
    found = share_interval([n / 30 for n in hits], 0.95, overlap, rows, shared)
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.high - found.low > 1e-3


def test_the_interval_of_a_share_is_wilsons_where_the_seeds_agree() -> None:
    # 8 of 10: Wilson's 95 % interval, with t of 9 degrees of freedom in place of the normal quantile
    found, q2 = share_interval([0.8] * 5, 0.95, 0.0, 10, shared=True), 2.262157**2
    half = math.sqrt(0.8 * 0.2 / 10 + q2 / 400) * math.sqrt(q2) / (1 + q2 / 10)
    middle = (0.8 + q2 / 20) / (1 + q2 / 10)
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), rel=1e-6)
    unknown = share_interval([1.0] * 5, 0.95, 0.25, math.inf)
    assert (unknown.mean, math.isnan(unknown.low)) == (1.0, True)


def test_of_overlapping_splits_the_corrected_interval_covers_and_the_plain_one_does_not() -> None:
    """Rows are predicted by the mean of the train rows: the loss on new ones is `1 + 1 / n_train`, exactly."""
    rng, train, valid, splits, studies = np.random.default_rng(0), 75, 25, 10, 500
    hits = np.zeros(2)
    for _ in range(studies):
        rows = rng.standard_normal(train + valid)
        drawn = np.array([rng.permutation(rows) for _ in range(splits)])
        losses = (drawn[:, train:] - drawn[:, :train].mean(axis=1, keepdims=True)) ** 2
        found = [mean_interval(list(losses.mean(axis=1)), overlap=overlap) for overlap in (0.0, valid / train)]
        hits += [i.low <= 1 + 1 / train <= i.high for i in found]
    plain, corrected = hits / studies
    assert plain < 0.8
    assert 0.92 <= corrected <= 0.98


@pytest.mark.parametrize("retraining", [0.02, 0.2])
def test_of_test_rows_the_interval_covers_the_loss_on_new_ones(retraining: float) -> None:
    rng, asked, sizes, hits, plain, studies = np.random.default_rng(1), study(), replace(SIZES, test=50), 0, 0, 500
    for _ in range(studies):
        rows = rng.standard_normal(50)
        values = [float(1 + rows.mean() + retraining * rng.standard_normal()) for _ in range(5)]
        known = retrained("test_loss", [max(value, 0.0) for value in values], sd_test_loss=float(rows.std(ddof=1)))
        found, short = metric_interval(asked, sizes, known, "test_loss"), mean_interval(values)
        hits += found.low <= 1 <= found.high
        plain += short.low <= 1 <= short.high
    assert 0.92 <= hits / studies <= 0.98
    assert plain / studies < 0.92


@pytest.mark.parametrize("chance", [0.5, 0.9, 0.99])
def test_of_accuracies_the_interval_covers_the_share_of_new_rows(chance: float) -> None:
    rng, asked, hits, studies = np.random.default_rng(2), study("valid_accuracy"), 0, 500
    for _ in range(studies):
        right = rng.random(SIZES.test) < chance
        values = [float(np.where(rng.random(SIZES.test) < 0.95, right, rng.random(SIZES.test) < chance).mean())
                  for _ in range(5)]  # fmt: skip
        found = metric_interval(asked, SIZES, retrained("test_accuracy", values), "test_accuracy")
        hits += found.low <= chance <= found.high
    assert hits / studies >= 0.92


def test_intervals_say_what_they_are_of() -> None:
    rows = retrained("valid_loss", [0.5, 0.6, 0.7], test_loss=0.5, test_f1_macro=0.5, test_accuracy=0.5)
    kept = retrained("test_loss", [0.5, 0.6, 0.7], sd_test_loss=0.3)

    def of(asked: Study, sizes: Sizes, rows: list[ConfirmationRun], name: str) -> str:
        return metric_interval(asked, sizes, rows, name).of

    assert of(study(), SIZES, rows, "valid_loss") == of(study(), SIZES, kept, "test_loss") == NEW_ROWS
    assert of(study(), SIZES, rows, "test_accuracy") == NEW_ROWS
    assert of(study(), SIZES, rows, "test_loss") == SAME_ROWS  # of a ledger that did not keep the rows' deviation
    assert of(study(), SIZES, rows, "test_f1_macro") == of(study(), Sizes(), rows, "test_accuracy") == SAME_ROWS
    assert of(study(order="day"), SIZES, rows, "valid_loss") == SAME_ROWS
    assert of(study(order="day"), SIZES, retrained("valid_loss", [0.5, 0.6], [0.1, 0.9]), "valid_loss") == NEW_ROWS
    own = {"study": {"name": "s", "objective": "train.py:train"}, "parameters": {"x": {"low": 0.1, "high": 1.0}}}
    mine = read_study(own, needs_data=False)
    known = metric_interval(mine, sizes_of(mine, {"rows": "9"}), rows, "valid_loss")
    assert (known, known.of) == (replace(mean_interval([0.5, 0.6, 0.7], bounds=(0, math.inf)), of=SEEDS), SEEDS)


def test_the_overlap_is_of_rows_where_they_are_known_and_of_fractions_otherwise() -> None:
    asked = study(valid=0.3, test=0.1)
    assert sizes_of(asked, {}).overlap == pytest.approx(0.5)
    assert sizes_of(asked, {"rows": "50", "valid_rows": "20"}) == Sizes(50, 20, 0, 0.4)
    assert sizes_of(study(order="day"), {"rows": "50", "valid_rows": "20"}).overlap == 0.0
    assert Sizes(75, 25).different(1) == pytest.approx(25)
    assert Sizes(75, 25).different(10**6) == pytest.approx(100)
    assert Sizes().different(5) == math.inf


def test_one_split_adds_the_noise_of_its_rows() -> None:
    rng = np.random.default_rng(3)
    blocks = rng.standard_normal(400)
    rows = retrained("valid_loss", [1.0, 1.0, 1.0], blocks)
    found = metric_interval(study(order="day"), SIZES, rows, "valid_loss")
    assert found.high - found.mean == pytest.approx(1.966 * math.sqrt(blocks.var(ddof=1) / 400), rel=1e-3)
    assert row_variance([row.blocks for row in rows]) == pytest.approx(blocks.var(ddof=1) / 400, rel=1e-5)
    assert row_variance([]) == row_variance([np.ones(1), blocks]) == 0.0


@pytest.mark.parametrize(("task", "kept"), [("regression", {"loss", "r2", "rmse"}), ("multiclass", {"loss"})])
def test_a_retraining_keeps_the_spread_of_its_test_rows(task: str, kept: set[str]) -> None:
    rng = np.random.default_rng(4)
    y = rng.integers(3, size=120) if task == "multiclass" else rng.standard_normal(120)
    data = prepare(table_from(rng.standard_normal((120, 4)), y, task=task))
    problem = Problem((Replicate(0, 1, data),), Model((5,), "tanh"))
    config = {"optimizer": "momentum", "lr": 0.05, "batch_size": 16, "epochs": 2}
    pair = descend(problem, [config, config | {"lr": 1e30}], 2).state
    alive, lost = evaluate(problem, pair, [7, 8], "valid_loss", ())
    assert {name for name in alive.metrics if name.startswith("sd_")} == {f"sd_test_{name}" for name in kept}
    assert not any(name.startswith("sd_") for name in lost.metrics)
    values = row_values(problem, pair.weights, "test", "loss")[0, 0]
    assert alive.metrics["sd_test_loss"] == pytest.approx(values.std(ddof=1), rel=1e-6)
    alone = descend(problem, [config], 2).state
    assert evaluate(problem, alone, [7], "valid_loss", ())[0].metrics == alive.metrics


def test_words_tell_what_is_in_brackets() -> None:
    assert interval_of(NEW_ROWS, "valid_loss") == "95 % interval for the loss on new rows"
    assert interval_of("", "valid_loss") == "95 % interval"
    assert intervals_of({"valid_loss": NEW_ROWS, "test_loss": NEW_ROWS}) == "95 % intervals for the value on new rows"
    mixed = intervals_of({"valid_loss": NEW_ROWS, "test_f1": SAME_ROWS, "test_x": ""})
    assert mixed == f"95 % intervals for the value on new rows; that of test_f1 for {SAME_ROWS}"
    assert intervals_of({"valid_loss": ""}) == intervals_of({}) == ""
