"""The best config of somebody's own code is trained with all rows, and what it leaves is the study's model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tuner
from tuner.cli.program import program

CODE = """
def train(config, run):
    for epoch in range(run.start + 1, run.stop + 1):
        if run.phase != "refit":
            run.report(epoch, valid_loss=(config["rate"] - 0.3) ** 2 + 1 / epoch)
    left = f"{run.phase} {config['rate']} {run.seed} {run.split} {run.start} {run.stop}"
    (run.directory / "model.txt").write_text(left)
    (run.directory / "log.txt").write_text("long")


def value(config):
    return config["rate"]


def failing(config, run):
    if run.phase == "refit":
        raise ValueError("no room for all rows")
    run.report(run.stop, valid_loss=config["rate"])
"""


def asked(folder: Path, objective: str = "train", **refit: Any) -> dict[str, Any]:
    (folder / "own.py").write_text(CODE)
    found = {
        "study": {"name": "own", "trials": 4, "objective": f"{folder}/own.py:{objective}"},
        "train": {"epochs": 3},
        "parameters": {"rate": {"low": 0.0, "high": 1.0}},
        "search": {"pruner": "none"},
    }
    return found | ({"refit": refit} if refit else {})


def test_a_run_ends_with_the_file_that_the_study_names(tmp_path: Path) -> None:
    study = asked(tmp_path, keep="model.txt", seeds=2)
    result = tuner.run(study, home=tmp_path, jobs=1)
    model = tmp_path / "own" / "model"
    assert sorted(str(file.relative_to(model)) for file in model.rglob("*.*")) == [
        "refit.json", "seed-0/model.txt", "seed-1/model.txt",
    ]  # fmt: skip
    facts = json.loads((model / "refit.json").read_text())
    rate, seeds = result.best()["rate"], [one["seed"] for one in facts["seeds"]]
    assert facts["config"]["rate"] == rate
    for i, seed in enumerate(seeds):
        assert (model / f"seed-{i}" / "model.txt").read_text() == f"refit {rate} {seed} 0 0 3"
    before = (model / "refit.json").stat().st_mtime_ns
    assert tuner.run(study, home=tmp_path, jobs=1).cost.refit == 0.0
    assert (model / "refit.json").stat().st_mtime_ns == before


def test_refit_trains_on_request_and_keeps_all_that_was_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tuner.run(asked(tmp_path), home=tmp_path, jobs=1)
    model = tmp_path / "own" / "model"
    assert not model.exists()
    assert program.main(["refit", "own", "--seeds", "1", "--home", str(tmp_path)], standalone_mode=False) is None
    assert "model" in capsys.readouterr().out
    assert {file.name for file in (model / "seed-0").iterdir()} == {"model.txt", "log.txt"}


@pytest.mark.slow
def test_what_leaves_no_model_is_told_and_keeps_what_was_there(tmp_path: Path) -> None:
    tuner.run(asked(tmp_path, keep="model.txt", seeds=1), home=tmp_path, jobs=1)
    other = asked(tmp_path, keep="model.pt", seeds=1)
    tuner.run(other, trials=5, home=tmp_path, jobs=1)
    with pytest.raises(tuner.TunerError, match=r"it left log.txt, model.txt, and no model.pt"):
        tuner.refit("own", 1, home=tmp_path)
    assert (tmp_path / "own" / "model" / "seed-0" / "model.txt").is_file()
    tuner.run(asked(tmp_path, "failing"), name="failing", home=tmp_path, jobs=1)
    with pytest.raises(tuner.TunerError, match="no room for all rows"):
        tuner.refit("failing", 1, home=tmp_path)
    tuner.run(asked(tmp_path, "value"), name="value", home=tmp_path, jobs=1)
    with pytest.raises(tuner.StudyError, match="no folder to leave a model in"):
        tuner.refit("value", home=tmp_path)


@pytest.mark.parametrize("keep", ["/srv/model.pt", "../model.pt", "a/../../model.pt", "."])
def test_a_model_outside_the_folder_of_its_training_is_refused(tmp_path: Path, keep: str) -> None:
    with pytest.raises(tuner.StudyError, match=r"refit.keep: .* is no file in the folder of a training"):
        tuner.run(asked(tmp_path, keep=keep, seeds=1), home=tmp_path, jobs=1)
