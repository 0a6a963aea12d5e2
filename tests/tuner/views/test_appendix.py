"""The appendix of a paper: every searched parameter, the budget as it was used, the procedure, the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support.command import Shell
from tests.support.small_models import frame, study, targets
from tuner.views.appendix import appendix_sheet


def values(result: tuner.Result, part: str) -> dict[str, str]:
    return {item: value for where, item, value in appendix_sheet(result).rows if where == part}


def test_a_study_of_a_table_tells_what_repeats_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = study("binary") | {"optimizers": {"sgd": {"lr": {"low": 1e-3, "high": 1.0}}, "adam": {}}, "search": {}}
    result = tuner.run(asked, data=(frame(), targets("binary", frame())), home=tmp_path, jobs=1, refit=False)
    space, budget, outcome = (values(result, part) for part in ("search space", "budget", "result"))
    assert space["optimizer"] == "sgd, adam"
    assert space["lr (sgd)"] == "0.001 to 1, log scale"
    assert budget["trials"].startswith("4: ")
    trained = sum(trial.curves["valid_loss"].size for trial in result.all_trials)
    assert budget["epochs of all trials and splits"] == str(trained)
    assert outcome["valid_loss"] in Shell(capsys)("show", "small", "--home", tmp_path).out
    assert values(result, "procedure")["final value"] == "the winner alone on 2 more splits, which chose nothing"
    latex = Shell(capsys)("export", "small", "--what", "appendix", "-f", "latex", "--home", tmp_path).out
    assert r"lr (sgd) & 0.001 to 1, log scale \\" in latex


def failing(config: dict[str, Any]) -> float:
    if config["rate"] < 2:
        raise ValueError("no")
    return 0.0


def test_a_study_without_a_result_says_so(tmp_path: Path) -> None:
    with pytest.raises(tuner.GivenUp, match="no"):
        tuner.tune(
            failing, {"rate": (0.0, 1.0), "layers": range(0, 9, 2)}, trials=4, name="lost", jobs=1, home=tmp_path
        )
    result = tuner.open("lost", home=tmp_path)
    assert values(result, "result")["best config"].startswith("none: ")
    assert values(result, "search space") == {"rate": "0 to 1", "layers": "0 to 8, step 2"}
