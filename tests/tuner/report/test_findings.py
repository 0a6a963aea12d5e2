"""Findings: planted studies raise theirs, sound ones none; each shows its evidence, and ends with what can be run."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.command import Shell
from tests.support.planted_studies import (
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
from tests.tuner.report.test_page import Elements
from tuner.cli.commands.show import parted
from tuner.cli.program import program
from tuner.ranking.retrainings import report_seeds
from tuner.records import ConfirmationRun, Trial
from tuner.report.charts import CHARTS
from tuner.report.findings import RULES, Finding, findings_of
from tuner.report.page import GROUPS
from tuner.report.report_data import ReportData
from tuner.result import Result
from tuner.study import Imported, read_study

Planted = tuple[list[Trial], list[ConfirmationRun] | None, dict[str, Any], dict[str, str]]


def some(trials: Sequence[Trial], change: Callable[[Trial], Trial], numbers: Sequence[int]) -> list[Trial]:
    return [change(trial) if trial.number in set(numbers) else trial for trial in trials]


def top(count: int) -> list[int]:
    return [trial.number for trial in sorted(sound(), key=lambda t: (t.value, t.number))[:count]]


def plain(trials: list[Trial] | None = None, confirmed: list[ConfirmationRun] | None = None, **study: Any) -> Planted:
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


def overfitted() -> list[Trial]:
    rising = [1.0, 0.5, LEAST, *np.linspace(LEAST, 0.6, 17)]
    falling = list(np.linspace(1, 0.01, 20))
    return some(sound(), lambda t: losses(t, [v + t.number / 1e4 for v in rising], falling, 3), top(5))


def overfitting() -> Planted:
    return plain(overfitted())


DECAYED = {"weight_decay": {"low": 1e-5, "high": 1e-1, "log": True}}


def overfitting_with_decay() -> Planted:
    return plain(overfitted(), optimizers={"momentum": DECAYED, "adam": DECAYED})


def overfitting_linear_with_decay() -> Planted:
    return plain(overfitted(), optimizers={"momentum": DECAYED, "adam": DECAYED}, model={"kind": "linear"})


def uneven() -> Planted:
    return plain([trained(i, LEAST + abs(60 - i) / 100, optimizer="momentum" if i < 48 else "adam") for i in range(64)])


def contained() -> Planted:
    return plain([trained(i, LEAST + abs(60 - i) / 100 + (0.2 if i % 2 else 0.0)) for i in range(64)])


def overfitting_own() -> Planted:
    trials = [replace(t, config={"rate": t.config["lr"], "depth": 3 + t.number % 4}) for t in overfitted()]
    return trials, None, OWN | {"train": {"epochs": 20}}, OWN_FACTS


def better_elsewhere() -> Planted:
    """The confirmed best at a bound, where the search's own is not."""
    trials = some(sound(), lambda t: reconfigured(t, lr=2.9), [59])
    ranked = confirmations(trials, {60: 0.32, 59: 0.31})
    reported = [
        replace(row, replicate=at)
        for row, at in zip(ranked[5:], report_seeds(read_study(changed_study())), strict=True)
    ]
    return plain(trials, [*ranked, *reported])


def stalled() -> list[Trial]:
    return [trained(i, LEAST + abs(10 - i) / 100) for i in range(64)]


def no_gain() -> Planted:
    return plain(stalled())


def no_gain_linear() -> Planted:
    return plain(stalled(), model={"kind": "linear"})


def of_somebody(trials: list[Trial]) -> list[Trial]:
    return [replace(t, config={"rate": t.config["lr"], "depth": 3 + t.number % 4}, curves={}) for t in trials]


OWN_FACTS = {"data": "d", "task": "own", "canary": "c", "processor": "p"}
OWN: dict[str, Any] = {
    "study": {"name": "sound", "trials": 64, "objective": "mine.py:train", "minimize": "valid_loss"},
    "parameters": {"rate": {"low": 1e-4, "high": 1.0, "log": True}, "depth": {"low": 0, "high": 9}},
    "search": {"generation_size": 16},
}


def own(trials: list[Trial], confirmed: list[ConfirmationRun] | None = None, **study: Any) -> Planted:
    return of_somebody(trials), confirmed, OWN | {"study": OWN["study"] | study}, OWN_FACTS


def unread_splits() -> Planted:
    trials, _, tables, facts = own(sound())
    trials = [replace(t, curves={"valid_loss": np.full((4, t.epochs), t.value)} if t.value else {}) for t in trials]
    return trials, None, tables | {"data": {"resampling": "fresh", "splits": 4}}, facts


def read_splits() -> Planted:
    trials, confirmed, tables, facts = unread_splits()
    apart = np.repeat([[0.5], [0.5], [0.5], [0.6]], trials[-1].epochs, axis=1)
    other = replace(trials[-1], curves={"valid_loss": apart})
    return [*trials[:-1], other], confirmed, tables, facts


def on_surface(trials: list[Trial], **optimizers: Any) -> Planted:
    methods = optimizers or {"momentum": {}, "adam": {}}
    about = {"data": {"source": "surface:rosenbrock"}, "optimizers": methods, "train": {"batch_size": [16, 64]}}
    return trials, [], {k: v for k, v in changed_study(**about).items() if k != "confirm"}, FACTS | {"task": "surface"}


def never_learned_on_a_surface() -> Planted:
    trials = [
        replace(reconfigured(t, optimizer="random_weights"), metrics={"valid_loss": 0.5})
        if t.number % 4 == 0
        else replace(t, metrics={"valid_loss": 0.6})
        if t.number % 4 == 2
        else t
        for t in sound()
    ]
    return on_surface(trials, random_weights={}, momentum={}, adam={})


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


LISTED = {"momentum": {"lr": [0.01, 0.1], "momentum": [0.8, 0.9]}, "adam": {"lr": [0.001], "beta1": 0.9}}


def few_of_a_list() -> Planted:
    return plain([trained(i, LEAST + i / 100, lr=0.01) for i in range(4)], study={"trials": 4}, optimizers=LISTED,
                 search={"generation_size": 4})  # fmt: skip


def small_validation() -> Planted:
    """The search's top five within 0.02, a pair of configs within 0.04 by the choice of rows."""
    return plain(confirmed=confirmations(sound(), rows=0.1, spread=0.0))


def small_validation_of_many_rows() -> Planted:
    """As before, of ten times fewer rows than there are: a larger share would do."""
    trials, confirmed, _, facts = small_validation()
    return trials, confirmed, changed_study(data={"split": {"valid": 0.05, "test": 0.2}}), facts


def small_validation_of_accuracy() -> Planted:
    study = changed_study(study={"maximize": "valid_accuracy"})
    trials = [replace(t, value=t.metrics["valid_accuracy"]) for t in sound()]
    return trials, confirmations(sound(), {60: 0.9, 59: 0.8}, rows=0.1, metric="valid_accuracy"), study, dict(FACTS)


def noise_of_retraining() -> Planted:
    """The search's top five within the noise, none of which is by rows: more of them would not help."""
    first, second = confirmations(sound(), {60: LEAST}, spread=0.02), confirmations(sound(), {59: 0.38}, spread=0.001)
    return plain(confirmed=first + second)


def unstable_top() -> Planted:
    return plain(some(sound(), lambda t: replace(t, value=0.1, stable=False), [7]))


def never_learned() -> Planted:
    lazy = [replace(t, value=3.0, metrics=t.metrics | {"valid_loss": 3.0}) if t.number % 2 == 0 else t for t in sound()]
    return plain(lazy)


def small_batches() -> Planted:
    trials = [reconfigured(t, batch_size=32 if t.number > 50 else 256) for t in sound()]
    return plain(trials, train={"batch_size": [32, 64, 256]})


def convex() -> Planted:
    """A linear model whose optimum one method found; the others are above it."""
    trials = []
    for t in sound():
        known = {"optimum": 0.25} if t.number == 60 else {}
        metrics = {**t.metrics, "objective": 0.25 + (60 - t.number) ** 2 / 1e4, **known}
        trials.append(replace(reconfigured(t, model="linear"), metrics=metrics))
    return plain(trials, model={"kind": "linear"})


def diverging_everywhere() -> Planted:
    trials = some(sound(), lambda t: ended(reconfigured(t, lr=0.01), "diverged"), range(0, 50, 2))
    return plain(trials, optimizers={"momentum": {"lr": 0.01}, "adam": {}})


def diverging_whole() -> Planted:
    trials = some(sound(), lambda t: ended(reconfigured(t, lr=0.1), "diverged"), range(0, 64, 2))
    return plain(trials, [], optimizers={"momentum": {"lr": 0.1}, "adam": {}})


def failing_own() -> Planted:
    return own(some(sound(), lambda t: ended(t, "failed", "MemoryError: no"), range(26)))


def three_unstable() -> Planted:
    trials = some(sound(), lambda t: replace(t, value=0.1, stable=False), [7, 9, 11])
    return plain(trials, train={"clip_norm": 1.0})


PLANTED: dict[str, tuple[Callable[[], Planted], str, str, str]] = {
    "best at a bound": (
        at_bound,
        "at_bound",
        "high end of its range (2.9, the range ends at 3)",
        "tuner run sound --name sound-wider --set optimizers.momentum.lr.high=30",
    ),
    "confirmed best at a bound": (better_elsewhere, "at_bound", "The best trial (59) has lr of adam at the high", ""),
    "three of the top at a bound": (
        three_at_bound,
        "at_bound",
        "3 of the top 5 trials have lr of adam at the low end of its range",
        "",
    ),
    "two in five diverged": (
        diverging,
        "diverging",
        "39 % of the trials diverged (25 of 64), most with momentum and lr above 1",
        "tuner run sound --name sound-calmer --set optimizers.momentum.lr.high=1",
    ),
    "diverged at every rate": (
        diverging_everywhere,
        "diverging",
        "most with momentum. Clipping gradients may",
        "tuner run sound --name sound-clipped --set train.clip_norm=1.0",
    ),
    "all of an optimizer diverged": (
        diverging_whole,
        "diverging",
        "50 % of the trials diverged (32 of 64), most with momentum. Search smaller learning rates.",
        "tuner run sound --name sound-slower --set 'optimizers.momentum.lr={low = 0.0001, high = 0.1}'",
    ),
    "two in five failed": (failing, "diverging", "41 % of the trials failed (26 of 64)", "tuner show sound/0"),
    "an objective failed": (failing_own, "diverging", "trials failed (26 of 64). Look at", "tuner show sound/0"),
    "still improving": (
        still_improving,
        "still_improving",
        "5 of the top 5 trials were still improving",
        "tuner run sound --name sound-longer --set train.epochs=40",
    ),
    "overfitting": (
        overfitting,
        "overfitting",
        "5 of the top 5 trials overfit",
        "tuner run sound --name sound-decayed --set 'optimizers.momentum.weight_decay={low = 1e-5, high = 1e-1}'",
    ),
    "overfitting in spite of decay": (
        overfitting_with_decay,
        "overfitting",
        "dropout may let them train on",
        "tuner run sound --name sound-dropped --set 'model.dropout=[0.0, 0.2, 0.5]'",
    ),
    "overfitting without layers": (
        overfitting_linear_with_decay,
        "overfitting",
        "patience ends a trial soon after it",
        "tuner run sound --name sound-patient --set train.patience=5",
    ),
    "overfitting of an objective": (
        overfitting_own,
        "overfitting",
        "a shorter training ends nearer to it",
        "tuner run sound --name sound-shorter --set train.epochs=3",
    ),
    "unequal budgets": (
        uneven,
        "uneven",
        "momentum had 48 trials and adam 16, as the sampler followed",
        "tuner run sound --name sound-equal --set search.allocation=equal",
    ),
    "worse than what it contains": (
        contained,
        "contained",
        "although adam can take the steps of momentum",
        "tuner run sound --name sound-equal -n 128 --set search.allocation=equal",
    ),
    "plateau": (
        no_gain,
        "no_gain",
        "No gain since trial 10: 53 trials",
        "tuner run sound --name sound-larger --set 'model.hidden=[128]'",
    ),
    "plateau of a linear model": (
        no_gain_linear,
        "no_gain",
        "a network, other ranges or more data may",
        "tuner run sound --name sound-larger --set model.kind=mlp",
    ),
    "plateau of an objective": (
        lambda: own(stalled()),
        "no_gain",
        "other parameters, other ranges or another seed may",
        "tuner run sound --name sound-reseeded --set study.seed=1",
    ),
    "plateau of a surface": (
        lambda: on_surface(stalled()),
        "no_gain",
        "other methods, other ranges or another seed may",
        "tuner run sound --name sound-reseeded --set study.seed=1",
    ),
    "not confirmed": (unconfirmed, "unconfirmed", "the very split and seed that chose it", "tuner confirm sound"),
    "objective not confirmed": (
        lambda: own(sound(), []),
        "unconfirmed",
        "measured on the very seed that chose it",
        "tuner confirm sound",
    ),
    "splits that are not looked at": (
        unread_splits,
        "unread",
        "the same valid_loss on each, to the last bit",
        "tuner run sound --name sound-one-split --set data.resampling=holdout --set data.splits=1",
    ),
    "not confirmed yet": (lambda: plain(sound()[:32], []), "unconfirmed", "not confirmed", "tuner run sound"),
    "optimistic": (
        optimistic,
        "optimistic",
        "trial 60, had 0.3 there and 0.5 on 5 fresh seeds",
        "tuner best sound",
    ),
    "tied top": (
        tied,
        "inseparable",
        "5 seeds do not separate the best, trial 60 (best with probability",
        "tuner confirm sound --seeds 20",
    ),
    "few trials": (few_trials, "few_trials", "20 trials are few for 3 searched parameters", "tuner run sound -n 30"),
    "few of a list": (few_of_a_list, "few_trials", "5 are all that there are", "tuner run sound -n 5"),
    "few of many rows": (
        small_validation_of_many_rows,
        "small_validation",
        "The validation set of 400 rows",
        "tuner run sound --name sound-more-rows --set data.split.valid=0.42",
    ),
    "few rows of an accuracy": (small_validation_of_accuracy, "small_validation", "they lie 0.006667 apart", ""),
    "unstable": (
        unstable_top,
        "unstable_top",
        "1 unstable trial has a better best epoch than the winner (7)",
        "tuner run sound --name sound-clipped --set train.clip_norm=1.0",
    ),
    "unstable though clipped": (three_unstable, "unstable_top", "(7, 9, 11)", "tuner show sound/7"),
    "no better than a constant": (
        never_learned,
        "never_learned",
        "momentum never beat a constant prediction (validation loss 2.3)",
        "tuner run sound --name sound-wider --set optimizers.momentum.lr.low=1e-05"
        " --set optimizers.momentum.lr.high=30",
    ),
    "no better than points at random": (
        never_learned_on_a_surface,
        "never_learned",
        "momentum never beat points drawn at random (value 0.5)",
        "",
    ),
    "small batches": (
        small_batches,
        "small_batches",
        "which took 8 times the updates of the largest",
        "tuner run sound --name sound-steps --set train.batch_size=256 --set train.epochs=160",
    ),
    "known optimum": (
        convex,
        "distance",
        "it is convex. The best of each optimizer is above it by: momentum 0, adam 0.0001.",
        "tuner compare sound --by optimizer",
    ),
}


def planted(home: Path, make: Callable[[], Planted]) -> Result:
    trials, confirmed, study, facts = make()
    return written(home, trials, confirmed, study, facts)


@pytest.mark.parametrize(("make", "rule", "words", "command"), PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_found(
    make: Callable[[], Planted], rule: str, words: str, command: str, tmp_path: Path
) -> None:
    result = planted(tmp_path, make)
    found = {finding.rule: finding for finding in result.findings()}
    assert rule in found
    assert words in found[rule].sentence
    assert command in ("", found[rule].command)
    check(list(found.values()), result)


def test_a_range_is_widened_before_its_best_value_is_confirmed(tmp_path: Path) -> None:
    def at_the_end() -> Planted:
        return own(some(sound(), lambda t: reconfigured(t, lr=0.99), top(5)), [])

    found = [finding.rule for finding in planted(tmp_path, at_the_end).findings()]
    assert found[:2] == ["at_bound", "unconfirmed"]


def trials_of_accuracy() -> Planted:
    trials = [replace(t, value=t.metrics["valid_accuracy"]) for t in sound()]
    fresh = confirmations(sound(), {60: 0.9, 59: 0.8}, rows=0.01, metric="valid_accuracy")
    return trials, fresh, changed_study(study={"maximize": "valid_accuracy"}), dict(FACTS)


def noisy() -> Planted:
    """An optimizer behind one it contains, by less than what chance makes."""
    trials = [trained(i, LEAST + abs(60 - i) / 100 + (0.02 if i % 2 else 0.0)) for i in range(64)]
    first, second = confirmations(trials, {60: LEAST}, spread=0.03), confirmations(trials, {58: 0.5}, spread=0.001)
    return plain(trials, first + second)


def whole_grid() -> Planted:
    only = {"momentum": {"lr": [0.001, 0.01, 0.1, 0.3]}, "adam": {"lr": [0.001, 0.01]}}
    trials = [trained(i, LEAST + i / 50, lr=0.01, optimizer="momentum" if i < 4 else "adam") for i in range(6)]
    return plain(trials, study={"trials": 6}, optimizers=only, search={"sampler": "grid", "generation_size": 6})


def at_its_minimum() -> Planted:
    trials = [replace(t, value=(t.number - 10) * 1e-9 if t.number in (10, 11) else t.value) for t in stalled()]
    return on_surface(trials)


SOUND: dict[str, tuple[Callable[[], Planted], set[str]]] = {
    "sound": (plain, set()),
    "accuracy": (trials_of_accuracy, set()),
    "own objective": (lambda: own(sound()), set()),
    "splits that differ for one trial": (read_splits, set()),
    "noise that more rows would not lessen": (noise_of_retraining, set()),
    "behind by chance": (noisy, set()),
    "a grid, all of it": (whole_grid, set()),
    "surface": (lambda: on_surface(sound()), {"distance"}),
    "surface whose minimum is found": (at_its_minimum, {"distance"}),
}


@pytest.mark.parametrize(("make", "told"), SOUND.values(), ids=SOUND)
def test_a_sound_study_gives_nothing_to_find(make: Callable[[], Planted], told: set[str], tmp_path: Path) -> None:
    """Where the optimum is known, how far each is from it is told of any study."""
    assert {finding.rule for finding in planted(tmp_path, make).findings()} == told


def test_every_rule_is_planted() -> None:
    assert {rule for _, rule, _, _ in PLANTED.values()} == set(RULES) - {"baseline"}


def test_a_baseline_that_is_better_than_the_network_is_named_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = planted(tmp_path, plain)
    assert "baseline" not in {finding.rule for finding in result.findings()}
    losses = {"constant": 1.0, "Ridge": 0.3, "HistGradientBoosting": 0.2}
    facts = {
        "metrics": {"test_loss": {"ensemble": {"value": 0.4}}},
        "baselines": {name: {"test_loss": {"value": loss}} for name, loss in losses.items()},
    }
    monkeypatch.setattr(Result, "model_facts", facts)
    first = result.findings()[0]
    assert "HistGradientBoosting at scikit-learn's defaults has a test_loss of 0.2, the refitted model one of 0.4" in (
        first.sentence
    )
    assert first.numbers == {"network": 0.4, "Ridge": 0.3, "HistGradientBoosting": 0.2}


def check(found: Sequence[Finding], result: Result) -> None:
    """Each has its numbers, its evidence in the page, and a command that the study takes."""
    frames = ReportData(result)
    for finding in found:
        assert finding.numbers
        chart = {"confirmation": "optimizers"}.get(finding.anchor, finding.anchor.partition("-")[0])
        shown = SECTIONS if finding.anchor in SECTIONS else {figure.name for figure in CHARTS[chart](frames)}
        assert finding.anchor in shown
        check_command(finding.command, result)


SECTIONS = {"best", "ranking", "section-time"}


def check_command(command: str, result: Result) -> None:
    """Its words are a command's, and its settings are settings of the study."""
    study = result.directory.study
    name, verb, *rest = shlex.split(command)
    assert (name, verb in program.commands) == ("tuner", True)
    settings = [rest[i + 1] for i, word in enumerate(rest) if word == "--set"]
    read_study(study, overrides=tuple(settings), needs_data=False)
    # a command alone would keep a help option without the program's `-h`
    given = program.commands[verb].make_context(verb, rest, parent=program.make_context("tuner", [verb, *rest])).params
    asked = given["studies"][0] if verb == "compare" else given["study"]
    named, number = parted(asked, result.path.parent.parent)
    assert named == result.study.name
    assert number is None or result.trial(number)
    assert verb in ("run", "confirm", "top", "best", "show", "compare")


def test_the_page_shows_what_its_findings_point_at(tmp_path: Path) -> None:
    trials, _, study, facts = diverging()
    result = planted(tmp_path, lambda: (trials, [], study, facts))
    page = Elements(result.report().read_text(encoding="utf-8"))
    anchors = [own["href"] for tag, own in page.tags if tag == "a"]
    assert {f"#{finding.anchor}" for finding in result.findings()} <= set(anchors)
    assert {str(anchor)[1:] for anchor in anchors} <= set(page.ids)
    assert {"best", "ranking", *(f"section-{name}" for name in GROUPS if name not in ("course", "importance"))} <= set(
        page.ids
    )


@pytest.mark.parametrize("rule", ["unconfirmed", "few_trials", "still_improving"])
def test_commands_for_data_that_were_given_in_python_are_calls(rule: str, tmp_path: Path) -> None:
    falling = list(np.linspace(2, LEAST, 20))
    trials = [losses(replace(t, number=i), falling, falling, 20) for i, t in enumerate(sound()[44:])]
    study = {k: v for k, v in changed_study(study={"trials": 20}).items() if k != "data"}
    result = planted(tmp_path, lambda: (trials, [], study, dict(FACTS)))
    found = {finding.rule: finding for finding in result.findings()}
    (statement,) = ast.parse(found[rule].command).body
    assert isinstance(statement, ast.Expr)
    call = statement.value
    assert isinstance(call, ast.Call)
    function = {"tuner.run": tuner.run, "tuner.confirm": tuner.confirm}[ast.unparse(call.func)]
    options = {str(word.arg): word.value for word in call.keywords}
    inspect.signature(function).bind(*call.args, **options)
    assert ast.unparse(options["data"]) == "(X, y)"


def test_a_study_of_another_tool_can_be_looked_at_alone(tmp_path: Path) -> None:
    result = planted(tmp_path, lambda: plain(some(stalled(), lambda t: ended(t, "diverged"), range(20, 40))))
    frames = ReportData(Foreign(result))
    for finding in findings_of(frames):
        assert shlex.split(finding.command)[1] in ("top", "show", "compare", "best")


class Foreign:
    """A result as if another tool had run it."""

    def __init__(self, inner: Result) -> None:
        self._inner = inner
        columns = {"optimizer": ("momentum", "adam"), "lr": "float64"}
        self.study = replace(inner.study, imported=Imported("optuna", "theirs", columns))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_show_ends_with_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    planted(tmp_path, unconfirmed)
    shell = Shell(capsys)
    assert (
        "\nfindings\n  1. The best value, 0.3, was measured on the very split"
        in shell("show", "sound", "--home", tmp_path).out
    )
    document = json.loads(shell("show", "sound", "--home", tmp_path, "-f", "json").out)
    assert [finding["rule"] for finding in document["findings"]] == ["unconfirmed"]
    assert document["findings"][0]["command"] == "tuner confirm sound"
    assert document["findings"][0]["anchor"] == "best"


def test_each_next_step_is_told_once_with_what_it_costs_and_may_gain(tmp_path: Path) -> None:
    found = planted(tmp_path, small_validation).findings()
    assert [finding.command for finding in found] == ["tuner confirm sound --seeds 20"]
    assert re.fullmatch(r"cost: about \S+ (s|min) of training; gain: intervals that are \d+ % narrower", found[0].worth)


def test_a_step_that_only_looks_trains_nothing(tmp_path: Path) -> None:
    (finding,) = planted(tmp_path, convex).findings()
    assert finding.worth.startswith("cost: no training; gain: ")


def test_seeds_that_would_narrow_an_interval_by_next_to_nothing_are_not_advised(tmp_path: Path) -> None:
    """Splits that share most of their rows: more of them hardly tell more."""
    trials, rows, study, facts = small_validation()
    many = changed_study(**{**study, "data": {"split": {"valid": 0.4, "test": 0.4}, "splits": 8}})
    result = planted(tmp_path, lambda: (trials, rows, many, facts))
    assert not {"inseparable", "small_validation"} & {finding.rule for finding in result.findings()}


@pytest.mark.parametrize(("count", "told"), [(15, True), (25, False)])
def test_a_few_more_trials_are_not_advised(tmp_path: Path, count: int, told: bool) -> None:
    """Three parameters want 30 trials: from half as many again on they are worth a word."""
    result = planted(tmp_path, lambda: plain(sound()[:count], study={"trials": count}, search={"generation_size": 5}))
    assert ("few_trials" in {finding.rule for finding in result.findings()}) == told
