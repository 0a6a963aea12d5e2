"""Comparing studies, optimizers and tables: who is best and how sure that is, and what is not the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.command import FACTS, STUDY, Shell, complete, made_up
from tests.support.trials import trial
from tuner.api.compare import by_optimizer, by_study, independent_shares
from tuner.api.compare_tables import differing
from tuner.api.side_by_side import compare
from tuner.errors import StudyError
from tuner.ranking.statistics import best_shares
from tuner.records import ConfirmationRun
from tuner.result import Result
from tuner.store.directory import StudyDirectory, study_directory
from tuner.store.ledger import Ledger
from tuner.study import read_study
from tuner.trainables.builtin.prepared_study import prepare_study
from tuner.trainables.builtin.trainable import targets_digest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], home: Path) -> Shell:
    del home
    return Shell(capsys)


def study(
    home: Path, name: str, scores: list[float], digest: str = "d", trials: int = 2, **tables: Any
) -> StudyDirectory:
    """A study whose best trial, 0, had these scores on fresh seeds; texts among `tables` are facts of its data."""
    facts = {key: tables.pop(key) for key in list(tables) if isinstance(tables[key], str)}
    asked = read_study(STUDY | tables | {"study": {"name": name, "trials": trials, **tables.get("study", {})}})
    directory = study_directory(name, home)
    directory.path.mkdir()
    directory.study.write_text(asked.to_toml(), encoding="utf-8")
    rest = [trial(i, state="pruned", value=1.0, epochs=1) for i in range(1, trials)]
    with Ledger.create(directory.ledger, FACTS | {"data": digest} | facts) as ledger:
        ledger.commit_generation(0, [complete(0, [0.9, 0.5, 0.25, 0.3], 0.875), *rest])
        rows = [confirmed(0, seed, value) for seed, value in enumerate(scores, start=1)]
        ledger.commit_confirmations(rows)
    return directory


SHARED = 0.2 / 0.6  # valid rows by train rows


def confirmed(number: int, seed: int, value: float) -> ConfirmationRun:
    known = made_confirmed()
    return replace(known, trial=number, replicate=seed, metrics={**known.metrics, "valid_loss": value})


def made_confirmed() -> ConfirmationRun:
    return ConfirmationRun(0, 1, 4, {"valid_loss": 0.0, "valid_accuracy": 0.5, "test_loss": 0.5}, 0.01, "complete")


def test_the_same_seeds_and_splits_are_compared_in_pairs(home: Path) -> None:
    # far apart in each seed, not at all in their means' intervals
    first, second = [0.1, 0.5, 0.9], [0.11, 0.512, 0.911]
    sides = by_study([Result(study(home, "a", first)), Result(study(home, "b", second))]).sides
    assert [side.method for side in sides] == ["paired, 3 seeds"] * 2
    assert [side.p_best for side in sides] == best_shares(np.array([first, second]).T, SHARED)
    assert sides[0].p_best is not None
    assert sides[0].p_best > 0.99


def test_other_splits_are_compared_by_their_intervals(home: Path) -> None:
    first, second = [0.1, 0.5, 0.9], [0.11, 0.512, 0.911]
    found = by_study([Result(study(home, "a", first)), Result(study(home, "b", second, digest="e"))])
    assert found.notes[0] == "the same source, split or prepared otherwise"
    assert [side.method for side in found.sides] == ["from intervals"] * 2
    assert found.sides[0].p_best == pytest.approx(0.5, abs=0.05)
    other_seed = by_study([Result(study(home, "c", first)), Result(study(home, "d", second, study={"seed": 7}))])
    assert other_seed.notes[0] == "the same data and splits, other seeds"
    assert other_seed.sides[0].method == "from intervals"


def test_the_intervals_decide_as_a_simulation_of_their_t_does() -> None:
    # P(T < d) for two samples of one spread: the difference of two t variables of 4 degrees, by simulation
    scores = [[1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 3.0, 4.0, 5.0, 6.0]]
    rng = np.random.default_rng(0)
    t = rng.standard_t(4, (2, 1_000_000)) * np.std(scores[0], ddof=1)
    for overlap in (0.0, 0.25):
        wide = t * np.sqrt(1 / 5 + overlap)
        found = independent_shares(scores, [overlap, overlap])
        assert found[0] == pytest.approx(float((wide[0] < wide[1] + 1).mean()), abs=0.015)
    assert independent_shares([[1.0, np.inf], [1.0, 2.0]], [0.0, 0.0]) == [0.0, 1.0]


def test_other_goals_and_other_data_are_not_compared(home: Path) -> None:
    a = Result(study(home, "a", [0.1, 0.2, 0.3]))
    wine = Result(study(home, "wine", [0.1, 0.2, 0.3], digest="w", data={"source": "sklearn:wine"}))
    said = "their data differ, so their values cannot be compared: "
    assert by_study([a, wine]).notes[0] == f"{said}other targets, or other rows that validate"
    other = {"source": "sklearn:wine"}
    more = Result(study(home, "more", [0.1, 0.2, 0.3], digest="m", rows="91", data=other))
    assert by_study([a, more]).notes[0] == f"{said}train rows: a 90, more 91"
    price = Result(study(home, "price", [], digest="p", task="regression", data=other))
    assert by_study([a, price]).notes[0] == f"{said}a multiclass and a regression task"
    assert [side.p_best for side in by_study([a, wine]).sides] == [None, None]
    b = Result(study(home, "b", [0.1, 0.2, 0.3], study={"maximize": "valid_accuracy"}))
    found = by_study([a, b])
    assert found.notes[0].startswith("their goals differ, so their values cannot be compared: minimize valid_loss, ")
    assert [side.p_best for side in found.sides] == [None, None]


def test_studies_of_the_same_targets_compare_whatever_their_inputs(home: Path) -> None:
    first, second = [0.1, 0.5, 0.9], [0.11, 0.512, 0.911]
    sides, same = [], {"targets": "t"}
    kinds = ("iris", first, same | {"inputs": "5"}), ("wine", second, same | {"inputs": "4"}), ("digits", first, {})
    for name, scores, facts in kinds:
        data = {"source": f"sklearn:{name}"}
        sides.append(Result(study(home, name, scores, digest=name, data=data, **facts)))
    found = by_study(sides[:2])
    assert found.notes[0] == "the same targets and splits, other inputs: columns after preparing iris 5, wine 4"
    assert [side.p_best for side in found.sides] == best_shares(np.array([first, second]).T, SHARED)
    assert by_study(sides[::2]).notes[0].startswith("their data differ, so their values cannot be compared")


def test_targets_are_told_by_their_rows_and_not_by_the_inputs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    other = np.where(np.arange(60) == 7, 1 - y, y)
    asked = read_study({"optimizers": {"sgd": {}}, "study": {"trials": 4}}, needs_data=False)
    reseeded = read_study(asked, settings={"study.seed": 1}, needs_data=False)
    digests = [
        targets_digest(prepare_study(study, data=data).first)
        for study, data in ((asked, (x, y)), (asked, (x[:, :2], y)), (asked, (x, other)), (reseeded, (x, y)))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_study_s_search_value_is_that_of_its_winner(home: Path, shell: Shell) -> None:
    made_up(home)  # its search's first, trial 1, is behind trial 0 on fresh seeds
    rows = json.loads(shell("compare", "small", "small", "-f", "json").out)
    assert [(row["value"], row["trial"]) for row in rows] == [(0.25, 0)] * 2


def test_budgets_that_differ_by_less_than_a_tenth_are_about_equal(home: Path) -> None:
    for name, trials in (("a", 20), ("b", 21), ("c", 30)):
        study(home, name, [0.1, 0.2, 0.3], trials=trials)
    a, b, c = (Result(study_directory(name, home)) for name in "abc")
    assert by_study([a, b]).notes[1] == "about equal budgets: 20 to 21 trials each, 23 to 24 epochs in all"
    assert by_study([a, c]).notes[1].startswith("unequal budgets: 20 to 30 trials each")


def test_budgets_are_told(home: Path, shell: Shell) -> None:
    study(home, "a", [0.1, 0.2, 0.3])
    study(home, "b", [0.1, 0.2, 0.3], trials=4)
    ended = shell("compare", "a", "b", "-f", "json")
    assert ended.code == 0
    rows = json.loads(ended.out)
    assert [(row["study"], row["trials"], row["epochs"], row["steps"]) for row in rows] == [
        ("a", 2, 5, 50),
        ("b", 4, 7, 70),
    ]
    shown = shell("compare", "a", "b")
    assert shown.out.splitlines()[0].split()[:4] == ["STUDY", "SEARCH", "FINAL", "P(BEST)"]
    assert "the same data, splits and seeds\n" in shown.err
    assert "unequal budgets: 2 to 4 trials each, 5 to 7 epochs in all\n" in shown.err


def test_what_is_not_confirmed_has_no_probability(home: Path, shell: Shell) -> None:
    study(home, "a", [0.1, 0.2, 0.3])
    study(home, "b", [])
    rows = json.loads(shell("compare", "a", "b", "-f", "json").out)
    assert [(row["mean"] is None, row["p_best"]) for row in rows] == [(False, None), (True, None)]
    assert "not confirmed: b; `tuner confirm` says how sure that is\n" in shell("compare", "a", "b").err


def test_optimizers_of_one_study_with_their_budgets(home: Path, shell: Shell) -> None:
    found = by_optimizer(Result(made_up(home)))
    momentum, adam = found.sides
    assert (momentum.name, momentum.trials, momentum.complete) == ("momentum", 5, 2)
    assert (adam.name, adam.trials, adam.complete, adam.goal) == ("adam", 1, 1, None)
    ended = shell("compare", "small", "--by", "optimizer")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == ["OPTIMIZER", "momentum", "adam"]
    assert "unequal budgets: 1 to 5 trials each" in ended.err


def test_wrong_numbers_of_studies(home: Path, shell: Shell) -> None:
    made_up(home)
    for args, said in (
        (("small",), "one study alone; name another one, or add --by optimizer"),
        (("small", "small", "--by", "optimizer"), "--by optimizer compares within one study, but got 2"),
        (("small", "--rtol", "0"), "--rtol compares two tables, but got 1"),
        (("small", "smal"), "no study 'smal'"),
    ):
        ended = shell("compare", *args)
        assert (ended.code, said in ended.err) == (2, True), ended.err


# Tables


def test_a_table_and_its_file_agree(home: Path, shell: Shell) -> None:
    made_up(home)
    for file in ("all.csv", "all.parquet"):
        shell("export", "small", "-o", home / file)
        ended = shell("compare", "small", home / file, "--rtol", "0")
        said = "6 trials agree: the same configs, values within 0 (largest difference 0.0e+00)\n"
        assert (ended.code, ended.out, ended.err) == (0, "", said)


def test_the_first_differences_are_shown_and_end_with_1(home: Path, shell: Shell) -> None:
    table = Result(made_up(home)).ranking()
    other = table.copy()
    other.loc[other["trial"] == 1, "value"] *= 1 + 1e-6
    other.loc[other["trial"] == 2, "lr"] = 0.002
    other.loc[other["trial"] == 0, "seconds"] = 99.0
    other = other[other["trial"] != 5]
    other.to_csv(home / "other.csv", index=False)
    ended = shell("compare", "small", home / "other.csv", "--rtol", "1e-9", "-f", "csv")
    assert ended.code == 1
    rows = [line.split(",") for line in ended.out.splitlines()[1:]]
    assert [row[:2] for row in rows] == [["1", "value"], ["2", "lr"], ["5", "trial"]]
    assert float(rows[0][-1]) == pytest.approx(1e-6, rel=1e-3)
    assert rows[2][2:4] == ["there", "missing"]
    assert ended.err == "3 of 6 trials differ by more than 1e-09: 3 cells\n"
    found, trials, largest = differing(table, other[other["trial"] != 2], 1e-3)
    assert (len(found), trials) == (2, 6)
    assert largest == pytest.approx(1e-6, rel=1e-3)


def test_a_file_that_is_no_table_says_so(home: Path, shell: Shell) -> None:
    made_up(home)
    (home / "no.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    ended = shell("compare", "small", home / "no.csv", "--rtol", "0")
    assert (ended.code, "is no table of trials; make one with `tuner export" in ended.err) == (2, True)
    ended = shell("compare", "small", home / "none.csv", "--rtol", "0")
    assert (ended.code, "none.csv: cannot be read: " in ended.err) == (2, True)


def test_python_gets_what_the_command_shows(shell: Shell, home: Path) -> None:
    study(home, "one", [0.1, 0.2, 0.3])
    study(home, "two", [0.4, 0.5, 0.6], trials=4)
    frame = compare("one", Result(study_directory("two", home)))
    asked = json.loads(shell("compare", "one", "two", "-f", "json").out)
    assert list(frame["study"]) == ["one", "two"]
    assert frame["p_best"].tolist() == [row["p_best"] for row in asked]
    assert any("unequal budgets" in note for note in frame.attrs["notes"])
    assert compare("one", by="optimizer").columns[0] == "optimizer"


@pytest.mark.parametrize(
    ("names", "by", "what"),
    [(("one",), "study", "two or more"), (("one", "one"), "optimizer", "within one"), ((), "x", "must be")],
)
def test_python_says_what_cannot_be_compared(home: Path, names: tuple[str, ...], by: str, what: str) -> None:
    study(home, "one", [0.1, 0.2])
    with pytest.raises(StudyError, match=what):
        compare(*names, by=by)
