"""`tuner confirm`: on studies that are there, wider than before, cut short, and where it cannot be."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tuner
from objectives import DataError
from tests.support.command import Shell
from tuner.api.compare import by_optimizer
from tuner.api.run import RunCallback
from tuner.errors import ChangedStudy, NoResult, StudyBusy, StudyError, TunerError
from tuner.report.report_data import ReportData
from tuner.report.sections import optimizer_table
from tuner.store.directory import StudyDirectory
from tuner.store.ledger import Ledger

ROOT = Path(__file__).parents[3]
FILES = ("ranking.csv", "best.toml", "best.npz", "study.toml")


def small(**confirm: Any) -> dict[str, Any]:
    """A study that takes a moment, with six complete trials."""
    return {
        "study": {"name": "small", "seed": 3, "trials": 6},
        "data": {"source": "sklearn:iris"},
        "model": {"kind": "mlp", "hidden": [8]},
        "train": {"epochs": 6, "batch_size": [8, 16]},
        "optimizers": {"momentum": {}, "adam": {}},
        "search": {"pruner": "none"},
        "confirm": {"top": 2, "seeds": 3} | confirm,
    }


def outputs(home: Path) -> dict[str, bytes]:
    return {name: (home / "small" / name).read_bytes() for name in FILES}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the study searched and not confirmed."""
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    tuner.run(small(), jobs=1, confirm=False)
    return tmp_path


def test_confirming_later_is_confirming_at_once(home: Path, tmp_path: Path) -> None:
    assert not tuner.open("small").best().confirmed
    tuner.confirm("small", jobs=2)
    tuner.run(small(), jobs=1, home=tmp_path / "at once")
    assert outputs(home) == outputs(tmp_path / "at once")
    before = outputs(home)
    assert tuner.confirm("small").cost.retrained == 0
    assert outputs(home) == before


def test_equal_budgets_have_the_best_of_each_optimizer_confirmed(tmp_path: Path) -> None:
    tables = small(top=1) | {"optimizers": {"momentum": {}, "adam": {}, "sgd": {"lr": 1e-6}}}
    equal = tables | {"search": {"pruner": "none", "allocation": "equal"}}
    for asked, many in ((tables, 1), (equal, 3)):
        result = tuner.run(asked, jobs=1, home=tmp_path / str(many))
        table = result.confirmation()
        assert len(table) == many
    order = result.ranking().dropna(subset="rank").drop_duplicates("optimizer")
    assert sorted(table["trial"]) == sorted(order["trial"])
    found = by_optimizer(result)
    assert [side.method for side in found.sides] == ["paired, 3 seeds"] * 3
    rows = optimizer_table(ReportData(result))
    told = {row["optimizer"]: (row["trial"], row["p_best"]) for row in rows}
    assert told == {side.name: (str(side.best.number), f"{side.p_best:.2f}") for side in found.sides if side.best}


def test_the_best_is_reported_on_seeds_that_chose_nothing(home: Path) -> None:
    result = tuner.confirm("small", jobs=1)
    best, table = result.best(), result.confirmation()
    numbers = {row.replicate for row in result.confirmed if row.trial == best.trial}
    assert numbers == {1, 2, 3, 2001, 2002, 2003}
    reported = [row.metrics["valid_loss"] for row in result.confirmed if row.replicate > 2000]
    assert best.confirmation["mean"] == table["report"][0] == pytest.approx(np.mean(reported))
    assert best.interval == (table["report_low"][0], table["report_high"][0])
    assert best.confirmation["reported_on"] == "seeds that chose nothing"
    assert result.best(rank=2).confirmation["reported_on"] == "the seeds that rank"
    assert result.best(rank=3).confirmation == {}


def test_wider_takes_what_is_there(home: Path) -> None:
    tuner.confirm("small", jobs=1)
    before = {(row.trial, row.replicate): row.seconds for row in tuner.open("small").confirmed}
    wider = tuner.confirm("small", top=4, seeds=5, jobs=1)
    after = {(row.trial, row.replicate): row.seconds for row in wider.confirmed}
    assert before.items() <= after.items()
    assert wider.cost.retrained == len(after) - len(before)
    assert list(wider.confirmation()["seeds"]) == [5] * 4
    assert tuner.confirm("small", top=1, seeds=2, jobs=1).cost.retrained == 0
    assert tuner.run(small(), jobs=1).cost.retrained == 0  # nor does the study's file make it narrower
    assert list(tuner.open("small").confirmation()["seeds"]) == [5] * 4


class Told(RunCallback):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.counts: list[tuple[int, int]] = []
        self.notes: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def retrained(self, done: int, total: int) -> None:
        self.counts.append((done, total))

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


@pytest.mark.parametrize("budget", [{"steps": 40}, {"examples": 900}])
def test_a_budget_in_steps_or_examples(budget: dict[str, int], tmp_path: Path) -> None:
    tables = small() | {"train": {"batch_size": [8, 16], **budget}}
    tuner.run(tables, jobs=1, home=tmp_path, confirm=False)
    assert len(tuner.confirm("small", 2, 2, home=tmp_path).standings) == 2


def test_a_watcher_is_told_how_far_it_is(home: Path) -> None:
    told = Told()
    result = tuner.confirm("small", top=9, seeds=4, jobs=1, callback=told)
    assert told.stages == ["prepare", "confirm", "report"]
    (_, total), (done, last) = told.counts[0], told.counts[-1]
    complete = int((result.ranking()["state"] == "complete").sum())
    assert (total, done, last) == (complete * 4, 4, 4)
    assert [done for done, of in told.counts if of == total][-1] == total
    assert told.notes == [f"the study has no more than {complete} complete configs to confirm"]


class Stopped(RunCallback):
    """Stops at a stage."""

    def __init__(self, at: str) -> None:
        self.at = at

    def stage(self, name: str) -> None:
        if name == self.at:
            raise KeyboardInterrupt("cut short")


def test_what_is_cut_short_leaves_the_files_of_the_one_before_and_goes_on(home: Path, tmp_path: Path) -> None:
    tuner.confirm("small", jobs=1)
    whole = outputs(home)
    with pytest.raises(KeyboardInterrupt, match="cut short"):
        tuner.confirm("small", top=4, seeds=6, jobs=1, callback=Stopped("report"))
    assert outputs(home) == whole
    kept = {(row.trial, row.replicate): row.seconds for row in tuner.open("small").confirmed}
    result = tuner.confirm("small", top=4, seeds=6, jobs=1)
    again = {(row.trial, row.replicate): row.seconds for row in result.confirmed}
    assert kept.items() <= again.items()
    tuner.run(small(top=4, seeds=6), jobs=2, baselines=False, home=tmp_path / "at once")
    mine, theirs = (tuner.open("small", home=place).confirmation() for place in (home, tmp_path / "at once"))
    assert mine.equals(theirs)


def test_a_first_confirmation_that_is_cut_short_names_no_confirmed_best(home: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match="cut short"):
        tuner.confirm("small", jobs=1, callback=Stopped("report"))
    result = tuner.open("small")
    assert not result.best().confirmed
    assert result.best().trial == result.ranking()["trial"][0]


def test_the_frame_has_its_columns_before_and_after(home: Path) -> None:
    empty = tuner.open("small").confirmation()
    full = tuner.confirm("small", jobs=1).confirmation()
    assert len(empty) == 0
    assert dict(empty.dtypes) == dict(full.dtypes)
    assert list(full["rank"]) == [1, 2]
    assert full["p_best"].sum() == pytest.approx(1)
    assert (full["optimism"] == full["mean"] - full["search_value"]).all()
    assert full["report"].isna().tolist() == [False, True]


LINE = r"#\d+ +search \S+ -> check \S+ \[\S+, \S+\] +rank \d -> \d=? +(opt|pess)imistic by \S+ +P\(best\) \d\.\d\d"


def test_the_command_says_who_is_best_and_how_sure_that_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(capsys)
    ended = shell("confirm", "small", "--top", "3", "--seeds", "4")
    assert ended.code == 0
    first, second, third, blank, best, *facts = ended.out.splitlines()
    assert all(re.fullmatch(LINE, line) for line in (first, second, third))
    assert blank == ""
    number = first.split()[0].removeprefix("#")
    assert best == f"best: trial {number}, chosen on 4 splits of the search and 4 fresh ones, reported on 4 more"
    assert [line.split()[0] for line in facts] == ["valid_loss", "test_loss", "test_accuracy", "in"]
    assert facts[-1] == "  in brackets    95 % intervals for the value on new rows"
    stages = [line for line in ended.err.splitlines() if "seeds" in line]
    assert stages[:2] == [
        "confirming the best on fresh seeds",
        "training the best of them on more seeds, which chose nothing",
    ]
    table = list(csv.DictReader(io.StringIO(shell("confirm", "small", "-f", "csv").out)))
    assert table[0]["trial"] == number
    assert list(table[0]) == list(tuner.open("small").confirmation().columns)
    assert shell("top", "small").err.startswith(("`", "columns"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--top", "0"), "0 is not in the range 1<=x<=100"),
        (("--top", "101"), "101 is not in the range 1<=x<=100"),
        (("--seeds", "1"), "1 is not in the range 2<=x<=1000"),
        (("--seeds", "1001"), "1001 is not in the range 2<=x<=1000"),
        (("--seeds", "many"), "'many' is not a valid integer"),
        (("--n-seeds", "3"), "no option --n-seeds; did you mean --seeds?"),
    ],
)
def test_numbers_out_of_bounds_end_with_2(
    words: tuple[str, str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = Shell(capsys)("confirm", "small", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_a_config_that_was_tried_twice_is_confirmed_once(tmp_path: Path) -> None:
    """A study of two configs and eight trials: no seed could tell copies apart."""
    few = small(top=5) | {"optimizers": {"momentum": {"lr": 0.1, "momentum": 0.9}}}
    few["study"] = few["study"] | {"trials": 8}
    callback = Told()
    result = tuner.run(few, jobs=1, home=tmp_path, callback=callback)
    what = "the study has 2 different configs, so 6 of its 8 trials repeat one"
    assert callback.notes[-1:] == [f'{what}: sampler = "grid" and trials = 2 try each once']
    assert len(result.ranking().query("state == 'complete'")) == 8
    assert sorted(result.trial(standing.trial).config["batch_size"] for standing in result.standings) == [8, 16]


def test_in_python_all_wrong_numbers_are_named(home: Path) -> None:
    with pytest.raises(StudyError, match=r"(?s)top: must lie in \[1, 100\], but got 0.*seeds: .*\[2, 1000\].*got 1\b"):
        tuner.confirm("small", top=0, seeds=1)


def test_a_study_that_is_not_there_or_empty(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(capsys)
    ended = shell("confirm", "smal")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"error: no study 'smal' in {home}; did you mean 'small'?\n"
    directory = StudyDirectory(home / "small")
    facts = tuner.open("small").facts
    directory.ledger.unlink()
    Ledger.create(directory.ledger, {key: value for key, value in facts.items() if key != "created"}).close()
    with pytest.raises(NoResult, match="study 'small' has 0 complete trials"):
        tuner.confirm("small")
    ended = shell("confirm", "small")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.count("\n") == 1


def test_a_study_that_is_being_written_names_the_holder(home: Path) -> None:
    with (
        StudyDirectory(home / "small").lock(),
        pytest.raises(StudyBusy, match=f"study 'small' is run by process {os.getpid()}"),
    ):
        tuner.confirm("small")


def test_a_place_that_cannot_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: StudyDirectory) -> Any:
        raise OSError(30, "Read-only file system", str(self.path / "lock"))

    monkeypatch.setattr(StudyDirectory, "lock", refuse)
    with pytest.raises(TunerError, match="small: Read-only file system; confirming writes to the study: copy it"):
        tuner.confirm("small")


def test_data_that_changed_or_went_are_named(home: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((90, 3)), columns=["a", "b", "c"])
    frame["y"] = np.where(frame["a"] > 0, "up", "down")
    file = tmp_path / "rows.csv"
    frame.to_csv(file, index=False)
    study = small() | {"data": {"source": str(file), "target": "y"}}
    study["study"] = study["study"] | {"name": "rows"}
    tuner.run(study, jobs=1, confirm=False)
    frame.assign(a=frame["a"] + 1e-3 * frame["a"] ** 2).to_csv(file, index=False)
    with pytest.raises(ChangedStudy, match=f"study 'rows' cannot be confirmed(?s:.*){file} has changed since: was"):
        tuner.confirm("rows", jobs=1)
    file.unlink()
    with pytest.raises((DataError, StudyError), match=r"data\.source: .*there is no such file"):
        tuner.confirm("rows", jobs=1)
    frame.to_csv(file, index=False)
    assert tuner.confirm("rows", jobs=1).best().confirmed


def test_data_given_in_python_have_to_be_given_again(home: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 3))
    y = (x[:, 0] > 0).astype(int)
    study = small()
    del study["data"]
    study["study"] = study["study"] | {"name": "given"}
    tuner.run(study, data=(x, y), jobs=1, confirm=False)
    with pytest.raises(StudyError, match=r"run on data given in Python; tuner\.confirm\('given', data=\.\.\.\)"):
        tuner.confirm("given", jobs=1)
    assert tuner.confirm("given", data=(x, y), jobs=1).best().confirmed
    with pytest.raises(ChangedStudy, match="the data given has changed since"):
        tuner.confirm("given", seeds=4, data=(x + x**3, y), jobs=1)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")
def test_many_seeds_need_few_open_files(tmp_path: Path) -> None:
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
import tuner
study = {
    "study": {"name": "x", "trials": 2},
    "data": {"source": "sklearn:digits"},
    "train": {"epochs": 1},
    "model": {"hidden": [4]},
    "optimizers": {"sgd": {}},
    "search": {"generation_size": 2},
    "confirm": {"top": 1, "seeds": 20},
}
print(len(tuner.run(study, home=sys.argv[1], jobs=1).confirmed))
"""
    ran = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(ran.stdout.split()[-1]) >= 40
