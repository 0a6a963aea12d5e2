"""What objectives report as people write them: epochs from 0, arrays of one element, texts beside numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.custom_objectives import write
from tuner.errors import TunerError

SPACE = {"lr": {"low": 0.1, "high": 1.0}, "n": [1, 2, 3]}


def asked(name: str, epochs: int | None = 9, **tables: Any) -> dict[str, Any]:
    study = {"study": {"name": name, "trials": 6}, "parameters": SPACE, "search": {"generation_size": 6}}
    return {**study, **({"train": {"epochs": epochs}} if epochs else {}), **tables}


def test_epochs_may_be_counted_from_0(tmp_path: Path) -> None:
    def stepwise(config: dict[str, Any]) -> Iterator[Any]:
        for epoch in range(config["epochs"]):
            yield epoch, config["lr"] + 1 / (epoch + 1)

    def resumable(config: dict[str, Any], run: Any) -> None:
        for epoch in range(run.start, run.stop):
            run.report(epoch, valid_loss=config["lr"] + 1 / (epoch + 1))

    for function in (stepwise, resumable):
        result = tuner.run(asked(function.__name__), objective=function, jobs=1, home=tmp_path)
        for trial in result.all_trials:
            assert trial.epochs in (3, 9)
            assert trial.value == trial.config["lr"] + 1 / trial.epochs


def test_epoch_0_may_be_before_training(tmp_path: Path) -> None:
    def baseline(config: dict[str, Any], run: Any) -> None:
        for epoch in range(run.start + 1 if run.start else 0, run.stop + 1):
            run.report(epoch, valid_loss=config["lr"] + 1 / (epoch + 1))

    result = tuner.run(asked("baseline"), objective=baseline, jobs=1, home=tmp_path)
    assert {trial.epochs for trial in result.all_trials} == {3, 9}
    for trial in result.all_trials:
        assert trial.value == trial.config["lr"] + 1 / (trial.epochs + 1)


def test_what_is_no_number_is_a_note_and_no_failure(tmp_path: Path) -> None:
    def noted(config: dict[str, Any]) -> Any:
        more = {
            "note": "abc",
            "auc": None,
            "confusion": np.eye(2),
            "two words": 1.0,
            "ok": True,
            "part": np.ones((1, 1)),
        }
        return {"valid_loss": np.array([config["lr"]]), **more}

    result = tuner.run(asked("noted", None), objective=noted, jobs=1, home=tmp_path)
    table = result.ranking()
    assert (table["state"] == "complete").all()
    assert (table["part"] == 1.0).all()
    said = json.loads((result.path / "notes" / "trial-3.json").read_text(encoding="utf-8"))
    assert said == {"note": "abc", "auc": None, "confusion": [[1.0, 0.0], [0.0, 1.0]], "two words": 1.0, "ok": True}


def test_parameters_may_be_taken_by_name(tmp_path: Path) -> None:
    def named(lr: float, n: int, seed: int, momentum: float = 0.5) -> float:
        return lr + n + momentum + seed

    def every(**config: Any) -> float:
        return float(config["lr"] + config["n"] + 0.5)

    def stepwise(lr: float, n: int, epochs: int) -> Iterator[float]:
        for epoch in range(epochs):
            yield lr + n + 0.5 + 1 / (epoch + 1) - 1 / epochs

    for function in (named, every, stepwise):
        result = tuner.run(asked(function.__name__), objective=function, jobs=1, home=tmp_path)
        best = result.best()
        assert best.value == pytest.approx(best["lr"] + best["n"] + 0.5)

    def few(lr: float) -> float:
        return lr

    with pytest.raises(TunerError, match=r"takes \(lr\) by name, and not n; add n to its parameters, or take all"):
        tuner.run(asked("few"), objective=few, jobs=1, home=tmp_path)


CODE = """
class Trainer:
    def __init__(self, more=1.0):
        self.more = more

    def fit(self, config):
        return config["lr"] + self.more

    def __call__(self, config):
        return config["lr"] + self.more


class Needs(Trainer):
    def __init__(self, data):
        self.more = data


trainer = Trainer(2.0)
"""


@pytest.mark.parametrize(
    ("name", "more"), [("trainer.fit", 2.0), ("Trainer.fit", 1.0), ("Trainer", 1.0), ("trainer", 2.0)]
)
def test_methods_and_classes_are_named(tmp_path: Path, name: str, more: float) -> None:
    write(tmp_path, "kinds.py", CODE)
    study = asked("kinds", None)
    study["study"] |= {"objective": f"{tmp_path / 'kinds.py'}:{name}"}
    table = tuner.run(study, jobs=1, home=tmp_path).ranking()
    assert table["value"].tolist() == (table["lr"] + more).tolist()


def test_a_class_that_needs_something_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "kinds.py", CODE)
    study = asked("kinds", None)
    study["study"] |= {"objective": f"{tmp_path / 'kinds.py'}:Needs.fit"}
    with pytest.raises(TunerError, match=r"Needs of \S+ takes \(data\) to be made; make one in \S+, objective = Needs"):
        tuner.run(study, jobs=1, home=tmp_path)


def test_a_file_in_a_package_imports_its_neighbours(tmp_path: Path) -> None:
    package = tmp_path / "somepackage" / "sub"
    package.mkdir(parents=True)
    write(package.parent, "__init__.py", "")
    write(package, "__init__.py", "")
    write(package.parent, "helper.py", "MORE = 1.0\n")
    write(package, "train.py", "from ..helper import MORE\n\n\ndef train(config):\n    return config['lr'] + MORE\n")
    study = asked("package", None)
    study["study"] |= {"objective": f"{package / 'train.py'}:train"}
    table = tuner.run(study, jobs=1, home=tmp_path).ranking()
    assert table["value"].tolist() == (table["lr"] + 1.0).tolist()


def test_a_command_line_that_is_read_at_import_is_said_in_argparses_words(tmp_path: Path) -> None:
    parsed = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--k', type=float, default=1.0)\n"
    train = "args = p.parse_args()\n\n\ndef train(config):\n    return config['lr'] + args.k\n"
    study = asked("parsed", None)
    write(tmp_path, "free.py", parsed + train)
    study["study"] |= {"objective": f"{tmp_path / 'free.py'}:train"}
    assert tuner.run(study, jobs=1, home=tmp_path).best().value > 1
    write(tmp_path, "bound.py", f"{parsed}p.add_argument('--data', required=True)\n{train}")
    study["study"] |= {"objective": f"{tmp_path / 'bound.py'}:train", "name": "bound"}
    said = r"ended the program \(bound.py:5\): the following arguments are required: --data; read the command"
    with pytest.raises(TunerError, match=said):
        tuner.run(study, jobs=1, home=tmp_path)


def test_a_trial_knows_its_number_and_seed(tmp_path: Path) -> None:
    def told(config: dict[str, Any], run: Any) -> None:
        assert (run.trial, run.seed) == (config["trial"], config["seed"])
        run.report(run.stop, valid_loss=float(run.trial), number=float(run.trial), seeded=float(run.seed))

    study = asked("told", 1)
    study["study"] |= {"seed": 2}
    result = tuner.run(study, objective=told, jobs=1, home=tmp_path)
    assert [trial.metrics["number"] for trial in result.all_trials] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert {trial.metrics["seeded"] for trial in result.all_trials} == {2 * 4001.0}


def test_lists_of_floats_and_texts_are_choices_and_one_list_is_a_value(tmp_path: Path) -> None:
    space = {"betas": [[0.9, 0.99], [0.5, 0.9]], "layers": [["relu", "tanh"], ["relu"]], "sizes": [[64, 32]]}
    study = {"study": {"name": "lists", "trials": 6}, "parameters": {**space, "lr": {"low": 0.1, "high": 1.0}}}
    result = tuner.run(study, objective=lambda c: c["betas"][0] + len(c["layers"]), jobs=1, home=tmp_path)
    assert {tuple(trial.config["betas"]) for trial in result.all_trials} == {(0.9, 0.99), (0.5, 0.9)}
    assert {tuple(trial.config["sizes"]) for trial in result.all_trials} == {(64, 32)}
    again = tuner.open("lists", home=tmp_path).study
    assert again.custom == result.study.custom
    assert again.custom is not None
    assert again.custom.parameters["sizes"] == (64, 32)


def test_names_are_reserved_only_where_they_mean_something(tmp_path: Path) -> None:
    free = ("gamma", "power", "model", "decay", "batch_size", "warmup", "final")
    study = {"study": {"name": "names", "trials": 4}, "parameters": {name: [1, 2] for name in free}}
    result = tuner.run(study, objective=lambda config: float(sum(config[name] for name in free)), home=tmp_path)
    assert all(trial.value == sum(trial.config[name] for name in free) for trial in result.all_trials)
    assert set(free) <= set(result.ranking().columns)
    for more in ({"train": {"batch_size": [16, 32]}}, {"optimizers": {"sgd": {}}}):
        with pytest.raises(TunerError, match=r"parameters.batch_size: is a name of the tuner's own"):
            tuner.run({**study, **more}, objective=lambda config: 0.0, home=tmp_path)
