"""Verification: a trial run again is the same bit for bit, and what is not the same is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.command import Shell, made_up
from tuner.api.verify import difference, verify
from tuner.errors import NoResult, StudyError, TunerError
from tuner.records import Trial
from tuner.result import Result
from tuner.store.directory import StudyDirectory, study_directory
from tuner.store.ledger import Ledger

STUDY: dict[str, Any] = {
    "study": {"name": "small", "trials": 16},
    "data": {"source": "sklearn:iris"},
    "model": {"hidden": [4]},
    "train": {"epochs": 8, "batch_size": [16, 32], "schedule": "cosine", "replicates": 2},
    "optimizers": {"momentum": {"lr": {"low": 0.01, "high": 1e6}}, "adam": {}},
    "search": {"generation_size": 8, "sampler": "random"},
    "confirm": {"enabled": False},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("runs")
    tuner.run(STUDY, jobs=1, home=home)
    return home


def rewritten(home: Path, directory: Path, change: Any) -> StudyDirectory:
    """A copy of the study whose ledger says something else, digests and all."""
    old, new = study_directory("small", home), study_directory("small", directory)
    new.path.mkdir(parents=True)
    new.study.write_bytes(old.study.read_bytes())
    result = Result(old)
    trials = [change(replace(trial, curves=dict(trial.curves))) for trial in result.all_trials]
    with Ledger.create(new.ledger, result.facts) as ledger:
        for number in sorted({trial.generation for trial in trials}):
            ledger.commit_generation(number, [trial for trial in trials if trial.generation == number])
    return new


def test_every_kind_of_trial_is_the_same_run_again(home: Path) -> None:
    before = {path: path.read_bytes() for path in (home / "small").iterdir() if path.is_file()}
    found = verify("small", 100, home=home)
    assert found.ok
    assert found.same_machine
    assert {verdict.state for verdict in found.verdicts} == {"complete", "pruned", "diverged"}
    assert [verdict.trial for verdict in found.verdicts] == list(range(16))
    assert {path: path.read_bytes() for path in (home / "small").iterdir() if path.is_file()} == before


def test_trials_are_drawn_from_the_seed(home: Path) -> None:
    first, again = verify("small", 4, home=home), verify("small", 4, home=home, jobs=2)
    assert first == again
    assert len({verdict.trial for verdict in first.verdicts}) == 4


def test_the_command_says_which_and_ends_with_0_or_1(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(capsys)
    ended = shell("verify", "small", "-k", "3", "--home", home)
    assert (ended.code, ended.err) == (0, "3 of 3 trials are the same, bit for bit\n")
    assert [line.split(maxsplit=3)[-1] for line in ended.out.splitlines()[1:]] == ["the same"] * 3

    best = Result(study_directory("small", home)).best().trial

    def nudged(trial: Trial) -> Trial:
        if trial.number != best:
            return trial
        curve = trial.curves["valid_loss"].copy()
        curve[1, 1] = np.nextafter(curve[1, 1], np.inf)
        return replace(trial, curves={**trial.curves, "valid_loss": curve})

    rewritten(home, tmp_path, nudged)
    ended = shell("verify", "small", "-k", "16", "--home", tmp_path, "-f", "csv")
    assert (ended.code, ended.err) == (1, "1 of 16 trials differ from the ledger\n")
    (said,) = [line for line in ended.out.splitlines()[1:] if not line.endswith(",the same")]
    assert said.startswith(f"{best},")
    assert "valid_loss at epoch 2, replicate 1: " in said


def test_differences_are_named(home: Path) -> None:
    trial = Result(study_directory("small", home)).best().trial
    known = Result(study_directory("small", home)).trial(trial)
    curves = dict(known.curves)
    assert difference(known, known) == ""
    longer = {name: np.hstack([curve, curve]) for name, curve in curves.items()}
    for again, said in (
        (replace(known, state="diverged"), "it is complete in the ledger, diverged now"),
        (replace(known, curves={"valid_loss": curves["valid_loss"]}), "curves: train_loss, valid_loss"),
        (replace(known, curves=longer), "train_loss has shape (8, 8) in the ledger, (8, 16) now"),
        (replace(known, value=0.0), f"value: {known.value!r} in the ledger, 0.0 now"),
        (replace(known, metrics={**known.metrics, "valid_loss": 1.0}), "valid_loss: "),
    ):
        assert difference(known, again).startswith(said)


def test_what_cannot_be_verified_says_why(home: Path, tmp_path: Path) -> None:
    made_up(tmp_path)
    with pytest.raises(TunerError, match="the data of study 'small' have changed: the digest was d, is "):
        verify("small", home=tmp_path)
    x, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    own = {key: value for key, value in STUDY.items() if key != "data"} | {"study": {"name": "own", "trials": 8}}
    tuner.run(own, (x, y), jobs=1, home=tmp_path)
    with pytest.raises(
        StudyError, match=r"was run on data that its file does not name; verify it in Python: tuner.ver"
    ):
        verify("own", home=tmp_path)
    assert tuner.verify("own", data=(x, y), home=tmp_path).ok
    with pytest.raises(TunerError, match="the data of study 'own' have changed"):
        verify("own", data=(x + 1, 1 - y), home=tmp_path)
    empty = study_directory("empty", tmp_path)
    empty.path.mkdir()
    old = study_directory("small", home)
    empty.study.write_bytes(old.study.read_bytes())
    with Ledger.create(empty.ledger, Result(old).facts):
        pass
    with pytest.raises(NoResult, match="has no trial to run again"):
        verify("empty", home=tmp_path)
