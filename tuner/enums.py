"""The words that a ledger, a study file and a table have for a few things, as enums whose members are those texts.

This module imports nothing heavy, so that every command can afford it.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ObjectiveForm", "TrialState"]


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"  # trained to the end of its last rung
    PRUNED = "pruned"  # others of its generation were ahead at a rung
    DIVERGED = "diverged"  # its loss left the range of numbers
    FAILED = "failed"  # it raised, took too long, or its worker died


class ObjectiveForm(StrEnum):
    """How somebody's objective is called; see `tuner.trainables.custom.objective_ref.FORMS`."""

    VALUE = "value"
    STEPS = "steps"
    RUN = "run"
    TRIAL = "trial"
