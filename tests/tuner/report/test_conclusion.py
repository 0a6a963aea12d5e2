"""The conclusion of a study: plain sentences, which say no more than the numbers behind them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.planted_studies import changed_study, confirmations, sound, written
from tuner.ranking.retrainings import report_seeds
from tuner.report.conclusion import Conclusion
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
