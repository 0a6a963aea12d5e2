"""Splits: how many a trial is judged on, what its value is then, and that they train as one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuner
from objectives.data import SplitSpec
from objectives.data.splits import SplitRows, divide, split_complaints
from objectives.errors import DataError
from objectives.training.outcome import State
from tuner.errors import StudyError
from tuner.ranking.goal import around, goal_at, is_stable, smoothed
from tuner.ranking.intervals import sizes_of
from tuner.space import space_of
from tuner.store.directory import StudyDirectory
from tuner.store.ledger import Ledger
from tuner.study import Study, read_study
from tuner.trainables.builtin.prepared_study import prepare_study
from tuner.trainables.builtin.split_counts import splits_for
from tuner.trainables.protocols import side_by_side


def study(trials: int = 64, **data: Any) -> dict[str, Any]:
    return {
        "study": {"name": "s", "seed": 1, "trials": trials},
        "data": {"source": "sklearn:iris", **data},
        "model": {"hidden": [8]},
        "train": {"epochs": 9, "batch_size": [16, 32]},
        "optimizers": {"momentum": {}, "adam": {}},
        "search": {"generation_size": 8},
        "confirm": {"enabled": False},
    }


def settled(**keys: Any) -> tuple[Study, tuple[str, ...]]:
    """A study once its rows are known, and what was said."""
    question = prepare_study(study(**keys))
    return question.study, question.notes


@given(rows=st.integers(1, 10**6), trials=st.integers(1, 10**4))
def test_more_rows_need_fewer_splits_and_more_trials_more(rows: int, trials: int) -> None:
    splits = splits_for(rows, trials)
    assert 1 <= splits <= 16
    assert splits_for(2 * rows, trials) <= splits <= splits_for(rows, 2 * trials)


def test_the_number_of_splits_is_chosen_from_the_rows_and_said() -> None:
    found, notes = settled()
    assert (found.data.resampling, found.splits) == ("fresh", 8)
    assert "90 train rows: trials are compared on up to 8 splits of them (data.splits)" in notes
    again = read_study(tuner.read_study(found.to_table()).to_table())
    assert again.splits == 8  # what was settled is written, and stays


@pytest.mark.parametrize(
    ("data", "splits"),
    [
        ({"resampling": "holdout"}, 1),
        ({"splits": 3}, 3),
        ({"splits": 1}, 1),
        ({"resampling": "fresh"}, 8),
    ],
)
def test_what_is_asked_for_is_done_without_a_word(data: dict[str, Any], splits: int) -> None:
    found, notes = settled(**data)
    assert found.splits == splits
    assert ("up to" in " ".join(notes)) == (data == {"resampling": "fresh"})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"resampling": "often"}, r"data\.resampling.*'often'"),
        ({"splits": 0}, r"data\.splits"),
        ({"splits": 101}, r"data\.splits"),
        ({"resampling": "kfold", "splits": 1}, r"data\.splits: is 1, which is a hold-out"),
        ({"resampling": "holdout", "splits": 4}, r"data\.splits: is 4, but a hold-out is one split"),
        ({"resampling": "fresh", "splits": 1}, r"data\.splits: is 1, which is a hold-out"),
        ({"splits": 4, "split": {"column": "part"}}, r"data\.resampling.*split\.column divides the rows in one way"),
        ({"resampling": "kfold", "split": {"order": "day"}}, r"later than those that validate; write .*rolling"),
        ({"resampling": "fresh", "split": {"order": "day"}}, r"later than those that validate; write .*rolling"),
        ({"resampling": "rolling"}, r"data\.resampling: needs rows in time order; write split = { order = "),
        ({"resampling": "rolling", "split": {"order": "day"}, "splits": 1}, r"data\.splits: is 1, which is a hold-out"),
    ],
)
def test_what_cannot_be_is_refused_with_the_fix(data: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_study(study(**data), needs_data=False)


def test_a_command_that_does_not_ask_for_its_split_is_refused() -> None:
    tables = {"study": {"name": "s", "command": ["true", "{x}"]}, "parameters": {"x": [1, 2]}, "data": {"splits": 4}}
    with pytest.raises(StudyError, match=r"data\.splits: is 4, but the command does not ask .*--split \{split\}"):
        read_study(tables)
    assert read_study(tables | {"study": {"name": "s", "command": ["true", "{x}", "{split}"]}}).splits == 4


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.sampled_from([1, 3, 5]))
def test_smoothing_keeps_constants_and_the_range(values: list[float], window: int) -> None:
    found = smoothed(values, window)
    assert len(found) == len(values)
    assert min(values) - 1e-9 <= found.min()
    assert found.max() <= max(values) + 1e-9
    assert smoothed([2.0] * len(values), window) == pytest.approx([2.0] * len(values))
    for epoch in range(1, len(values) + 1):
        assert found[epoch - 1] == pytest.approx(np.mean(values[around(epoch, window, len(values))]))


def test_a_spike_of_one_epoch_on_one_split_does_not_win() -> None:
    curves = np.tile(np.linspace(1.0, 0.5, 20), (4, 1))
    assert goal_at(curves, "minimize", 20, 5)[1] == 20
    curves[2, 4] = -1.5
    assert goal_at(curves, "minimize", 20, 1)[1] == 5
    assert goal_at(curves, "minimize", 20, 5)[1] == 20


def test_a_config_that_blows_up_on_one_split_is_not_stable() -> None:
    calm = np.full((8, 9), 0.5)
    assert is_stable(calm, constant=1.1, window=5)
    wild = calm.copy()
    wild[3] = 1.2  # worse than a constant, and than twice the others
    assert not is_stable(wild, constant=1.1, window=5)
    assert is_stable(wild, constant=1.3, window=5)


def test_two_splits_are_enough_to_see_one_blow_up() -> None:
    assert is_stable(np.array([[0.1] * 9, [0.3] * 9]), constant=0.7)
    assert not is_stable(np.array([[0.1] * 9, [1e9] * 9]), constant=0.7)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"resampling": "kfold", "splits": 4}, r"data\.resampling: does not go with an objective of your own"),
        ({"resampling": "rolling"}, r"data\.resampling: does not go with an objective of your own"),
        ({"resampling": "fresh"}, r"data\.splits: is missing; write splits = 4"),
        ({"resampling": "holdout", "splits": 4}, r"data\.splits: is 4, but a hold-out is one split"),
        ({"source": "a.csv", "splits": 4}, r"data: does not go with an objective of your own"),
    ],
)
def test_splits_of_ones_own_code_are_numbers(data: dict[str, Any], said: str) -> None:
    tables = {"study": {"name": "s", "objective": "a.b:c"}, "parameters": {"x": [1, 2]}, "data": data}
    with pytest.raises(StudyError, match=said):
        read_study(tables, needs_data=False)


def test_more_trainings_of_a_trial_than_there_are_seeds_are_refused() -> None:
    tables = study(splits=100)
    tables["train"]["replicates"] = 11
    with pytest.raises(StudyError, match=r"100 splits with 11 replicates each are 1,100 trainings .* at the most"):
        read_study(tables)


def test_states_of_several_blocks_are_one_whatever_the_slots() -> None:
    def state(replicates: int, slots: int) -> State:
        shape = (replicates, 2, 3)
        return State(4, np.ones(shape), np.full((slots, *shape), 2.0), np.ones(shape[:2], bool), {})

    both = State.stack([state(1, 1), state(3, 2)])
    assert both.weights.shape == (4, 2, 3)
    assert both.slots.shape == (2, 4, 2, 3)
    assert (both.slots[1, 0] == 0).all()


def test_curves_of_blocks_of_different_lengths_stand_beside_each_other() -> None:
    found = side_by_side([{"a": np.ones((1, 3)), "b": np.zeros((1, 2))}, {"a": np.ones((2, 2))}])
    assert found["a"].shape == (3, 3)
    assert np.isnan(found["a"][1:, 2]).all()
    assert np.isnan(found["b"][1:]).all()


def test_a_trial_on_many_splits_is_the_same_trained_rung_by_rung_and_at_once(tmp_path: Path) -> None:
    raced = tuner.run(study(splits=4, trials=16), jobs=1, home=tmp_path / "raced")
    whole = study(splits=4, trials=16)
    whole["search"] |= {"pruner": "none", "sampler": "random"}
    raced_at_random = study(splits=4, trials=16)
    raced_at_random["search"] |= {"sampler": "random"}
    once = tuner.run(whole, jobs=1, home=tmp_path / "once")
    steps = tuner.run(raced_at_random, jobs=1, home=tmp_path / "steps")
    assert {trial.curves["valid_loss"].shape for trial in once.all_trials} == {(4, 9)}
    assert len({trial.curves["valid_loss"].shape for trial in steps.all_trials}) > 2
    for trial in steps.all_trials:
        rows, epochs = trial.curves["valid_loss"].shape
        full = once.trial(trial.number).curves["valid_loss"]
        assert (full[:rows, :epochs] == trial.curves["valid_loss"]).all()
    assert raced.best().confirmation == {}


def test_the_best_of_the_defaults_is_never_pruned(tmp_path: Path) -> None:
    result = tuner.run(study(splits=4, trials=32), jobs=1, home=tmp_path)
    points = [dict(point) for point in space_of(result.study).defaults()]
    defaults = [trial for trial in result.all_trials if dict(trial.latents) in points]
    assert len(defaults) == 2
    assert any(trial.state == "complete" for trial in defaults)
    assert all(trial.epochs == 9 for trial in defaults)  # all of them come to their full length


def test_folds_validate_in_turn_and_every_row_once(tmp_path: Path) -> None:
    question = prepare_study(study(resampling="kfold", splits=4))
    assert (question.study.data.resampling, question.study.splits) == ("kfold", 4)
    numbers = [0, *range(1001, 1004)]
    parts = [question.replicate(number) for number in numbers]
    assert len({len(part.valid) for part in parts}) == 1
    seen = np.concatenate([part.valid.x[:, :-1] * 1.0 for part in parts])
    assert len(seen) == 4 * len(parts[0].valid) <= 120  # of 150 rows, 30 test
    result = tuner.run(study(resampling="kfold", splits=4, trials=8), jobs=1, home=tmp_path)
    assert result.ranking(complete=True)["splits"].tolist()[0] == 4


@given(rows=st.integers(30, 200), folds=st.integers(2, 10), replicate=st.integers(0, 40), seed=st.integers(0, 5))
def test_a_fold_is_a_part_of_a_permutation(rows: int, folds: int, replicate: int, seed: int) -> None:
    strata = np.arange(rows) % 3
    spec = SplitSpec(folds=folds)
    if split_complaints(SplitRows(rows, strata), spec, "table"):
        return
    first = replicate // folds * folds
    divisions = [divide(SplitRows(rows, strata), spec, seed, first + fold) for fold in range(folds)]
    valid = np.concatenate([division.valid for division in divisions])
    assert len(set(valid.tolist())) == len(valid)
    assert len({(len(division.train), len(division.valid)) for division in divisions}) == 1
    for division in divisions:
        assert (division.test == divisions[0].test).all()
        everyone = np.concatenate([division.train, division.valid, division.test])
        assert sorted(everyone.tolist()) == list(range(rows))


def test_more_folds_than_rows_of_a_class_are_refused_with_the_number(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(60, 3)), np.array(["a"] * 55 + ["b"] * 5)
    tables = study(resampling="kfold", splits=10)
    del tables["data"]["source"]
    with pytest.raises(DataError, match=r"the rarest class has 4 rows beside the test rows, .* use data\.splits = 4"):
        tuner.run(tables, data=(x, y), home=tmp_path)


def test_replicates_make_a_standard_error_no_larger(tmp_path: Path) -> None:
    tables = study(splits=4, trials=8)
    tables["train"]["replicates"] = 6
    result = tuner.run(tables, jobs=1, home=tmp_path)
    for row in result.ranking(complete=True).itertuples():
        curve = result.trial(row.trial).curves["valid_loss"]
        each = curve[:, around(row.epoch, 5, curve.shape[1])].mean(axis=1).reshape(4, 6).mean(axis=1)
        assert row.splits == 4
        assert row.se == pytest.approx(each.std(ddof=1) * np.sqrt(1 / 4 + 1 / 3))


def without_lines(study: Path, *keys: str) -> Path:
    """A stored study, in its ledger and its file, without the lines of some keys; returns its file."""
    file = study / "study.toml"
    lines = [line for line in file.read_text().splitlines() if not (keys and line.startswith(keys))]
    with Ledger.open(StudyDirectory(study).place) as ledger:
        ledger.write_study("\n".join(lines) + "\n")
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_study_from_before_there_were_splits_goes_on_with_one(tmp_path: Path) -> None:
    tables = study(trials=8, resampling="holdout")
    tuner.run(tables, jobs=1, home=tmp_path)
    place = without_lines(tmp_path / "s", "resampling", "splits")
    for trials in (16, 24):  # by its name, twice: the file is written anew in between
        again = tuner.run(place, trials=trials, jobs=1, home=tmp_path)
        assert len(again.all_trials) == trials
        assert (again.study.splits, again.study.window) == (1, 1)
        assert {len(trial.curves["valid_loss"]) for trial in again.all_trials} == {1}


def test_groups_have_no_more_splits_than_differ(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=90), "b": rng.normal(size=90), "y": np.arange(90) % 2})
    frame["who"] = np.arange(90) % 6
    tables = study(split={"group": "who"}, target="y")
    del tables["data"]["source"]
    assert prepare_study(tables, frame).study.splits == 5
    tables["data"]["splits"] = 6
    with pytest.raises(StudyError, match=r"asks for 6 splits, but 6 groups have at most 5 that differ; ask for 5"):
        prepare_study(tables, frame)


def dated(**data: Any) -> tuple[dict[str, Any], pd.DataFrame]:
    """A study of 90 rows in time order, 54 before the newest validation rows."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=90), "b": rng.normal(size=90), "day": rng.permutation(90)})
    frame["y"] = frame["a"] + 0.3 * rng.normal(size=90)
    tables = study(trials=16, target="y", split={"order": "day"}, **data)
    del tables["data"]["source"]
    return tables, frame


def test_rows_in_time_order_are_judged_on_windows_and_that_is_said() -> None:
    question = prepare_study(*dated())
    assert (question.study.data.resampling, question.study.splits) == ("rolling", 4)
    said = (
        "4 windows in time order, 36 rows train and the next 18 validate: trials are compared on up to so many of them"
    )
    assert f"{said} (data.splits)" in question.notes
    assert question.study.fresh_splits
    assert question.study.overlap == pytest.approx(0.5)
    parts = [question.replicate(number) for number in (0, 1001, 1002, 1003, 1, 2, 3)]
    assert len({part.digest for part in parts}) == 7  # the confirmation's windows are others
    assert {(len(part.train), len(part.valid), len(part.test)) for part in parts} == {(36, 18, 18)}


def test_windows_validate_the_rows_that_they_reach_and_no_others() -> None:
    tables, frame = dated(splits=10)
    question = prepare_study(tables, frame)
    sizes = sizes_of(question.study, {"rows": "36", "valid_rows": "18", "test_rows": "18"})
    assert sizes.overlap == pytest.approx(0.5)
    assert sizes.different(1) == pytest.approx(18)
    assert sizes.different(40) == pytest.approx(36)  # the newest 18, and 18 before them


def test_a_hold_out_of_rows_in_time_order_has_all_rows_before(tmp_path: Path) -> None:
    for keys in ({"resampling": "holdout"}, {"splits": 1}):
        question = prepare_study(*dated(**keys))
        assert (question.study.data.resampling, question.study.splits) == ("holdout", 1)
        assert (len(question.first.train), question.study.fresh_splits) == (54, False)


def test_more_windows_than_differ_are_refused_and_fewer_taken_by_default() -> None:
    tables, frame = dated(splits=40)
    with pytest.raises(StudyError, match=r"asks for 40 windows, but 90 rows have 13 that differ; ask for 13"):
        prepare_study(tables, frame)
    assert prepare_study(dated()[0] | {"train": {"epochs": 9, "batch_size": 4}}, frame[:10]).study.splits == 2


def test_a_study_in_time_order_is_the_same_resumed_and_on_workers(tmp_path: Path) -> None:
    tables, frame = dated()
    tables["confirm"] = {"top": 2, "seeds": 3}
    for home, jobs in (("a", 1), ("b", 2)):
        tuner.run(tables, frame, trials=8, jobs=jobs, baselines=False, home=tmp_path / home, confirm=False)
        result = tuner.run(tables, frame, jobs=jobs, baselines=False, home=tmp_path / home)
    first, second = ((tmp_path / home / "s" / "ranking.csv").read_bytes() for home in "ab")
    assert first == second
    assert result.best().confirmation["splits"] == "fresh"
    assert {len(t.curves["valid_loss"]) for t in result.all_trials if t.state == "complete"} == {4}
    assert tuner.verify("s", 3, frame, home=tmp_path / "a").ok


@pytest.mark.parametrize("forgotten", [("resampling", "splits"), ()])
def test_a_study_in_time_order_from_before_there_were_windows_goes_on_with_one(
    forgotten: tuple[str, ...], tmp_path: Path
) -> None:
    tables, frame = dated(resampling="holdout")
    tuner.run(tables, frame, trials=8, jobs=1, home=tmp_path)
    without_lines(tmp_path / "s", *forgotten)
    again = tuner.run(dated()[0], frame, jobs=1, home=tmp_path)
    assert (len(again.all_trials), again.study.splits) == (16, 1)
    assert {len(trial.curves["valid_loss"]) for trial in again.all_trials} == {1}
    assert tuner.confirm("s", 2, 3, data=frame, jobs=1, home=tmp_path).best().confirmation["splits"] == "the same"
    # the data are found unchanged; values of the trials above were averaged over epochs, which they were not before
    assert tuner.verify("s", 3, frame, home=tmp_path).ok or forgotten


def test_groups_validate_in_folds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=120), "y": np.arange(120) % 2, "who": np.arange(120) % 12})
    tables = study(trials=8, resampling="kfold", splits=5, split={"group": "who"}, target="y")
    del tables["data"]["source"]
    parts = [prepare_study(tables, frame).replicate(number) for number in (0, *range(1001, 1005))]
    rows = np.concatenate([part.valid.x[:, 0] * 0 + part.valid.y[:, 0] for part in parts])
    assert len(rows) == 100
    assert tuner.run(tables, frame, jobs=1, home=tmp_path).ranking(complete=True)["splits"].tolist()[0] == 5


def test_a_short_first_run_does_not_settle_the_splits_for_good(tmp_path: Path) -> None:
    tables = study(trials=128)
    short = tuner.run(tables, trials=8, jobs=1, home=tmp_path / "short", confirm=False)
    assert short.study.splits == prepare_study(tables).study.splits == 16
    assert tuner.read_study(tables, overrides=["study.trials=8"]).planned == 128
    assert (
        tuner.run(tables | study(trials=8), trials=64, jobs=1, home=tmp_path / "long", confirm=False).study.splits == 8
    )


def test_a_race_on_few_rows_takes_as_much_as_the_search_and_a_study_keeps_its_share(tmp_path: Path) -> None:
    assert prepare_study(study()).study.confirm.share == 1
    assert prepare_study(study(source="sklearn:digits", splits=2)).study.confirm.share is None
    assert prepare_study(study(resampling="holdout")).study.confirm.share is None
    own = study() | {"confirm": {"share": 0.3}}
    assert prepare_study(own).study.confirm.share == 0.3
    begun = tuner.run(study(trials=8), jobs=1, home=tmp_path).study
    assert begun.confirm.share == 1
    before = replace(begun, confirm=begun.confirm.model_copy(update={"share": None}))
    older = replace(before, data=begun.data.model_copy(update={"rules": None}))
    assert [prepare_study(study(), begun=one).study.data.rules for one in (older, begun)] == [1, 2]
    assert prepare_study(study(), begun=before).study.confirm.share is None  # as it was before there was a choice


@pytest.mark.parametrize("share", [-0.1, 101, "much"])
def test_a_share_is_a_number_in_its_bounds(share: Any) -> None:
    with pytest.raises(StudyError, match=r"confirm\.share"):
        read_study(study() | {"confirm": {"share": share}})


def test_a_study_that_is_run_again_leaves_its_file_as_it_is(tmp_path: Path) -> None:
    for keys in ({"resampling": "holdout"}, {}):
        name = "one" if keys else "several"
        tuner.run(study(trials=8, **keys) | {"confirm": {"seeds": 2}}, name=name, jobs=1, home=tmp_path)
        before = (tmp_path / name / "study.toml").read_bytes()
        tuner.run(study(trials=8, **keys) | {"confirm": {"seeds": 2}}, name=name, jobs=1, home=tmp_path)
        assert (tmp_path / name / "study.toml").read_bytes() == before
