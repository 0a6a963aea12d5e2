"""The race of a confirmation: who is compared by what, who drops out, and that no tuning is never beaten by luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.trials import trial
from tuner.ranking.confirmation_race import default_points
from tuner.ranking.contenders import SHARE, contenders, next_round
from tuner.ranking.noise import noise_of
from tuner.ranking.retrainings import round_sizes
from tuner.ranking.standings import standings
from tuner.ranking.table import ranking
from tuner.records import Confirmed, Trial
from tuner.space import space_of
from tuner.study import Study, read_study

SPLITS = 8


def study(seeds: int = 4, splits: int = SPLITS, **tables: Any) -> Study:
    known = {
        "study": {"name": "s", "trials": 64},
        "data": {"source": "sklearn:iris", "splits": splits},
        "confirm": {"seeds": seeds, "top": 3},
        "optimizers": {"momentum": {}, "adam": {}},
    }
    return read_study(known | tables)


def raced(number: int, scores: Sequence[float], point: Any = None, epochs: int = 4) -> Trial:
    """A complete trial whose loss on each split of the search is one of these, at every epoch."""
    one = trial(number, value=float(np.mean(scores)), epochs=epochs, latents=dict(point or {}), lr=0.01 * (number + 1))
    curves = {"valid_loss": np.repeat(np.array(scores, dtype=float)[:, None], epochs, axis=1)}
    return replace(one, curves=curves, metrics={**one.metrics, "splits": float(len(scores))})


def fresh(number: int, scores: Sequence[float], epoch: int = 4) -> list[Confirmed]:
    return [
        Confirmed(number, r, epoch, {"valid_loss": v, "test_loss": v}, 0.1, "complete")
        for r, v in enumerate(scores, start=1)
    ]


def noise(seed: int, count: int, spread: float = 0.05) -> np.ndarray[Any, Any]:
    return spread * np.random.default_rng(seed).standard_normal(count)


def test_a_trial_is_compared_by_the_splits_of_the_search_and_by_fresh_ones() -> None:
    trials = [raced(0, [0.2] * SPLITS), raced(1, [0.3] * SPLITS)]
    rows = fresh(0, [0.5] * 4) + fresh(1, [0.35] * 4)  # fresh ones alone would have it otherwise
    first, second = standings(study(), trials, rows)
    assert [first.trial, second.trial] == [0, 1]
    assert first.goal.mean == pytest.approx((SPLITS * 0.2 + 4 * 0.5) / (SPLITS + 4))
    assert (first.goal.n, first.seeds) == (SPLITS + 4, 4)
    assert first.test["test_loss"].mean == pytest.approx(0.5)


def test_one_split_of_the_search_is_no_witness() -> None:
    one = study(splits=1)
    rows = fresh(0, [0.5] * 4) + fresh(1, [0.35] * 4)
    first, second = standings(one, [raced(0, [0.2]), raced(1, [0.3])], rows)
    assert [first.trial, second.trial] == [1, 0]
    assert first.goal.n == 4
    assert round_sizes(one) == (4,)


def test_rounds_double_and_drop_who_is_behind() -> None:
    asked, base = study(), 0.5 + noise(0, SPLITS + 32)
    near, far = base + 0.001 + noise(1, SPLITS + 32, 0.02), base + 0.2 + noise(2, SPLITS + 32, 0.002)
    every = [base, near, far]
    trials = [raced(i, scores[:SPLITS]) for i, scores in enumerate(every)]
    cheap = [replace(t, epochs=100 * t.epochs, number=10 + t.number, state="pruned") for t in trials]  # a long search
    rows: list[Confirmed] = []
    rounds = []
    while todo := next_round(asked, trials, [*trials, *cheap], rows, {}):
        wanted, seeds = todo
        rounds.append(([t.number for t in wanted], len(seeds)))
        known = {(row.trial, row.replicate) for row in rows}
        for t in wanted:
            more = fresh(t.number, every[t.number][SPLITS : SPLITS + len(seeds)])
            rows += [row for row in more if (row.trial, row.replicate) not in known]
    assert rounds[0] == ([0, 1, 2], 4)
    assert rounds[1] == ([0, 1], 8)
    assert [count for _, count in rounds] == [4, 8, 16, 32][: len(rounds)]
    found = standings(asked, trials, rows)
    assert found[-1].trial == 2
    assert found[-1].seeds == 4 < found[0].seeds
    assert found[-1].p_best < 0.01
    assert sum(one.p_best for one in found) == pytest.approx(1)


def test_a_race_takes_no_more_than_its_share_of_the_search() -> None:
    asked, base = study(), 0.5 + noise(0, SPLITS)
    trials = [raced(i, base + noise(i, SPLITS, 0.01)) for i in range(3)]
    rows = [row for t in trials for row in fresh(t.number, (0.5 + noise(9, 4)).tolist())]
    work = sum(t.epochs * SPLITS for t in trials)
    assert SHARE * work < 3 * 8 * 4
    assert next_round(asked, trials, trials, [], {}) is not None  # the first round is asked for
    assert next_round(asked, trials, trials, rows, {}) is None


def test_defaults_are_among_the_contenders_and_first_where_nothing_is_surely_better() -> None:
    asked = study()
    point = space_of(asked).defaults()[0]
    base = 0.5 + noise(0, SPLITS)
    others = [raced(i, base) for i in range(1, 5)]
    default = raced(0, base, point)
    trials = [default, *others]
    wanted = contenders(asked, asked, trials, [])
    assert default.number in [t.number for t in wanted]
    rows = [row for t in trials for row in fresh(t.number, (0.5 + noise(8, 4)).tolist())]
    alike = standings(asked, trials, rows)
    assert alike[0].trial == default.number
    better = [raced(9, base - 0.2), *trials]
    rows += fresh(9, (0.3 + noise(5, 4, 0.001)).tolist())
    assert [s.trial for s in standings(asked, better, rows)][:2] == [9, default.number]


def test_what_is_handed_over_leads_every_output(tmp_path: Path) -> None:
    tables = {
        "study": {"name": "s", "trials": 32},
        "data": {"source": "sklearn:iris"},
        "model": {"hidden": [8]},
        "train": {"epochs": 9, "batch_size": [16, 32]},
        "optimizers": {"momentum": {}, "adam": {}},
        "confirm": {"top": 3, "seeds": 3},
    }
    result = tuner.run(tables, jobs=1, home=tmp_path)
    best, ranking, confirmation = result.best(), result.ranking(), result.confirmation()
    assert ranking["trial"][0] == confirmation["trial"][0] == best.trial
    assert ranking["confirmed"][0] == pytest.approx(confirmation["mean"][0])
    assert ranking["confirmed_low"][0] < ranking["confirmed"][0] < ranking["confirmed_high"][0]
    assert ranking["search_rank"].dropna().tolist() != []
    assert result.trials().set_index("trial")["confirmed"][best.trial] == ranking["confirmed"][0]
    again = tuner.run(tables, jobs=1, home=tmp_path)
    assert again.cost.retrained == 0  # type: ignore[union-attr]
    assert again.ranking().equals(ranking)


def test_one_that_joins_later_is_compared_from_the_first_round_on() -> None:
    asked = study()
    base = 0.5 + noise(0, SPLITS + 32)
    first, second = raced(0, base[:SPLITS]), raced(1, base[:SPLITS] + 0.001 + noise(1, SPLITS, 0.02))
    rows = fresh(0, base[SPLITS:]) + fresh(1, base[SPLITS:] + 0.001 + noise(2, 32, 0.02))  # far beyond the first round
    newcomer = raced(2, base[:SPLITS] - 0.2)
    rows += fresh(2, base[SPLITS : SPLITS + 4] - 0.2)
    found = standings(asked, [first, second, newcomer], rows)
    assert found[0].trial == 2
    assert found[0].p_best > 0.9
    assert next_round(asked, [first, second, newcomer], [first, second, newcomer], rows, {}) is None


def test_a_wider_confirmation_that_was_cut_short_changes_nothing() -> None:
    asked, base = study(), 0.5 + noise(0, SPLITS + 8)
    one, two = raced(0, base[:SPLITS]), raced(1, base[:SPLITS] + 0.01 + noise(1, SPLITS, 0.05))
    rows = fresh(0, base[SPLITS : SPLITS + 4]) + fresh(1, base[SPLITS : SPLITS + 4] + 0.01)
    before = standings(asked, [one, two], rows)
    cut_short = rows + fresh(1, [0.1] * 8)[4:]
    after = standings(asked, [one, two], cut_short)
    assert [(s.trial, s.seeds, s.goal.mean) for s in after] == [(s.trial, s.seeds, s.goal.mean) for s in before]


def test_the_middle_of_the_ranges_of_ones_own_code_is_nobodys_default() -> None:
    tables = {"study": {"objective": "a:b"}, "parameters": {"x": {"low": 0.0, "high": 1.0}}, "data": {"splits": 4}}
    own = read_study(tables, needs_data=False)
    assert default_points(own) == []
    assert len(default_points(study())) == 2


def test_a_trial_is_tied_with_the_first_that_it_cannot_be_told_from() -> None:
    asked, base = study(splits=1), 0.5 + noise(0, 4)
    trials = [trial(0, value=0.3), trial(1, value=0.5), trial(2, value=0.3)]  # the last is a twin of the first
    rows = fresh(0, base) + fresh(1, base + 0.2 + noise(1, 4, 0.001))
    found = standings(asked, trials, rows)
    listed = ranking(asked, trials, ["valid_loss"], {}, noise_of(asked, rows), found)
    assert listed["trial"].tolist() == [0, 1, 2]
    assert listed["tie"].tolist() == [1, 2, 1]


def test_equal_scores_on_many_seeds_are_compared_without_a_fault() -> None:
    asked = study(seeds=60, splits=1)
    rows = fresh(0, [0.2] * 60) + fresh(1, [0.3] * 60)
    first, second = standings(asked, [trial(0, value=0.2), trial(1, value=0.3)], rows)
    assert (first.trial, second.trial) == (0, 1)
    assert first.p_best > 0.99


def test_a_race_without_contenders_or_with_lost_ones_is_over() -> None:
    asked = study()
    assert next_round(asked, [], [], [], {}) is None
    trials = [raced(i, [0.5] * SPLITS) for i in range(2)]
    lost = [
        replace(row, state="diverged", metrics={"valid_loss": np.inf}) for i in range(2) for row in fresh(i, [0.5] * 4)
    ]
    assert next_round(asked, trials, trials, lost, {}) is None
    assert [s.lost for s in standings(asked, trials, lost)] == ["diverged", "diverged"]
