"""Failed trials trained again: in their own places, compared as they would have been, and nothing else is touched."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support.custom_objectives import loss_at, write
from tests.tuner.store.test_ledger import plain
from tests.tuner.trainables.test_objectives import study
from tuner.records import Trial
from tuner.trainables.builtin import trainer as descending


def asked(home: Path, failing: bool, **tables: Any) -> dict[str, Any]:
    """A study whose trials with n over 5 fail as long as the file "broken" is there."""
    broken = home / "broken"
    write(home, broken.name, "") if failing else broken.unlink(missing_ok=True)
    return study("run", **tables)


def train(config: dict[str, Any], run: Any) -> None:
    """Goes on from its checkpoint, as long as nothing is broken."""
    home = run.directory
    while home.name != "runs":
        home = home.parent
    if config["n"] > 5 and (home.parent / "broken").exists():
        raise OSError("the disk is away")
    place = run.directory / "epoch.txt"
    assert (int(place.read_text()) if place.exists() else 0) == run.start
    place.write_text(str(run.stop))
    for epoch in range(run.start + 1, run.stop + 1):
        run.report(epoch, valid_loss=loss_at(config, epoch))


def ran(home: Path, failing: bool, **more: Any) -> Any:
    given = asked(home, failing)
    del given["study"]["objective"]
    return tuner.run(given, objective=train, jobs=2, home=home / "runs", **more)


def facts(trial: Trial) -> Any:
    """All that is reproducible of a trial."""
    return [plain(getattr(trial, f.name)) for f in fields(Trial) if f.name not in ("seconds", "error")]


@pytest.mark.slow
def test_failed_trials_are_trained_again_in_their_places(tmp_path: Path) -> None:
    whole, mended = tmp_path / "whole", tmp_path / "mended"
    whole.mkdir()
    mended.mkdir()
    first = ran(whole, False).all_trials[:12]
    before = ran(mended, True).all_trials
    failed = [trial.number for trial in before if trial.state == "failed"]
    assert 0 < len(failed) < 24
    assert not any(trial.state == "failed" for trial in ran(mended, False, retry_failed=True).all_trials)
    after = tuner.open("own", home=mended / "runs").all_trials
    for old, new in zip(before, after, strict=True):
        assert new.number in failed or facts(old) == facts(new)
        assert (new.config, new.generation) == (old.config, old.generation)
    for trial, undisturbed in zip(after, first, strict=False):  # of the first generation, which saw the same configs
        assert (trial.rung == 0) == (undisturbed.rung == 0)
        if trial.number in failed and trial.rung == undisturbed.rung:
            assert facts(trial) == facts(undisturbed)
    assert {trial.state for trial in after} == {"complete", "pruned"}
    assert all(trial.steps == trial.epochs for trial in after)  # each went on where it stood at its rungs
    # The study goes on from there, and a second retry finds nothing to do.
    assert len(ran(mended, False, retry_failed=True, trials=36).all_trials) == 36


@pytest.mark.slow
def test_what_fails_again_says_why_now_and_the_rest_is_kept(tmp_path: Path) -> None:
    before = ran(tmp_path, True).all_trials
    result = ran(tmp_path, True, retry_failed=True)
    assert [facts(trial) for trial in result.all_trials] == [facts(trial) for trial in before]
    assert result.cost.trials == sum(trial.state == "failed" for trial in before)


def test_a_study_of_the_core_comes_to_the_table_that_it_would_have_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {
        "study": {"name": "own", "trials": 6},
        "data": {"source": "sklearn:iris"},
        "optimizers": {"momentum": {}},
        "train": {"epochs": 9, "batch_size": [16, 64]},
        "search": {"generation_size": 6, "rungs": [3]},
        "confirm": {"enabled": False},
    }
    whole = tuner.run(asked, home=tmp_path / "whole", jobs=1)
    winner = whole.best().trial
    trained = descending.run_remembered

    def failing(pack: Any, memo: Any) -> Any:
        if winner in pack.trials:
            raise OSError("the disk is away")
        return trained(pack, memo)

    with monkeypatch.context() as patch:
        patch.setattr(descending, "run_remembered", failing)
        patch.setattr(descending, "run_pack", lambda pack: failing(pack, None))
        broken = tuner.run(asked, home=tmp_path / "mended", jobs=1)
    assert [trial.number for trial in broken.all_trials if trial.state == "failed"] == [winner]
    mended = tuner.run(asked, home=tmp_path / "mended", jobs=1, retry_failed=True)
    assert facts(mended.trial(winner)) == facts(whole.trial(winner))
    assert mended.best().value == whole.best().value
    assert tuner.verify("own", home=tmp_path / "mended").ok
