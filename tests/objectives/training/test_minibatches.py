"""Minibatches: every row once an epoch, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.models import Model
from objectives.training import minibatches
from objectives.training.minibatches import Minibatches
from tests.support.problems import Sizes, problem, problems, same_bits


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(1, 24), st.integers(0, 3), st.sampled_from((1, 2000, minibatches.BLOCK_BYTES)))
def test_an_epoch_meets_every_row_once(whole, batch_size, epoch, block):
    train = [replicate.data.train for replicate in whole.replicates]
    with patch.object(minibatches, "BLOCK_BYTES", block):
        batches = [(x.copy(), y.copy()) for x, y, _ in Minibatches(whole.replicates, batch_size).epoch(epoch)]
    assert [x.shape[2] for x, _ in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert len(batches) == whole.steps_per_epoch(batch_size)
    for r, part in enumerate(train):
        rows = np.concatenate([np.c_[x[r, 0], y[r, 0].T] for x, y in batches])
        expected = np.c_[part.x, part.y]
        assert same_bits(rows[np.lexsort(rows.T)], expected[np.lexsort(expected.T)])


def test_every_epoch_is_shuffled_afresh_and_batches_of_any_size_cut_the_same_order():
    whole = problem(Sizes(), Model())
    orders = {
        (size, epoch): np.concatenate([x[0, 0].copy() for x, _, _ in Minibatches(whole.replicates, size).epoch(epoch)])
        for size in (1, 5, 24)
        for epoch in (0, 1)
    }
    assert same_bits(orders[1, 0], orders[5, 0])
    assert same_bits(orders[5, 1], orders[24, 1])
    assert not same_bits(orders[5, 0], orders[5, 1])
