"""All methods by name: those that are compared, and ours with a piece changed."""

from __future__ import annotations

from tests.benchmarks.handed_over.changes import AS_IT_IS, PIECES, Piece, searched_with
from tests.benchmarks.handed_over.divisions import OPTIMIZERS
from tests.benchmarks.handed_over.estimators import halving_search, randomized_search
from tests.benchmarks.handed_over.guided import optuna_search
from tests.benchmarks.handed_over.methods import Method, default, ours, random_search
from tests.benchmarks.handed_over.smac_search import smac_search

__all__ = [
    "CHANGED",
    "DEFAULTS",
    "KNOWN",
    "METHODS",
    "OURS",
    "PIECE_BUDGETS",
    "REFERENCE",
    "REFERENCE_BUDGET",
    "UNCHANGED",
]

OURS = "ours"
REFERENCE, REFERENCE_BUDGET = "random x 5", 64
DEFAULTS = {f"default {name}": Method(default(name), (1,), (1,), unit="") for name in OPTIMIZERS}
METHODS: dict[str, Method] = {
    OURS: Method(ours, (16, 32, 64, 128, 512, 2048), (32, 128), ours=True, unit="trials"),
    **DEFAULTS,
    REFERENCE: Method(random_search(5), (2, 4, 8, 16, 32, 64, 128), (8, 64)),
    "Optuna TPE x 5": Method(optuna_search(5), (8, 16, 32, 64), (8,), divisions=5, unit="trials"),
    "Optuna TPE x 1": Method(optuna_search(1), (32, 128, 320), (32,), divisions=5, unit="trials"),
    "RandomizedSearchCV": Method(randomized_search, (8, 64), divisions=3, rows=2000),
    "HalvingRandomSearchCV": Method(halving_search, (32, 128), divisions=3, rows=2000),
    "SMAC3": Method(smac_search("intensify"), (80, 320), divisions=2, rows=4000, unit="evaluations"),
    "SMAC3 Hyperband": Method(smac_search("hyperband"), (80, 640), divisions=3, rows=4000, unit="evaluations"),
}
PIECE_BUDGETS = (32, 128)


def changed(piece: Piece) -> Method:
    """Return ours with a piece changed, at the budgets that it can have."""
    budgets = tuple(budget for budget in PIECE_BUDGETS if budget >= piece.least)
    return Method(searched_with(piece), budgets, budgets, ours=True, unit="trials")


CHANGED = {f"{OURS}: {name}": name for name in PIECES}
UNCHANGED = f"{OURS}: {AS_IT_IS}"
KNOWN: dict[str, Method] = METHODS | {label: changed(PIECES[name]) for label, name in CHANGED.items()}
