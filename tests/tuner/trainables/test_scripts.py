"""What an Optuna script says of its study, and what its objective finds beside its trial."""

from __future__ import annotations

import importlib.util
import math
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import tuner
from tests.support.command import Shell
from tuner.errors import TunerError
from tuner.study import read_study
from tuner.trainables.optuna_script.script_text import read_script

INSTALL = "runs its callbacks: pip install optuna-integration lightgbm xgboost catboost"
COUNT = iter(range(10**6))


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("TUNER_HOME", "TUNER_TRIALS", "TUNER_JOBS", "TUNER_SEED"):
        monkeypatch.delenv(name, raising=False)
    return Shell(capsys)


def written(folder: Path, text: str) -> str:
    """A script under a name of its own: modules are imported once."""
    name = f"told{next(COUNT)}"
    (folder / f"{name}.py").write_text(f"import optuna\n{dedent(text)}", encoding="utf-8")
    return name


def ran(folder: Path, name: str, parameters: dict[str, Any], jobs: int = 1, **tables: Any) -> Any:
    """The result of a study of the script's objective."""
    study = {"name": f"{name}-{jobs}", "trials": 12, "objective": str(folder / f"{name}.py:objective")}
    asked = {"study": {**study, "minimize": "loss"}, "parameters": parameters, **tables}
    return tuner.run(asked, home=folder / "runs", jobs=jobs)


RUN = "s = optuna.create_study({made})\nif __name__ == '__main__':\n    s.optimize(objective, {run})\n"


@pytest.mark.parametrize(
    ("made", "run", "tables", "trials"),
    [
        ("sampler=optuna.samplers.TPESampler(seed=7)", "n_trials=9", {"search": {"sampler": "tpe"}}, 9),
        ("sampler=GPSampler()", "9", {"search": {"sampler": "gp"}}, 9),
        ("sampler=CmaEsSampler()", "9", {"search": {"sampler": "cmaes"}}, 9),
        ("sampler=RandomSampler(3)", "9", {"search": {"sampler": "random"}, "study": {"seed": 3}}, 9),
        ("sampler=QMCSampler()", "9", {"search": {"sampler": "qmc"}}, 9),
        ("pruner=optuna.pruners.NopPruner()", "9", {"search": {"pruner": "none"}}, 9),
        ("pruner=HyperbandPruner(reduction_factor=3)", "9", {"search": {"pruner": "hyperband", "reduction": 3}}, 9),
        ("sampler=None, pruner=None", "9, timeout=None", {}, 9),
        ("", "timeout=60", {"stop": {"seconds": 60}}, 100_000),
        ("", "n_trials=9, timeout=60.5", {"stop": {"seconds": 60.5}}, 9),
        ("", "callbacks=[MaxTrialsCallback(20)]", {}, 20),
    ],
)
def test_what_a_study_file_can_say_is_translated(made: str, run: str, tables: dict[str, Any], trials: int) -> None:
    settings = read_script(RUN.format(made=made, run=run)).settings
    told = {name: dict(keys) for name, keys in settings.tables.items()}
    told.get("study", {}).pop("seed", None) if "RandomSampler" not in made else None
    assert ({name: keys for name, keys in told.items() if keys}, settings.trials) == (tables, trials)
    assert not settings.refused


def test_names_of_a_script_are_followed() -> None:
    text = "N = 40\nsampler = optuna.samplers.TPESampler(seed=5)\n"
    text += RUN.format(made="sampler=sampler", run="n_trials=N")
    settings = read_script(text).settings
    assert (settings.trials, settings.tables) == (40, {"search": {"sampler": "tpe"}, "study": {"seed": 5}})


@pytest.mark.parametrize(
    ("made", "run", "said"),
    [
        ("sampler=NSGAIISampler()", "9", "sampler=NSGAIISampler has no counterpart; choose one: --set search.sampler="),
        ("sampler=mine", "9", "the sampler, which the text does not tell, has no counterpart"),
        ("pruner=ThresholdPruner(upper=1)", "9", "pruner=ThresholdPruner has no counterpart; choose one: --set search"),
        ("pruner=MedianPruner() if args.prune else NopPruner()", "9", "the pruner, which the text does not tell"),
        ("", "n_trials=args.n", "n_trials is no number in the text; say it: --set study.trials=100"),
        ("", "9, timeout=args.t", "timeout is no number in the text; say it: --set stop.seconds=600"),
        ("", "9, callbacks=[log]", "callbacks of optimize are not called by the tuner; take them out of that call"),
        ("sampler=TPESampler(constraints_func=lambda t: t.x)", "9", "constraints_func is no function by its name"),
    ],
)
def test_what_it_cannot_say_is_refused_before_any_call(
    shell: Shell, tmp_path: Path, made: str, run: str, said: str
) -> None:
    body = "def objective(trial):\n    open('called', 'w')\n    return trial.suggest_float('x', 0, 1)\n"
    name = written(tmp_path, body + RUN.format(made=made, run=run))
    ended = shell("init", "--from-optuna", f"{name}.py:objective", "--minimize")
    assert (ended.code, ended.err.count("\n")) == (2, 2), ended.err
    assert said in ended.err
    assert not Path("study.toml").exists()
    assert not Path("called").exists()


def test_what_is_set_takes_the_place_of_what_the_text_does_not_tell(shell: Shell, tmp_path: Path) -> None:
    body = "def mine():\n    return None\n\n\ndef objective(trial):\n    return trial.suggest_float('x', 0, 1)\n"
    name = written(tmp_path, body + RUN.format(made="pruner=mine()", run="n_trials=args.n"))
    sets = ["--set", "study.trials=30", "--set", "search.pruner=none"]
    assert shell("init", "--from-optuna", f"{name}.py:objective", "--minimize", *sets).code == 0
    study = read_study("study.toml")
    assert (study.trials, study.search.pruner) == (30, "none")


def test_trials_that_are_enqueued_come_first(shell: Shell, tmp_path: Path) -> None:
    body = """
        def objective(trial):
            k = trial.suggest_categorical("kind", [None, "a"])
            return trial.suggest_float("x", 0, 1) + (k is None)

        if __name__ == "__main__":
            study = optuna.create_study()
            study.enqueue_trial({"x": 0.25, "kind": None})
            study.optimize(objective, n_trials=8)
    """
    assert shell("init", "--from-optuna", f"{written(tmp_path, body)}.py:objective").code == 0
    first = tuner.run("study.toml", jobs=1).trial(0)
    assert (first.config["x"], first.config["kind"], first.value) == (0.25, "None", 1.25)


def test_a_grid_is_searched_at_its_points(shell: Shell, tmp_path: Path) -> None:
    body = """
        def objective(trial):
            return trial.suggest_float("x", 0, 1) + trial.suggest_int("n", 1, 100)

        if __name__ == "__main__":
            sampler = optuna.samplers.GridSampler({"x": [0.0, 0.5], "n": [1, 10]})
            optuna.create_study(sampler=sampler).optimize(objective, n_trials=4)
    """
    assert shell("init", "--from-optuna", f"{written(tmp_path, body)}.py:objective").code == 0
    table = tuner.run("study.toml", jobs=1).ranking()
    assert sorted(table["value"]) == [1.0, 1.5, 10.0, 10.5]


CONSTRAINED = """
    def constraints(trial):
        return (trial.user_attrs["weight"] - 1.0,)

    def objective(trial):
        x = trial.suggest_float("x", 0.0, 2.0)
        trial.set_user_attr("weight", 2.0 - x)
        return x

    if __name__ == "__main__":
        sampler = optuna.samplers.TPESampler(constraints_func=constraints)
        optuna.create_study(sampler=sampler).optimize(objective, n_trials=12)
"""


def test_what_violates_a_constraint_is_never_the_best(tmp_path: Path) -> None:
    table = ran(tmp_path, written(tmp_path, CONSTRAINED), {"x": {"low": 0.0, "high": 2.0}}).trials()
    feasible = table["x"] >= 1.0
    assert set(feasible) == {True, False}
    assert (table["state"] == feasible.map({True: "complete", False: "diverged"})).all()
    assert table[~feasible]["error"].str.startswith("infeasible: constraint 0 is ").all()


def test_constraints_that_a_trial_sets_count_too(tmp_path: Path) -> None:
    body = """
        def objective(trial):
            x = trial.suggest_float("x", 0.0, 2.0)
            trial.set_constraint("heavy", 1.0 - x)
            return x
    """
    table = ran(tmp_path, written(tmp_path, body), {"x": {"low": 0.0, "high": 2.0}}).ranking()
    assert (table[table["state"] == "complete"]["x"] >= 1.0).all()
    assert (table["state"] == "diverged").any()


def test_the_value_is_what_is_returned_whatever_was_reported(tmp_path: Path) -> None:
    """Reports of another metric, and of more epochs than the study has, decide who goes on and nothing else."""
    body = """
        def objective(trial):
            x = trial.suggest_float("x", 0.0, 1.0)
            for step in range(9 + int(20 * x)):
                trial.report(-5.0 - x + step, step)
                if trial.should_prune():
                    raise optuna.TrialPruned()
            return x
    """
    space = {"x": {"low": 0.0, "high": 1.0}}
    result = ran(tmp_path, written(tmp_path, body), space, train={"epochs": 9}, confirm={"top": 2, "seeds": 2})
    done = result.ranking()[lambda table: table["state"] == "complete"]
    assert done["value"].tolist() == done["x"].tolist()
    assert done["stable"].all()
    assert not (result.ranking()["state"] == "failed").any()
    trial = result.trial(int(done["trial"].iloc[0]))
    assert trial.epochs == 9 + int(20 * trial.config["x"]) == trial.epoch
    assert {row.metrics["loss"] for row in result.confirmed if row.trial == trial.number} == {trial.config["x"]}


def test_reports_of_single_instances_are_no_curve(shell: Shell, tmp_path: Path) -> None:
    body = """
        def objective(trial):
            x = trial.suggest_float("x", 0.0, 1.0)
            for instance in (3, 1, 2):
                trial.report(x * instance, instance)
            return 2 * x

        if __name__ == "__main__":
            study = optuna.create_study(pruner=optuna.pruners.WilcoxonPruner())
            study.optimize(objective, n_trials=8)
    """
    assert shell("init", "--from-optuna", f"{written(tmp_path, body)}.py:objective").code == 0
    study = read_study("study.toml")
    assert (study.search.pruner, study.custom.timed if study.custom else None) == ("none", False)
    table = tuner.run("study.toml", jobs=1).ranking()
    assert table["value"].tolist() == (2 * table["x"]).tolist()


@pytest.mark.parametrize("raised", ["raise Wrapped(str(error)) from error", "return -1.0"])
def test_what_stops_a_trial_may_be_wrapped_or_swallowed(tmp_path: Path, raised: str) -> None:
    """As CatBoost does it with whatever its callbacks raise."""
    body = f"""
        class Wrapped(Exception):
            pass

        def objective(trial):
            x = trial.suggest_float("x", 0.0, 1.0)
            try:
                for step in range(9):
                    trial.report(x + 1 / (step + 1), step)
            except BaseException as error:
                {raised}
            return x
    """
    name, space = written(tmp_path, body), {"x": {"low": 0.0, "high": 1.0}}
    table = ran(tmp_path, name, space, train={"epochs": 9}, search={"generation_size": 12, "rungs": [3]}).ranking()
    assert sorted(table["state"]) == ["complete"] * 3 + ["pruned"] * 9
    assert table["value"].min() >= 0


FORMS = {
    "any name": "def objective(t):\n    return t.suggest_float('x', 0, 1)\n",
    "a helper": "def asks(t):\n    return t.suggest_float('x', 0, 1)\n\n\ndef objective(t):\n    return asks(t)\n",
    "an object": """
        class Objective:
            def __init__(self, data):
                self.data = data

            def __call__(self, t):
                return t.suggest_float("x", 0, 1) + self.data[0]

        if __name__ == "__main__":
            data = [0.0]
            study = optuna.create_study()
            print("made", study.direction)
            objective = Objective(data)
            study.optimize(objective, n_trials=3)
    """,
    "a function of more": """
        def objective(trial, data):
            return trial.suggest_float("x", 0, 1) + data

        def main():
            data = 0.0
            study = optuna.create_study()
            study.optimize(lambda trial: objective(trial, data), n_trials=3)

        if __name__ == "__main__":
            main()
    """,
}


@pytest.mark.parametrize("form", FORMS)
def test_an_objective_is_found_as_scripts_have_it(tmp_path: Path, form: str) -> None:
    table = ran(tmp_path, written(tmp_path, FORMS[form]), {"x": {"low": 0.0, "high": 1.0}}).ranking()
    assert table["value"].tolist() == table["x"].tolist()


READING = """
    def objective(trial):
        x = trial.suggest_float("x", 0.0, 1.0)
        done = [one for one in trial.study.trials if one.state.is_finished()]
        trial.set_user_attr("known", float(len(done)))
        trial.set_user_attr("number", float(trial.number))
        trial.storage.set_trial_system_attr(trial._trial_id, "note", 1)
        assert trial.study.direction.name == "MINIMIZE" and trial.distributions["x"].high == 1.0
        return x if not done else 0.5 * (x + trial.study.best_value)
"""


def test_what_an_objective_reads_of_its_study_is_committed(tmp_path: Path) -> None:
    """The generation before is not among it: whether that had ended would be a matter of time."""
    name, tables = written(tmp_path, READING), {"search": {"generation_size": 4}}
    one, two = (ran(tmp_path, name, {"x": {"low": 0.0, "high": 1.0}}, jobs, **tables) for jobs in (1, 2))
    assert [trial.metrics["known"] for trial in one.all_trials] == [0.0] * 8 + [4.0] * 4
    assert [trial.metrics["number"] for trial in one.all_trials] == [float(i) for i in range(12)]
    assert (one.path / "ranking.csv").read_bytes() == (two.path / "ranking.csv").read_bytes()


NESTED = {
    "kind": ["net", "tree"],
    "opt": {"choices": ["sgd", "adam"], "when": {"kind": ["net"]}},
    "momentum": {"low": 0.0, "high": 0.9, "when": {"opt": ["sgd"]}},
}


def test_a_condition_may_name_a_conditional_parameter(tmp_path: Path) -> None:
    asked = {"study": {"name": "nested", "trials": 24, "minimize": "loss"}, "parameters": NESTED}
    result = tuner.run(asked, objective=lambda config: float(len(config)), jobs=1, home=tmp_path)
    for trial in result.all_trials:
        config = trial.config
        assert ("opt" in config) == (config["kind"] == "net")
        assert ("momentum" in config) == (config.get("opt") == "sgd")
    assert {trial.config.get("opt") for trial in result.all_trials} == {None, "sgd", "adam"}
    again = tuner.open("nested", home=tmp_path).study
    assert again.conditions == result.study.conditions


def test_a_nested_grid_has_each_config_once(tmp_path: Path) -> None:
    space = {**NESTED, "momentum": {"choices": [0.0, 0.9], "when": {"opt": ["sgd"]}}}
    asked = {"study": {"name": "grid", "trials": 4, "minimize": "loss"}, "parameters": space}
    result = tuner.run(asked | {"search": {"sampler": "grid"}}, objective=lambda c: len(c), jobs=1, home=tmp_path)
    met = {tuple(t.config.get(name) for name in NESTED) for t in result.all_trials}
    assert met == {("tree", None, None), ("net", "adam", None), ("net", "sgd", 0.0), ("net", "sgd", 0.9)}


def test_conditions_may_not_go_in_circles() -> None:
    space = {"a": {"choices": [1, 2], "when": {"b": [1]}}, "b": {"choices": [1, 2], "when": {"a": [1]}}}
    with pytest.raises(TunerError, match=r"a\.when\.b: depends on a in turn; let one of the two depend on"):
        read_study({"study": {"objective": "x:y"}, "parameters": space})


LIGHTGBM = """
    import lightgbm
    from optuna_integration import LightGBMPruningCallback

    def train(trial, split, seen):
        own = {"objective": "binary", "metric": "auc", "verbosity": -1, "num_threads": 1}
        own["num_leaves"] = trial.suggest_int("num_leaves", 2, 16)
        own["learning_rate"] = trial.suggest_float("lr", 0.001, 1.0, log=True)
        data = lightgbm.Dataset(split[0], label=split[2])
        valid = lightgbm.Dataset(split[1], label=split[3])
        told = [LightGBMPruningCallback(trial, "auc")]
        return lightgbm.train(own, data, num_boost_round=9, valid_sets=[valid], callbacks=told).predict(split[1])
"""
XGBOOST = """
    import xgboost
    from optuna_integration import XGBoostPruningCallback

    def train(trial, split, seen):
        own = {"objective": "binary:logistic", "eval_metric": "auc", "nthread": 1}
        own["eta"] = trial.suggest_float("lr", 0.001, 1.0, log=True)
        data, valid = xgboost.DMatrix(split[0], label=split[2]), xgboost.DMatrix(split[1], label=split[3])
        told = [XGBoostPruningCallback(trial, "validation-auc")]
        model = xgboost.train(
            own, data, num_boost_round=9, evals=[(valid, "validation")], callbacks=told, verbose_eval=False
        )
        return model.predict(valid)
"""
CATBOOST = """
    import catboost
    from optuna_integration import CatBoostPruningCallback

    def train(trial, split, seen):
        own = {"iterations": 9, "eval_metric": "AUC", "thread_count": 1, "allow_writing_files": False, "verbose": 0}
        model = catboost.CatBoostClassifier(learning_rate=trial.suggest_float("lr", 0.001, 1.0, log=True), **own)
        told = CatBoostPruningCallback(trial, "AUC")
        model.fit(split[0], split[2], eval_set=[(split[1], split[3])], callbacks=[told])
        told.check_pruned()
        return model.predict_proba(split[1])[:, 1]
"""
KERAS = """
    import keras
    from optuna_integration import KerasPruningCallback

    def train(trial, split, seen):
        model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(1, activation="sigmoid")])
        rate = trial.suggest_float("lr", 0.001, 1.0, log=True)
        model.compile(optimizer=keras.optimizers.SGD(rate), loss="binary_crossentropy", metrics=["auc"])
        told = [KerasPruningCallback(trial, "val_auc")]
        scale = split[0].max(axis=0)
        model.fit(split[0] / scale, split[2], epochs=9, verbose=0, callbacks=told, batch_size=128,
                  validation_data=(split[1] / scale, split[3]))
        return model.predict(split[1] / scale, verbose=0)[:, 0]
"""
REST = """

    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    def objective(trial):
        split = train_test_split(*load_breast_cancer(return_X_y=True), test_size=0.3, random_state=0)
        guess = train(trial, split, None) > 0.5
        return float((guess == split[3]).mean())

    if __name__ == "__main__":
        study = optuna.create_study(direction="maximize", pruner=optuna.pruners.SuccessiveHalvingPruner())
        study.optimize(objective, n_trials=8)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "body"), [("lightgbm", LIGHTGBM), ("xgboost", XGBOOST), ("catboost", CATBOOST), ("keras", KERAS)]
)
def test_pruning_callbacks_run_unchanged(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, body: str
) -> None:
    """They report AUC and the objective returns accuracy: the reports prune, and the value is what is returned."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    # not imported here: Keras keeps the backend that it was first imported with
    if any(importlib.util.find_spec(name) is None for name in ("optuna_integration", package)):
        pytest.skip(INSTALL)
    ended = shell("init", "--from-optuna", f"{written(tmp_path, body + REST)}.py:objective")
    assert ended.code == 0, ended.err
    study = tomllib.loads(Path("study.toml").read_text(encoding="utf-8"))
    assert (study["train"]["epochs"], study["search"]["pruner"]) == (9, "halving")
    result = tuner.run("study.toml", jobs=1)
    states = [trial.state for trial in result.all_trials]
    assert set(states) == {"complete", "pruned"}, [trial.error for trial in result.all_trials]
    for trial in result.all_trials:
        if trial.state == "complete":
            assert math.isclose(trial.value * 171, round(trial.value * 171), abs_tol=1e-9)  # a share of 171 rows
