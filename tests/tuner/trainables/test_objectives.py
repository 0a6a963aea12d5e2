"""Objectives of one's own: each form is searched, cut and ranked as it should be, whoever trains or is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, NoReturn

import pytest

import tuner
from tests.support import custom_objectives
from tuner.api.run import RunCallback
from tuner.cli.show import study_page
from tuner.errors import StudyError, TunerError
from tuner.trainables.custom.captured_output import printing_into
from tuner.trainables.custom.command import SILENT, last_words

ROOT = Path(__file__).parent.parent.parent.parent
HERE = "tests.support.custom_objectives:"


class Notes(RunCallback):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def study(name: str, *, epochs: int | None = 27, trials: int = 24, **tables: Any) -> dict[str, Any]:
    """A study of one of the objectives here: two generations, cut at 3, 9 and 27 epochs, or trials one by one."""
    together = "parallel" not in tables.get("search", {})
    asked = {
        "study": {"name": "own", "objective": HERE + name, "trials": trials},
        "parameters": {"lr": {"low": 1e-5, "high": 1.0, "log": True}, "n": {"low": 1, "high": 8}},
        "search": {"generation_size": min(12, trials)} if together else {},
    }
    asked |= {"train": {"epochs": epochs}} if epochs else {}
    return {**asked, **{key: {**asked.get(key, {}), **value} for key, value in tables.items()}}  # type: ignore[dict-item]


def outputs(home: Path) -> dict[str, bytes]:
    """The files of a study that have to be the same, byte for byte."""
    return {file: (home / "own" / file).read_bytes() for file in ("ranking.csv", "best.toml", "study.toml")}


def table(result: Any) -> list[Any]:
    """What a trial came to, for all trials."""
    return [(t.number, t.config, t.state, t.rung, t.epochs, t.value, t.epoch) for t in result.all_trials]


@pytest.mark.parametrize("form", ["value", "steps", "run"])
def test_a_form_is_searched_and_cut_at_rungs(form: str, tmp_path: Path) -> None:
    result = tuner.run(study(form), jobs=2, home=tmp_path)
    states = [trial.state for trial in result.all_trials]
    assert set(states) == {"complete", "pruned"}
    for trial in result.all_trials:
        assert trial.epochs == (3, 9, 27)[trial.rung]
        assert trial.value == pytest.approx(custom_objectives.loss_at(dict(trial.config), trial.epochs))
        assert trial.steps == ({3: 3, 9: 9, 27: 27} if form == "run" else {3: 3, 9: 12, 27: 39})[trial.epochs]
    best = result.best()
    assert best.value == min(trial.value for trial in result.all_trials if trial.state == "complete")
    assert best["epochs"] == 27
    assert tuner.load_best(tmp_path / "own")["lr"] == best["lr"]


def test_a_schedule_has_the_studys_length_at_every_rung(tmp_path: Path) -> None:
    result = tuner.run(study("lengths"), jobs=1, home=tmp_path)
    assert {trial.metrics["told"] for trial in result.all_trials} == {3, 9, 27}
    assert {trial.metrics["schedule"] for trial in result.all_trials} == {27}


@pytest.mark.slow
def test_forms_that_train_the_same_give_the_same_table(tmp_path: Path) -> None:
    """Cut by starting over or by going on, the same trials survive."""
    tables = [table(tuner.run(study(form), jobs=1, home=tmp_path / form)) for form in ("value", "steps", "run")]
    assert tables[0] == tables[1] == tables[2]


@pytest.mark.slow
@pytest.mark.parametrize("search", [{}, {"parallel": 4}], ids=["generations", "one by one"])
@pytest.mark.parametrize("form", ["steps", "run", "value"])
def test_the_number_of_workers_changes_no_byte(form: str, search: dict[str, Any], tmp_path: Path) -> None:
    for jobs in (1, 3):
        tuner.run(study(form, search=search), jobs=jobs, home=tmp_path / str(jobs))
    assert outputs(tmp_path / "1") == outputs(tmp_path / "3")


def test_without_epochs_every_trial_runs_to_its_end(tmp_path: Path) -> None:
    callback = Notes()
    result = tuner.run(study("steps", epochs=None), jobs=1, home=tmp_path, callback=callback)
    assert {(trial.state, trial.epochs) for trial in result.all_trials} == {("complete", 99)}
    assert "nothing is pruned" in callback.notes[0]


def test_what_starts_over_says_how_much_it_repeats(tmp_path: Path) -> None:
    callback = Notes()
    result = tuner.run(study("steps"), jobs=1, home=tmp_path, callback=callback)
    again = sum(t.steps - t.epochs for t in result.all_trials) / sum(t.steps for t in result.all_trials)
    assert f"{again:.0%} of its epochs are trained again" in callback.notes[0]


def test_a_form_that_goes_on_has_to_know_how_far(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"train\.epochs: is missing: .*objectives:run has to know how far to train"):
        tuner.run(study("run", epochs=None), jobs=1, home=tmp_path)


def test_a_function_of_a_notebook_is_tuned(tmp_path: Path) -> None:
    shift = 0.25

    def train(config: dict[str, Any]) -> float:
        return custom_objectives.value(config) + shift

    asked = study("value")
    del asked["study"]["objective"]
    result = tuner.run(asked, objective=train, jobs=1, home=tmp_path)
    assert result.best().value == pytest.approx(custom_objectives.loss_at(dict(result.best()), 27) + shift)
    with pytest.raises(StudyError, match="a function of Python is given again: objective=train"):
        tuner.run(tmp_path / "own" / "study.toml", jobs=1, home=tmp_path, trials=30)
    again = tuner.run(asked, objective=train, jobs=1, home=tmp_path, trials=30)
    assert len(again.all_trials) == 30


def test_presets_go_with_a_space_of_ones_own(tmp_path: Path) -> None:
    asked = study("value", optimizers={"adam": {}, "momentum": {}}, parameters={"n": [1, 2, 3]})
    del asked["parameters"]["lr"]
    result = tuner.run(asked, jobs=1, home=tmp_path)
    assert set(result.ranking()["optimizer"]) == {"adam", "momentum"}
    assert {"lr", "beta1", "momentum", "n"} <= set(result.ranking().columns)
    assert result.best().to_code("torch")


def test_replicates_train_on_seeds_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_TRACE", str(tmp_path / "trace"))
    result = tuner.run(study("noisy", trials=6, epochs=3, train={"replicates": 2}), jobs=2, home=tmp_path)
    for trial in result.all_trials:
        one, other = trial.curves["valid_loss"]
        assert (one != other).all()
    assert (result.ranking(complete=True)["se"] > 0).all()


def test_what_is_random_is_seeded_in_every_trial_alike(tmp_path: Path) -> None:
    """And torch, where a function imports it, in the first trial of a worker as in the others."""
    custom_objectives.write(
        tmp_path, "torch.py", "SEED = None\ndef manual_seed(seed):\n    global SEED\n    SEED = seed\n"
    )
    code = """
import random
import numpy as np
def train(config):
    import torch
    return {"valid_loss": random.random(), "numpy": np.random.random(), "torch": torch.SEED}
"""
    custom_objectives.write(tmp_path, "drawing.py", code)
    asked = study("value", epochs=None, trials=3, study={"objective": "drawing.py:train", "seed": 2})
    file = custom_objectives.write(tmp_path, "own.toml", tuner.read_study(asked, base=tmp_path).to_toml())
    result = tuner.run(file, jobs=1, home=tmp_path / "runs")
    assert len({tuple(trial.metrics.items()) for trial in result.all_trials}) == 1
    assert result.all_trials[0].metrics["torch"] == (8002 * 1_000_003) % 2**32


def test_several_configs_travel_in_one_call(tmp_path: Path) -> None:
    alone = tuner.run(study("value"), jobs=1, home=tmp_path / "1")
    result = tuner.run(study("batched", study={"batched": 4}), jobs=2, home=tmp_path / "4")
    assert [row[5] for row in table(alone)] == [row[5] for row in table(result)]
    assert {trial.metrics["together"] for trial in result.all_trials if trial.rung == 0} == {4.0}


def test_each_worker_has_a_device_and_threads(tmp_path: Path) -> None:
    asked = study("device", epochs=1, workers={"devices": ["npu:0", "npu:1"], "threads": 3})
    result = tuner.run(asked, home=tmp_path)
    assert {trial.metrics["where"] for trial in result.all_trials} == {0.0, 1.0}
    assert {trial.metrics["threads"] for trial in result.all_trials} == {3.0}


def test_a_worker_sees_its_own_cuda_device_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from tuner.engines.environment import environment_of

    assert environment_of("cuda:1", 1).items() >= {"CUDA_VISIBLE_DEVICES": "1", "TUNER_DEVICE": "cuda:0"}.items()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert environment_of("cuda:1", 1)["CUDA_VISIBLE_DEVICES"] == "6"


def test_what_diverges_is_diverged_where_it_did(tmp_path: Path) -> None:
    result = tuner.run(study("diverging"), jobs=2, home=tmp_path)
    for trial in result.all_trials:
        assert (trial.state == "diverged") == (trial.config["n"] % 2 == 0)
    lost = next(trial for trial in result.all_trials if trial.state == "diverged")
    assert (lost.epochs, lost.error) == (3, "valid_loss is nan at epoch 3")


@pytest.mark.slow
def test_confirmation_is_off_until_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_TRACE", str(tmp_path / "trace"))
    asked = study("noisy", epochs=3, trials=12)
    assert not tuner.run(asked, jobs=2, home=tmp_path).confirmed
    result = tuner.confirm("own", top=3, seeds=4, home=tmp_path, jobs=2)
    assert result.cost is not None
    assert result.cost.retrained == 3 * 4 + 4
    first = result.standings[0]
    assert first.goal.low < first.goal.high
    assert first.test["test_loss"].mean == 1.0
    assert result.is_confirmed
    assert result.report().stat().st_size > 100_000  # where there is no optimizer to name, too
    notes = Notes()
    tuner.run(asked | {"confirm": {"top": 2, "seeds": 2}}, name="other", jobs=2, home=tmp_path, callback=notes)
    assert "[confirm] asks for 6 trainings more" in notes.notes[-1]


def test_one_that_fails_in_a_confirmation_says_why_and_ranks_behind(tmp_path: Path) -> None:
    def train(config: dict[str, Any], run: Any) -> None:
        if run.phase == "confirm" and config["n"] == 1:
            time.sleep(600)
        run.report(run.stop, valid_loss=float(config["n"]), test_loss=1.0)

    asked = study("run", trials=2, epochs=1, limits={"seconds_per_trial": 2}, confirm={"top": 2, "seeds": 2})
    asked["parameters"] = {"n": [1, 2]}
    asked["search"] |= {"sampler": "grid"}
    del asked["study"]["objective"]
    notes = Notes()
    result = tuner.run(asked, objective=train, jobs=2, home=tmp_path, callback=notes)
    assert [(result.trial(s.trial).config["n"], s.lost) for s in result.standings] == [(2, ""), (1, "failed")]
    assert result.best()["n"] == 2
    (said,) = [note for note in notes.notes if "trained again" in note]
    assert "TimedOut: took longer than the limit of 2 s; it was at " in said
    assert " in train; it ranks behind those that did not fail" in said


def test_a_changed_source_is_a_warning(tmp_path: Path) -> None:
    code = "def train(config):\n    return config['lr'] + {}\n"
    custom_objectives.write(tmp_path, "mine.py", code.format(0))
    asked = study("value", epochs=None, study={"objective": "mine.py:train"})
    file = custom_objectives.write(tmp_path, "own.toml", tuner.read_study(asked, base=tmp_path).to_toml())
    tuner.run(file, jobs=1, home=tmp_path / "runs")
    custom_objectives.write(tmp_path, "mine.py", code.format(1))
    notes = Notes()
    result = tuner.run(file, trials=30, jobs=1, home=tmp_path / "runs", callback=notes)
    assert len(result.all_trials) == 30
    assert any("has changed since the study began" in note and "--fresh" in note for note in notes.notes)


def test_a_changed_space_is_refused(tmp_path: Path) -> None:
    tuner.run(study("value"), jobs=1, home=tmp_path)
    with pytest.raises(tuner.errors.ChangedStudy, match=r"parameters\.n: was .* now \[1, 2\]"):
        tuner.run(study("value", parameters={"n": [1, 2]}), jobs=1, home=tmp_path)


KILLED = """
import tuner, sys
from tests.tuner.trainables.test_objectives import study
search = {"parallel": 4} if sys.argv[2] == "True" else {}
tuner.run(study("noisy", trials=24, search=search), jobs=2, home=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_killed_run_ends_at_the_same_bytes_and_trains_nothing_finished_twice(
    one_by_one: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = study("noisy", trials=24, search={"parallel": 4} if one_by_one else {})
    monkeypatch.setenv("OWN_TRACE", str(tmp_path / "whole"))
    tuner.run(asked, jobs=2, home=tmp_path / "a")
    monkeypatch.setenv("OWN_TRACE", str(tmp_path / "killed"))
    trace = tmp_path / "killed"
    for count in (4, 14, 26):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "b"), str(one_by_one)], cwd=ROOT)
        while process.poll() is None and (not trace.exists() or trace.read_text().count("\n") < count):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    tuner.run(asked, jobs=2, home=tmp_path / "b")
    assert outputs(tmp_path / "a") == outputs(tmp_path / "b")
    # Two workers were killed in the middle of something, three times: nothing else was begun again.
    extra = trace.read_text().count("\n") - (tmp_path / "whole").read_text().count("\n")
    assert extra <= 3 * 2


COMMAND = """
import json, sys
print("starting")
lr, n, epochs = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 99
from tests.support.custom_objectives import loss_at
for epoch in range(1, epochs + 1):
    print(json.dumps({"epoch": epoch, "valid_loss": loss_at({"lr": lr, "n": n}, epoch)}), flush=True)
"""


def command(tmp_path: Path, *words: str, code: str = COMMAND, **tables: Any) -> dict[str, Any]:
    """A study of a command that runs `code`."""
    script = custom_objectives.write(tmp_path, "script.py", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}")
    asked = study("value", trials=6, **tables)
    del asked["study"]["objective"]
    asked["study"]["command"] = [sys.executable, str(script), *words]
    return asked


@pytest.mark.slow
def test_a_command_is_searched_as_a_function_is(tmp_path: Path) -> None:
    words = ("{lr}", "{n}")
    function = table(tuner.run(study("steps", trials=6), jobs=1, home=tmp_path / "function"))
    stopped = table(tuner.run(command(tmp_path, *words), jobs=2, home=tmp_path / "stopped"))
    told = table(tuner.run(command(tmp_path, *words, "{epochs}"), jobs=2, home=tmp_path / "told"))
    assert function == stopped == told


def test_a_command_may_write_its_metrics_into_a_file(tmp_path: Path) -> None:
    code = "open(sys.argv[1] + '/m.jsonl', 'w').write('{\"valid_loss\": 0.5}\\n')"
    asked = command(tmp_path, "{directory}", "{lr}", code=code, study={"output": "m.jsonl"})
    del asked["train"]
    result = tuner.run(asked, jobs=1, home=tmp_path / "runs")
    assert {trial.value for trial in result.all_trials} == {0.5}


def failing(asked: dict[str, Any], home: Path, **more: Any) -> str:
    """The one error that all trials of a study fail with."""
    with pytest.raises(TunerError, match=r"the only trial failed|trials failed alike|trial 0 failed with") as caught:
        run_to_an_error(asked, home, **more)
    return str(caught.value)


def run_to_an_error(asked: dict[str, Any], home: Path, **more: Any) -> NoReturn:
    """Run a study that is to end with an error; where it does not, tell how its trials ended."""
    result = tuner.run(asked, jobs=1, home=home, **more)
    pytest.fail(f"no error: the trials ended as {[(trial.state, trial.error) for trial in result.all_trials]}")


@pytest.mark.parametrize("jobs", [1, 3])
def test_ten_that_fail_alike_end_a_study_which_begins_anew_once_that_is_mended(jobs: int, tmp_path: Path) -> None:
    code = "def train(config):\n    return {}\n"
    custom_objectives.write(tmp_path, f"mended{jobs}.py", code.format("config['rate']"))
    asked = study("value", epochs=None, study={"objective": f"mended{jobs}.py:train"}, search={"generation_size": 4})
    file = custom_objectives.write(tmp_path, "own.toml", tuner.read_study(asked, base=tmp_path).to_toml())
    with pytest.raises(TunerError, match=r"all of the first 10 trials failed alike, trial 0 with KeyError: 'rate' \("):
        tuner.run(file, jobs=jobs, home=tmp_path / "runs")
    stopped = tuner.open("own", home=tmp_path / "runs")
    said = stopped.directory.given_up.read_text().strip()
    assert f"given up     {said}\n" in study_page(stopped).text
    # Whole generations before the tenth trial are committed, whoever finished first.
    assert [trial.state for trial in tuner.open("own", home=tmp_path / "runs").all_trials] == ["failed"] * 8
    custom_objectives.write(tmp_path, f"mended{jobs}.py", code.format("config['lr']"))
    notes = Notes()
    result = tuner.run(file, jobs=jobs, home=tmp_path / "runs", callback=notes)
    assert [trial.state for trial in result.all_trials] == ["complete"] * 24
    assert notes.notes[-1] == "all 8 trials of before had failed: they are moved to own.1"
    assert not result.directory.given_up.exists()


def test_a_study_without_a_trial_may_be_changed(tmp_path: Path) -> None:
    asked = command(tmp_path, "{lr}")
    asked["study"] |= {"command": ["false", "{lr}"]}
    failing(asked, tmp_path / "runs")
    asked["study"]["command"] = [sys.executable, "-c", "print('{\"valid_loss\": 1}')"]
    notes = Notes()
    result = tuner.run(asked, jobs=2, home=tmp_path / "runs", callback=notes)
    assert {trial.value for trial in result.all_trials} == {1.0}
    assert not any("has changed" in note for note in notes.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('trying'); sys.exit(1)", r"the command exited with 1; its last line was 'trying'"),
        ("print('trying'); raise ValueError('no')", r"with Objective: the command exited with 1: ValueError: no; once"),
        ("print('hello')", r"the command printed no line with valid_loss; its last line was 'hello'"),
        ('print(\'{"valid_loss": "low"}\')', r"valid_loss is text \('low'\), not a number"),
        ('print(\'{"epoch": -1, "valid_loss": 1}\')', r"reported epoch -1; count epochs from 1, or from 0"),
        ('print(\'{"epoch": 1, "loss": 1}\')', r"reported loss, and not valid_loss, which is the goal"),
        ("import os; os.kill(os.getpid(), 9)", r"the command died of SIGKILL"),
    ],
)
def test_a_command_that_goes_wrong_says_how(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.engines.patience.TRIES", 2)  # of what the machine may have killed
    assert re.search(said, failing(command(tmp_path, "{lr}", code=code), tmp_path / "runs"))


def test_what_the_tuner_itself_says_of_a_silent_command_is_not_its_last_word(tmp_path: Path) -> None:
    with printing_into(tmp_path / "output.txt", further=False):
        os.write(2, b"Traceback\nValueError: no\n")
        os.write(1, f"trying\n{SILENT}\n".encode())
        assert last_words(deque(["trying"]), 0) == ": ValueError: no"


def test_a_command_that_prints_nan_diverges(tmp_path: Path) -> None:
    result = tuner.run(command(tmp_path, "{lr}", code="print('{\"valid_loss\": NaN}')"), jobs=1, home=tmp_path / "r")
    assert {trial.state for trial in result.all_trials} == {"diverged"}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("no-such-program", "there is no program 'no-such-program'; check its name"),
        ("train.sh", "there is no program 'train.sh'; write ./train.sh"),
        ("./train.sh", r"'./train.sh' may not be run; begin with \{python\}, or: chmod \+x ./train.sh"),
        ("./trian.sh", "'./trian.sh': there is no such program; did you mean 'train.sh'"),
    ],
)
def test_a_program_that_is_not_there_is_refused_before_anything_runs(program: str, said: str, tmp_path: Path) -> None:
    custom_objectives.write(tmp_path, "train.sh", "exit 0\n")
    asked = study("value", study={"objective": None, "command": [program, "{lr}"]})
    with pytest.raises(StudyError, match=rf"study\.command: {said}"):
        tuner.read_study(asked, base=tmp_path)


def test_a_program_that_has_gone_meanwhile_is_one_line(tmp_path: Path) -> None:
    program = custom_objectives.write(tmp_path, "train.sh", "#!/bin/sh\nrm $0; exit 1\n")
    program.chmod(0o755)
    asked = command(tmp_path)
    asked["study"] |= {"command": [str(program), "{lr}"], "trials": 2}
    asked["search"] = {"generation_size": 2}
    errors = [trial.error for trial in tuner.run(asked, jobs=1, home=tmp_path / "runs").all_trials]
    assert errors == [
        "Objective: the command exited with 1",
        f"Objective: {program}: there is no such program; check [study] command",
    ]


@pytest.mark.slow
def test_a_command_that_hangs_and_ignores_sigterm_is_ended(tmp_path: Path) -> None:
    code = """
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "a").write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
"""
    asked = command(tmp_path, str(tmp_path / "pids"), "{lr}", code=code, limits={"seconds_per_trial": 3})
    asked["study"]["trials"] = asked["search"]["generation_size"] = 2
    assert "took longer than the limit of 3 s; once that is mended" in failing(asked, tmp_path / "runs")
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert pids
    until = time.monotonic() + 30
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "returned nothing for valid_loss; return a number, or a dict of metrics"),
        ("text", "valid_loss is text ('0.5'), not a number"),
        ("array", "valid_loss is an array of shape (3,), not a number"),
        ("boolean", "valid_loss is True, not a number"),
        ("other_metric", "reported loss, accuracy, and not valid_loss, which is the goal"),
        ("taken_name", "reported 'lr', which is a parameter or a name of the tuner's own"),
        ("raises", "RuntimeError: no data (custom_objectives.py:"),
        ("leaves", "SystemExit: it called sys.exit(3) (custom_objectives.py:"),
        ("vanishes", "WorkerDied: it ended its worker process with exit code 7; return instead"),
        ("crashes", "WorkerDied: its worker process died of SIGABRT; it crashed in code that is not Python"),
        ("twice", "reported epoch 1 twice; report each epoch once"),
        ("backwards", "reported epoch 1 after epoch 2; report epochs in order"),
        ("swallows", "reported epoch 1 twice"),
        ("from_below", "reported epoch -1; count epochs from 1, or from 0"),
        ("beyond", "reported epoch 10, beyond the 9 it was to train; end at run.stop"),
        ("silent", "reported nothing, not even valid_loss"),
    ],
)
def test_what_goes_wrong_fails_the_trial_with_one_clear_line(name: str, said: str, tmp_path: Path) -> None:
    asked = study(name, trials=2, epochs=9, search={"rungs": [], "pruner": "none"})
    error = failing(asked, tmp_path)
    assert said in error
    assert "\n" not in error
    kept = list((tmp_path / "own" / "output").glob("trial-*.txt"))
    assert kept or name == "vanishes"  # it said nothing


def test_a_trial_that_hangs_fails_alone_and_says_where_it_was(tmp_path: Path) -> None:
    asked = study("hangs", trials=2, epochs=None, limits={"seconds_per_trial": 0.3})
    assert "TimedOut: took longer than the limit of 0.3 s; it was at custom_objectives.py:" in failing(asked, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["prints", "forks", "leaves_threads"])
def test_what_is_left_behind_disturbs_nobody(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    expected = tuner.run(study("value", trials=4), jobs=1, home=tmp_path / "good")
    result = tuner.run(study(name, trials=4), jobs=2, home=tmp_path / "odd")
    assert table(result) == table(expected)
    assert capfd.readouterr() == ("", "")


def test_others_go_on_beside_one_that_fails(tmp_path: Path) -> None:
    def train(config: dict[str, Any]) -> float:
        if config["n"] == 1:
            os._exit(1)
        return float(config["n"])

    asked = study("value", epochs=None)
    del asked["study"]["objective"]
    result = tuner.run(asked, objective=train, jobs=2, home=tmp_path)
    for trial in result.all_trials:
        assert trial.state == ("failed" if trial.config["n"] == 1 else "complete")


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        (HERE + "nobody", "tests.support.custom_objectives has no 'nobody'"),
        (HERE + "NOT_CALLABLE", "NOT_CALLABLE is an int, not a function"),
        (HERE + "asynchronous", "is asynchronous; write a function that runs it: return asyncio.run(...)"),
        (HERE + "wrong_arity", r"takes (a, b, c); write train(config) or train(config, run)"),
        ("no.such.module:train", "importing no.such.module raised ModuleNotFoundError: No module named 'no'"),
        ("raising.py:train", "importing raising.py raised ValueError: not today (raising.py:2)"),
        ("broken.py:train", "importing broken.py raised SyntaxError"),
        ("absent.py:train", "absent.py: there is no such file"),
        ("train", "'train' does not say where it is"),
    ],
)
def test_an_objective_that_is_not_there_is_refused_before_anything(objective: str, said: str, tmp_path: Path) -> None:
    custom_objectives.write(tmp_path, "raising.py", "x = 1\nraise ValueError('not today')\n")
    custom_objectives.write(tmp_path, "broken.py", "def train(:\n")
    text = tuner.read_study(study("value"), needs_data=False).to_toml().replace(HERE + "value", objective)
    file = custom_objectives.write(tmp_path, "own.toml", text)
    with pytest.raises(StudyError, match=re.escape(said)):
        tuner.run(file, jobs=1, home=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_device_named_twice_is_refused() -> None:
    with pytest.raises(StudyError, match=r"workers\.devices: has 'cuda:0' twice; name each device once"):
        tuner.read_study(study("value", workers={"devices": ["cuda:0", "cuda:0"]}))


def test_a_cluster_does_not_run_it(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cluster: does not run an objective of your own"):
        tuner.run(study("value"), home=tmp_path, cluster="tcp://localhost:1")


def test_an_objective_that_never_looks_at_its_split_is_told_of(tmp_path: Path) -> None:
    said = Notes()
    result = tuner.run(study("value", data={"splits": 4}), jobs=1, home=tmp_path, callback=said)
    (warning,) = [note for note in said.notes if "split" in note]
    assert re.match(r"warning: all \d+ trials with several splits have the same valid_loss on each", warning)
    assert warning.endswith('divide the data by run.split or config["split"], or ask for one: splits = 1')
    assert "unread" in {finding.rule for finding in result.findings()}


def test_the_directory_of_the_best_trial_outlives_the_search(tmp_path: Path) -> None:
    """With the best's own content, named in best.toml, and the same after a run that was killed."""

    def train(config: dict[str, Any], run: Any) -> None:
        (run.directory / "weights.txt").write_text(f"{config['x']} at {run.stop}", encoding="utf-8")
        run.report(run.stop, valid_loss=config["x"])

    asked = {
        "study": {"name": "kept", "trials": 12, "keep": 2},
        "parameters": {"x": {"low": 0.0, "high": 1.0}},
        "train": {"epochs": 9},
        "search": {"generation_size": 4},
    }
    result = tuner.run(asked, objective=train, home=tmp_path, jobs=2)
    best, second = result.best(), result.best(rank=2)
    assert {place.name for place in (result.path / "kept").iterdir()} == {f"trial-{b.trial}" for b in (best, second)}
    for one in (best, second):
        text = (result.path / one.training["directory"] / "weights.txt").read_text(encoding="utf-8")
        assert text == f"{one['x']} at 9"
    told = tuner.load_best(result.path)
    assert told.training["directory"] == f"kept/trial-{best.trial}"
    left = result.path / "cache" / "flight" / "2" / f"{best.trial}-0"
    left.mkdir(parents=True)
    (result.path / "kept" / f"trial-{best.trial}").rename(left / "at-9")
    again = tuner.run(asked, objective=train, home=tmp_path, jobs=2)
    assert (again.path / again.best().training["directory"] / "weights.txt").is_file()
    none = tuner.run({**asked, "study": {"name": "none", "trials": 4, "keep": 0}}, objective=train, home=tmp_path)
    assert not (none.path / "kept").exists()


def test_a_worker_does_not_read_the_schema_of_studies() -> None:
    """Each worker would start by as much later, and without `reuse` each trial."""
    code = "import sys, tuner.engines.process_worker, tuner.trainables.custom.tasks; print(*sys.modules)"
    modules = set(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout.split())
    assert "tuner.trainables.custom.function" in modules
    assert modules & {"pydantic", "pandas", "sklearn", "scipy", "sqlalchemy", "optuna", "tuner.study"} == set()
