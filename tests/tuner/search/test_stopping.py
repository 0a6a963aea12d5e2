"""A search ends early at a commit, says why, and goes on when it is given more; it begins with what it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.command import Shell
from tests.support.trials import trial
from tests.tuner.api.test_run import outputs, small
from tuner.errors import StudyError
from tuner.orchestrator.warm_start import warm_start, warm_start_text, warm_start_trials
from tuner.result import Result
from tuner.search import rungs
from tuner.search.stopping import LOOSEN, reason_to_give_up, reason_to_stop
from tuner.space import space_of
from tuner.study import Study, read_study
from tuner.trainables.builtin.prepared_study import prepare_study


def asked(**stop: Any) -> Study:
    return read_study({"data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}, "stop": stop})


def test_reasons_to_stop() -> None:
    seen = [trial(0, value=0.5), trial(1, value=0.2), trial(2, state="pruned", value=0.1), trial(3, value=0.3)]
    assert reason_to_stop(asked(), seen, 1e9) == ""
    assert reason_to_stop(asked(target=0.2), seen) == f"the target 0.2 is reached (stop.target); {LOOSEN}"
    assert reason_to_stop(asked(target=0.19), seen) == ""
    assert reason_to_stop(asked(no_gain=2), seen) == f"no gain in the last 2 trials (stop.no_gain = 2); {LOOSEN}"
    assert reason_to_stop(asked(no_gain=3), seen) == ""
    assert reason_to_stop(asked(epochs=16), seen) == f"16 epochs are spent (stop.epochs = 16); {LOOSEN}"
    assert reason_to_stop(asked(epochs=17), seen) == ""
    assert reason_to_stop(asked(seconds=2), seen, 2.5) == "its 2 seconds are over (stop.seconds); run it again to go on"
    assert reason_to_stop(asked(seconds=2), seen, 1.5) == ""
    assert reason_to_stop(asked(target=0.2, no_gain=1, epochs=1), []) == ""


def failures(*errors: str) -> list[tuple[str, str]]:
    return [("failed", error) for error in errors]


def test_ten_failures_that_are_alike_are_reason_to_give_up() -> None:
    alike = failures(*(f"KeyError: 'rate{i}' at {i / 7} (train.py:12)" for i in range(10)))
    assert reason_to_give_up(alike, 64).startswith(
        "all of the first 10 trials failed alike, trial 0 with KeyError: 'ra"
    )
    assert reason_to_give_up(alike, 64).endswith("; once that is mended, run this again")
    assert reason_to_give_up(alike[:9], 64) == ""
    assert reason_to_give_up(alike[:9], 9).startswith("all of the first 9 trials failed alike")
    assert reason_to_give_up([*alike[:9], ("complete", ""), *alike], 64) == ""
    assert reason_to_give_up([*alike[:9], ("", ""), *alike], 64) == ""  # it still runs
    assert reason_to_give_up([*alike, ("complete", "")], 64)
    assert reason_to_give_up([*alike[:9], *failures("ValueError: no (train.py:3)")], 64) == ""


@pytest.mark.parametrize(("kind", "limited"), [("TimedOut", True), ("WorkerDied", False), ("MemoryError", True)])
def test_what_ends_from_outside_is_alike_wherever_it_was(kind: str, limited: bool) -> None:
    said = reason_to_give_up(failures(*(f"{kind}: it was at {place}" for place in "abcdefghij")), 64)
    assert said.endswith(f"; once that is mended, {'or [limits] allow more, ' if limited else ''}run this again")


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("stop", [{"epochs": 20}, {"target": 10.0}, {"no_gain": 1}, {"seconds": 1e-6}])
def test_a_stopped_study_is_the_beginning_of_the_whole_one(stop: dict[str, Any], jobs: int, tmp_path: Path) -> None:
    tuner.run(small(), jobs=1, home=tmp_path / "whole", confirm=False)
    study = small() | {"stop": stop}
    result = tuner.run(study, jobs=jobs, baselines=False, home=tmp_path / "stopped", confirm=False)
    name = next(iter(stop))
    assert f"stop.{name}" in result.cost.stopped
    assert len(result.all_trials) in ((0,) if name == "seconds" else (8, 16))
    again = tuner.run(study, jobs=jobs, baselines=False, home=tmp_path / "stopped", confirm=False)
    assert again.cost.stopped == result.cost.stopped
    assert again.cost.trials == 0
    more = tuner.run(small(), jobs=jobs, baselines=False, home=tmp_path / "stopped", confirm=False)
    assert (more.cost.stopped, len(more.all_trials)) == ("", 24)
    ranking = "ranking.csv"
    assert outputs(tmp_path / "stopped")[ranking] == outputs(tmp_path / "whole")[ranking]


def test_a_run_says_why_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tiny.toml").write_text(read_study(small() | {"stop": {"no_gain": 1}}).to_toml())
    ended = Shell(capsys)("run", tmp_path / "tiny.toml", "-j", "1", "--no-confirm", "--home", tmp_path)
    assert ended.code == 0
    line = ended.out.splitlines()[1]
    assert line.startswith("stopped with ")
    assert line.endswith("(stop.no_gain = 1); loosen or remove that to go on")
    again = Shell(capsys)("run", tmp_path / "tiny.toml", "-j", "1", "--no-confirm", "--home", tmp_path)
    assert again.out.splitlines()[:2] == ended.out.splitlines()[:2]


def test_given_configs_come_first(tmp_path: Path) -> None:
    given = [{"optimizer": "adam", "lr": 0.00123, "batch_size": 16}, {"optimizer": "momentum", "momentum": 0.75}]
    study = small()
    study["search"] |= {"enqueue": given}
    result = tuner.run(study, jobs=1, home=tmp_path, confirm=False)
    for config, run in zip(given, result.all_trials, strict=False):
        assert {name: run.config[name] for name in config} == config
    plain = tuner.run(small(), jobs=1, home=tmp_path / "plain", confirm=False)
    first = [run.config for run in plain.all_trials[:6]]
    assert [run.config for run in result.all_trials[2:8]] == first  # then what would have been first
    frozen = tuner.run(study, jobs=1, home=tmp_path, confirm=False)
    assert frozen.cost.trials == 0


def test_a_warm_start_begins_with_a_model(tmp_path: Path) -> None:
    tuner.run(small(), name="old", jobs=1, home=tmp_path, confirm=False)
    study = small()
    study["search"] |= {"warm_start": ["old"]}
    study["optimizers"] = {"momentum": {}, "rmsprop": {"alpha": {}}}
    question = prepare_study(study)
    warm = warm_start(question.study, space_of(question.study), tmp_path)
    old = tuner.open("old", home=tmp_path).all_trials
    adams = sum(t.config["optimizer"] == "adam" for t in old)
    assert warm.notes == (
        f"warm start from 'old': {24 - adams} trials, matched by lr, momentum, batch_size; searched here alone: alpha; "
        f"searched there alone: beta1; left out: {adams} of adam",
    )
    again = warm_start_trials(warm_start_text(warm.trials))
    assert [(t.number, t.latents, t.state, t.stable, t.epochs) for t in again] == [
        (t.number, t.latents, t.state, t.stable, t.epochs) for t in warm.trials
    ]
    first = tuner.run(study, jobs=1, home=tmp_path, confirm=False)
    whole = outputs(tmp_path)["ranking.csv"] if first.best() else b""
    old_directory = tmp_path / "old"
    old_directory.rename(tmp_path / "gone")  # what was learned from it is in the ledger
    assert tuner.run(study, jobs=2, baselines=False, home=tmp_path, confirm=False).cost.trials == 0
    cold = tuner.run(study | {"search": small()["search"]}, name="cold", jobs=1, home=tmp_path, confirm=False)
    starts = [[run.config["lr"] for run in result.all_trials[:8]] for result in (first, cold)]
    assert starts[0] != starts[1]
    (tmp_path / "gone").rename(old_directory)
    tuner.run(study, jobs=2, baselines=False, home=tmp_path, confirm=False, trials=16, fresh=True)
    tuner.run(study, jobs=1, home=tmp_path, confirm=False)
    assert outputs(tmp_path)["ranking.csv"] == whole


def test_a_warm_start_that_teaches_nothing_is_refused(tmp_path: Path) -> None:
    tuner.run(small(maximize="valid_accuracy"), name="other", jobs=1, home=tmp_path, confirm=False, trials=8)
    tuner.run(small(), name="old", jobs=1, home=tmp_path, confirm=False, trials=8)
    study = small()
    study["search"] |= {"warm_start": ["other", "older", "old"]}
    study["optimizers"] = {"sgd": {}}
    said = (
        r"(?s)warm_start\[0\]: 'other' does maximize valid_accuracy, this study minimize valid_loss.*"
        r"warm_start\[1\]: no study 'older'.*did you mean 'old'.*"
        r"warm_start\[2\]: 'old' has no trial of an optimizer that this study searches"
    )
    with pytest.raises(StudyError, match=said):
        tuner.run(study, jobs=1, home=tmp_path)
    assert not (tmp_path / "small").exists()


def in_steps(unit: str, amount: int) -> dict[str, Any]:
    return small() | {"train": {unit: amount, "batch_size": [8, 16, 90]}}


@pytest.mark.parametrize(("unit", "amount"), [("steps", 108), ("examples", 810)])
def test_budgets_in_steps_and_examples(unit: str, amount: int, tmp_path: Path) -> None:
    one, two = (
        tuner.run(in_steps(unit, amount), jobs=jobs, baselines=False, home=tmp_path / str(jobs)) for jobs in (1, 2)
    )
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")
    assert rungs(one.study)[-1].amount == amount
    for run in one.all_trials:
        each = -(-90 // run.config["batch_size"]) if unit == "steps" else 90
        assert run.config["epochs"] == round(amount / each)
        if run.state == "complete":
            assert run.epochs == run.config["epochs"]
            assert abs(run.steps - amount) <= each or unit == "examples"
    frame = two.ranking()
    assert (frame["examples"] == frame["epochs"] * 90).all()
    assert np.allclose(frame["evaluations"], frame["epochs"])


def test_the_stored_study_says_its_unit(tmp_path: Path) -> None:
    tuner.run(in_steps("steps", 108), jobs=1, home=tmp_path, trials=8, confirm=False)
    text = (tmp_path / "small" / "study.toml").read_text()
    assert "steps = 108" in text
    assert "epochs" not in text
    assert isinstance(tuner.open("small", home=tmp_path), Result)
