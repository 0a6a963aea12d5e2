"""`tuner init --from-optuna`: the space that an objective of Optuna's has, and the study that runs it as it is."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import tuner
from tests.support.command import Shell
from tuner.errors import StudyError, TunerError
from tuner.parameter_names import parameter_name
from tuner.study import read_study
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.objective_ref import ObjectiveRef
from tuner.trainables.optuna_script.probe import Exploration, probe_objective
from tuner.trainables.optuna_script.script_settings import ScriptSettings
from tuner.trainables.optuna_script.script_text import Script, read_script
from tuner.trainables.optuna_script.study_text import drafted, study_text


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("TUNER_HOME", "TUNER_TRIALS", "TUNER_JOBS", "TUNER_SEED"):
        monkeypatch.delenv(name, raising=False)
    return Shell(capsys)


COUNT = iter(range(10**6))


def script(folder: Path, body: str, rest: str = "") -> str:
    """A script with an objective of that body, under a name of its own: modules are imported once."""
    name = f"script{next(COUNT)}.py"
    text = f"import optuna\n\n\ndef objective(trial):\n{_indented(body)}\n{dedent(rest)}"
    (folder / name).write_text(text, encoding="utf-8")
    return f"{name}:objective"


def _indented(body: str) -> str:
    return "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())


def found(folder: Path, body: str, rest: str = "") -> Exploration:
    explored = probe_objective(ObjectiveRef(script(folder, body, rest), str(folder)))
    assert isinstance(explored, Exploration), explored
    return explored


def space(folder: Path, body: str) -> dict[str, Any]:
    """The parameters that a study file would have, read back from its text."""
    draft = drafted("script.py:objective", found(folder, body), "minimize")
    table: dict[str, Any] = tomllib.loads(study_text(draft, folder / "study.toml", "x"))["parameters"]
    return table


def unusable(folder: Path, body: str, rest: str = "") -> str:
    said = probe_objective(ObjectiveRef(script(folder, body, rest), str(folder)))
    assert isinstance(said, InvalidObjective), said
    return str(said)


def test_every_kind_of_suggestion_is_found(tmp_path):
    body = """
        a = trial.suggest_float("a", 0, 1)
        b = trial.suggest_float("b", 1e-5, 1e-1, log=True)
        c = trial.suggest_float("c", 0.0, 1.0, step=0.25)
        d = trial.suggest_int("d", 1, 100)
        e = trial.suggest_int("e", 1, 128, log=True)
        f = trial.suggest_int("f", 0, 60, step=20)
        g = trial.suggest_categorical("g", ["x", "y"])
        h = trial.suggest_categorical("h", [True, False])
        i = trial.suggest_categorical("i", [16, 32, 64])
        j = trial.suggest_categorical("j", ["sqrt", None, 0.5])
        k = trial.suggest_int("k", 0, 1)
        l = trial.suggest_float("l", 2.0, 2.0)
        return a + b + c + d
    """
    assert space(tmp_path, body) == {
        "a": {"low": 0.0, "high": 1.0},
        "b": {"low": 1e-5, "high": 1e-1, "log": True},
        "c": {"low": 0.0, "high": 1.0, "step": 0.25},
        "d": {"low": 1, "high": 100},
        "e": {"low": 1, "high": 128, "log": True},
        "f": {"low": 0, "high": 60, "step": 20},
        "g": ["x", "y"],
        "h": [True, False],
        "i": [16, 32, 64],
        "j": ["sqrt", "None", "0.5"],
        "k": [0, 1],
        "l": [2.0],
    }


CONDITIONAL = """
    x = trial.suggest_float("x", 0.0, 1.0)
    kind = trial.suggest_categorical("kind", ["svc", "forest", "boost"])
    if kind == "svc":
        x += trial.suggest_float("c", 1e-3, 1e3, log=True)
    else:
        x += trial.suggest_int("depth", 2, 32)
    for i in range(trial.suggest_int("layers", 1, 3)):
        x += trial.suggest_int(f"units_{i}", 4, 128, log=True)
    return x
"""


def test_parameters_that_exist_for_some_values_only_are_found(tmp_path):
    table = space(tmp_path, CONDITIONAL)
    assert table["layers"] == [1, 2, 3]
    assert "when" not in table["units_0"]
    assert {name: table[name]["when"] for name in ("c", "depth", "units_1", "units_2")} == {
        "c": {"kind": ["svc"]},
        "depth": {"kind": ["forest", "boost"]},
        "units_1": {"layers": [2, 3]},
        "units_2": {"layers": [3]},
    }


def test_a_condition_on_a_conditional_parameter_is_found(tmp_path):
    body = """
        x = 1.0
        if trial.suggest_categorical("a", ["yes", "no"]) == "yes":
            if trial.suggest_categorical("b", ["yes", "no"]) == "yes":
                if trial.suggest_int("n", 1, 3) > 1:
                    x = trial.suggest_float("c", 0.0, 1.0)
        return x
    """
    draft = drafted("s.py:objective", found(tmp_path, body), "minimize")
    assert {name: draft.parameters[name]["when"] for name in ("b", "n", "c")} == {
        "b": {"a": ["yes"]},
        "n": {"b": ["yes"]},
        "c": {"n": [2, 3]},
    }
    assert not draft.notes


def test_what_depends_on_a_range_is_searched_too_often_and_named(tmp_path):
    body = """
        x = trial.suggest_float("x", 0.0, 1.0)
        return x if x < 0.5 else trial.suggest_float("c", 0.0, 1.0)
    """
    draft = drafted("s.py:objective", found(tmp_path, body), "minimize")
    assert "when" not in draft.parameters["c"]
    said = "c is not asked for in every trial, and when was not found: it is searched there all the same"
    assert f"{said}, and means nothing." in draft.notes


def test_what_was_chance_in_a_few_calls_is_no_condition(tmp_path):
    """Asked for in few calls only: which other values these had says nothing."""
    body = """
        kind = trial.suggest_categorical("kind", ["tree", "line", "drop"])
        rate = trial.suggest_float("rate", 1e-8, 1.0, log=True)
        size = trial.suggest_categorical("size", [16, 32, 64])
        layers = trial.suggest_categorical("layers", ["one", "two", "none"])
        if kind != "line" and trial.suggest_int("depth", 3, 9, step=2) > 5:
            rate += trial.suggest_float("eta", 1e-8, 1.0, log=True)
        if kind == "drop":
            rate += trial.suggest_float("share", 1e-8, 1.0, log=True)
        return rate
    """
    assert space(tmp_path, body)["eta"]["when"] == {"depth": [7, 9]}


def test_steps_are_counted_whatever_their_numbers(tmp_path):
    body = """
        x = trial.suggest_float("x", 0.0, 1.0)
        for step in (0, 100, 100, 250):
            trial.report(x, step)
        return x
    """
    assert drafted("s.py:objective", found(tmp_path, body), "minimize").epochs == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            'return trial.suggest_float("x", 0, 1), 2.0',
            "returns 2 values, but a study has one goal; return one",
        ),
        ("return 1.0", "asks for nothing: there is nothing to search"),
        ('trial.suggest_float("x", 0, 1)', "returned nothing for its value"),
        ('return str(trial.suggest_float("x", 0, 1))', "is text .*, not a number"),
        ('raise KeyError("gone")', r"raised KeyError: 'gone' \(script\d+.py:5\)"),
        ("return trial.relative", "trial.relative is nothing that a study of the tuner has; it has suggest_float"),
        ("return trial.study.best_value", "raised ValueError: No trials are completed yet."),
        ("trial.study.stop()", r"study.stop\(\) cannot be called in a study of the tuner: write \[stop\]"),
        (
            'n = trial.suggest_int("n", 1, 100)\nreturn trial.suggest_int("m", 0, n + 1)',
            "asks for m as 0 to 2, and as 0 to .* where n = .*: a range that changes cannot be searched",
        ),
        (
            'k = trial.suggest_categorical("k", ["a", "b"])\nreturn trial.suggest_float("r", 0, 1 if k == "a" else 9)',
            "asks for r as 0 to 1, and as 0 to 9 where k = b",
        ),
        (
            'import time\nreturn trial.suggest_float(f"x{time.perf_counter_ns()}", 0, 1)',
            "in one of two trials with the same values",
        ),
        (
            'trial.suggest_float("x", 0, 1)\nreturn trial.suggest_float("x", 0, 2)',
            "asks for x as 0 to 1, and as 0 to 2 in one trial",
        ),
        ('return trial.suggest_categorical("x", [object(), object()])', "have no names"),
    ],
)
def test_what_cannot_be_mapped_is_named(tmp_path, body, said):
    assert re.search(said, unusable(tmp_path, body))


def test_a_script_that_runs_its_study_when_imported_is_not_imported(tmp_path):
    rest = 'print("ran")\nstudy = optuna.create_study()\nstudy.optimize(objective, n_trials=10**6)\n'
    body = 'return trial.suggest_float("x", 0, 1)'
    assert "runs its study when it is imported (line 8); put that under `if __name__" in unusable(tmp_path, body, rest)


def test_an_objective_of_several_arguments_is_refused(tmp_path):
    (tmp_path / "two.py").write_text("def objective(trial, data):\n    return 1.0\n", encoding="utf-8")
    said = probe_objective(ObjectiveRef("two.py:objective", str(tmp_path)))
    assert "takes (trial, data), which is no objective of Optuna's" in str(said)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("", Script()),
        ("s = optuna.create_study()", Script("minimize")),
        ('s = optuna.create_study(direction="maximize")', Script("maximize")),
        ("s = create_study(direction=optuna.study.StudyDirection.MAXIMIZE)", Script("maximize")),
        ("s = create_study(direction=way)", Script()),
        ('s = create_study(directions=["minimize", "maximize"])', Script("minimize", several=True)),
        ("def main():\n    s = create_study()\n    s.optimize(f, n_trials=30)", Script("minimize", 30)),
        ("s = create_study()\ns.optimize(f, 30)", Script("minimize", 30, runs_at=2)),
        ('N = 7\ns = create_study()\nif __name__ == "__main__":\n    s.optimize(f, n_trials=N)', Script("minimize", 7)),
    ],
)
def test_a_script_is_read_for_what_it_says(text, known):
    assert replace(read_script(text), settings=ScriptSettings()) == known


@pytest.mark.parametrize(
    ("name", "own"),
    [("lr", "lr"), ("optimizer", "optimizer_"), ("svm/c", "svm_c"), ("1st", "_1st"), ("max depth", "max_depth")],
)
def test_names_are_kept_where_they_can_be(name, own):
    assert parameter_name(name) == own


def test_direction_is_asked_for_where_nothing_says_it(shell: Shell, tmp_path: Path) -> None:
    objective = script(tmp_path, 'return trial.suggest_float("x", 0, 1)')
    ended = shell("init", "--from-optuna", objective)
    assert ended.code == 2
    assert "nothing says whether its value is to be small or large; add --minimize or --maximize" in ended.err
    assert not Path("study.toml").exists()
    assert shell("init", "--from-optuna", objective, "--maximize").code == 0
    assert 'maximize = "score"' in Path("study.toml").read_text(encoding="utf-8")


def test_a_direction_needs_an_objective(shell: Shell) -> None:
    ended = shell("init", "--maximize")
    assert (ended.code, "goes with --from-optuna" in ended.err) == (2, True)


PRUNED = """
    width = trial.suggest_categorical("optimizer", ["wide", "narrow"])
    x = trial.suggest_float("x", -2.0, 2.0)
    y = trial.suggest_float("y", 0.0, 1.0) if width == "wide" else 0.5
    trial.set_user_attr("half", x / 2)
    trial.set_user_attr("words", ["some", width])
    if x < -1.5:
        raise optuna.TrialPruned()
    for step in range(9):
        trial.report((x - 1) ** 2 + y + 1 / (step + 1), step)
        if trial.should_prune():
            raise optuna.TrialPruned()
    return (x - 1) ** 2 + y
"""
MADE = """

if __name__ == "__main__":
    study = optuna.create_study(direction="minimize")
    study.optimize(objective, n_trials=24)
"""


def test_what_is_noted_at_the_end_is_of_the_whole_trial(tmp_path: Path) -> None:
    """It stands beside each epoch, and the value is what was returned, whatever was reported before."""

    def objective(trial: Any) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        for step in range(3):
            trial.report(x + step, step)
        trial.set_user_attr("weights", 1000 + x)
        return x + 9.0

    asked = {
        "study": {"name": "noted", "trials": 2, "minimize": "score"},
        "parameters": {"x": {"low": 0.0, "high": 1.0}},
        "train": {"epochs": 3},
        "search": {"pruner": "none"},
    }
    table = tuner.run(asked, objective=objective, jobs=1, home=tmp_path).ranking()
    assert table["epoch"].tolist() == [3, 3]
    assert table["value"].tolist() == (table["x"] + 9.0).tolist()
    assert table["weights"].tolist() == (1000 + table["x"]).tolist()


def test_the_study_runs_the_unchanged_objective(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    objective = f"code/{script(folder, PRUNED, MADE)}"
    assert shell("init", "study.toml", "--from-optuna", objective).code == 0
    study = read_study("study.toml")
    assert (study.trials, study.budget.amount, study.direction) == (24, 9, "minimize")

    result = tuner.run("study.toml", jobs=2)
    table = result.ranking()
    assert len(table) == 24
    assert set(table["state"]) == {"complete", "pruned", "diverged"}
    ranked = table[table["state"] == "complete"]
    # what it returns counts as its last report, and is the best that it had
    assert (ranked["epoch"] == 9).all()
    values = (ranked["x"] - 1) ** 2 + ranked["y"].fillna(0.5)
    assert list(ranked["value"]) == pytest.approx(list(values))
    assert list(ranked["half"]) == pytest.approx(list(ranked["x"] / 2))
    gone = table[table["state"] == "diverged"]
    assert (gone["x"] < -1.5).all()
    assert table[table["optimizer_"] == "narrow"]["y"].isna().all()
    noted = json.loads((result.directory.path / "notes" / f"trial-{ranked['trial'].iloc[0]}.json").read_text())
    assert noted == {"words": ["some", ranked["optimizer_"].iloc[0]]}


def test_a_study_may_have_other_ranges_than_the_code(tmp_path: Path) -> None:
    """The tuner's own finding, a range that is to be widened, does not make the trials of a script fail."""
    objective = script(tmp_path, 'return trial.suggest_int("n", 1, 8) + trial.suggest_float("x", 0.0, 0.5)')
    asked = {"name": "wider", "trials": 8, "objective": str(tmp_path / objective), "minimize": "loss"}
    study = {"study": asked, "parameters": {"n": {"low": 9, "high": 16}, "x": {"low": 0.6, "high": 1.0}}}
    table = tuner.run(study, home=tmp_path / "runs", jobs=1).ranking()
    assert (table["state"] == "complete").all()
    assert table["value"].tolist() == (table["n"] + table["x"]).tolist()


def test_a_value_outside_a_range_that_others_decide_fails_the_trial(tmp_path: Path) -> None:
    body = 'n = trial.suggest_int("n", 1, 4)\nreturn n - trial.suggest_int("k", 1, n)'
    asked = {"name": "moving", "trials": 3, "objective": str(tmp_path / script(tmp_path, body)), "minimize": "loss"}
    study = {"study": asked, "parameters": {"n": {"low": 1, "high": 4}, "k": {"low": 5, "high": 9}}}
    with pytest.raises(TunerError, match=r"k = \d is not what it asks for, 1 to \d; \[parameters\] has to say"):
        tuner.run(study, home=tmp_path / "runs", jobs=1)


def test_what_the_study_does_not_say_fails_the_trial_with_its_name(tmp_path: Path) -> None:
    objective = script(tmp_path, 'return trial.suggest_float("x", 0.0, 0.5) + trial.suggest_float("z", 0, 1)')
    asked = {"name": "other", "trials": 3, "objective": str(tmp_path / objective), "minimize": "loss"}
    missing = {"study": {**asked, "name": "less"}, "parameters": {"x": {"low": 0.1, "high": 0.4}}}
    with pytest.raises(TunerError, match=r"asks for z, 0 to 1, which the study has not, or not here; write z in"):
        tuner.run(missing, home=tmp_path / "runs", jobs=1)


def test_an_objective_that_is_not_there_is_said(shell: Shell) -> None:
    ended = shell("init", "--from-optuna", "gone.py:objective", "--minimize")
    assert ended.code == 2
    assert "gone.py: there is no such file" in ended.err
    ended = shell("init", "--from-optuna", "gone.py", "--minimize")
    assert "'gone.py' does not say where it is; write \"script.py:objective\"" in ended.err


def test_two_names_that_would_be_one_are_refused(tmp_path: Path) -> None:
    body = 'return trial.suggest_float("a/b", 0, 1) + trial.suggest_float("a b", 0, 1)'
    with pytest.raises(StudyError, match="two of its names would be one here: a b, a/b"):
        drafted("s.py:objective", found(tmp_path, body), "minimize")
