"""Methods that see all rows at once, as pure functions with explicit state: iterations continue where others ended.

objective = objective_of(problem, l2=1e-3)              # objectives.evaluation.training_objective
state = advance(objective, "lbfgs", iterations=100)
state.value, state.functions, state.gradients
"""

from __future__ import annotations

from objectives.full_batch.curvature import MOST_NEWTON
from objectives.full_batch.method import Method
from objectives.full_batch.methods import METHODS, advance
from objectives.full_batch.objective import Objective, penalised
from objectives.full_batch.state import CONVERGED, RUNNING, SEPARABLE, VERDICTS, State

__all__ = [
    "CONVERGED",
    "METHODS",
    "MOST_NEWTON",
    "RUNNING",
    "SEPARABLE",
    "VERDICTS",
    "Method",
    "Objective",
    "State",
    "advance",
    "penalised",
]
