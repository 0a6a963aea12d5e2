"""Weight decay acts on what its scope names and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from objectives.errors import InvalidInput
from objectives.models import Layers, Model
from objectives.training.descent import descend
from objectives.training.parameter_groups import kind_of
from objectives.weight_decay import stretches
from tests.support.problems import Array, Sizes, config, problem, same_bits

SHAPES = ((5, 3), (4, 2))  # layers (D + 1, H)


def test_stretches_are_all_weights_or_all_but_the_last_row_of_each_layer():
    weights = np.zeros((1, 1, 23))
    for where in stretches("weights", SHAPES):
        weights[..., where] = 1
    for view in Layers(weights, SHAPES).views:
        assert (view[..., :-1, :] == 1).all()
        assert (view[..., -1, :] == 0).all()
    assert stretches("all", SHAPES) == [slice(0, 23)]


def moved(optimizer: str, **values: float | str) -> Array:
    """Weights `(P,)` after one whole-batch step from the same start."""
    whole = problem(Sizes(), Model((3,)))
    return descend(whole, [config(optimizer, lr=0.1, batch_size=24, **values)], 1).state.weights[0, 0]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_biases_are_left_alone_where_only_weights_decay(optimizer):
    none, every, some = (
        moved(optimizer, weight_decay=decay, decay=scope)
        for decay, scope in ((0.0, "all"), (0.1, "all"), (0.1, "weights"))
    )
    bias = np.ones(len(none), bool)
    for where in stretches("weights", ((5, 3), (4, 3))):
        bias[where] = False
    assert same_bits(some[bias], none[bias])
    assert same_bits(some[~bias], every[~bias])
    assert (every[bias] != none[bias]).all()


def test_the_scope_means_nothing_without_decay():
    assert same_bits(moved("sgd", decay="weights"), moved("sgd"))
    assert kind_of(config("sgd", decay="weights")) == kind_of(config("sgd"))


def test_an_unknown_scope_is_refused():
    with pytest.raises(InvalidInput, match="decay: 'weight' is not known; did you mean 'weights'"):
        moved("sgd", decay="weight")
