"""Update rules: equal to the textbook, to each other where they must be, and able to solve a problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.errors import InvalidInput
from objectives.models import Model
from objectives.optimizers import RULES, Interval, hyperparameters, rule_of, switches
from objectives.problem import constant_loss
from objectives.training.descent import descend
from objectives.training.parameter_groups import Stepper, groups_of, slots_of
from tests.support import textbook
from tests.support.problems import TASKS, Array, Sizes, config, natural, problem, same_bits

STEPS, COORDINATES = 60, 9


def gradients(seed: int = 0) -> Array:
    """Gradients `(60, P)` with scales from 1e-3 to 10; the last coordinate has none."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(STEPS, COORDINATES)) * np.logspace(-3, 1, COORDINATES)
    drawn[:, -1] = 0
    return drawn


def start() -> Array:
    return np.random.default_rng(5).normal(size=COORDINATES)


def path(members: list[dict[str, Any]], drawn: Array, dtype: str = "float64", epochs: int = 1) -> Array:
    """Weights `(60, K, P)` after every update of trials that are given the same gradients, run in `epochs` pieces."""
    steps = len(drawn) // epochs
    weights = np.tile(start().astype(dtype), (1, len(members), 1))
    gradient, slots = np.empty_like(weights), np.zeros((slots_of(members), *weights.shape), dtype)
    steppers = [
        Stepper(group, [(weights.shape[-1], 1)], weights, gradient, slots) for group in groups_of(members, steps)
    ]
    seen = []
    for i, g in enumerate(drawn):
        for stepper in steppers:
            if i % steps == 0:
                stepper.begin(i, steps)
        gradient[...] = g
        for stepper in steppers:
            stepper.step(i % steps)
        seen.append(weights[0].copy())
    return np.stack(seen)


def textbook_path(member: dict[str, Any], drawn: Array) -> Array:
    values = hyperparameters(member)
    lr = values.pop("lr")
    values |= {flag.name: member.get(flag.name, False) for flag in RULES[member["optimizer"]].flags}
    factor = 0.5 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS)) if member["schedule"] == "cosine" else np.ones(STEPS)
    return np.stack(textbook.RULES[member["optimizer"]](start(), list(zip(drawn, lr * factor, strict=True)), **values))


def one(rule: str, **values: Any) -> dict[str, Any]:
    return config(rule, epochs=1, **values)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("eps", [0.1, 1e-8])
def test_a_rule_is_its_textbook_formula(rule, schedule, weight_decay, eps):
    values = {"eps": eps} if "eps" in RULES[rule].names else {}
    member = one(rule, lr=0.03, schedule=schedule, weight_decay=weight_decay, **values)
    drawn = gradients()
    np.testing.assert_allclose(path([member], drawn)[:, 0], textbook_path(member, drawn), rtol=1e-12, atol=1e-14)


OPTIONS = [
    one("rmsprop", centered=True, eps=0.1),
    one("rmsprop", momentum=0.9, lr=1e-3),
    one("rmsprop", momentum=0.5, centered=True, eps=0.1, weight_decay=0.01),
    one("adagrad", initial_accumulator=0.1),
    one("nadam", momentum_decay=1.0),
    one("nadam", momentum_decay=0.0, weight_decay=0.01, eps=1e-4),
    one("nadam", momentum_decay=1e6, beta1=0.0),
]


def named(member: dict[str, Any]) -> str:
    """A config as the name of a test."""
    return "-".join(f"{key}={value}" for key, value in member.items() if key not in ("batch_size", "epochs"))


@pytest.mark.parametrize("member", OPTIONS, ids=named)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_an_option_is_its_textbook_formula(member, schedule):
    member, drawn = {**member, "schedule": schedule}, gradients(2)
    np.testing.assert_allclose(path([member], drawn)[:, 0], textbook_path(member, drawn), rtol=1e-11, atol=1e-13)


def test_an_option_that_is_off_costs_no_pass():
    plain = one("rmsprop")
    assert switches({**plain, "momentum": 0.0, "centered": False, "weight_decay": 0.0}) == ()
    assert switches({**plain, "momentum": 0.1, "centered": True}) == ("centered", "momentum")
    assert [rule_of({**plain, **on}).slots for on in ({}, {"momentum": 0.1}, {"centered": True})] == [1, 2, 2]


def test_trials_with_other_options_keep_their_bits_side_by_side():
    members, drawn = [*OPTIONS, *(one(rule) for rule in RULES)], gradients()
    members.sort(key=lambda member: (member["optimizer"], switches(member)))
    together = path(members, drawn)
    for k, member in enumerate(members):
        assert same_bits(together[:, k], path([member], drawn)[:, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_gradient_leaves_no_negative_variance(dtype):
    constant = np.full((STEPS * 20, COORDINATES), np.pi)
    member = one("rmsprop", centered=True, alpha=0.9, lr=1e-9)
    assert np.isfinite(path([member], constant, dtype, epochs=20)).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("place", [0.0, 0.3, 1.0])
def test_a_rule_is_its_textbook_formula_all_over_its_range(rule, place):
    drawn = gradients(1)
    values = {hyper.name: natural(hyper, place) for hyper in RULES[rule].hypers}
    member = one(rule, schedule="cosine", **values)
    expected = textbook_path(member, drawn)
    np.testing.assert_allclose(path([member], drawn)[:, 0], expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_in_float32_is_the_rule_in_float64(rule):
    drawn, member = gradients(), one(rule, lr=0.01, weight_decay=0.01)
    single, double = path([member], drawn, "float32"), path([member], drawn)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_a_weight_without_gradient_and_decay_does_not_move(rule):
    moved = path([one(rule, lr=0.1, weight_decay=0.0)], gradients())
    assert (moved[:, 0, -1] == start()[-1]).all()


@pytest.mark.parametrize("rule", RULES)
def test_each_trial_of_a_group_has_its_own_hyperparameters(rule):
    drawn = gradients()
    members = [one(rule, **{h.name: natural(h, place) for h in RULES[rule].hypers}) for place in (0.2, 0.5, 0.9)]
    together = path(members, drawn)
    for k, member in enumerate(members):
        assert same_bits(together[:, k], path([member], drawn)[:, 0])


@pytest.mark.parametrize("rule", RULES)
def test_updates_are_counted_through_epochs(rule):
    drawn = gradients()
    whole, pieces = (
        config(rule, lr=0.01, schedule="cosine", epochs=1),
        config(rule, lr=0.01, schedule="cosine", epochs=6),
    )
    np.testing.assert_array_equal(path([whole], drawn), path([pieces], drawn, epochs=6))


places = st.floats(0, 1)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(RULES)),
    st.lists(places, min_size=1, max_size=20),
    st.integers(1, 9),
    st.integers(0, 99),
)
def test_coefficients_have_the_same_bits_for_one_trial_and_many(rule, places, steps, first):
    h = {hyper.name: np.array([natural(hyper, place) for place in places]) for hyper in RULES[rule].hypers}
    row = rule_of({"optimizer": rule})
    t, rates = np.arange(first, first + steps)[:, None] + 1.0, np.ones((steps, 1)) * h["lr"]
    together = row.coefficients(h, rates, t)
    for k in range(len(places)):
        alone = row.coefficients({name: values[k : k + 1] for name, values in h.items()}, rates[:, k : k + 1], t)
        for one_trial, many in zip(alone, together, strict=True):
            assert same_bits(np.ascontiguousarray(one_trial[:, 0]), np.ascontiguousarray(many[:, k]))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (one("momentum", lr=0.05, momentum=0.0), one("sgd", lr=0.05)),
        (one("nesterov", lr=0.05, momentum=1e-300), one("sgd", lr=0.05)),
        (one("momentum", lr=0.05, momentum=0.0, weight_decay=0.1), one("sgd", lr=0.05, weight_decay=0.1)),
        (one("adamw", weight_decay=0.0), one("adam", weight_decay=0.0)),
        (one("nadam", beta1=0.0, lr=0.01), one("adam", beta1=0.0, lr=0.01)),
        (one("adam", beta1=0.0, beta2=0.0, lr=0.01, eps=0.1), one("rmsprop", alpha=0.0, lr=0.01, eps=0.1)),
        # A huge eps drowns the root: what is left is momentum with rate lr (1 - beta1) / eps ...
        (one("rmsprop", lr=1e11, eps=1e13), one("sgd", lr=1e-2)),
        # ... and Adam without its first moment is sgd too.
        (one("adam", beta1=0.0, lr=1e11, eps=1e13), one("sgd", lr=1e-2)),
    ],
    ids=named,
)
def test_a_degenerate_rule_is_the_simpler_rule(left, right):
    drawn = gradients()
    np.testing.assert_allclose(path([left], drawn), path([right], drawn), rtol=1e-11)


def test_first_steps():
    drawn = gradients()
    first = {rule: path([one(rule, lr=0.01, weight_decay=0.0)], drawn)[0, 0] - start() for rule in RULES}
    g = drawn[0]
    moving = g != 0
    np.testing.assert_allclose(first["momentum"], -0.01 * g, atol=1e-15)
    np.testing.assert_allclose(first["nesterov"], -0.01 * 1.9 * g, atol=1e-15)
    np.testing.assert_allclose(first["rmsprop"][moving], -0.1 * np.sign(g[moving]), rtol=1e-3)
    np.testing.assert_allclose(first["adam"][moving], -0.01 * np.sign(g[moving]), rtol=1e-3)


SOLVED = {
    "sgd": {"lr": 0.3},
    "momentum": {"lr": 0.05},
    "nesterov": {"lr": 0.05},
    "adagrad": {"lr": 0.2},
    "rmsprop": {"lr": 0.01},
    "adadelta": {"lr": 3.0},
    "adam": {"lr": 0.02},
    "adamw": {"lr": 0.02},
    "amsgrad": {"lr": 0.02},
    "adamax": {"lr": 0.02},
    "nadam": {"lr": 0.02},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_rule_solves_a_small_problem(rule, task, dtype):
    outputs = {"binary": 1, "multiclass": 3, "regression": 2}[task]
    whole = problem(Sizes(task, outputs, train=120, valid=40, dtype=dtype), Model((8,), "tanh"))
    outcome = descend(whole, [config(rule, batch_size=10, epochs=40, schedule="cosine", **SOLVED[rule])], 40)
    losses = outcome.curves["train_loss"][0, 0]
    assert losses[-1] < 0.2 * constant_loss(whole.data, whole.data.train)
    assert outcome.curves["valid_loss"][0, 0, -1] < 0.5 * constant_loss(whole.data, whole.data.valid)
    assert outcome.state.weights.dtype == np.dtype(dtype)
    assert len(outcome.state.slots) == rule_of({"optimizer": rule}).slots


@pytest.mark.parametrize("row", RULES.values(), ids=lambda row: row.name)
def test_a_row_is_complete(row):
    assert row is RULES[row.name]
    assert row.summary
    assert {"lr", "weight_decay"} <= set(row.names)
    assert len({hyper.role for hyper in row.hypers}) == len(row.hypers)
    for hyper in row.hypers:
        assert row.hyper(hyper.name) is hyper
        assert hyper.scale in ("log", "log1m", "linear")
        assert hyper.low < hyper.high
        assert all(value in hyper.valid for value in (hyper.low, hyper.high, hyper.default))
        if hyper.default:
            assert hyper.low <= hyper.default <= hyper.high


def test_defaults_are_those_of_torch_2_13():
    defaults = {name: {h.name: h.default for h in row.hypers} for name, row in RULES.items()}
    assert defaults["rmsprop"] == {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "weight_decay": 0.0}
    assert defaults["adam"] == {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
    assert defaults["adamw"] == {**defaults["adam"], "weight_decay": 0.01}


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(InvalidInput, match=r"optimizers\.adam: has no 'weight_dcay'; did you mean 'weight_decay'"):
        RULES["adam"].hyper("weight_dcay")
    with pytest.raises(InvalidInput, match="optimizer: 'Adam' is not known; did you mean 'adam'"):
        hyperparameters({"optimizer": "Adam"})


def test_all_values_out_of_range_are_named_at_once():
    with pytest.raises(InvalidInput, match=r"adam\.lr") as caught:
        hyperparameters({"optimizer": "adam", "lr": 0.0, "beta1": 1.0, "beta2": -0.1, "weight_decay": float("nan")})
    assert str(caught.value).splitlines() == [
        "adam.lr: must lie in (0, inf), but got 0.0",
        "adam.beta1: must lie in [0, 1), but got 1.0",
        "adam.beta2: must lie in [0, 1), but got -0.1",
        "adam.weight_decay: must lie in [0, inf), but got nan",
    ]


def test_intervals():
    closed, opened = Interval(0, 1, open_high=False), Interval(0, 1, open_low=True)
    assert [value in closed for value in (-1e-9, 0, 1, 1.1)] == [False, True, True, False]
    assert [value in opened for value in (0, 1e-300, 0.999, 1)] == [False, True, True, False]
    assert [str(closed), str(opened)] == ["[0, 1]", "(0, 1)"]
    assert float("nan") not in closed
    assert float("inf") not in Interval()
