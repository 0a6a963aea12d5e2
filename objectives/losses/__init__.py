"""Losses of stacked outputs, with their gradient: a mean over the rows, as in torch; a row of `LOSSES` each.

Outputs `z` and targets `y` stand features first, `(R, K, C, B)` and `(R, 1, C, B)`, and in memory the classes come
first of all: reductions over the few classes then run along long rows of memory. Softmax is told the classes,
`(R, 1, 1, B)`, instead of columns of zeros and a one. A loss adds up its rows with matrix products against a column of
ones, whose order of summation is that of one trial alone, whatever it is packed with.

    scratch -> loss -> classes, distances -> counts -> registry
"""

from objectives.losses.classes import smoothed
from objectives.losses.distances import huber, quantile
from objectives.losses.loss import Loss
from objectives.losses.registry import LOSSES, loss_of, losses_for
from objectives.losses.scratch import Scratch

__all__ = ["LOSSES", "Loss", "Scratch", "huber", "loss_of", "losses_for", "quantile", "smoothed"]
