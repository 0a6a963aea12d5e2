"""Proposals are pure functions of seed, generation and history; rungs and cuts do what they say."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.optimizers import RULES
from tests.support.trials import trial
from tuner.algorithms.points import even
from tuner.algorithms.pruners import survivors
from tuner.records import Stage, Trial, at
from tuner.search import BEST_MODELLED, LAG, MODELLED, amounts, bars, observed, propose, rungs
from tuner.search.history import estimated, populations
from tuner.space import Space, space_of
from tuner.study import Study, read_study


def study(**search: Any) -> Study:
    tables: dict[str, Any] = {
        "study": {"name": "s", "trials": 64},
        "data": {"source": "sklearn:iris"},
        "train": {"epochs": 27, "schedule": search.pop("schedule", "constant")},
        "optimizers": {"momentum": {}, "adam": {}, "rmsprop": {}},
        "search": search,
    }
    return read_study(tables)


def finished(asked: Study, space: Space, generations: int, size: int = 16) -> list[Trial]:
    """Trials of some generations: every fourth reaches the last rung, values follow the latents."""
    trials: list[Trial] = []
    for g in range(generations):
        for i, latents in enumerate(propose(asked, space, g, len(trials), size, trials)):
            epochs = 27 if i % 4 == 0 else 2
            value = 0.1 + abs(float(latents["lr"]) - 0.6)
            trials.append(trial(g * size + i, generation=g, epochs=epochs, curve=[value] * epochs, latents=latents))
    return trials


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_proposals_depend_on_seed_generation_and_old_history_alone(sampler: str) -> None:
    asked = study(sampler=sampler)
    space = space_of(asked)
    history = finished(asked, space, 4)
    again = propose(asked, space, 4, 64, 16, history)
    assert propose(asked, space, 4, 64, 16, history) == again
    recent = [t for t in history if t.generation >= 4 - LAG]
    changed = [
        trial(t.number, generation=t.generation, curve=[9.0] * 27, epochs=27, latents=dict(t.latents)) for t in recent
    ]
    assert propose(asked, space, 4, 64, 16, [t for t in history if t.generation < 4 - LAG] + changed) == again
    assert propose(asked, space, 5, 80, 16, history) != again


def test_the_first_trials_are_the_optimizers_defaults() -> None:
    asked = study()
    space = space_of(asked)
    configs = [space.config(latents) for latents in propose(asked, space, 0, 0, 8, [])]
    assert [c["optimizer"] for c in configs[:3]] == list(space.optimizers)
    assert [c["lr"] for c in configs[:3]] == pytest.approx([0.01, 0.01, 0.001])
    assert len({c["optimizer"] for c in configs[3:6]}) == 3


def test_a_default_that_was_given_is_not_tried_again() -> None:
    asked = study(enqueue=[{"optimizer": "adam"}])
    space = space_of(asked)
    configs = [space.config(latents) for latents in propose(asked, space, 0, 0, 12, [])]
    assert [c["optimizer"] for c in configs[:3]] == ["adam", "momentum", "rmsprop"]
    assert len({repr(c) for c in configs}) == 12


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(0, 200), st.integers(0, 2**63 - 1))
def test_each_optimizer_has_an_even_spread_of_its_own(optimizers: int, first: int, seed: int) -> None:
    names = list(RULES)[:optimizers]
    asked = read_study(study().to_table() | {"optimizers": {name: {} for name in names}})
    space = space_of(asked)
    points = [even(space.latents, seed, i) for i in range(first * optimizers, (first + 16) * optimizers)]
    for k in range(optimizers):
        own = points[k::optimizers]
        assert len({point.get("optimizer") for point in own}) == 1
        for latent in (latent.name for latent in space.latents if latent.kind == "float"):
            at = np.sort([float(point[latent]) for point in own])
            assert np.diff([*at, at[0] + 1]).max() < 0.31


@given(u=st.floats(0, 1, exclude_max=True))
def test_a_point_of_the_cube_is_a_config(u: float) -> None:
    space = space_of(study())
    assert space.config(at(space.latents, [u] * len(space.latents)))["optimizer"] in space.optimizers


@given(st.integers(1, 500), st.integers(2, 6), st.sampled_from(["constant", "cosine"]))
def test_rungs_rise_to_the_full_length(epochs: int, reduction: int, schedule: str) -> None:
    asked = study(reduction=reduction, schedule=schedule)
    asked = read_study(asked.to_table() | {"train": {"epochs": epochs, "schedule": schedule}})
    steps = amounts(asked)
    assert steps[-1] == epochs
    assert list(steps) == sorted(set(steps))
    if len(steps) > 1:
        assert steps[0] >= (2 if schedule == "constant" else epochs / 10)


def test_rungs_of_the_default_study() -> None:
    assert amounts(study()) == (3, 9, 27)
    assert amounts(study(schedule="cosine")) == (3, 9, 27)
    assert amounts(study(schedule=["constant", "one_cycle"])) == (9, 27)
    assert amounts(study(rungs=[5, 20])) == (5, 20, 27)
    assert rungs(study(pruner="none")) == (Stage(27),)
    assert rungs(study()) == (Stage(3), Stage(9), Stage(27))


@pytest.mark.parametrize(
    ("splits", "search", "expected"),
    [
        (16, {}, [(3, 1), (9, 2), (27, 4), (27, 16)]),
        (8, {}, [(3, 1), (9, 2), (27, 4), (27, 8)]),
        (4, {}, [(3, 1), (9, 1), (27, 2), (27, 4)]),
        (2, {}, [(3, 1), (9, 1), (27, 1), (27, 2)]),
        (16, {"pruner": "none"}, [(27, 16)]),
        (16, {"rungs": [5]}, [(5, 2), (27, 4), (27, 16)]),
        (3, {}, [(3, 1), (9, 1), (27, 1), (27, 3)]),
    ],
)
def test_rungs_say_how_many_epochs_on_how_many_splits(splits: int, search: Any, expected: Any) -> None:
    asked = read_study(study(**search).to_table() | {"data": {"source": "sklearn:iris", "splits": splits}})
    assert rungs(asked) == tuple(Stage(*pair) for pair in expected)


def test_no_rung_is_within_the_warmup() -> None:
    def asked(**train: Any) -> tuple[int, ...]:
        return amounts(read_study(study().to_table() | {"train": {"epochs": 27, **train}}))

    assert asked(warmup=0.05) == (3, 9, 27)
    assert asked(warmup=0.15) == (9, 27)
    assert asked(warmup=[0.0, 0.25], schedule="cosine") == (9, 27)
    assert asked(warmup=0.3) == (9, 27)
    assert asked(warmup=0.4) == (27,)


@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.inf)), min_size=1, max_size=60), st.integers(1, 8))
def test_survivors_are_the_best_part(values: list[float], reduction: int) -> None:
    going = survivors(values, [True] * len(values), reduction)
    finite = sum(map(math.isfinite, values))
    assert len(going) == min(finite, math.ceil(len(values) / reduction))
    assert all(math.isfinite(values[i]) for i in going)
    out = [values[i] for i in range(len(values)) if i not in going]
    assert not going or not out or max(values[i] for i in going) <= min(out)


def test_unstable_trials_go_on_last() -> None:
    assert survivors([0.1, 0.2, 0.3, 0.4], [False, True, True, True], 2) == [1, 2]
    assert survivors([0.1, 0.2, math.inf, 0.4], [False, False, True, True], 2) == [0, 3]


def test_an_unstable_trial_teaches_where_not_to_go() -> None:
    trials = [trial(i, curve=[0.5] * 27, epochs=27) for i in range(8)]
    spike = trial(8, curve=[0.01] + [5e3] * 26, epochs=27, stable=False)
    assert [o.value for o in observed(study(), [*trials, spike])] == [0.5] * 8 + [math.inf]


def test_a_model_is_given_the_best_and_the_latest() -> None:
    trials = [trial(i, curve=[1.0 + i] * 27, epochs=27, latents={"i": i}) for i in range(1000)]
    given = [int(o.latents["i"]) for o in observed(study(), trials)]
    assert given == [*range(BEST_MODELLED), *range(1000 - MODELLED + BEST_MODELLED, 1000)]


def test_the_model_sees_the_highest_rung_with_enough_trials() -> None:
    asked = study()
    low = [trial(i, curve=[1.0, 0.6, 0.5], epochs=3) for i in range(20)]
    high = [trial(20 + i, curve=[1.0] * 26 + [0.1], epochs=27) for i in range(8)]
    blown = [trial(40, state="diverged", value=None, epochs=3)]
    assert {o.value for o in observed(asked, low + blown)} == {0.5, math.inf}
    assert {o.value for o in observed(asked, low + high[:7])} == {0.5, 1.0}  # all 27 stand at epoch 3
    told = sorted(o.value for o in observed(asked, low + high + blown))
    assert (told[:8], told[-1]) == ([0.1] * 8, math.inf)
    assert all(0.1 < value < math.inf for value in told[8:-1])  # those that ended before it are behind
    assert len(told) == 29
    assert observed(asked, low[:7]) == []


def test_pruned_trials_are_told_as_worse_than_all_that_went_on() -> None:
    asked = study()
    first = [replace(trial(i, state="pruned", curve=[0.01 * i + 0.05] * 3, epochs=3), rung=0) for i in range(6)]
    second = [replace(trial(6 + i, state="pruned", curve=[0.9 - 0.01 * i] * 9, epochs=9), rung=1) for i in range(4)]
    whole = [replace(trial(10 + i, curve=[0.5 + 0.01 * i] * 27, epochs=27), rung=2) for i in range(8)]
    timed_out = replace(trial(18, state="failed", value=None, epochs=0), error="TimedOut: 5 s")
    broken = replace(trial(19, state="failed", value=None, epochs=0), error="ValueError: no")
    told = [o.value for o in observed(asked, [*first, *second, *whole, timed_out, broken])]
    assert len(told) == 19  # the one that failed by its code teaches nothing
    early, middle, late = told[:6], told[6:10], told[10:18]
    assert late == pytest.approx([0.5 + 0.01 * i for i in range(8)])
    assert max(late) < min(middle) <= max(middle) < min(early)
    assert (middle, early) == (sorted(middle, reverse=True), sorted(early))
    assert told[18] == math.inf


def test_the_model_goes_where_it_was_good() -> None:
    near = 0
    for seed in range(10):
        tables = study(random_share=0.0).to_table() | {"study": {"name": "s", "trials": 64, "seed": seed}}
        asked = read_study(tables)
        space = space_of(asked)
        history = finished(asked, space, 3, size=32)
        proposed = propose(asked, space, 4, 96, 16, history)
        near += sum(abs(float(latents["lr"]) - 0.6) < 0.25 for latents in proposed)
    # of 160; at random, half of them would lie so near, give or take 6
    assert near >= 130, near


def test_medians_are_of_an_optimizer_where_each_has_its_own_budget() -> None:
    rival = {"momentum": 0.1, "adam": 5.0}
    history = [
        trial(i, generation=i // 16, epochs=27, curve=[rival[name]] * 27, optimizer=name)
        for i, name in enumerate(["momentum", "adam"] * 16)
    ]
    best = bars(study(pruner="median"), 3, history)
    assert best["", 0] == pytest.approx((0.1 + 5.0) / 2)
    equal = bars(study(pruner="median", allocation="equal"), 3, history)
    assert (equal["momentum", 0], equal["adam", 0]) == (0.1, 5.0)
    assert bars(study(pruner="halving"), 3, history) == {}
    assert bars(study(pruner="median"), 1, history) == {}  # generation 0 may still train


def test_populations_hold_every_trial_whatever_its_generation() -> None:
    """A short first generation, or shares of four and three, must not stop evolution from learning."""
    asked = study()
    sizes = [5, 10, 10, 4, 10]
    trials = [
        trial(i, generation=g, epochs=27, curve=[float((7 * i) % 11)] * 27)
        for i, g in enumerate(g for g, size in enumerate(sizes) for _ in range(size))
    ]
    found = populations(asked, trials, 7)
    assert [len(each) for each in found] == [10, 10, 10]  # 9 wait for one more
    assert [sorted(t.number for t in each) for each in found] == [list(range(i, i + 10)) for i in (0, 10, 20)]
    for each in found:
        assert [t.value for t in each] == sorted(t.value for t in each if t.value is not None)
    assert [len(each) for each in populations(asked, trials[:5], 7)] == []
    assert [len(each) for each in populations(asked, trials[:5], 4)] == [5]
    assert populations(asked, [], 4) == []


@pytest.mark.parametrize("epochs", [20, 27, 81, 100])
@pytest.mark.parametrize("warmup", [0.01, 0.1, 0.11, 0.33, 1 / 3, 0.5])
def test_a_rung_lies_behind_the_last_epoch_of_a_warmup(epochs: int, warmup: float) -> None:
    tables = study().to_table()
    steps = amounts(read_study(tables | {"train": {"epochs": epochs, "warmup": warmup}}))
    assert steps[-1] == epochs
    assert all(step > warmup * epochs for step in steps[:-1])  # at one that is still in it, the rate rises yet


def test_a_rung_that_ends_with_the_warmup_is_left_out() -> None:
    tables = study().to_table()
    assert amounts(read_study(tables | {"train": {"epochs": 27, "warmup": 0.332}})) == (9, 27)  # it ends in epoch 9
    assert amounts(read_study(tables | {"train": {"epochs": 27, "warmup": 0.334}})) == (27,)  # and here behind it


def stopped(number: int, rung: int, value: float) -> Trial:
    """A trial that was cut at a rung of the default study, whose curve lies a rung's tenth above where it ends."""
    epochs = (3, 9, 27)[rung]
    curve = [value + 0.2] * 3 + [value + 0.1] * 6 + [value] * 18
    return replace(
        trial(number, state="complete" if rung == 2 else "pruned", curve=curve[:epochs], epochs=epochs), rung=rung
    )


def test_pruned_trials_are_carried_to_the_end() -> None:
    asked = study(sampler="auto")
    ends = [(0, 0.9), (0, 0.7), (1, 0.5), (1, 0.55), (2, 0.3), (2, 0.35), (2, 0.4), (2, 0.2)]
    trials = [stopped(i, rung, value) for i, (rung, value) in enumerate(ends)]
    told = estimated(asked, trials)
    assert [one.value for one in told] == pytest.approx([value for _, value in ends])
    assert max(one.noise for one in told) < 1e-9  # all on one line: nothing is unsure
    assert estimated(asked, trials[:-3]) == []  # too few have come to the end


def test_what_early_values_do_not_tell_is_unsure() -> None:
    asked = study(sampler="auto")
    rng = np.random.default_rng(0)
    whole = [stopped(i, 2, value) for i, value in enumerate(rng.random(12))]
    for one in whole:
        one.curves["valid_loss"][:, :3] += rng.random()
    told = estimated(asked, [*whole, stopped(12, 0, 0.5), stopped(13, 1, 0.5)])
    assert [one.noise for one in told[:12]] == [0.0] * 12
    assert told[12].noise > 0.01 > told[13].noise
    broken = replace(trial(14, state="failed", value=None, epochs=0), error="ValueError: no")
    slow = replace(trial(15, state="failed", value=None, epochs=0), error="TimedOut: 5 s")
    blown = trial(16, state="diverged", value=None, epochs=3)
    assert [one.value for one in estimated(asked, [*whole, broken, slow, blown])[12:]] == [math.inf, math.inf]


def test_trials_of_another_study_stand_where_their_epochs_say() -> None:
    """They have no rung of this study's: those that trained in full count as that."""
    asked = study(sampler="auto")
    trials = [replace(stopped(i, 2, 0.1 * i), generation=-1, rung=0) for i in range(8)]
    assert [one.value for one in estimated(asked, trials)] == pytest.approx([0.1 * i for i in range(8)])
