"""What is said of trials that start over at each rung, by the seconds that they took."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.trials import trial
from tuner.records import Trial
from tuner.study import Study, read_study
from tuner.trainables.custom.restarts import restart_advice


def asked(pruner: str = "halving") -> Study:
    return read_study(
        {
            "study": {"name": "s", "objective": "json:loads", "minimize": "valid_loss"},
            "train": {"epochs": 27},
            "parameters": {"x": {"low": 0.0, "high": 1.0}},
            "search": {"pruner": pruner},
        }
    )


def taken(start: float, epoch: float) -> list[Trial]:
    """Trials of which every fourth goes on from a rung, and what each took."""
    found = []
    for number in range(16):
        rung = 2 if number == 0 else 1 if number % 4 == 0 else 0
        steps = sum((3, 9, 27)[: rung + 1])
        made = trial(number, state="complete" if rung == 2 else "pruned", epochs=(3, 9, 27)[rung])
        found.append(replace(made, rung=rung, steps=steps, seconds=start * (rung + 1) + epoch * steps))
    return found


def test_a_start_that_takes_longer_than_the_training_is_said() -> None:
    (said,) = restart_advice(asked(), taken(2.0, 0.01))
    assert said.startswith("a trial took 2.7 s with its restarts, a whole training takes about 2.3 s")
    assert 'pruner = "none"' in said


@pytest.mark.parametrize("pruner", ["halving", "none"])
def test_nothing_is_said_where_cutting_saves_or_nothing_is_cut(pruner: str) -> None:
    assert restart_advice(asked(pruner), taken(0.1, 1.0)) == []
    assert restart_advice(asked("none"), taken(2.0, 0.01)) == []
    assert restart_advice(asked(), taken(2.0, 0.01)[:7]) == []
