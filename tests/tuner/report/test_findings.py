"""Findings: planted studies raise theirs, a sound one raises none, and every command that they end with is one."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tuner.command import Shell
from tests.tuner.report.planted import (
    FACTS,
    LEAST,
    changed_study,
    confirmations,
    ended,
    losses,
    reconfigured,
    sound,
    trained,
    written,
)
from tuner.cli.program import program
from tuner.report.findings import RULES
from tuner.result import Result
from tuner.spec import read_study
from tuner.trial import Confirmed, Trial

Planted = tuple[list[Trial], list[Confirmed] | None, dict[str, Any], dict[str, str]]


def some(trials: Sequence[Trial], change: Callable[[Trial], Trial], numbers: Sequence[int]) -> list[Trial]:
    return [change(trial) if trial.number in set(numbers) else trial for trial in trials]


def top(count: int) -> list[int]:
    return [trial.number for trial in sorted(sound(), key=lambda t: (t.value, t.number))[:count]]


def plain(trials: list[Trial] | None = None, confirmed: list[Confirmed] | None = None, **study: Any) -> Planted:
    return trials or sound(), confirmed, changed_study(**study), dict(FACTS)


def at_bound() -> Planted:
    return plain(some(sound(), lambda t: reconfigured(t, lr=2.9), top(1)))


def three_at_bound() -> Planted:
    return plain(some(sound(), lambda t: reconfigured(t, lr=1.05e-4 if t.number % 2 == 0 else 1.05e-5), [58, 59, 61]))


def diverging() -> Planted:
    return plain(some(sound(), lambda t: ended(reconfigured(t, lr=1.0), "diverged"), range(0, 50, 2)))


def failing() -> Planted:
    return plain(some(sound(), lambda t: ended(t, "failed", "MemoryError: no"), range(26)))


def still_improving() -> Planted:
    falling = list(np.linspace(2, LEAST, 20))
    return plain(some(sound(), lambda t: losses(t, [v + t.number / 1e4 for v in falling], falling, 20), top(5)))


def overfitting() -> Planted:
    rising = [1.0, 0.5, LEAST, *np.linspace(LEAST, 0.6, 17)]
    return plain(
        some(
            sound(),
            lambda t: losses(t, [v + t.number / 1e4 for v in rising], list(np.linspace(1, 0.01, 20)), 3),
            top(5),
        )
    )


def uneven() -> Planted:
    return plain([trained(i, LEAST + abs(60 - i) / 100, optimizer="momentum" if i < 48 else "adam") for i in range(64)])


def contained() -> Planted:
    return plain([trained(i, LEAST + abs(60 - i) / 100 + (0.2 if i % 2 else 0.0)) for i in range(64)])


def no_gain() -> Planted:
    return plain([trained(i, LEAST + abs(10 - i) / 100) for i in range(64)])


def unconfirmed() -> Planted:
    return plain(confirmed=[])


def optimistic() -> Planted:
    return plain(confirmed=confirmations(sound(), {60: 0.5, 59: 0.35}))


def tied() -> Planted:
    first, second = confirmations(sound(), {60: LEAST}), confirmations(sound(), {59: LEAST + 0.0004}, spread=-0.001)
    return plain(confirmed=first + second)


def few_trials() -> Planted:
    trials = [replace(t, number=i) for i, t in enumerate(sound()[44:])]
    return plain(trials, study={"trials": 20})


def small_validation() -> Planted:
    study = changed_study(study={"maximize": "valid_accuracy"})
    trials = [replace(t, value=t.metrics["valid_accuracy"]) for t in sound()]
    fresh = [
        Confirmed(n, r, 15, {"valid_accuracy": v + r / 1e4}, 0.01, "complete")
        for n, v in ((60, 0.9), (59, 0.8))
        for r in range(1, 6)
    ]
    return trials, fresh, study, FACTS | {"valid_rows": "50"}


def unstable_top() -> Planted:
    return plain(some(sound(), lambda t: replace(t, value=0.1, stable=False), [7]))


def never_learned() -> Planted:
    lazy = [replace(t, value=3.0, metrics=t.metrics | {"valid_loss": 3.0}) if t.number % 2 == 0 else t for t in sound()]
    return plain(lazy)


def small_batches() -> Planted:
    trials = [reconfigured(t, batch_size=16 if t.number > 50 else 256) for t in sound()]
    return plain(trials, train={"batch_size": [16, 64, 256]})


def convex() -> Planted:
    trials, confirmed, study, facts = plain(model={"kind": "linear"})
    return trials, confirmed, study, facts


PLANTED: dict[str, tuple[Callable[[], Planted], str, str]] = {
    "best at a bound": (at_bound, "at_bound", "high end of its range (2.9, the range ends at 3)"),
    "three of the top at a bound": (
        three_at_bound,
        "at_bound",
        "3 of the top 5 trials have lr of adam at the low end of its range",
    ),
    "two in five diverged": (
        diverging,
        "diverging",
        "39 % of the trials diverged (25 of 64), most with momentum and lr above 1",
    ),
    "two in five failed": (failing, "diverging", "41 % of the trials failed (26 of 64)"),
    "still improving": (still_improving, "still_improving", "5 of the top 5 trials were still improving"),
    "overfitting": (overfitting, "overfitting", "5 of the top 5 trials overfit"),
    "unequal budgets": (uneven, "uneven", "momentum had 48 trials and adam 16"),
    "worse than what it contains": (contained, "contained", "although adam can take the steps of momentum"),
    "plateau": (no_gain, "no_gain", "No gain since trial 10: 53 trials"),
    "not confirmed": (unconfirmed, "unconfirmed", "it is not confirmed"),
    "optimistic": (optimistic, "optimistic", "trial 60, had 0.3 there and 0.5 on 5 fresh seeds"),
    "tied top": (tied, "inseparable", "5 seeds do not separate the best, trial 60 (best with probability"),
    "few trials": (few_trials, "few_trials", "20 trials are few for 3 searched parameters"),
    "few validation rows": (small_validation, "small_validation", "The validation set of 50 rows is too small"),
    "unstable": (unstable_top, "unstable_top", "1 unstable trial has a better best epoch than the winner (7)"),
    "no better than a constant": (never_learned, "never_learned", "momentum never beat a constant prediction"),
    "small batches": (small_batches, "small_batches", "which took 16 times the updates of the largest"),
}


def planted(home: Path, make: Callable[[], Planted]) -> Result:
    trials, confirmed, study, facts = make()
    return written(home, trials, confirmed, study, facts)


@pytest.mark.parametrize(("make", "rule", "words"), PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_found(make: Callable[[], Planted], rule: str, words: str, tmp_path: Path) -> None:
    result = planted(tmp_path, make)
    found = {finding.rule: finding for finding in result.findings()}
    assert rule in found
    assert words in found[rule].sentence
    if found[rule].command:
        check_command(found[rule].command, result.directory.study)


def test_a_sound_study_gives_nothing_to_find(tmp_path: Path) -> None:
    assert written(tmp_path, sound()).findings() == []


def test_every_rule_is_planted_or_needs_a_known_optimum() -> None:
    assert {rule for _, rule, _ in PLANTED.values()} | {"distance"} == set(RULES)


def check_command(command: str, study: Path) -> None:
    """Its words are a command's, and its settings are settings of the study."""
    name, verb, *rest = shlex.split(command)
    assert (name, verb in program.commands) == ("tuner", True)
    settings = [rest[i + 1] for i, word in enumerate(rest) if word == "--set"]
    read_study(study, overrides=tuple(settings), has_data=True)
    # a command alone would keep a help option without the program's `-h`
    program.commands[verb].make_context(verb, rest, parent=program.make_context("tuner", [verb, *rest]))


def test_show_ends_with_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    planted(tmp_path, unconfirmed)
    shell = Shell(capsys)
    assert (
        "\nfindings\n  1. The best value, 0.3, comes from one split" in shell("show", "sound", "--home", tmp_path).out
    )
    document = json.loads(shell("show", "sound", "--home", tmp_path, "-f", "json").out)
    assert [finding["rule"] for finding in document["findings"]] == ["unconfirmed"]
    assert document["findings"][0]["command"] == "tuner confirm sound"
