"""A study as a whole: the same table for any number of workers and after any crash, run again, changed, extended."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tuner
from objectives import DataError, Model, Problem, Replicate, predict
from objectives.data import save_prepared
from tuner.api.run import RunCallback, StudyRun
from tuner.errors import ChangedStudy, StudyBusy, StudyError, UnknownStudy
from tuner.store.lock import hold
from tuner.trainables.builtin.packs import ReplicateSource, cut
from tuner.trainables.builtin.prepared_study import prepare_study
from tuner.trainables.builtin.retrain import unhindered
from tuner.trainables.protocols import Member
from tuner.views.overview import overview

ROOT = Path(__file__).parents[3]


def small(**study: Any) -> dict[str, Any]:
    """A study that takes a moment: two generations, both pruned, then confirmed."""
    return {
        "study": {"name": "small", "seed": 3, "trials": 24} | study,
        "data": {"source": "sklearn:iris"},
        "model": {"kind": "mlp", "hidden": [8]},
        "train": {"epochs": 9, "batch_size": [8, 16]},
        "optimizers": {"momentum": {}, "adam": {}},
        "search": {"generation_size": 8, "reduction": 3},
        "confirm": {"top": 2, "seeds": 2},
    }


def outputs(home: Path, name: str = "small") -> dict[str, bytes]:
    return {file: (home / name / file).read_bytes() for file in ("ranking.csv", "best.toml", "best.npz", "study.toml")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    home = tmp_path_factory.mktemp("undisturbed")
    tuner.run(small(), jobs=1, home=home)
    return outputs(home)


@pytest.mark.parametrize("jobs", [2, 4])
def test_the_number_of_workers_changes_no_byte(jobs: int, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    tuner.run(small(), jobs=jobs, baselines=False, home=tmp_path)
    assert outputs(tmp_path) == undisturbed


def test_another_seed_is_another_table(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    tuner.run(small(seed=4), jobs=1, home=tmp_path)
    assert outputs(tmp_path)["ranking.csv"] != undisturbed["ranking.csv"]


def test_a_run_in_two_parts_is_one_run(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    first = tuner.run(small(trials=16), jobs=1, home=tmp_path, confirm=False)
    assert len(first.ranking()) == 16
    second = tuner.run(small(), jobs=1, home=tmp_path)
    assert second.cost.trials == 8
    assert outputs(tmp_path) == undisturbed


def replicated(replicates: int) -> dict[str, Any]:
    study = small()
    return study | {"train": study["train"] | {"replicates": replicates}, "data": held_out(study)}


def held_out(study: dict[str, Any]) -> dict[str, Any]:
    """The data of a study, with one split for all trials."""
    return {**study["data"], "resampling": "holdout"}


def test_one_replicate_is_the_default(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    study = small()
    tuner.run(study | {"train": study["train"] | {"replicates": 1}}, jobs=1, home=tmp_path)
    assert outputs(tmp_path) == undisturbed


def test_one_split_has_no_standard_error_and_several_do(tmp_path: Path) -> None:
    single = tuner.run(replicated(1), jobs=1, home=tmp_path / "single", confirm=False)
    assert single.ranking()["se"].isna().all()
    several = tuner.run(small(), jobs=1, home=tmp_path / "several", confirm=False)
    for row in several.ranking(complete=True).itertuples():
        at_best = several.trial(row.trial).curves["valid_loss"][:, max(0, row.epoch - 3) : row.epoch + 2].mean(axis=1)
        assert len(at_best) == several.study.splits == 4
        # Nadeau and Bengio 2003: a fifth of iris is validated, three fifths train
        assert row.se == pytest.approx(at_best.std(ddof=1) * np.sqrt(1 / 4 + 1 / 3))


def test_replicates_change_no_byte_with_the_workers_and_rank_by_their_mean(tmp_path: Path) -> None:
    one, two = (tuner.run(replicated(3), jobs=jobs, baselines=False, home=tmp_path / str(jobs)) for jobs in (1, 2))
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")
    assert one.curves().equals(two.curves())
    single = tuner.run(replicated(1), jobs=1, home=tmp_path / "single", confirm=False)
    for trial, alone in zip(one.all_trials[:8], single.all_trials[:8], strict=True):
        losses = trial.curves["valid_loss"]
        shared = min(losses.shape[1], alone.curves["valid_loss"].shape[1])
        assert (losses[:1, :shared] == alone.curves["valid_loss"][:, :shared]).all()
        assert len({row.tobytes() for row in losses}) == 3
    ranking = one.ranking().dropna(subset=["epoch"])
    for row in ranking.itertuples():
        at_best = one.trial(row.trial).curves["valid_loss"][:, max(0, row.epoch - 3) : row.epoch + 2].mean(axis=1)
        assert row.value == pytest.approx(at_best.mean())
        assert row.se == pytest.approx(at_best.std(ddof=1) / np.sqrt(3))


def test_a_search_shares_no_random_stream_with_its_confirmation(tmp_path: Path, monkeypatch: Any) -> None:
    seen: list[tuple[int, ...]] = []
    real = StudyRun.search

    def search(self: StudyRun, engine: Any, trainer: Any) -> Any:
        seen.append(tuple(source.replicate for source in trainer.sources))
        return real(self, engine, trainer)

    monkeypatch.setattr(StudyRun, "search", search)
    tuner.run(replicated(3), jobs=1, home=tmp_path, confirm=False)
    assert seen == [(0, 1001, 1002)]
    tuner.run(small(), jobs=1, home=tmp_path / "splits", confirm=False)
    assert seen[1] == (0, 1001, 1002, 1003)
    with pytest.raises(StudyError, match="at most 1000"):
        tuner.read_study(small() | {"confirm": {"seeds": 1001}})


def test_a_pack_of_replicates_holds_fewer_trials(tmp_path: Path) -> None:
    source = ReplicateSource(tmp_path / "data", 0, 0)
    save_prepared(prepare_study(small()).first, source.directory)
    members = [Member(n, {"optimizer": "adam", "model": "mlp", "hidden": [8], "batch_size": 8}) for n in range(64)]
    widths = [
        max(len(pack.trials) for pack in cut(members, tuple(replace(source, replicate=r) for r in range(count)), 1))
        for count in (1, 4, 100)
    ]
    assert widths == [32, 8, 1]


def test_a_complete_study_runs_nothing(tmp_path: Path) -> None:
    tuner.run(small(), jobs=1, home=tmp_path)
    before = outputs(tmp_path)
    again = tuner.run(small(), jobs=1, home=tmp_path)
    assert again.cost.trials == 0
    assert outputs(tmp_path) == before


def test_another_question_is_refused_and_named(tmp_path: Path) -> None:
    tuner.run(small(), jobs=1, home=tmp_path, confirm=False)
    changed = small()
    changed["train"]["epochs"] = 12
    with pytest.raises(ChangedStudy, match=r"(?s)train\.epochs: was 9, now 12.*--name NEW.*--fresh"):
        tuner.run(changed, jobs=1, home=tmp_path)
    result = tuner.run(changed, jobs=1, home=tmp_path, fresh=True, confirm=False)
    assert result.study.train.epochs == 12
    assert (tmp_path / "small.1" / "ledger.db").exists()


def test_changed_data_are_another_question(tmp_path: Path) -> None:
    study = small()
    del study["data"]
    x = np.random.default_rng(0).standard_normal((60, 3))
    y = (x[:, 0] > 0).astype(int)
    tuner.run(study, data=(x, y), jobs=1, home=tmp_path, confirm=False)
    with pytest.raises(ChangedStudy, match="the data: was"):
        tuner.run(study, data=(x + 1e-3 * x**2, y), jobs=1, home=tmp_path)


def test_a_running_study_is_busy(tmp_path: Path) -> None:
    tuner.run(small(), jobs=1, home=tmp_path, confirm=False)
    with (
        hold(tmp_path / "small" / "lock", "small"),
        pytest.raises(StudyBusy, match=f"study 'small' is run by process {os.getpid()}"),
    ):
        tuner.run(small(trials=32), jobs=1, home=tmp_path)


def test_nothing_is_written_for_what_cannot_run(tmp_path: Path) -> None:
    home = tmp_path / "runs"
    wrong = small()
    wrong["train"]["batch_size"] = 4096
    with pytest.raises(StudyError, match=r"train\.batch_size: 4096 is above the 90 train rows; use at most 90"):
        tuner.run(wrong, jobs=1, home=home)
    wrong = small() | {"data": {"source": "sklearn:irises"}}
    with pytest.raises(StudyError, match="iris"):
        tuner.run(wrong, jobs=1, home=home)
    wrong = small(minimize="valid_rmse")
    with pytest.raises(StudyError, match=r"study\.minimize: .*valid_rmse"):
        tuner.run(wrong, jobs=1, home=home)
    wrong = small()
    with pytest.raises(DataError, match="constant"):
        tuner.run(wrong, data=(np.eye(20), np.ones(20)), jobs=1, home=home)
    assert not home.exists()


def test_preset_batch_sizes_are_clipped_with_a_note(tmp_path: Path) -> None:
    study = small()
    del study["train"]["batch_size"]
    notes: list[str] = []

    class Notes(RunCallback):
        def note(self, sentence: str) -> None:
            notes.append(sentence)

    result = tuner.run(study, jobs=1, home=tmp_path, confirm=False, callback=Notes())
    assert set(result.ranking()["batch_size"]) <= {16, 32, 64}
    assert any("16, 32, 64; larger ones than the 90 train rows were left out" in note for note in notes)


def test_nothing_is_said_of_batch_sizes_where_no_method_has_any(tmp_path: Path) -> None:
    study = small() | {"optimizers": {"gradient_descent": {}}}
    del study["train"]["batch_size"]
    notes: list[str] = []

    class Notes(RunCallback):
        def note(self, sentence: str) -> None:
            notes.append(sentence)

    tuner.run(study, jobs=1, home=tmp_path, confirm=False, callback=Notes())
    assert any("gradient_descent: an epoch is one iteration over all rows" in note for note in notes)
    assert not any("train rows were left out" in note for note in notes)


def test_scorers_of_scikit_learn_join_the_confirmation(tmp_path: Path) -> None:
    study = small()
    study["confirm"]["metrics"] = ["f1_macro", "neg_log_loss"]
    table = tuner.run(study, jobs=1, home=tmp_path).confirmation()
    assert table["test_neg_log_loss"][0] == pytest.approx(-table["test_loss"][0], rel=1e-5)
    assert 0 < table["test_f1_macro"][0] <= 1
    study["confirm"]["metrics"] = ["f1_macr"]
    with pytest.raises(StudyError, match=r"confirm\.metrics: 'f1_macr' is not a scorer .*did you mean 'f1_macro'"):
        tuner.run(study, jobs=1, home=tmp_path, fresh=True)
    study["confirm"]["metrics"] = ["f1"]
    with pytest.raises(StudyError, match=r"confirm\.metrics: f1 cannot score a multiclass task"):
        tuner.run(study, jobs=1, home=tmp_path, fresh=True)


def test_result_and_best(tmp_path: Path) -> None:
    result = tuner.run(small(), jobs=1, home=tmp_path)
    ranking = result.ranking()
    complete = ranking[ranking["state"] == "complete"]
    assert list(complete["rank"]) == sorted(complete["rank"])
    searched = complete.sort_values("search_rank")
    assert searched["value"][searched["stable"]].is_monotonic_increasing
    assert searched["stable"].is_monotonic_decreasing
    assert complete["trial"][0] == result.best().trial
    assert ranking["rank"].isna().sum() == len(ranking) - len(complete)
    best = tuner.load_best(tmp_path / "small")
    assert dict(best) == dict(result.best())
    confirmation = result.confirmation()
    assert best.trial == confirmation["trial"][0]
    assert best.interval == (confirmation["report_low"][0], confirmation["report_high"][0])
    assert tuner.open("small", home=tmp_path).ranking().equals(ranking)
    with pytest.raises(KeyError, match="did you mean 'lr'"):
        best["lrr"]
    with pytest.raises(UnknownStudy, match=r"no study 'smal' .*did you mean 'small'"):
        tuner.open("smal", home=tmp_path)


def test_curves_are_tidy_and_agree_with_the_ranking(tmp_path: Path) -> None:
    result = tuner.run(small(), jobs=1, home=tmp_path, confirm=False)
    curves = result.curves().query("metric == 'valid_loss'")
    losses = curves.groupby(["trial", "epoch"], observed=True)["value"].mean().sort_index()
    ranked = result.ranking().dropna(subset=["epoch"])
    for row in ranked.itertuples():
        around = losses[row.trial].loc[row.epoch - 2 : row.epoch + 2]
        assert around.mean() == pytest.approx(row.value, rel=1e-12)
    assert isinstance(result.curves(), pd.DataFrame)


def test_best_weights_are_those_of_the_best_trial(tmp_path: Path) -> None:
    result = tuner.run(small(), jobs=2, baselines=False, home=tmp_path)
    best = result.best()
    weights = np.load(tmp_path / "small" / "best.npz")
    flat = np.concatenate([np.vstack([weights[f"W{i}"], weights[f"b{i}"]]).ravel() for i in (1, 2)])
    table = prepare_study(small()).first
    problem = Problem((Replicate(3, 0, table),), Model((8,)))
    p = predict(problem, flat, table.valid.x)
    loss = -np.log(p[table.valid.y == 1]).mean()
    assert loss == pytest.approx(result.trial(best.trial).curves["valid_loss"][0, best.epochs - 1], rel=1e-5)


SCRIPT = """
import sys, tuner
tuner.run({study!r}, jobs=int(sys.argv[3]), home=sys.argv[1], trials=int(sys.argv[2]))
"""


def start(home: Path, script: Path, trials: int, jobs: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(script), str(home), str(trials), str(jobs)]
    return subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)


def committed(home: Path) -> dict[tuple[int, int], str]:
    """What the ledger holds: trials and confirmations with their seconds, which differ if something had run again."""
    try:
        result = tuner.open("small", home=home)
    except UnknownStudy:
        return {}
    confirmed = {(row.trial, row.replicate): repr(row.seconds) for row in result.confirmed}
    return confirmed | {(trial.number, 0): repr(trial.seconds) for trial in result.all_trials}


@pytest.mark.slow
def test_killed_twenty_times_it_comes_to_the_same(tmp_path: Path) -> None:
    """Killed as it starts, right after commits of the search and of the confirmation: always in another moment."""
    trials = 320
    study = small() | {"confirm": {"top": 4, "seeds": 60}}
    script = tmp_path / "script.py"  # without a guard for __main__, as people write them
    script.write_text(SCRIPT.format(study=study))
    tuner.run(study, jobs=1, home=tmp_path / "undisturbed", trials=trials)
    dice, home = random.Random(0), tmp_path / "killed"
    ledger, before = home / "small" / "ledger.db", committed(home)
    kills = lost = duplicated = 0
    for kill in range(20):
        run = start(home, script, trials, jobs=dice.choice((1, 2)))
        after_a_commit = kill % 2 or kill > 16
        wanted = max(len(before) + 1, trials + 1 if kill > 17 else 0)
        while after_a_commit and run.poll() is None and rows_in(ledger) < wanted:
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.02 if after_a_commit else 0.6))
        kills += run.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        after = committed(home)
        lost += len(before.keys() - after.keys())
        duplicated += sum(seconds != after.get(key, seconds) for key, seconds in before.items())
        before = after
    assert trials < len(before) < trials + 300  # killed in the midst of the confirmation, and not whole by then
    assert start(home, script, trials, jobs=2).wait(timeout=300) == 0
    whole, found = outputs(tmp_path / "undisturbed"), outputs(home)
    deviating = sum(found[name] != whole[name] for name in whole)
    print(f"killed {kills} times: {lost} lost, {duplicated} duplicated, {deviating} deviating")
    assert (kills, lost, duplicated, deviating) == (20, 0, 0, 0)
    assert before.items() <= committed(home).items()


def rows_in(ledger: Path) -> int:
    """Trials and confirmations committed so far, read as any other program would."""
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=5)) as database:
        return sum(
            database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("trials", "confirmations")
        )


def test_files_left_behind_by_a_kill_are_mended(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """Killed between the last commit and the files, a study writes them when it is run again."""
    tuner.run(small(trials=16), jobs=1, home=tmp_path)
    stale = outputs(tmp_path)
    tuner.run(small(), jobs=1, home=tmp_path)
    for name, content in stale.items():
        (tmp_path / "small" / name).write_bytes(content)
    tuner.run(small(), jobs=1, home=tmp_path)
    assert outputs(tmp_path) == undisturbed


def test_another_confirmation_is_not_another_question_and_never_a_narrower_one(tmp_path: Path) -> None:
    study = small()
    first = tuner.run(study, jobs=1, home=tmp_path)
    study["confirm"] = {"top": 3, "seeds": 4}
    wider = tuner.run(study, jobs=1, home=tmp_path)
    assert wider.cost.trials == 0
    known = {(row.trial, row.replicate): row.seconds for row in first.confirmed}
    after = {(row.trial, row.replicate): row.seconds for row in wider.confirmed}
    assert known.items() <= after.items()
    assert wider.cost.retrained == len(after) - len(known) > 0
    assert len(wider.confirmation()) >= 3  # the best default is there too
    assert wider.confirmation()["seeds"].min() == 4
    before = outputs(tmp_path)
    study["confirm"] = {"top": 2, "seeds": 2}
    assert tuner.run(study, jobs=1, home=tmp_path).cost.retrained == 0
    assert outputs(tmp_path) == before


def test_fewer_trials_than_there_are_leave_the_study_as_it_is(tmp_path: Path) -> None:
    tuner.run(small(), jobs=1, home=tmp_path)
    before = outputs(tmp_path)
    assert len(tuner.run(small(), jobs=1, home=tmp_path, trials=8).ranking()) == 24
    assert outputs(tmp_path) == before


def test_name_and_trials_may_be_given_with_the_call(tmp_path: Path) -> None:
    result = tuner.run(small(), name="other", trials=8, jobs=1, home=tmp_path, confirm=False)
    assert (result.study.name, len(result.ranking())) == ("other", 8)


def test_a_given_split_is_not_called_fresh(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((90, 3)), columns=["a", "b", "time"]).sort_values("time")
    frame["y"] = (frame["a"] > 0).map({True: "up", False: "down"})
    study = small() | {"data": {"target": "y", "split": {"order": "time"}, "resampling": "holdout"}}
    best = tuner.run(study, data=frame, jobs=1, home=tmp_path).best()
    assert best.confirmation["splits"] == "the same"
    assert tuner.run(small(), name="fresh", jobs=1, home=tmp_path).best().confirmation["splits"] == "fresh"


COURSE = sorted(f"course/{path.stem}" for path in (ROOT / "studies" / "course").glob("*.toml"))


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes", "your_table", "surfaces", *COURSE])
def test_shipped_studies_run(name: str, tmp_path: Path) -> None:
    source = ROOT / "studies" / f"{name}.toml"
    file = tmp_path / source.name
    file.write_bytes(source.read_bytes())
    if name == "your_table":
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"age": rng.integers(18, 90, 120), "income": rng.lognormal(10, 1, 120)})
        frame["region"] = rng.choice(["north", "south"], 120)
        frame["outcome"] = np.where(frame["age"] + rng.normal(0, 9, 120) > 50, "yes", "no")
        frame.to_csv(tmp_path / "your_table.csv", index=False)
    study = tuner.read_study(file, overrides=["study.trials=6", "train.epochs=2", "confirm.top=2", "confirm.seeds=2"])
    result = tuner.run(study, jobs=1, home=tmp_path / "runs")
    assert len(result.ranking()) == 6
    assert result.best().confirmed == (name != "surfaces")
    assert (result.ranking()["state"] != "failed").all()


def with_options(**train: Any) -> dict[str, Any]:
    """A regression study with every option around its training."""
    study = small() | {"data": {"source": "sklearn:diabetes"}, "optimizers": {"momentum": {}, "adamw": {}}}
    options = {"loss": ["squared_error", "huber"], "huber_delta": 0.5, "decay": "weights", "patience": 1}
    model = study["model"] | {"dropout": [0, 0.3]}
    return study | {"model": model, "train": study["train"] | {"epochs": 27} | options | train}


def test_options_change_no_byte_with_the_workers_and_stand_in_the_table(tmp_path: Path) -> None:
    one = tuner.run(with_options(), jobs=1, home=tmp_path / "1")
    tuner.run(with_options(), jobs=2, baselines=False, home=tmp_path / "2")
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")
    table = one.ranking()
    assert set(table["loss"]) == {"squared_error", "huber"}
    assert set(table["dropout"]) == {0.0, 0.3}
    assert (table["huber_delta"].isna() == (table["loss"] == "squared_error")).all()
    best = one.best()
    assert (best["decay"], best["patience"], best["min_delta"]) == ("weights", 1, 0.0)
    tuner.run(with_options(), jobs=1, home=tmp_path / "1")  # its own file asks the same question


def test_what_stops_early_is_complete_and_says_how_long_it_trained(tmp_path: Path) -> None:
    result = tuner.run(with_options(replicates=2), jobs=1, home=tmp_path)
    complete = [trial for trial in result.all_trials if trial.state == "complete"]
    stopped = [trial for trial in complete if trial.epochs < 27]
    assert stopped
    for trial in stopped:
        assert trial.curves["valid_loss"].shape == (2 * 4, trial.epochs)  # on each of 4 splits
        assert trial.steps == trial.epochs * -(-266 // trial.config["batch_size"])
        assert trial.epoch is not None
        assert trial.epoch <= trial.epochs
    for row in result.confirmed:  # trained for the epochs that the search chose, whatever their own losses do
        assert row.epoch == result.trial(row.trial).epoch
    assert {"patience", "min_delta"}.isdisjoint(unhindered(stopped[0].config))


def test_a_loss_that_does_not_fit_the_data_is_refused(tmp_path: Path) -> None:
    study = small() | {"train": {"loss": "huber"}}
    with pytest.raises(StudyError, match=r"train\.loss: huber does not fit a multiclass task; leave it out: softmax"):
        tuner.run(study, jobs=1, home=tmp_path)


def test_a_best_config_that_is_no_text_is_written_anew(tmp_path: Path) -> None:
    result = tuner.run(small(trials=8), home=tmp_path, jobs=1)
    whole = (result.path / "best.toml").read_bytes()
    (result.path / "best.toml").write_bytes(b"\xff" + whole)
    tuner.run(small(trials=8), home=tmp_path, jobs=1)
    assert (result.path / "best.toml").read_bytes() == whole


def test_list_answers_from_the_ledgers_summary_as_from_its_trials(tmp_path: Path) -> None:
    result = tuner.run(small(trials=8), home=tmp_path, jobs=1)
    said = overview(result.directory)
    assert said.trials == 8
    assert said.value == result.best().value
    assert said.mean == result.best().confirmation["mean"]
    (result.path / "ranking.csv").unlink()
    (result.path / "best.toml").unlink()
    assert replace(overview(result.directory), age=said.age) == said
    with sqlite3.connect(result.directory.ledger) as file:
        file.execute("DELETE FROM facts WHERE name = 'ledger_summary'")
    assert replace(overview(result.directory), age=said.age) == said
    with sqlite3.connect(result.directory.ledger) as file:
        file.execute("DELETE FROM confirmations")
    alone, best = overview(result.directory), min(t.value for t in result.all_trials if t.state == "complete")
    assert (alone.states, alone.value, alone.mean) == (said.states, best, None)
