"""How a study's best config is refitted, and what decides the model that comes of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from tuner.best import Best

__all__ = ["MOST_REFIT_SEEDS", "Refit", "key_of"]

MOST_REFIT_SEEDS = 100


@dataclass(frozen=True)
class Refit:
    """`seeds` networks make an ensemble; with `all_rows` they train on the test rows too, and nothing judges them.

    With `baselines` models of scikit-learn's at their defaults stand beside it.
    """

    seeds: int = 5
    all_rows: bool = False
    baselines: bool = False


def key_of(best: Best) -> str:
    """Return what a study's model follows from: its best config and its data. A model with another key is stale."""
    whole = json.dumps([dict(best.params), best.epochs, best.provenance.get("data", "")], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()
