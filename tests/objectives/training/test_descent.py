"""`descend` is a pure function: a trial's bits depend on its config and its replicate alone."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from objectives.errors import InvalidInput
from objectives.losses import huber
from objectives.models import Model
from objectives.optimizers import RULES, rule_of
from objectives.problem import Problem, Replicate
from objectives.training import minibatches
from objectives.training.descent import Outcome, State, descend
from objectives.training.minibatches import Minibatches
from objectives.training.outcome import LARGEST
from objectives.training.parameter_groups import kind_of
from tests.support.problems import (
    Array,
    Sizes,
    config,
    fitting,
    one_replicate,
    packs,
    prepared,
    problem,
    problems,
    same_bits,
)

quick = settings(max_examples=60, deadline=None)
blocks = st.sampled_from((1, 2000, minibatches.BLOCK_BYTES))  # bytes: one step, a few, a whole epoch
CURVES = ("train_loss", "valid_loss", "valid_accuracy", "valid_r2", "valid_rmse")
MARKS = ("best", "since", "stopped", "trained", *(f"last {name}" for name in CURVES))
HOPELESS = config("sgd", lr=1e12)


def trial(outcome: Outcome, k: int, member: dict, r: int | slice = slice(None)) -> dict[str, Array]:
    """All that belongs to trial `k` in replicate `r`."""
    state = outcome.state
    slots = {f"slot {s}": state.slots[s, r, k] for s in range(rule_of(member).slots)}
    curves = {name: curve[r, k] for name, curve in outcome.curves.items()}
    marks = {f"mark {name}": mark_of(state, name)[r, k] for name in MARKS}
    return {"weights": state.weights[r, k], "alive": state.alive[r, k], **slots, **curves, **marks}


def mark_of(state: State, name: str) -> Array:
    """A mark `(R, K)`, zeros where the state has none."""
    return state.marks.get(name, np.zeros(state.alive.shape))


def assert_same_states(left: State, right: State) -> None:
    assert left.epoch == right.epoch
    for name in ("weights", "slots", "alive"):
        assert same_bits(getattr(left, name), getattr(right, name))
    for name in MARKS:
        assert same_bits(mark_of(left, name), mark_of(right, name))


def assert_same(left: dict[str, Array], right: dict[str, Array]) -> None:
    assert left.keys() == right.keys()
    different = [name for name in left if not same_bits(np.asarray(left[name]), np.asarray(right[name]))]
    assert not different


def assert_same_trials(left: Outcome, right: Outcome, pairs: list[tuple[int, int]], configs: list[dict]) -> None:
    """Trial `i` on the left is trial `j` on the right, for all pairs; `configs` are those of the left."""
    for i, j in pairs:
        assert_same(trial(left, i, configs[i]), trial(right, j, configs[i]))


@quick
@given(problems(), packs(), st.integers(1, 2), blocks)
def test_a_trial_alone_has_the_bits_of_a_trial_in_a_pack(whole, configs, epochs, block):
    configs = fitting(whole, configs)
    pack = descend(whole, configs, epochs)
    with patch.object(minibatches, "BLOCK_BYTES", block):
        for k, member in enumerate(configs):
            assert_same_trials(descend(whole, [member], epochs), pack, [(0, k)], [member])


@quick
@given(problems(), packs(), st.integers(1, 2), st.randoms(use_true_random=False), st.data())
def test_a_split_or_shuffled_pack_has_the_same_bits(whole, configs, epochs, random, data):
    configs = fitting(whole, configs)
    pack = descend(whole, configs, epochs)
    order = list(range(len(configs)))
    random.shuffle(order)
    shuffled = [configs[i] for i in order]
    assert_same_trials(descend(whole, shuffled, epochs), pack, list(enumerate(order)), shuffled)
    cut = data.draw(st.integers(0, len(configs)))
    for start, half in ((0, configs[:cut]), (cut, configs[cut:])):
        if half:
            part = descend(whole, half, epochs)
            assert_same_trials(part, pack, [(k, start + k) for k in range(len(half))], half)


@quick
@given(problems(), packs(most=4), st.integers(1, 2), blocks)
def test_a_replicate_alone_has_the_bits_of_a_replicate_among_others(whole, configs, epochs, block):
    configs = fitting(whole, configs)
    together = descend(whole, configs, epochs)
    for r in range(len(whole.replicates)):
        with patch.object(minibatches, "BLOCK_BYTES", block):
            alone = descend(one_replicate(whole, r), configs, epochs)
        for k, member in enumerate(configs):
            assert_same(trial(together, k, member, r), trial(alone, k, member, 0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [16, 128, 300])
@pytest.mark.parametrize("hidden", [64, 256])
def test_bits_do_not_depend_on_the_pack_at_the_sizes_of_real_studies(dtype, batch_size, hidden):
    whole = problem(Sizes("multiclass", 10, 64, 300, 100, dtype), Model((hidden,)))
    rules = ["momentum", "adam", "sgd", "rmsprop", "adam", "nesterov", "adamw", "momentum", "adam"]
    configs = [config(rule, lr=1e-3 * (k + 1), batch_size=batch_size) for k, rule in enumerate(rules)]
    pack = descend(whole, configs, 1)
    for k in (0, 4, 8):
        assert_same_trials(descend(whole, [configs[k]], 1), pack, [(0, k)], [configs[k]])
    part = descend(whole, configs[2:5], 1)
    assert_same_trials(part, pack, [(0, 2), (1, 3), (2, 4)], configs[2:5])


@quick
@given(problems(), packs(), st.integers(0, 3), st.integers(0, 3))
def test_a_run_cut_in_two_equals_a_run_in_one(whole, configs, first, second):
    configs = fitting(whole, configs)
    through = descend(whole, configs, first + second)
    start = descend(whole, configs, first)
    rest = descend(whole, configs, second, start.state)
    assert rest.state.epoch == first + second
    assert_same_states(rest.state, through.state)
    for name, curve in through.curves.items():
        pieces = [piece.curves[name] for piece in (start, rest) if piece.curves]
        assert same_bits(np.concatenate(pieces, axis=-1), curve)


def test_ten_and_ten_epochs_equal_twenty():
    whole = problem(Sizes(train=50), Model((8,)), replicates=2)
    configs = [config(rule, lr=0.01, epochs=20, schedule="cosine") for rule in RULES]
    configs += [{**member, "dropout": 0.3, "decay": "weights", "patience": 3, "min_delta": 0.05} for member in configs]
    through, start = descend(whole, configs, 20), descend(whole, configs, 10)
    rest = descend(whole, configs, 10, start.state)
    assert 0 < through.stopped.sum() > start.stopped.sum()
    assert_same_states(rest.state, through.state)
    assert same_bits(rest.curves["valid_loss"], through.curves["valid_loss"][..., 10:])


@quick
@given(problems(), packs(), st.data())
def test_survivors_of_a_cut_go_on_as_if_nobody_had_left(whole, configs, data):
    configs = fitting(whole, configs)
    start = descend(whole, configs, 1)
    through = descend(whole, configs, 2)
    trials = data.draw(st.permutations(range(len(configs))))[: data.draw(st.integers(1, len(configs)))]
    kept = [configs[i] for i in trials]
    rest = descend(whole, kept, 1, start.state.take(trials))
    for k, i in enumerate(trials):
        assert same_bits(rest.state.weights[:, k], through.state.weights[:, i])
        assert same_bits(rest.curves["valid_loss"][:, k, 0], through.curves["valid_loss"][:, i, 1])


@quick
@given(problems(), packs(), packs(), st.integers(0, 1))
def test_states_are_taken_apart_and_joined(whole, left, right, epochs):
    left, right = fitting(whole, left), fitting(whole, right)
    right = [{**member, "batch_size": left[0]["batch_size"]} for member in right]
    halves = [descend(whole, half, epochs).state for half in (left, right)]
    joined = State.join(halves)
    assert joined.epoch == epochs
    assert_same_states(joined, descend(whole, [*left, *right], epochs).state)
    assert_same_states(State.join([joined.take([k]) for k in range(len(left) + len(right))]), joined)
    rest, together = descend(whole, [*left, *right], 1, joined), descend(whole, [*left, *right], epochs + 1)
    assert same_bits(rest.state.weights, together.state.weights)


@quick
@given(problems(), packs(), st.integers(0, 7), st.sampled_from(sorted(RULES)))
def test_a_diverging_member_changes_nothing_for_the_others(whole, configs, place, rule):
    configs = fitting(whole, configs)
    place = min(place, len(configs))
    wild = {**configs[0], "optimizer": rule, "lr": 1e30, "schedule": "constant"}
    calm, mixed = descend(whole, configs, 2), descend(whole, [*configs[:place], wild, *configs[place:]], 2)
    assume(mixed.diverged[:, place].any())  # classes may be told apart, with no loss at all, by huge weights
    moved = [(k, k + (k >= place)) for k in range(len(configs))]
    assert_same_trials(calm, mixed, moved, configs)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(("task", "outputs"), [("binary", 1), ("multiclass", 3), ("regression", 2)])
def test_a_diverged_trial_is_frozen_at_zero_with_infinite_losses(rule, activation, task, outputs):
    whole = problem(Sizes(task, outputs, dtype="float32"), Model((4,), activation), replicates=2)
    outcome = descend(whole, [config("sgd", lr=0.01), config(rule, lr=1e30)], 3)
    assert outcome.diverged.tolist() == [[False, True], [False, True]]
    assert not outcome.state.weights[:, 1].any()
    assert not outcome.state.slots[:, :, 1].any()
    for name, curve in outcome.curves.items():
        dead = curve[:, 1]
        assert np.isposinf(dead).all() if name.endswith("_loss") else np.isnan(dead).all()
        assert np.isfinite(curve[:, 0]).all()


def test_what_has_diverged_stays_so_when_the_run_goes_on():
    whole = problem(Sizes(), Model((4,)))
    start = descend(whole, [HOPELESS, config("adam")], 1)
    rest = descend(whole, [HOPELESS, config("adam")], 2, start.state)
    assert rest.diverged.tolist() == [[True, False]]
    assert np.isposinf(rest.curves["valid_loss"][0, 0]).all()


def test_a_trial_diverges_in_its_own_epoch_and_its_past_stays():
    whole = problem(Sizes("regression", 1, features=3, train=20), Model())
    outcome = descend(whole, [config("sgd", lr=1.2, batch_size=20, epochs=60)], 60)
    losses = outcome.curves["train_loss"][0, 0]
    first = int(np.isinf(losses).argmax())
    assert 1 < first < 59
    assert np.isfinite(losses[:first]).all()
    assert np.isinf(losses[first:]).all()
    assert losses[:first].max() <= LARGEST


def test_weights_that_are_no_numbers_diverge_even_where_a_relu_hides_them():
    whole = problem(Sizes(dtype="float32"), Model((4,)))
    start = descend(whole, [config("sgd"), config("sgd")], 0).state
    start.weights[0, 0, 3] = np.copysign(np.nan, -1)
    outcome = descend(whole, [config("sgd"), config("sgd")], 1, start)
    assert outcome.diverged.tolist() == [[True, False]]
    assert np.isposinf(outcome.curves["train_loss"][0, 0, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loss_diverges_where_its_numbers_end_whatever_a_constant_prediction_loses(dtype):
    whole = problem(Sizes("regression", 1, dtype=dtype), Model())
    members = [config("sgd", lr=1e-30) for _ in range(3)]
    start = descend(whole, members, 0).state
    start.weights[0, :, :] = np.array([1e6, 1e9, 1e15])[:, None]  # losses of about 1e12, 1e18 and 1e30
    assert descend(whole, members, 1, start).diverged.tolist() == [[False, False, True]]


def of_targets(train: float | None = None, valid: float | None = None, task: str = "regression") -> Problem:
    """A problem all of whose train targets are `train`, or one of whose validation targets is `valid`."""
    data = prepared(Sizes(task, 1, dtype="float32"))
    y = data.train.y if train is None else np.full_like(data.train.y, train)
    spoilt = data.valid.y.copy()
    spoilt[0] = spoilt[0] if valid is None else valid
    parts = {"train": type(data.train)(data.train.x, y), "valid": type(data.train)(data.valid.x, spoilt)}
    return Problem((Replicate(0, 1, type(data)(**{**vars(data), **parts})),), Model((4,)))


@pytest.mark.parametrize(
    "whole",
    [of_targets(train=0.0), of_targets(train=1.0, task="binary"), of_targets(valid=3.2e7), of_targets(valid=1e15)],
    ids=["constant target", "one class", "a slip", "a large slip"],
)
def test_data_that_a_constant_fits_too_well_or_nothing_fits_make_no_run_diverge(whole):
    outcome = descend(whole, [config(rule, lr=0.01) for rule in ("sgd", "adam")], 4)
    assert not outcome.diverged.any()
    assert np.isfinite(outcome.curves["valid_loss"]).all()
    assert descend(whole, [{"optimizer": "lbfgs", "epochs": 4}], 4).diverged.tolist() == [[False]]


def test_one_replicate_may_diverge_without_the_other():
    calm = prepared(Sizes("regression", 1, train=20))
    big = prepared(Sizes("regression", 1, train=20))
    part = type(big.train)(np.asarray(big.train.x) * np.r_[np.full(4, 1e3), 1.0], big.train.y)
    wild = type(big)(**{**vars(big), "train": part})
    whole = Problem((Replicate(0, 1, calm), Replicate(0, 2, wild)), Model())
    outcome = descend(whole, [config("sgd", lr=0.01)], 3)
    assert outcome.diverged.tolist() == [[False], [True]]
    alone = descend(one_replicate(whole, 0), [config("sgd", lr=0.01)], 3)
    assert same_bits(outcome.state.weights[0], alone.state.weights[0])


def test_neither_the_state_nor_the_data_are_written_to():
    whole = problem(Sizes(), Model((4,)))
    configs = [config(rule) for rule in RULES]
    start = descend(whole, configs, 1).state
    before = [a.tobytes() for a in (start.weights, start.slots, start.alive)]
    for array in (start.weights, start.slots, start.alive):
        array.flags.writeable = False
    descend(whole, configs, 1, start)
    assert [a.tobytes() for a in (start.weights, start.slots, start.alive)] == before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_and_dtypes(dtype):
    whole = problem(Sizes(dtype=dtype), Model((4,)), replicates=2)
    outcome = descend(whole, [config("sgd", weight_decay=0.01), config("adam"), config("momentum")], 3)
    size = whole.model.size(4, 3)
    state = outcome.state
    assert (state.weights.shape, state.weights.dtype) == ((2, 3, size), np.dtype(dtype))
    assert (state.slots.shape, state.slots.dtype) == ((2, 2, 3, size), np.dtype(dtype))
    assert not state.slots[:, :, 0].any()
    assert set(outcome.curves) == {"train_loss", "valid_loss", "valid_accuracy"}
    assert {(curve.shape, curve.dtype) for curve in outcome.curves.values()} == {((2, 3, 3), np.dtype(np.float64))}


def test_no_epochs_is_the_start():
    whole = problem(Sizes(), Model((4,)), replicates=2)
    outcome = descend(whole, [config("adam"), config("sgd")], 0)
    assert outcome.curves == {}
    assert outcome.state.epoch == 0
    assert same_bits(outcome.state.weights[:, 0], outcome.state.weights[:, 1])
    assert not same_bits(outcome.state.weights[0], outcome.state.weights[1])
    assert not outcome.state.slots.any()


def test_another_seed_is_another_run_and_the_same_seed_the_same():
    data, keys = prepared(Sizes()), ((1, 0), (1, 0), (1, 1), (2, 0))
    runs = [descend(Problem((Replicate(*key, data),), Model((4,))), [config("sgd")], 1) for key in keys]
    losses = [run.curves["valid_loss"].tobytes() for run in runs]
    assert losses[0] == losses[1]
    assert len(set(losses)) == 3


def test_another_process_computes_the_same_bits():
    program = (
        "import hashlib; from tests.support.problems import *; from objectives.training.descent import descend;"
        "out = descend(problem(Sizes(), Model((4,)), 2), [config(rule) for rule in sorted(RULES)], 2);"
        "print(hashlib.sha256(out.state.weights.tobytes() + out.state.slots.tobytes()).hexdigest())"
    )
    root = Path(__file__).parents[3]
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(runs[0]) == 65
    assert runs[0] == runs[1]


def naive_step(w1: Array, w2: Array, x: Array, y: Array, lr: float) -> tuple[Array, Array, float]:
    """One step of gradient descent on the mean cross-entropy of relu network, row by row."""
    g1, g2, total = np.zeros_like(w1), np.zeros_like(w2), 0.0
    for row, target in zip(x, y, strict=True):
        before = row @ w1
        hidden = np.append(np.maximum(before, 0), 1)
        e = np.exp(hidden @ w2)
        q = e / e.sum()
        total -= np.log(q[target.argmax()])
        g2 += np.outer(hidden, q - target) / len(x)
        g1 += np.outer(row, (before > 0) * (w2[:-1] @ (q - target))) / len(x)
    return w1 - lr * g1, w2 - lr * g2, total


def test_training_equals_a_plain_loop_over_rows():
    sizes, model = Sizes(train=23, valid=9), Model((6,))
    whole = problem(sizes, model)
    member = config("sgd", lr=0.2, batch_size=5, epochs=3, schedule="cosine")
    w1, w2 = (view[0, 0] for view in layers_of_start(whole))
    losses, valid, step = [], [], 0
    for epoch in range(3):
        totals = []
        for x, y, _ in Minibatches(whole.replicates, 5).epoch(epoch):
            lr = 0.2 * (1 + np.cos(np.pi * step / 15)) / 2
            w1, w2, total = naive_step(w1, w2, x[0, 0], y[0, 0].T, lr)
            totals.append(total)
            step += 1
        losses.append(sum(totals) / 23)
        part = whole.replicates[0].data.valid
        valid.append(naive_step(w1, w2, part.x, part.y, 0.0)[2] / 9)
    outcome = descend(whole, [member], 3)
    np.testing.assert_allclose(outcome.state.weights[0, 0], np.r_[w1.ravel(), w2.ravel()], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(outcome.curves["train_loss"][0, 0], losses, rtol=1e-12)
    np.testing.assert_allclose(outcome.curves["valid_loss"][0, 0], valid, rtol=1e-12)


def layers_of_start(whole: Problem) -> list[Array]:
    """Initial weights, layer by layer `(R, K, D + 1, H)`."""
    weights = descend(whole, [config("sgd")], 0).state.weights
    shapes = whole.model.shapes(whole.inputs, whole.outputs)
    cuts = np.cumsum([0, *(rows * columns for rows, columns in shapes)])
    return [weights[..., a:b].reshape(1, 1, *shape) for (a, b), shape in zip(pairwise(cuts), shapes, strict=True)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_nothing_moves_past_the_horizon_of_a_cosine(rule, weight_decay):
    whole = problem(Sizes(), Model((4,)))
    member = config(rule, schedule="cosine", epochs=2, weight_decay=weight_decay)
    end = descend(whole, [member], 2).state
    assert same_bits(descend(whole, [member], 2, end).state.weights, end.weights)


def test_a_horizon_is_the_configs_own():
    whole = problem(Sizes(), Model((4,)))
    short, long = (config("sgd", schedule="cosine", epochs=epochs) for epochs in (2, 4))
    outcome = descend(whole, [short, long], 2)
    assert not same_bits(outcome.state.weights[:, 0], outcome.state.weights[:, 1])


def test_a_pack_has_one_batch_size():
    whole = problem(Sizes(), Model())
    with pytest.raises(InvalidInput, match=r"batch_size: a pack has one, but got \[5, 6\]"):
        descend(whole, [config("sgd"), config("sgd", batch_size=6)], 1)


@pytest.mark.parametrize("size", [0, -1, 25])
def test_a_batch_holds_one_row_to_all_rows(size):
    with pytest.raises(InvalidInput, match=rf"batch_size: must lie in \[1, 24\], the train rows, but got {size}"):
        descend(problem(Sizes(), Model()), [config("sgd", batch_size=size)], 1)


def test_valid_loss_is_the_tasks_whatever_is_trained_on():
    plain = problem(Sizes("regression", 2), Model((4,)))
    robust = Problem(plain.replicates, plain.model, huber(0.5))
    still, member = config("sgd", lr=1e-300), config("sgd", lr=1e-300, loss="huber", huber_delta=0.5)
    expected, found = descend(plain, [still], 1).curves, descend(robust, [member], 1).curves
    assert same_bits(found["valid_loss"], expected["valid_loss"])
    assert 0 < found["train_loss"][0, 0, 0] < expected["train_loss"][0, 0, 0] / 2
    moved = [descend(whole, [config("sgd")], 1).state.weights for whole in (plain, robust)]
    assert not same_bits(*moved)


def test_a_loss_belongs_to_the_problem():
    whole = problem(Sizes("regression", 2), Model())
    with pytest.raises(InvalidInput, match="loss: a pack has one, that of its problem: squared_error"):
        descend(whole, [config("sgd", loss="huber")], 1)
    with pytest.raises(InvalidInput, match="problem: huber is a loss of regression, but the task is binary"):
        Problem(problem(Sizes("binary", 1), Model()).replicates, Model(), huber())


def test_unknown_rules_and_values_out_of_range_are_refused():
    whole = problem(Sizes(), Model())
    with pytest.raises(InvalidInput, match="optimizer: 'adan' is not known; did you mean 'adam'"):
        descend(whole, [config("adan")], 1)
    with pytest.raises(InvalidInput, match=r"momentum\.momentum: must lie in \[0, 1\), but got 1\.0"):
        descend(whole, [config("momentum", momentum=1.0)], 1)
    with pytest.raises(InvalidInput, match=r"must lie in \(0, 1\), but got 0\.0; without momentum nesterov is sgd"):
        descend(whole, [config("nesterov", momentum=0)], 1)


def test_replicates_must_stack():
    with pytest.raises(InvalidInput, match="replicates differ in task, shape or dtype"):
        Problem((Replicate(0, 0, prepared(Sizes())), Replicate(0, 1, prepared(Sizes(train=25)))), Model())
    with pytest.raises(InvalidInput, match="problem: has no replicates"):
        Problem((), Model())


def test_clipping_bounds_a_step_and_costs_nothing_where_it_is_off():
    whole = problem(Sizes(dtype="float64"), Model((4,)))
    rows = len(whole.data.train)
    members = [config("sgd", lr=1.0, batch_size=rows, clip_norm=norm) for norm in (1e-3, 0.0, 1e6)]
    start, end = (descend(whole, members, epochs).state.weights[0] for epochs in (0, 1))
    moved = np.linalg.norm(end - start, axis=1)
    assert moved[0] == pytest.approx(1e-3, rel=1e-2)
    assert moved[1] > 1e-2
    assert same_bits(end[1], end[2])
    assert kind_of(members[1]) == kind_of(config("sgd")) != kind_of(members[0])
    with pytest.raises(InvalidInput, match=r"clip_norm: must lie in \[0, inf\), but got -1.0"):
        descend(whole, [config("sgd", clip_norm=-1)], 1)


def test_numpy_is_left_as_it_was():
    before = np.getbufsize(), np.geterr()
    descend(problem(Sizes(), Model()), [config("sgd")], 1)
    with pytest.raises(InvalidInput, match="clip_norm"):
        descend(problem(Sizes(), Model()), [config("sgd", clip_norm=-1)], 1)
    assert (np.getbufsize(), np.geterr()) == before
