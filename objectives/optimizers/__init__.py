"""`OPTIMIZERS`, a row each, and the functions that make the steps of those that see minibatches (`RULES`).

    hyperparameters, definition -> momentum, adaptive, adam, frameworks -> registry -> lookup

`momentum`, `adaptive` and `adam` hold the rules, `frameworks` how each framework computes them otherwise, `registry`
the table of both, and `lookup` what is read from it.

A rule moves a slice of a pack. Every array it gets is `(R, K, P)` and every coefficient a column `(1, K, 1)`, so that
trials with different hyperparameters advance in one pass over memory. Rules follow torch.optim 2.13: with `g` the
gradient of the mean loss at `p` and `t = 1, 2, ...` the count of updates, each docstring gives what is computed.

What a step costs is passes over memory, so the running averages are kept without their factor: `M = m / (1 - beta1)`
needs two passes where `m` needs three. The factors move into the coefficients, which are computed once an epoch in
float64 (`coefficients`); what remains differs from torch by rounding alone. Slots are zero at the start, whatever the
rule: what it adds to them is added on use.
"""

from __future__ import annotations

from objectives.hyperparameter import Bounds, Flag, Hyper
from objectives.optimizers.definition import Convention, Optimizer, Rule, RuleCall
from objectives.optimizers.lookup import convention_of, hyperparameters, missing, row_of, rule_of, switches
from objectives.optimizers.registry import FRAMEWORKS, OPTIMIZERS, RULES

__all__ = [
    "FRAMEWORKS",
    "OPTIMIZERS",
    "RULES",
    "RuleCall",
    "Convention",
    "Flag",
    "Hyper",
    "Bounds",
    "Optimizer",
    "Rule",
    "convention_of",
    "hyperparameters",
    "missing",
    "row_of",
    "rule_of",
    "switches",
]
