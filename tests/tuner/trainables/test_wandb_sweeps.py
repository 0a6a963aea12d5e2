"""`tuner init --from-wandb`: what the file of a sweep says is translated, or named with the reason."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command import Shell
from tuner.study import read_study
from tuner.trainables.programs.sweep_domains import DISTRIBUTIONS, Untranslatable, sweep_domain

LOG = {"log": True}
EVEN = {"log": False}


@pytest.mark.parametrize(
    ("keys", "values", "note"),
    [
        ({"value": 5}, 5, ""),
        ({"distribution": "constant", "value": "a"}, "a", ""),
        ({"values": ["b", "a"]}, ["b", "a"], ""),
        ({"values": [1]}, 1, ""),
        ({"values": ["a", "b"], "probabilities": [0.9, 0.1]}, ["a", "b"], "probabilities are left out"),
        ({"min": 1, "max": 8}, {"low": 1, "high": 8}, ""),
        ({"min": 0, "max": 1}, [0, 1], ""),
        ({"min": 0.0, "max": 1}, {"low": 0.0, "high": 1.0, **EVEN}, ""),
        ({"distribution": "uniform", "min": 1, "max": 8}, {"low": 1.0, "high": 8.0, **EVEN}, ""),
        ({"min": "1e-5", "max": 1.0}, {"low": 1e-5, "high": 1.0, **EVEN}, "1e-5 is text to YAML 1.1"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.1}, {"low": 0.0, "high": 1.0, "step": 0.1}, ""),
        ({"distribution": "q_uniform", "min": 0, "max": 64, "q": 16}, {"low": 0, "high": 64, "step": 16}, ""),
        ({"distribution": "log_uniform", "min": 0, "max": 1}, {"low": 1.0, "high": 2.71828182846, **LOG}, ""),
        ({"distribution": "inv_log_uniform", "min": 0, "max": 1}, {"low": 0.367879441171, "high": 1.0, **LOG}, ""),
        ({"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1}, {"low": 1e-5, "high": 0.1, **LOG}, ""),
        ({"distribution": "inv_log_uniform_values", "min": 0.1, "max": 1}, {"low": 0.1, "high": 1.0, **LOG}, ""),
        ({"distribution": "q_log_uniform_values", "min": 1, "max": 99}, {"low": 1, "high": 99, **LOG}, ""),
        ({"distribution": "q_log_uniform_values", "min": 8, "max": 32, "q": 8}, [8, 16, 24, 32], "becomes 4 choices"),
        (
            {"distribution": "normal", "mu": 1.0, "sigma": 0.5},
            {"low": 0.0, "high": 2.0, **EVEN},
            "2 sigma on each side",
        ),
        ({"distribution": "q_normal", "mu": 8, "sigma": 2, "q": 2}, {"low": 4, "high": 12, "step": 2}, "2 sigma"),
        (
            {"distribution": "log_normal", "mu": 0.0, "sigma": 0.0001},
            {"low": 0.99980002, "high": 1.00020002, **LOG},
            "",
        ),
        ({"distribution": "beta", "a": 2, "b": 5}, {"low": 0.0, "high": 1.0, **EVEN}, "beta becomes an even range"),
    ],
)
def test_a_distribution_is_translated(keys: dict[str, Any], values: Any, note: str) -> None:
    found = sweep_domain(keys)
    if isinstance(values, dict):
        assert found.values == pytest.approx(values)
        assert [type(found.values[end]) for end in ("low", "high")] == [type(values[end]) for end in ("low", "high")]
    else:
        assert found.values == values
    assert note in "".join(found.notes)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "has neither value nor values nor min and max: nothing"),
        ({"min": 1}, "has neither value nor values"),
        ({"distribution": "triangular"}, "its distribution 'triangular' is not known"),
        ({"distribution": "uniform", "min": 1}, "has no max"),
        ({"min": 2, "max": 1}, "it goes from 2 to 1"),
        ({"min": "a", "max": 1}, "its min is 'a', which is no number"),
        ({"distribution": "log_uniform_values", "min": 0, "max": 1}, "a log scale cannot start at 0"),
        ({"values": [1, None]}, "a choice is null or a table"),
        ({"values": [1, "a"]}, "its values mix number and str"),
        ({"values": 3}, "its values are no list"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0}, "q is 0"),
    ],
)
def test_what_a_study_cannot_say_is_refused_with_the_reason(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(Untranslatable, match=said):
        sweep_domain(keys)


@given(st.sampled_from([kind for kind in DISTRIBUTIONS if "uniform" in kind]), st.integers(1, 5), st.integers(1, 5))
def test_every_range_makes_a_valid_study(kind: str, low: int, more: int) -> None:
    domain = sweep_domain({"distribution": kind, "min": low, "max": low + more, "q": 1})
    study = {"command": ["true", "{x}"], "trials": 2}
    read = read_study({"study": study, "parameters": {"x": domain.values}})
    assert read.custom is not None
    (searched,) = read.custom.parameters.values()
    known = low if kind.endswith(("values", "int_uniform")) or kind in ("uniform", "q_uniform") else None
    values = domain.values
    if known is not None and isinstance(values, dict):
        assert (values["low"], values["high"]) == (low, low + more)
    assert searched is not None


SWEEP = {
    "program": "train.py",
    "method": "random",
    "name": "mine",
    "run_cap": 20,
    "description": "what is it",
    "metric": {"name": "val/loss", "goal": "minimize", "target": 0.1},
    "early_terminate": {"type": "hyperband", "min_iter": 3, "eta": 2},
    "parameters": {
        "lr": {"distribution": "log_uniform", "min": -9, "max": -2},
        "amp": {"values": [True, False]},
        "seed": {"values": [1, 2]},
        "epochs": {"value": 5},
        "model": {"parameters": {"depth": {"values": [1, 2]}, "kind": {"values": ["a", "b"]}, "w": {"value": 3}}},
    },
}
MODEL = '{"depth": {model.depth}, "kind": "{model.kind}", "w": 3}'


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


def written(**keys: Any) -> None:
    Path("sweeps").mkdir(exist_ok=True)
    Path("sweeps/sweep.json").write_text(json.dumps({**SWEEP, **keys}))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (None, ["--lr={lr}", "--amp={amp}", "--seed={seed_}", "--epochs=5", f"--model={MODEL}"]),
        (
            ["${env}", "${interpreter}", "${program}", "${args_no_hyphens}"],
            ["lr={lr}", "amp={amp}", "seed={seed_}", "epochs=5", f"model={MODEL}"],
        ),
        (
            ["${interpreter}", "${program}", "${args_no_boolean_flags}", "{x}"],
            ["--lr={lr}", "{amp:--amp}", "--seed={seed_}", "--epochs=5", f"--model={MODEL}", "{{x}}"],
        ),
        (
            ["${interpreter}", "${program}", "${args_json}"],
            [f'{{"lr": {{lr}}, "amp": {{amp}}, "seed": {{seed_}}, "epochs": 5, "model": {MODEL}}}'],
        ),
        (["${interpreter}", "${program}", "${args_json_file}"], ["{config:json}"]),
    ],
)
def test_a_sweep_becomes_a_study(shell: Shell, command: list[str] | None, words: list[str]) -> None:
    written(**({"command": command} if command else {}))
    ended = shell("init", "s.toml", "--from-wandb", "sweeps/sweep.json")
    assert ended.code == 0, ended.err
    study = read_study("s.toml")
    assert study.custom is not None
    assert list(study.custom.command) == ["{python}", "sweeps/train.py", *words]
    assert (study.trials, study.metric, study.search.sampler, study.stop.target) == (20, "val/loss", "random", 0.1)
    assert study.description == "what is it"
    low = study.custom.parameters["lr"]
    assert math.isclose(getattr(low, "low", 0), math.exp(-9), rel_tol=1e-9)
    for said in ("early_terminate: weak trials", "reduction = 2", "name: left out, it says where W&B keeps its runs"):
        assert said in ended.err


def test_all_that_cannot_be_translated_is_named_at_once(shell: Shell) -> None:
    written(
        method="best",
        metric={},
        program="",
        command=["${program}", "${envvar:HOME}", "${what}"],
        parameters={"a": {"min": 1}, "b": {"parameters": {"c": {"values": [None]}}}},
    )
    ended = shell("init", "s.toml", "--from-wandb", "sweeps/sweep.json")
    assert ended.code == 2
    for said in (
        "parameters.a: has neither value nor",
        "parameters.b.c: a choice is null",
        "method: 'best' is not known",
        "metric: has no name",
        "program: is missing",
        "asks for the variable HOME",
        "has the macro 'what', which is not known",
    ):
        assert said in ended.err
    assert not Path("s.toml").exists()
    ended = shell("init", "s.toml", "--from-wandb", "none.yaml")
    assert (ended.code, "none.yaml cannot be read" in ended.err) == (2, True)


def test_a_grid_is_a_grid_where_there_are_lists_alone(shell: Shell) -> None:
    written(method="grid", run_cap=None, parameters={"a": {"values": [1, 2, 3]}, "b": {"values": ["x", "y"]}})
    assert shell("init", "s.toml", "--from-wandb", "sweeps/sweep.json").code == 0
    study = read_study("s.toml")
    assert (study.search.sampler, study.trials) == ("grid", 6)
    written(method="grid", run_cap=None)
    ended = shell("init", "s.toml", "--force", "--from-wandb", "sweeps/sweep.json")
    assert "grid needs lists alone, and a range is there" in ended.err
    assert read_study("s.toml").search.sampler == "auto"
