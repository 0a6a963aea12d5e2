"""Names that parameters of somebody's own objective cannot have, and those that other code's parameters get here.

Workers need them for every trial of a script for Optuna, so this imports nothing of a study's schema.
"""

from __future__ import annotations

import re

from objectives.training.hypers import Entry, hypers_of

__all__ = ["OWN_NAMES", "TRAINED", "UNITS", "parameter_name"]

UNITS = ("epochs", "steps", "examples")  # of a budget
# Columns of the ranking, and what a config says by itself: a parameter of that name would hide it.
OWN_NAMES = (
    "rank", "tie", "trial", "state", "value", "se", "splits", "confirmed", "confirmed_low", "confirmed_high",
    "search_rank", "epoch", "rung", "stable", "examples", "evaluations", "seconds",
    "generation", "seed", "split", "replicate", "verdict", "gap", "optimizer", "framework", "model", "decay",
    *UNITS,
)  # fmt: skip
TRAINED = ("batch_size", "schedule", *(row.name for row in hypers_of(Entry.STEP)))


def parameter_name(name: str) -> str:
    """Return the parameter for what other code calls `name`: the same, where that is a valid name."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    plain = plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"
    return f"{plain}_" if plain in (*OWN_NAMES, *TRAINED) else plain[:99]
