"""Methods that see all rows at once, as pure functions with explicit state: iterations continue where others ended.

objective = objective_of(problem, l2=1e-3)
state = advance(objective, "lbfgs", iterations=100)
state.value, state.functions, state.gradients
"""

from __future__ import annotations

from objectives.full_batch.methods import METHODS, Method, advance
from objectives.full_batch.objective import Objective, objective_of, surface_objective
from objectives.full_batch.state import State

__all__ = ["METHODS", "Method", "Objective", "State", "advance", "objective_of", "surface_objective"]
