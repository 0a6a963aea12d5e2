"""The epoch that is handed over: chosen by the curves of all splits, and what a confirmation is compared by there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.trials import trial
from tuner.ranking.goal import smoothed
from tuner.ranking.retrainings import REPORTING, final_epoch, follows_curves, kept_curve, raced
from tuner.records import Confirmed, Trial
from tuner.study import Study, read_study

EPOCHS, SPLITS = 20, 4


def tables(**data: Any) -> dict[str, Any]:
    return {
        "study": {"name": "s", "trials": 16},
        "data": {"source": "sklearn:iris", "splits": SPLITS, **data},
        "model": {"hidden": [8]},
        "train": {"epochs": 9, "batch_size": [16, 32]},
        "optimizers": {"momentum": {}, "adam": {}},
        "search": {"generation_size": 8},
        "confirm": {"seeds": 3, "top": 2},
    }


def study(**data: Any) -> Study:
    return read_study(tables(**data), needs_data=False)


def valley(bottom: int) -> np.ndarray[Any, Any]:
    """A curve whose lowest point is at an epoch."""
    return np.asarray(0.5 + 0.001 * (np.arange(1, EPOCHS + 1) - bottom) ** 2)


def searched(bottom: int) -> Trial:
    curves = {"valid_loss": np.tile(valley(bottom), (SPLITS, 1))}
    return replace(trial(0, value=0.5, epochs=EPOCHS), epoch=bottom, curves=curves)


def fresh(bottom: int, count: int, first: int = 1) -> list[Confirmed]:
    metrics = {"valid_loss": 0.7, **kept_curve(valley(bottom), 5)}
    return [Confirmed(0, first + i, 6, metrics, 0.1, "complete") for i in range(count)]


def test_the_epoch_is_that_of_the_mean_curve_over_all_splits() -> None:
    assert final_epoch(study(), searched(6), []) == 6
    assert final_epoch(study(), searched(6), fresh(6, 4)) == 6
    assert final_epoch(study(), searched(6), fresh(14, 4)) == 10  # as many fresh splits as searched ones
    assert final_epoch(study(), searched(6), fresh(14, 12)) == 12


def test_a_training_that_falls_apart_after_its_epoch_keeps_the_epoch_before_that() -> None:
    broken = np.where(np.arange(EPOCHS) < 12, valley(14), np.inf)
    rows = [*fresh(14, 11), Confirmed(0, 12, 6, {"valid_loss": 0.7, **kept_curve(broken, 5)}, 0.1, "complete")]
    assert final_epoch(study(), searched(6), rows) == 10  # at 11 the average already meets what fell apart
    lost = [Confirmed(0, 1, 6, {"valid_loss": np.inf}, 0.1, "failed")]
    assert final_epoch(study(), searched(6), lost) == 6


def test_what_was_reported_stays_and_what_has_no_curves_is_left_alone() -> None:
    reported = Confirmed(0, REPORTING + 1, 7, {"valid_loss": 0.7}, 0.1, "complete")
    assert final_epoch(study(), searched(6), [*fresh(14, 4), reported]) == 7
    before = [Confirmed(0, r, 6, {"valid_loss": 0.7}, 0.1, "complete") for r in (1, 2)]
    assert final_epoch(study(), searched(6), [*before, *fresh(14, 2, first=3)]) == 6
    assert final_epoch(study(resampling="holdout", splits=1), searched(6), fresh(14, 4)) == 6


def test_fresh_scores_are_averaged_over_the_epochs_around_like_those_of_the_search() -> None:
    one = searched(6)
    rows = raced(study(), one, fresh(14, 2))
    around = float(smoothed(valley(14), 5)[5])
    assert [row.metrics["valid_loss"] for row in rows[SPLITS:]] == pytest.approx([around] * 2)
    assert rows[0].metrics["valid_loss"] == pytest.approx(float(smoothed(valley(6), 5)[5]))


def test_long_curves_are_kept_at_some_epochs_with_the_last() -> None:
    kept = kept_curve(np.arange(1000.0), 5)
    assert len(kept) == 64
    assert kept["goal_at_1000"] == pytest.approx(998.0)  # the mean of the last three
    assert kept["goal_at_500"] == pytest.approx(499.0)


def test_a_confirmation_keeps_curves_and_reports_at_the_epoch_that_is_handed_over(tmp_path: Path) -> None:
    result = tuner.run(tables(), jobs=1, home=tmp_path)
    assert follows_curves(result.study)
    best = result.best()
    rows = [row for row in result.confirmed if row.replicate <= REPORTING]
    assert all(f"goal_at_{epoch}" in row.metrics for row in rows for epoch in range(1, 10))
    reported = [row for row in result.confirmed if row.replicate > REPORTING]
    assert [row.epoch for row in reported] == [best.epochs] * 3
    assert not any(name.startswith("goal_at_") for row in reported for name in row.metrics)
    assert best.epochs == final_epoch(result.study, result.trial(best.trial), rows)
    # what is trained at its epoch does not depend on being trained on
    again = tuner.run(tables(), name="again", jobs=2, home=tmp_path)
    assert (tmp_path / "again" / "ranking.csv").read_bytes() == (tmp_path / "s" / "ranking.csv").read_bytes()
    assert again.best().epochs == best.epochs


def test_trials_that_stop_early_are_confirmed_at_their_own_epoch(tmp_path: Path) -> None:
    early = tables()
    early["train"] |= {"patience": 2}
    result = tuner.run(early, jobs=1, home=tmp_path)
    assert not follows_curves(result.study)
    assert result.best().epochs == result.trial(result.best().trial).epoch
