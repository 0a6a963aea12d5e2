"""The conclusion of a study: plain sentences, which say no more than the numbers behind them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.planted_studies import changed_study, confirmations, sound, written
from tuner.ranking.retrainings import report_seeds
from tuner.report.conclusion import Conclusion
from tuner.report.findings.baseline import better_baselines, unbeaten
from tuner.report.report_data import ReportData
from tuner.result import Result
from tuner.study import read_study


def concluded(result: Result) -> Conclusion:
    return Conclusion(ReportData(result), result.best())


def planted(home: Path, means: dict[int, float], **study: Any) -> Result:
    trials, asked = sound(), changed_study(**study)
    ranked = confirmations(trials, means)
    seeds = report_seeds(read_study(asked, needs_data=False))
    first = next(iter(means))
    own = [row for row in ranked if row.trial == first][: len(seeds)]
    return written(home, trials, [*ranked, *(replace(r, replicate=s) for r, s in zip(own, seeds, strict=True))], asked)


def test_it_names_the_winner_by_its_searched_settings_and_its_final_value(tmp_path: Path) -> None:
    found = concluded(planted(tmp_path, {60: 0.30, 59: 0.5}))
    assert found.winner.startswith("momentum, lr ")
    assert found.final
    assert next(iter(found.values)) == "valid_loss"
    assert found.evidence == "on 5 fresh splits that chose nothing"
    assert found.held.startswith("the search believed ")
    assert found.sure == "better than the other one checked, beyond chance (95 %)"


def test_what_cannot_be_told_apart_is_not_called_sure(tmp_path: Path) -> None:
    found = concluded(planted(tmp_path, {60: 0.300, 59: 0.301}))
    assert "% likely to be the best of the 2 checked; another one may be as good" in found.sure


def test_a_winner_that_does_not_beat_a_constant_says_so_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = planted(tmp_path, {60: 0.30, 59: 0.5})
    found = concluded(result)
    assert (found.useless, found.sentences[0][0]) == ("", "won")
    monkeypatch.setattr(result, "facts", {**result.facts, "constant_loss": "0.25"})
    found = concluded(result)
    said = "the winner does not beat a constant prediction: valid_loss 0.3, a constant has 0.25"
    assert found.sentences[0] == ("beware", said)


@pytest.mark.parametrize(
    ("goal", "own", "constant", "said"),
    [
        ("valid_f1", 0.0, 0.0, "the model does not beat a constant prediction: test_f1 0, a constant has 0"),
        ("valid_auc", 0.45, 0.5, "the model does not beat a constant prediction: test_auc 0.45, a constant has 0.5"),
        ("valid_auc", 0.55, 0.5, ""),
        ("valid_mae", 2.0, 1.0, "the model does not beat a constant prediction: test_mae 2, a constant has 1"),
        ("valid_mae", 1.0, 2.0, ""),
        ("valid_mae", 1.0, None, ""),
    ],
)
def test_a_model_is_held_against_a_constant_by_its_goal(
    goal: str, own: float, constant: float | None, said: str
) -> None:
    metric = goal.replace("valid", "test")
    known = {"constant": {metric: {"value": constant}, "test_loss": {"value": 9.0}}}
    assert unbeaten({"goal": goal, "metrics": {metric: {"ensemble": {"value": own}}}, "baselines": known}) == said


def test_baselines_are_compared_by_a_goal_of_all_rows_and_else_by_the_loss() -> None:
    metrics = {"test_loss": {"ensemble": {"value": 0.5}}, "test_auc": {"ensemble": {"value": 0.7}}}
    every = {
        "Ridge": {"test_loss": {"value": 0.4}, "test_auc": {"value": 0.6}},
        "constant": {"test_loss": {"value": 0.6}, "test_auc": {"value": 0.8}},
    }
    facts = {"metrics": metrics, "baselines": every}
    assert better_baselines(facts) == {"Ridge": 0.4}
    assert better_baselines(facts | {"goal": "valid_accuracy"}) == {"Ridge": 0.4}
    assert better_baselines(facts | {"goal": "valid_auc"}) == {"constant": 0.8}


def test_what_was_not_checked_says_so_and_has_no_final_value(tmp_path: Path) -> None:
    found = concluded(written(tmp_path, sound(), []))
    assert not found.final
    assert found.sure == "not checked on fresh seeds: the value chose the config, and is likely too good"
    assert (found.evidence, found.held, found.gain) == ("", "", "")


@pytest.mark.parametrize(
    ("source", "model", "use"),
    [
        ("sklearn:iris", {}, "tuner best sound --to torch"),
        ("t.csv", {"task": "binary"}, "tuner predict sound new.csv"),
        ("t.csv", {}, "tuner refit sound"),
    ],
)
def test_a_table_s_model_predicts_and_other_winners_become_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, model: dict[str, Any], use: str
) -> None:
    monkeypatch.setattr(Result, "model_facts", model)
    target = {} if ":" in source else {"target": "y"}
    found = concluded(written(tmp_path, sound(), [], changed_study(data={"source": source, **target})))
    assert found.use == use


def test_a_winner_of_many_settings_is_named_by_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("def train(config):\n    yield 1, {}\n")
    many = {f"p{i}": {"low": 0.0, "high": 1.0} for i in range(20)}
    study = {
        "study": {"trials": 64, "minimize": "valid_loss", "objective": "train.py:train"},
        "train": {"epochs": 20},
        "parameters": many,
    }
    trials = [replace(t, config={name: 0.5 for name in many}) for t in sound()]
    found = concluded(written(tmp_path, trials, [], study, {"task": "own"}))
    assert found.winner == "p0 0.5, p1 0.5, p2 0.5, p3 0.5, p4 0.5, p5 0.5, 14 more"
