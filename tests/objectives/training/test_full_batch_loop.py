"""Whole-batch methods in packs: the bits of a run alone, pure continuation, counts, and the objective of all trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.errors import InvalidInput
from objectives.evaluation.training_loss import losses
from objectives.evaluation.training_objective import objective_of
from objectives.full_batch import METHODS, VERDICTS, advance
from objectives.models import Model
from objectives.optimizers import OPTIMIZERS
from objectives.training.descent import State, descend
from tests.support.problems import Array, Sizes, one_replicate, problem, same_bits

WHOLE = [name for name, row in OPTIMIZERS.items() if row.whole]
LINEAR = problem(Sizes(train=30, dtype="float32"), Model(), 2, own_splits=True)


def whole(name: str, **values: Any) -> dict[str, Any]:
    return {"optimizer": name, "epochs": 6, **values}


def same_state(left: State, right: State) -> bool:
    arrays = [(left.weights, right.weights), (left.slots, right.slots), (left.alive, right.alive)]
    arrays += [(left.marks[name], right.marks[name]) for name in left.marks]
    return (
        left.epoch == right.epoch and set(left.marks) == set(right.marks) and all(same_bits(*pair) for pair in arrays)
    )


def members() -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.builds(
        lambda name, decay, forward: whole(name, weight_decay=decay, forward=forward),
        st.sampled_from(WHOLE),
        st.sampled_from((0.0, 0.1)),
        st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=4)


def test_every_method_is_an_optimizer() -> None:
    assert list(METHODS) == WHOLE


@settings(deadline=None)
@given(members(), st.integers(0, 6))
def test_a_run_keeps_its_bits_in_any_pack_replicate_and_piece(pack: list[dict[str, Any]], cut: int) -> None:
    together = descend(LINEAR, pack, 6)
    first = descend(LINEAR, pack, cut)
    again = descend(LINEAR, pack, 6 - cut, first.state)
    assert same_state(again.state, together.state)
    for k, member in enumerate(pack):
        for r in range(2):
            alone = descend(one_replicate(LINEAR, r), [member], 6)
            assert all(same_bits(together.curves[c][r, k], alone.curves[c][0, 0]) for c in alone.curves)
            assert same_bits(together.state.weights[r, k], alone.state.weights[0, 0])


@pytest.mark.parametrize("name", WHOLE)
def test_a_pack_takes_the_iterations_of_the_method(name: str) -> None:
    outcome = descend(LINEAR, [whole(name, weight_decay=0.0)], 6)
    state = advance(objective_of(LINEAR, replicate=1), name, 6)
    assert same_bits(outcome.state.weights[1, 0], state.point)
    for count in ("functions", "gradients", "hessians"):
        assert outcome.curves[count][1, 0, -1] == getattr(state, count)
    assert list(VERDICTS)[int(outcome.curves["verdict"][1, 0, -1])] == state.status
    # a value alone is half a gradient with its value; a Hessian costs what its products cost
    alone, (inputs, outputs) = state.functions - state.gradients, LINEAR.shapes[0]
    work = state.gradients + alone / 2 + state.hessians * inputs * (outputs + 1) / 4
    assert outcome.curves["evaluations"][1, 0, -1] == work


def test_packs_of_several_methods_join_and_part() -> None:
    parts = [descend(LINEAR, [whole(name)], 2).state for name in WHOLE]
    joined = descend(LINEAR, [whole(name) for name in WHOLE], 3, State.join(parts))
    for k, (name, part) in enumerate(zip(WHOLE, parts, strict=True)):
        alone = descend(LINEAR, [whole(name)], 3, part)
        assert same_bits(joined.state.weights[:, k], alone.state.weights[:, 0])


def test_weight_decay_is_part_of_the_objective_and_not_of_the_loss() -> None:
    outcome = descend(LINEAR, [whole("newton", weight_decay=0.1)], 20)
    weights = outcome.state.weights[0, 0]
    loss = losses(LINEAR, weights[None])[0]
    assert outcome.curves["train_loss"][0, 0, -1] == pytest.approx(loss, abs=1e-12)
    assert outcome.curves["objective"][0, 0, -1] == pytest.approx(loss + 0.05 * (weights**2).sum(), abs=1e-12)


@pytest.mark.parametrize(("optimizer", "pulls"), [("momentum", True), ("adamw", False)])
@pytest.mark.parametrize("decay", ["all", "weights"])
def test_minibatch_trials_follow_the_same_objective_where_asked(optimizer: str, pulls: bool, decay: str) -> None:
    member = {"optimizer": optimizer, "lr": 0.05, "weight_decay": 0.2, "batch_size": 5, "epochs": 3, "decay": decay}
    outcome = descend(LINEAR, [{**member, "track_objective": True}], 3)
    weights = outcome.state.weights[0, 0].astype(np.float64)
    pulled = weights.reshape(-1, LINEAR.outputs)[: None if decay == "all" else -1]
    expected = losses(LINEAR, weights[None])[0] + pulls * 0.1 * (pulled**2).sum()
    assert outcome.curves["objective"][0, 0, -1] == pytest.approx(expected, rel=1e-5)
    assert "objective" not in descend(LINEAR, [member], 3).curves


def test_no_method_goes_below_the_optimum_of_newton() -> None:
    common = {"weight_decay": 0.1, "track_objective": True, "epochs": 40}
    rules = [{"optimizer": name, "lr": 0.1, "batch_size": 10, **common} for name in ("sgd", "adam", "nesterov")]
    optimum = descend(LINEAR, [{"optimizer": "newton", **common}], 40).curves["objective"][:, 0, -1]
    whole_batch = descend(LINEAR, [{"optimizer": n, **common} for n in WHOLE if n != "random_weights"], 40)
    for outcome in (descend(LINEAR, rules, 40), whole_batch):
        assert (outcome.curves["objective"].min(axis=-1) >= optimum[:, None] - 1e-6).all()


def test_a_rate_too_large_diverges_and_the_others_go_on() -> None:
    target = problem(Sizes("regression", 1, train=30), Model())
    pack = [whole("gradient_descent", lr=9.0), whole("gradient_descent", lr=0.1)]
    outcome = descend(target, pack, 60)
    assert outcome.diverged.tolist() == [[True, False]]
    assert np.isinf(outcome.curves["valid_loss"][0, 0, -1])
    alone = descend(target, pack[1:], 60)
    assert same_bits(outcome.state.weights[:, 1], alone.state.weights[:, 0])


def test_networks_take_whole_batch_methods_but_newton() -> None:
    deep = problem(Sizes(train=30), Model((5,), "tanh"))
    for name in WHOLE:
        if name == "newton":
            with pytest.raises(InvalidInput, match=r"newton: the model has hidden layers \[5\]"):
                descend(deep, [whole(name)], 1)
        else:
            curve: Array = descend(deep, [whole(name)], 8).curves["train_loss"][0, 0]
            assert curve[-1] <= curve[0]


def test_whole_and_minibatch_trials_do_not_share_a_pack() -> None:
    minibatch = {"optimizer": "sgd", "batch_size": 5, "epochs": 2}
    with pytest.raises(InvalidInput, match="newton sees all rows at once"):
        descend(LINEAR, [minibatch, whole("newton")], 1)
    with pytest.raises(InvalidInput, match="sgd goes by minibatches"):
        descend(LINEAR, [whole("newton"), minibatch], 1)
