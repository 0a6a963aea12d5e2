"""`tuner explain`: everything that a row says, and what learners mix up kept apart."""

from __future__ import annotations

import pytest

from objectives.hyperparameter import ASKED
from objectives.optimizers import FRAMEWORKS, OPTIMIZERS, Optimizer
from tests.support.command import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.mark.parametrize("row", OPTIMIZERS.values(), ids=lambda row: row.name)
def test_a_page_says_all_that_its_row_says(row: Optimizer, shell: Shell) -> None:
    ended = shell("explain", row.name)
    words = " ".join(ended.out.split())
    assert ended.code == 0
    assert row.summary in words
    assert all(part in words for part in row.formula.split("; "))
    assert row.use in words
    for hyper in row.hypers:
        assert hyper.meaning
        assert f"{hyper.name} {hyper.meaning} default {hyper.default:g}" in words
        assert ("only where a study asks for it" in words) or hyper.tier < ASKED
    for flag in row.flags:
        assert f"{flag.name} {flag.summary}" in words
    assert row.whole == ("an epoch is one iteration" in words)
    if not row.whole:
        lines = ended.out[ended.out.index("\nframeworks\n") :]
        missing = {name for name in FRAMEWORKS if f"{name} has no {row.name}" in " ".join(lines.split())}
        assert missing == set(FRAMEWORKS) - set(row.frameworks)


def test_what_learners_mix_up_is_kept_apart(shell: Shell) -> None:
    assert "searches over weights" in shell("explain", "random_weights").out
    assert "[search] searches over hyperparameters" in " ".join(shell("explain", "random_weights").out.split())
    newton = " ".join(shell("explain", "newton").out.split())
    assert "Following the analytic gradient uses the gradient alone" in newton


def test_the_list_has_everybody(shell: Shell) -> None:
    ended = shell("explain")
    assert all(f"  {row.name} " in ended.out and row.summary in ended.out for row in OPTIMIZERS.values())


def test_an_unknown_method_is_answered_with_the_nearest(shell: Shell) -> None:
    ended = shell("explain", "nestrov")
    assert (ended.code, ended.out) == (2, "")
    assert "no optimizer 'nestrov'; did you mean 'nesterov'?" in ended.err
